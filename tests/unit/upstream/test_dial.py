"""Dialling: what counts as connected, and who is trusted. TLS is spoken by grpcio's own server."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID

from edge.outcome import Fault, Refusal
from edge.upstream.call import UnaryReply, UnaryRequest
from edge.upstream.dial import DialError, Security, TlsOptions, dial, make_security, uri_san_fault
from edge.upstream.endpoint import Endpoint
from edge.upstream.pool import Pool
from edge.upstream.slots import Slots
from tests.calls import unary
from tests.unit.upstream.certificates import issue, write
from tests.unit.upstream.scripted import scripted
from tests.unit.upstream.services import plan, pool_to, serving

IDENTITY = "spiffe://test.example/ns/default/svc/bookstore"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca(authority: trustme.CA, tmp_path: Path) -> str:
    return write(tmp_path, "ca.pem", authority.cert_pem.bytes())


def credentials(key: bytes, chain: bytes, client_ca: bytes | None = None) -> grpc.ServerCredentials:
    return grpc.ssl_server_credentials([(key, chain)], client_ca, require_client_auth=client_ca is not None)


def by_name(authority: trustme.CA, *names: str) -> grpc.ServerCredentials:
    certificate = authority.issue_cert(*names)
    return credentials(certificate.private_key_pem.bytes(), certificate.cert_chain_pems[0].bytes())


async def outcome_of(port: int, tls: TlsOptions, host: str = "127.0.0.1") -> UnaryReply | Refusal:
    pool = pool_to(port, tls=tls, host=host)
    try:
        return await unary(pool, UnaryRequest(b"/t.S/Echo", b"x"))
    finally:
        await pool.close(1)


def refused(outcome: UnaryReply | Refusal, reason: str) -> bool:
    assert isinstance(outcome, Refusal), outcome
    assert outcome.fault is Fault.UPSTREAM_UNAVAILABLE
    assert reason in outcome.detail, outcome.detail
    return True


async def test_a_dns_name_is_verified(authority: trustme.CA, ca: str) -> None:
    with serving(credentials=by_name(authority, "books.test", "localhost")) as service:
        assert isinstance(await outcome_of(service.port, TlsOptions(ca=ca), "localhost"), UnaryReply)
        assert isinstance(await outcome_of(service.port, TlsOptions(ca=ca, server_name="books.test")), UnaryReply)
        assert refused(await outcome_of(service.port, TlsOptions(ca=ca, server_name="other.test")), "Hostname mismatch")
        assert refused(await outcome_of(service.port, TlsOptions(ca=ca)), "IP address mismatch")


async def test_an_unknown_authority_is_refused(authority: trustme.CA, tmp_path: Path) -> None:
    other = write(tmp_path, "other.pem", trustme.CA().cert_pem.bytes())
    with serving(credentials=by_name(authority, "localhost")) as service:
        assert refused(await outcome_of(service.port, TlsOptions(ca=other), "localhost"), "unable to get local issuer")
        assert refused(
            await outcome_of(service.port, TlsOptions(ca=other, uri_san=IDENTITY)), "unable to get local issuer"
        )


async def test_a_spiffe_id_is_verified_without_a_dns_name(authority: trustme.CA, ca: str) -> None:
    key, chain, _ = issue(authority, IDENTITY)
    with serving(credentials=credentials(key, chain)) as service:
        assert isinstance(await outcome_of(service.port, TlsOptions(ca=ca, uri_san=IDENTITY)), UnaryReply)
        assert refused(
            await outcome_of(service.port, TlsOptions(ca=ca, uri_san=IDENTITY + "2")), "the service is 'spiffe:"
        )
        assert refused(await outcome_of(service.port, TlsOptions(ca=ca)), "mismatch")
        assert service.seen.metadata["user-agent"]


async def test_the_wrong_spiffe_id_gets_not_one_byte(authority: trustme.CA, ca: str) -> None:
    key, chain, _ = issue(authority, "spiffe://test.example/ns/default/svc/impostor")
    with serving(credentials=credentials(key, chain)) as service:
        assert refused(await outcome_of(service.port, TlsOptions(ca=ca, uri_san=IDENTITY)), "impostor")
        assert service.seen.metadata == {}


async def test_mutual_tls(authority: trustme.CA, ca: str, tmp_path: Path) -> None:
    key, chain, _ = issue(authority, IDENTITY)
    ours_key, ours, _ = issue(authority, "spiffe://test.example/ns/default/svc/edge")
    tls = TlsOptions(
        ca=ca, uri_san=IDENTITY, cert=write(tmp_path, "c.pem", ours), key=write(tmp_path, "k.pem", ours_key)
    )
    with serving(credentials=credentials(key, chain, authority.cert_pem.bytes())) as service:
        assert isinstance(await outcome_of(service.port, tls), UnaryReply)
        assert isinstance(await outcome_of(service.port, TlsOptions(ca=ca, uri_san=IDENTITY)), Refusal)


def test_tls_works_on_uvloop(authority: trustme.CA, ca: str) -> None:
    """The loop in production: its transports must give the certificate as asyncio's do."""
    key, chain, _ = issue(authority, IDENTITY)
    with serving(credentials=credentials(key, chain)) as service:
        assert isinstance(uvloop.run(outcome_of(service.port, TlsOptions(ca=ca, uri_san=IDENTITY))), UnaryReply)
        assert refused(uvloop.run(outcome_of(service.port, TlsOptions(ca=ca, uri_san="spiffe://x"))), "the service is")


@pytest.mark.parametrize(
    ("uris", "fault"),
    [
        ([IDENTITY], None),
        ([], "no readable SAN"),
        ([IDENTITY, "spiffe://test.example/other"], "2 URI SANs"),
        ([IDENTITY, IDENTITY], "2 URI SANs"),
        ([IDENTITY + "\0.evil"], "the service is"),
        ([IDENTITY.upper()], "the service is"),
        ([IDENTITY + "/"], "the service is"),
        ([IDENTITY[:-1]], "the service is"),
    ],
)
def test_exactly_the_one_uri(authority: trustme.CA, uris: list[str], fault: str | None) -> None:
    der = issue(authority, *uris)[2].public_bytes(Encoding.DER)
    found = uri_san_fault(der, IDENTITY)
    assert found is None if fault is None else fault in (found or "")


def test_a_dns_name_proves_no_uri(authority: trustme.CA) -> None:
    der = issue(authority, dns="bookstore.test")[2].public_bytes(Encoding.DER)
    assert "0 URI SANs" in (uri_san_fault(der, IDENTITY) or "")
    assert uri_san_fault(None, IDENTITY) is not None
    assert uri_san_fault(b"not DER", IDENTITY) is not None


async def test_a_tcp_accept_alone_is_no_connection() -> None:
    """A proxy without a service behind it accepts and says nothing: the dial fails in its time, no call is lost in it."""
    async with scripted(silent=True) as server:
        pool = pool_to(server.port, connect_timeout_s=0.05)
        assert refused(await unary(pool, UnaryRequest(b"/t.S/Echo", b"x")), "no connection within 0.05 s")
        await pool.close(1)


async def test_a_server_of_another_protocol_is_told_apart() -> None:
    async def http1(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(http1, "127.0.0.1", 0)
    pool = pool_to(server.sockets[0].getsockname()[1])
    assert refused(await unary(pool, UnaryRequest(b"/t.S/Echo", b"x")), "HTTP/1 message")
    await pool.close(1)
    server.close()
    await server.wait_closed()


async def test_a_host_that_does_not_exist() -> None:
    slots = Slots("t", [("no-such-host.invalid", 1)], plan(), max_connections=1, max_pending=1)
    assert slots.take() is None
    assert isinstance(await slots.wait(None), Refusal)
    await slots.close(0)


async def test_a_dial_that_is_cancelled_leaves_no_connection() -> None:
    async with scripted(silent=True) as server:
        endpoint = Endpoint("127.0.0.1", server.port, plan(), _Deaf())
        attempt = asyncio.ensure_future(
            dial("127.0.0.1", server.port, make_security(None), 5, endpoint._make_connection)
        )
        while not server.peers:
            await asyncio.sleep(0.001)
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt
        while not server.peers[0].transport.is_closing():
            await asyncio.sleep(0.001)


class _Deaf:
    def pump(self) -> None:
        pass


def test_files_that_do_not_serve_are_told_at_configuration(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        make_security(TlsOptions(ca=str(tmp_path / "none.pem")))
    with pytest.raises(OSError, match=r"PEM|NO_CERTIFICATE|X509"):
        make_security(TlsOptions(ca=write(tmp_path, "bad.pem", b"nonsense")))
    assert issubclass(DialError, Exception)


async def test_a_check_that_fails_itself_trusts_nobody() -> None:
    """asyncio logs what connection_made raises and goes on reading: the service would be called unverified."""

    def check(_transport: asyncio.BaseTransport) -> str | None:
        raise RuntimeError("bug")

    async with scripted() as server:
        pool = Pool("test", [("127.0.0.1", server.port)], replace(plan(), security=Security(None, None, check)))
        assert refused(await unary(pool, UnaryRequest(b"/t.S/M", b"")), "could not be checked")
        assert server.requests == 0
        await pool.close(1)


def test_a_certificate_with_a_name_of_an_odd_kind_is_refused_not_a_crash(authority: trustme.CA) -> None:
    """cryptography raises its own exception for kinds of SAN it does not know (here ediPartyName)."""
    odd = x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, bytes.fromhex("3007a505a1030c0161"))
    der = issue(authority, extension=odd)[2].public_bytes(Encoding.DER)
    fault = uri_san_fault(der, IDENTITY)
    assert fault is not None
    assert "no readable SAN" in fault


async def test_an_address_that_does_not_answer_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name with two addresses, the first a black hole: its full backlog drops every SYN."""
    with socket.socket() as hole, ExitStack() as fill:
        hole.bind(("127.0.0.2", 0))
        hole.listen(0)
        port = hole.getsockname()[1]
        for _ in range(4):
            knock = fill.enter_context(socket.socket())
            knock.setblocking(False)
            knock.connect_ex(("127.0.0.2", port))
        async with scripted(port=port) as server:

            async def addresses(host: str, port: int, **_: object) -> list[Any]:
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in ("127.0.0.2", "127.0.0.1")]

            monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", addresses)
            pool = pool_to(server.port, host="two.test", connect_timeout_s=0.4)
            assert isinstance(await unary(pool, UnaryRequest(b"/t.S/M", b"")), UnaryReply)
            await pool.close(1)
