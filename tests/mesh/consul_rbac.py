"""
A service-intentions entry as the Envoy filter Consul makes of it, on a real Envoy with Consul-like certificates.

The translation follows agent/xds/rbac.go of Consul: a source is a principal by its SPIFFE URI; permissions are tried in order, so that each
allowance excludes what an earlier denial names; what nothing allows is denied. Independent of the renderer: it reads the entry.
"""

from __future__ import annotations

import datetime
import http.client
import json
import re
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.peers.envoy import _wait_ready, envoy_binary
from tests.peers.ports import free_port

_SEEN = "x-path-seen"
TRUST_DOMAIN = "11111111-2222-3333-4444-555555555555.consul"


def spiffe(service: str) -> str:
    """A service's ID, as Consul's leaves carry it."""
    return f"spiffe://{TRUST_DOMAIN}/ns/default/dc/dc1/svc/{service}"


def rbac(entry: dict[str, Any]) -> dict[str, Any]:
    """The filter's configuration."""
    policies = {}
    sources = sorted(entry["Sources"], key=lambda source: source["Name"] == "*")
    for number, source in enumerate(sources):
        allowed = _allowed(source)
        if allowed is None:
            continue
        more_exact = [_principal(other["Name"]) for other in sources[:number]] if source["Name"] == "*" else []
        principal = {"and_ids": {"ids": [_principal(source["Name"]), *({"not_id": each} for each in more_exact)]}}
        policies[f"source-{number}"] = {"permissions": [allowed], "principals": [principal]}
    return {"rules": {"action": "ALLOW", "policies": policies}}


def _principal(name: str) -> dict[str, Any]:
    service = "[^/]+" if name == "*" else re.escape(name)
    regex = f"^spiffe://{re.escape(TRUST_DOMAIN)}/ns/default/dc/[^/]+/svc/{service}$"
    return {"authenticated": {"principal_name": {"safe_regex": {"regex": regex}}}}


def _allowed(source: dict[str, Any]) -> dict[str, Any] | None:
    if "Permissions" not in source:
        return {"any": True} if source["Action"] == "allow" else None
    rules, denied = [], []
    for permission in source["Permissions"]:
        matched = _matched(permission["HTTP"])
        if permission["Action"] == "deny":
            denied.append(matched)
        else:
            rules.append({"and_rules": {"rules": [matched, *({"not_rule": each} for each in denied)]}})
    return {"or_rules": {"rules": rules}} if rules else None


def _matched(http_part: dict[str, Any]) -> dict[str, Any]:
    rules: list[dict[str, Any]] = [{"url_path": {"path": _path(http_part)}}]
    rules += [{"header": _header(header)} for header in http_part.get("Header", ())]
    if methods := http_part.get("Methods"):
        headers = [{"header": {"name": ":method", "string_match": {"exact": method}}} for method in methods]
        rules.append({"or_rules": {"rules": headers}})
    return {"and_rules": {"rules": rules}}


def _path(http_part: dict[str, Any]) -> dict[str, Any]:
    if "PathRegex" in http_part:
        return {"safe_regex": {"regex": http_part["PathRegex"]}}
    return {"exact": http_part["PathExact"]} if "PathExact" in http_part else {"prefix": http_part["PathPrefix"]}


def _header(header: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"name": header["Name"]}
    if header.get("Present"):
        made["present_match"] = True
    elif "Regex" in header:
        made["string_match"] = {"safe_regex": {"regex": header["Regex"]}}
    else:
        made["string_match"] = {kind.lower(): header[kind] for kind in ("Exact", "Prefix", "Suffix") if kind in header}
    return {**made, "invert_match": True} if header.get("Invert") else made


@dataclass(frozen=True)
class Sidecar:
    """A running Envoy that guards a service; `folder` holds the certificates."""

    port: int
    folder: Path

    def status(self, caller: str, path: str, method: str = "POST", fields: Sequence[tuple[str, str]] = ()) -> int:
        """What a caller is answered: 200 where it reaches the service, 403 where the filter keeps it out."""
        return self.reached(caller, path, method, fields)[0]

    def reached(
        self, caller: str, path: str, method: str = "POST", fields: Sequence[tuple[str, str]] = ()
    ) -> tuple[int, str]:
        """The same, and the path the service would have been given."""
        context = ssl.create_default_context(cafile=str(self.folder / "ca.pem"))
        context.check_hostname = False
        context.load_cert_chain(self.folder / f"{caller}.pem", self.folder / f"{caller}-key.pem")
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=10)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in (
                ("content-type", "application/grpc"),
                ("content-length", "0"),
                *fields,
            ):
                connection.putheader(name, value)
            connection.endheaders()
            answer = connection.getresponse()
            answer.read()
            # Envoy refuses a gRPC call with 200 and a status: PERMISSION_DENIED is the filter's.
            seen = answer.headers.get(_SEEN, "")
            refused = 403 if answer.headers.get("grpc-status") == "7" else 400  # what Envoy itself does not take
            return (refused, "") if answer.status == 200 and not seen else (answer.status, seen)
        finally:
            connection.close()


@contextmanager
def sidecar(folder: Path, entry: dict[str, Any], callers: list[str], *, normalizes: bool = False) -> Iterator[Sidecar]:
    """Start it; `callers` are given certificates. `normalizes` paths, as newer Consuls have it."""
    _certificates(folder, ["service", *callers])
    port, admin_port = free_port(), free_port()
    path, log = folder / "envoy.json", folder / "envoy.log"
    path.write_text(json.dumps(_bootstrap(folder, entry, port, admin_port, normalizes=normalizes)))
    with log.open("wb") as sink:
        command = [
            str(envoy_binary()),
            "-c",
            str(path),
            "--concurrency",
            "1",
            "--log-level",
            "warning",
            "--use-dynamic-base-id",
        ]
        process = subprocess.Popen(command, stdout=sink, stderr=sink)
    try:
        _wait_ready(process, admin_port, log)
        yield Sidecar(port, folder)
    finally:
        process.kill()
        process.wait()


def _bootstrap(folder: Path, entry: dict[str, Any], port: int, admin_port: int, *, normalizes: bool) -> dict[str, Any]:
    def address(number: int) -> dict[str, Any]:
        return {"socket_address": {"address": "127.0.0.1", "port_value": number}}

    extensions = "type.googleapis.com/envoy.extensions"
    seen = {"header": {"key": _SEEN, "value": "%REQ(:PATH)%"}}
    route = {"match": {"prefix": "/"}, "direct_response": {"status": 200}, "response_headers_to_add": [seen]}
    manager = {
        "@type": f"{extensions}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "public",
        "normalize_path": normalizes,
        "merge_slashes": normalizes,
        "path_with_escaped_slashes_action": "UNESCAPE_AND_FORWARD" if normalizes else "KEEP_UNCHANGED",
        "http_filters": [
            {"name": "envoy.filters.http.rbac", "typed_config": {"@type": f"{extensions}.filters.http.rbac.v3.RBAC", **rbac(entry)}},
            {"name": "envoy.filters.http.router", "typed_config": {"@type": f"{extensions}.filters.http.router.v3.Router"}},
        ],
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
    }  # fmt: skip
    tls = {
        "@type": f"{extensions}.transport_sockets.tls.v3.DownstreamTlsContext",
        "require_client_certificate": True,
        "common_tls_context": {
            "tls_certificates": [
                {
                    "certificate_chain": {"filename": str(folder / "service.pem")},
                    "private_key": {"filename": str(folder / "service-key.pem")},
                }
            ],
            "validation_context": {"trusted_ca": {"filename": str(folder / "ca.pem")}},
        },
    }
    chain = {
        "transport_socket": {"name": "tls", "typed_config": tls},
        "filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}],
    }
    return {
        "admin": {"address": address(admin_port)},
        "static_resources": {"listeners": [{"name": "public", "address": address(port), "filter_chains": [chain]}]},
    }


def _certificates(folder: Path, services: list[str]) -> None:
    """A root, and a leaf for each service whose only name is its SPIFFE ID."""
    now = datetime.datetime.now(datetime.UTC)
    root_key = ec.generate_private_key(ec.SECP256R1())
    root = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Consul CA")])

    def issue(key: ec.EllipticCurvePrivateKey, subject: x509.Name, uri: str, *, ca: bool) -> bytes:
        name = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)])
        builder = x509.CertificateBuilder(root, subject, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(minutes=1))
        builder = builder.not_valid_after(now + datetime.timedelta(hours=1))
        builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
        builder = builder.add_extension(name, critical=not ca)
        return builder.sign(root_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    (folder / "ca.pem").write_bytes(issue(root_key, root, f"spiffe://{TRUST_DOMAIN}", ca=True))
    for service in services:
        key = ec.generate_private_key(ec.SECP256R1())
        (folder / f"{service}.pem").write_bytes(issue(key, x509.Name([]), spiffe(service), ca=False))
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (folder / f"{service}-key.pem").write_bytes(key.private_bytes(*form))
