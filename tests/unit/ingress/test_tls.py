"""Listener certificates: what is loaded, and how each broken file is told."""

from __future__ import annotations

import ssl
from contextlib import suppress
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from edge.core.problem import ProblemsError
from edge.ingress.tls import renew, server_context

Files = dict[str, str]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    ca, other = trustme.CA(), trustme.CA()
    cert = ca.issue_cert("localhost")
    key_pem = cert.private_key_pem.bytes()
    encrypted = load_pem_private_key(key_pem, None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    )
    contents = {
        "cert": b"".join(blob.bytes() for blob in cert.cert_chain_pems),
        "key": key_pem,
        "ca": ca.cert_pem.bytes(),
        "other_key": other.issue_cert("localhost").private_key_pem.bytes(),
        "encrypted_key": encrypted,
        "garbage": b"not a pem\n",
        "empty": b"",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return {name: str(tmp_path / name) for name in [*contents, "missing"]}


def test_a_context(files: Files) -> None:
    context = server_context(files["cert"], files["key"])
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_NONE


@pytest.mark.parametrize(
    ("offered", "settled"),
    [
        (["h2", "http/1.1"], "h2"),
        (["http/1.1", "h2"], "h2"),
        (["http/1.1"], "http/1.1"),
        (["spdy/3"], None),
        ([], None),
    ],
)
def test_alpn_prefers_http2(files: Files, offered: list[str], settled: str | None) -> None:
    """The server's preference decides; a client that offers nothing we speak goes on without (and is served HTTP/1.1)."""
    client = ssl.create_default_context(cafile=files["ca"])
    if offered:
        client.set_alpn_protocols(offered)
    here, there = (ssl.MemoryBIO(), ssl.MemoryBIO())
    server = server_context(files["cert"], files["key"]).wrap_bio(here, there, server_side=True)
    asking = client.wrap_bio(there, here, server_hostname="localhost")
    for _ in range(4):
        for side in (asking, server):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
    assert server.selected_alpn_protocol() == settled


def test_options(files: Files) -> None:
    context = server_context(files["cert"], files["key"], files["ca"], "1.3")
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3
    assert context.verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    ("cert", "key", "client_ca", "path", "message"),
    [
        ("missing", "key", None, "tls.cert", "cannot read"),
        ("cert", "missing", None, "tls.key", "cannot read"),
        ("cert", "key", "missing", "tls.client_ca", "cannot read"),
        ("garbage", "key", None, "tls.cert", "holds no PEM certificate"),
        ("empty", "key", None, "tls.cert", "holds no PEM certificate"),
        ("key", "key", None, "tls.cert", "holds no PEM certificate"),
        ("cert", "garbage", None, "tls.key", "holds no usable private key"),
        ("cert", "cert", None, "tls.key", "holds no usable private key"),
        ("cert", "other_key", None, "tls.key", "is not the key of"),
        ("cert", "encrypted_key", None, "tls.key", "is encrypted"),
        ("cert", "key", "garbage", "tls.client_ca", "holds no PEM certificate"),
    ],
)
def test_each_broken_file_is_named(
    files: Files, cert: str, key: str, client_ca: str | None, path: str, message: str
) -> None:
    """With its place in the configuration, its name and a fix."""
    with pytest.raises(ProblemsError) as caught:
        server_context(files[cert], files[key], files[client_ca] if client_ca else None, where="tls")
    (problem,) = caught.value.problems
    assert problem.path == path
    assert message in problem.message
    assert problem.fix


def test_all_unreadable_files_are_told_at_once(files: Files) -> None:
    with pytest.raises(ProblemsError) as caught:
        server_context(files["missing"], files["missing"], files["missing"])
    assert len(caught.value.problems) == 3


def test_a_renewal_that_does_not_serve_changes_nothing(files: Files) -> None:
    """Loading a certificate whose key is another's would leave a context with neither; the handshake shows the old pair."""
    context = server_context(files["cert"], files["key"])
    with pytest.raises(ProblemsError, match="other_key"):
        renew(context, files["cert"], files["other_key"])
    assert presented(context) == ssl.PEM_cert_to_DER_cert(first_pem(files["cert"]))


def test_a_renewed_certificate_is_presented(files: Files, tmp_path: Path) -> None:
    context = server_context(files["cert"], files["key"])
    both = tmp_path / "both"
    trustme.CA().issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(both))
    renew(context, str(both), str(both))
    assert presented(context) == ssl.PEM_cert_to_DER_cert(first_pem(str(both)))


def first_pem(path: str) -> str:
    """The leaf of a file of PEMs."""
    text = Path(path).read_text()
    start, end = text.index("-----BEGIN CERTIFICATE-----"), text.index("-----END CERTIFICATE-----")
    return text[start:end] + "-----END CERTIFICATE-----\n"


def presented(context: ssl.SSLContext) -> bytes | None:
    """What a client is shown, without sockets."""
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_context.check_hostname = False
    client_context.verify_mode = ssl.CERT_NONE
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server)
    server = context.wrap_bio(to_server, to_client, server_side=True)
    for end in (client, server, client):
        with suppress(ssl.SSLWantReadError):
            end.do_handshake()
    return client.getpeercert(binary_form=True)
