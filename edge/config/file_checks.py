"""
What the configuration says about the file system: every file it names exists, can be read, and is what it should be.

Owns these checks; the only part of the package, beside secrets, that touches other files than the configuration itself.
"""

from __future__ import annotations

import os
import ssl
import stat
from collections.abc import Callable
from pathlib import Path

from edge.config.document import Data, Document, Loc, quoted
from edge.config.raw import Section, is_known, items, listed, named, section, text

_BUNDLED = ("google/api/", "google/rpc/", "google/type/", "google/protobuf/")


def check_files(document: Document, base: Path) -> None:
    """Note every path that leads nowhere. Relative paths start from `base`."""
    checks = _Checks(document, base)
    for loc, listener in listed(document.data, "listeners"):
        checks.tls((*loc, "tls"), section(listener, "tls"), bundle="client_ca")
    for loc, api in listed(document.data, "apis"):
        checks.protos((*loc, "protos"), section(api, "protos"))
        checks.file((*loc, "descriptors"), api.get("descriptors"))
    for loc, upstream in named(document.data, "upstreams"):
        checks.tls((*loc, "tls"), section(upstream, "tls"), bundle="ca")
    checks.tls(("consul", "tls"), section(section(document.data, "consul"), "tls"), bundle="ca")
    checks.identity(("identity", "files"), section(section(document.data, "identity"), "files"))
    checks.file(("kubernetes", "kubeconfig"), section(document.data, "kubernetes").get("kubeconfig"))
    checks.log(("access_log", "path"), section(document.data, "access_log").get("path"))


class _Checks:
    """The checks of one document."""

    def __init__(self, document: Document, base: Path) -> None:
        self._document = document
        self._base = base

    def file(self, loc: Loc, value: Data) -> Path | None:
        """The path of a readable file, or a problem noted."""
        if not is_known(value) or not value:
            return None
        path = self._base / value
        if fault := _fault(path, stat.S_ISREG, "file"):
            self._document.add(loc, f"{quoted(value)} {fault}", self._looked_at(path))
        return None if fault else path

    def _looked_at(self, path: Path) -> str:
        return f"looked for {path}; relative paths start from the folder of the configuration file"

    def protos(self, loc: Loc, protos: Section) -> None:
        """Roots are folders, and each file is under one of them."""
        roots = []
        for index, root in enumerate(items(protos, "roots")):
            if not is_known(root) or not root:
                continue
            path = self._base / root
            roots.append(path)
            if fault := _fault(path, stat.S_ISDIR, "folder"):
                self._document.add((*loc, "roots", index), f"{quoted(root)} {fault}", self._looked_at(path))
        existing = [root for root in roots or [self._base] if os.path.isdir(root)]
        for index, file in enumerate(items(protos, "files")):
            if existing and is_known(file) and file and not file.startswith(_BUNDLED):
                self._proto((*loc, "files", index), file, existing)

    def _proto(self, loc: Loc, file: str, roots: list[Path]) -> None:
        if not any(os.path.isfile(root / file) for root in roots):
            fix = f"looked in {', '.join(str(root) for root in roots)}; write the path as other files import it"
            self._document.add(loc, f"{quoted(file)} is under no root", fix)

    def tls(self, loc: Loc, tls: Section, *, bundle: str) -> None:
        """The files are PEM, and key and certificate belong together."""
        trusted = self._pem((*loc, bundle), tls.get(bundle), "CERTIFICATE")
        if trusted and not _is_bundle(trusted):
            message = f"{quoted(text(tls, bundle))} holds a certificate that cannot be read"
            self._document.add((*loc, bundle), message, "write the bundle anew from intact PEM certificates")
        cert = self._pem((*loc, "cert"), tls.get("cert"), "CERTIFICATE")
        key = self._pem((*loc, "key"), tls.get("key"), "PRIVATE KEY")
        if cert and key and (fault := _pair_fault(cert, key)):
            self._document.add(
                (*loc, "key"), f"{quoted(text(tls, 'key'))} {fault}", "give the key the certificate was made for"
            )

    def identity(self, loc: Loc, files: Section) -> None:
        """The files are PEM. Not more: they may be renewed at this very moment, and whoever reads them then looks closer."""
        for key, kind in (("cert", "CERTIFICATE"), ("key", "PRIVATE KEY"), ("trust_bundle", "CERTIFICATE")):
            self._pem((*loc, key), files.get(key), kind)
        for name, path in section(files, "federated").items():
            self._pem((*loc, "federated", name), path, "CERTIFICATE")

    def _pem(self, loc: Loc, value: Data, kind: str) -> Path | None:
        path = self.file(loc, value)
        if path is None or f"{kind}-----".encode() in path.read_bytes():
            return path
        self._document.add(
            loc, f"{quoted(value)} holds no PEM {kind.lower()}", f"look for -----BEGIN … {kind}----- in it"
        )
        return None

    def log(self, loc: Loc, value: Data) -> None:
        """The folder of the access log exists."""
        if is_known(value) and value not in {"", "-"}:
            folder = (self._base / value).parent
            if not os.path.isdir(folder):
                self._document.add(loc, f"{quoted(value)}: its folder does not exist", f"create {folder}")


def _fault(path: Path, wanted: Callable[[int], bool], noun: str) -> str:
    """Why a path is not the readable thing that is wanted, empty when it is. A pipe or device is no file: reading it may never end."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return "does not exist"
    except (OSError, ValueError) as error:
        return f"cannot be read: {getattr(error, 'strerror', None) or error}"
    if not wanted(mode):
        return f"is not a {noun}"
    return "" if os.access(path, os.R_OK) else "cannot be read: Permission denied"


def _is_bundle(path: Path) -> bool:
    """Whether OpenSSL takes a file as certificates to trust."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        return False
    return True


def _pair_fault(cert: Path, key: Path) -> str:
    """Why OpenSSL does not take a certificate and key together, empty when it does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # A passphrase asked for on the terminal would hang a service: refuse the key instead.
        context.load_cert_chain(cert, key, password=lambda: b"")
    except ssl.SSLError as error:
        mismatch = error.reason == "KEY_VALUES_MISMATCH"
        return "does not belong to the certificate" if mismatch else "cannot be used (damaged, or with a passphrase)"
    return ""
