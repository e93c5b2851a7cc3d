"""Files the configuration names: there, readable, PEM, and belonging together."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme

from edge.config.document import read_document
from edge.config.file_checks import check_files


def found(text: str, base: Path) -> list[tuple[str, str]]:
    """Path and message of what is noted."""
    document = read_document(text, "edge.yaml")
    check_files(document, base)
    return [(problem.path, problem.message) for problem in document.problems]


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two certificates of one CA."""
    folder = tmp_path_factory.mktemp("pems")
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    for name in ("a", "b"):
        cert = ca.issue_cert(f"{name}.example")
        cert.private_key_pem.write_to_path(str(folder / f"{name}.key"))
        for blob in cert.cert_chain_pems:
            blob.write_to_path(str(folder / f"{name}.pem"), append=True)
    (folder / "text").write_text("hello")
    (folder / "damaged.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    return folder


@pytest.mark.parametrize(
    ("tls", "notes"),
    [
        ("{cert: a.pem, key: a.key, client_ca: ca.pem}", []),
        ("{cert: a.pem, key: b.key}", [("listeners[0].tls.key", '"b.key" does not belong to the certificate')]),
        (
            "{cert: damaged.pem, key: b.key}",
            [("listeners[0].tls.key", '"b.key" cannot be used (damaged, or with a passphrase)')],
        ),
        (
            "{cert: text, key: a.pem}",
            [
                ("listeners[0].tls.cert", '"text" holds no PEM certificate'),
                ("listeners[0].tls.key", '"a.pem" holds no PEM private key'),
            ],
        ),
        ("{cert: no.pem, key: a.key}", [("listeners[0].tls.cert", '"no.pem" does not exist')]),
        (
            "{client_ca: damaged.pem}",
            [("listeners[0].tls.client_ca", '"damaged.pem" holds a certificate that cannot be read')],
        ),
        ("{client_ca: text}", [("listeners[0].tls.client_ca", '"text" holds no PEM certificate')]),
    ],
)
def test_listener_tls(pems: Path, tls: str, notes: list[tuple[str, str]]) -> None:
    """What OpenSSL would refuse at start is told at check."""
    assert found(f"listeners: [{{tls: {tls}}}]\n", pems) == notes


def test_upstream_tls(pems: Path) -> None:
    """The same files on the other side."""
    assert found("upstreams: {u: {tls: {ca: ca.pem, cert: a.pem, key: a.key}}}\n", pems) == []
    assert found("upstreams: {u: {tls: {ca: a.key}}}\n", pems) == [
        ("upstreams.u.tls.ca", '"a.key" holds no PEM certificate')
    ]


def test_protos(tmp_path: Path) -> None:
    """Files are looked for under the roots; bundled ones need none."""
    (tmp_path / "protos" / "a").mkdir(parents=True)
    (tmp_path / "protos" / "a" / "a.proto").write_text("")
    assert found("apis: [{protos: {roots: [protos], files: [a/a.proto, google/rpc/status.proto]}}]\n", tmp_path) == []
    assert found("apis: [{protos: {files: [protos/a/a.proto]}}]\n", tmp_path) == []
    assert found("apis: [{protos: {roots: [protos], files: [a.proto]}}]\n", tmp_path) == [
        ("apis[0].protos.files[0]", '"a.proto" is under no root')
    ]
    assert found("apis: [{protos: {roots: [no], files: [a.proto]}}]\n", tmp_path) == [
        ("apis[0].protos.roots[0]", '"no" does not exist')
    ]


def test_descriptors_and_log(tmp_path: Path) -> None:
    """A descriptor set is a file, a log's folder exists."""
    assert [
        path
        for path, _ in found(
            "apis: [{descriptors: no.binpb}, {descriptors: .}]\naccess_log: {path: no/x.log}\n", tmp_path
        )
    ] == [
        "apis[0].descriptors",
        "apis[1].descriptors",
        "access_log.path",
    ]
    assert found("access_log: {path: '-'}\n", tmp_path) == []
    assert found("access_log: {path: x.log}\n", tmp_path) == []


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("/dev/zero", '"/dev/zero" is not a file'),
        (".", '"." is not a file'),
        ("a\\0b", r'"a\x00b" cannot be read: embedded null byte'),
        ("file/below", '"file/below" cannot be read: Not a directory'),
    ],
)
def test_what_is_no_file(tmp_path: Path, value: str, message: str) -> None:
    """Devices are not read, and no path raises."""
    (tmp_path / "file").touch()
    assert found(f'apis: [{{descriptors: "{value}"}}]\n', tmp_path) == [("apis[0].descriptors", message)]


def test_a_path_of_any_length_is_survived(tmp_path: Path) -> None:
    """The system's limit is its own to tell."""
    name = "x" * 5000
    text = f"apis: [{{descriptors: {name}, protos: {{roots: [{name}, .], files: [{name}]}}}}]\naccess_log: {{path: {name}/x}}\n"
    assert len(found(text, tmp_path)) == 4


def test_any_shape_is_survived(tmp_path: Path) -> None:
    """The checks read data the schema refuses."""
    for text in (
        "[]",
        "apis: [{protos: {roots: 5, files: [5, '']}}]",
        "listeners: [{tls: {cert: 5, key: ''}}]",
        "access_log: {path: 5}",
    ):
        found(text, tmp_path)
