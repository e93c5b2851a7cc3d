"""
The certificate authority of the double: real certificates as Consul's built-in CA makes them, leaf and roots, with rotation of both.
"""

from __future__ import annotations

import datetime
import uuid
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.peers.consul_double_index import Index

Key = ec.EllipticCurvePrivateKey


class CertificateAuthority:
    """Roots (the last one signs), and one leaf a service. `leaf_ttl` may be shortened by tests."""

    def __init__(self, index: Index) -> None:
        self.trust_domain = f"{uuid.uuid4()}.consul"
        self.leaf_ttl = datetime.timedelta(hours=72)
        self._index = index
        self._roots: list[tuple[dict[str, Any], x509.Certificate, Key]] = []
        self._leaves: dict[str, dict[str, Any]] = {}
        self.rotate_root()

    def rotate_root(self) -> None:
        """A new root signs from now on; the old ones stay trusted, and every leaf is made anew."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name(
            [
                x509.NameAttribute(
                    NameOID.COMMON_NAME, f"pri-{uuid.uuid4().hex[:8]}.consul.ca.{self.trust_domain[:8]}.consul"
                )
            ]
        )
        cert = (
            self._builder(name, name, key, datetime.timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.UniformResourceIdentifier(f"spiffe://{self.trust_domain}")]),
                critical=False,
            )
            .add_extension(_usage(sign_certs=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        index = self._index.write("roots")
        for body, _, _ in self._roots:
            body["Active"] = False
        body = {
            "ID": cert.fingerprint(hashes.SHA1()).hex(":"),
            "Name": "Consul CA Root Cert",
            "RootCert": _pem(cert),
            "IntermediateCerts": None,
            "ExternalTrustDomain": self.trust_domain.removesuffix(".consul"),
            "NotBefore": cert.not_valid_before_utc.isoformat(),
            "NotAfter": cert.not_valid_after_utc.isoformat(),
            "Active": True,
            "CreateIndex": index,
            "ModifyIndex": index,
        }
        self._roots.append((body, cert, key))
        for service in list(self._leaves):
            self.reissue(service)

    def roots_body(self) -> dict[str, Any]:
        """The body of ca/roots."""
        bodies = [body for body, _, _ in self._roots]
        return {"ActiveRootID": bodies[-1]["ID"], "TrustDomain": self.trust_domain, "Roots": bodies}

    def ensure_leaf(self, service: str) -> None:
        """Make one if there is none."""
        if service not in self._leaves:
            self.reissue(service)

    def leaf_body(self, service: str) -> dict[str, Any]:
        """The body of ca/leaf/:service."""
        return self._leaves[service]

    def reissue(self, service: str) -> None:
        """A new leaf and a new key."""
        key = ec.generate_private_key(ec.SECP256R1())
        uri = f"spiffe://{self.trust_domain}/ns/default/dc/dc1/svc/{service}"
        _, root, root_key = self._roots[-1]
        cert = (
            self._builder(x509.Name([]), root.subject, key, self.leaf_ttl)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), critical=True)
            .add_extension(_usage(sign_certs=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]),
                critical=False,
            )
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
            .sign(root_key, hashes.SHA256())
        )
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        index = self._index.write(f"leaf:{service}")
        self._leaves[service] = {
            "SerialNumber": cert.serial_number.to_bytes(20, "big").hex(":"),
            "CertPEM": _pem(cert),
            "PrivateKeyPEM": secret.decode(),
            "Service": service,
            "ServiceURI": uri,
            "ValidAfter": cert.not_valid_before_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "ValidBefore": cert.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "CreateIndex": index,
            "ModifyIndex": index,
        }

    def _builder(
        self, subject: x509.Name, issuer: x509.Name, key: Key, lifetime: datetime.timedelta
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=1))
            .not_valid_after(now + lifetime)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )


def _usage(*, sign_certs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=sign_certs, crl_sign=sign_certs, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _pem(cert: x509.Certificate) -> str:
    return cert.public_bytes(serialization.Encoding.PEM).decode()
