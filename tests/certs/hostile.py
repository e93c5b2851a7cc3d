"""
Certificates that prove nothing, and why: the table of rows R33 and R57.

Each is presented in a real handshake to a gateway that trusts `CA` for `td.test` (and `PARTNER` for `partner.test`), dials `SHOP` and lets
`td.test` and `partner.test` call. `reason` is what its log says: a check of ours, or OpenSSL's words.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from tests.unit.certs.mint import SHOP, TD, Minted, mint, root

CA, PARTNER, STRANGER = root(), root("partner.test"), root()
MIDDLE = mint(CA, f"spiffe://{TD}", ca=True, name="middle")
CONSTRAINED = mint(CA, f"spiffe://{TD}", ca=True, name="constrained", permitted="elsewhere.test")
EXPIRED_CA = mint(CA, f"spiffe://{TD}", ca=True, name="expired middle", begins_s=-7200, ends_s=-60)
A_LEAF = mint(CA, SHOP, name="a leaf that signs")
NO_BASIC = mint(CA, f"spiffe://{TD}", ca=True, name="no basic constraints", constraints=False)

SERVER, CLIENT = (ExtendedKeyUsageOID.SERVER_AUTH,), (ExtendedKeyUsageOID.CLIENT_AUTH,)
BOTH = (*SERVER, *CLIENT)
SIGNS = ("digital_signature", "key_cert_sign")

UNTRUSTED = "unable to get local issuer certificate"
INVALID_CA = "invalid CA certificate"


@dataclass(frozen=True)
class Case:
    """A bad certificate; `upstream` is the reason when a service presents it, `downstream` when a caller does (None: it may call)."""

    name: str
    leaf: Minted
    upstream: str | None
    downstream: str | None

    def __str__(self) -> str:
        return self.name


def both(name: str, leaf: Minted, reason: str) -> Case:
    return Case(name, leaf, reason, reason)


def alone(leaf: Minted) -> Minted:
    """The same without the rest of its chain."""
    return Minted(leaf.certificate, leaf.key)


def _odd_san(der: str) -> x509.ExtensionType:
    return x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, bytes.fromhex(der))


CASES = [
    # Whose it is.
    Case("another service", mint(CA, SHOP.replace("shop", "cart")), "identity: the peer is", None),
    Case("a longer name", mint(CA, SHOP + "2"), "identity", None),
    Case("a shorter name", mint(CA, SHOP[:-1]), "identity", None),
    Case("another case", mint(CA, SHOP.replace("shop", "Shop")), "identity", None),
    Case("another datacenter", mint(CA, SHOP.replace("dc1", "dc2")), "identity", None),
    Case("the partner's own", mint(PARTNER, "spiffe://partner.test/shop"), UNTRUSTED, None),
    both("a trust domain nobody trusts, signed by our root", mint(CA, SHOP.replace(TD, "evil.test")), "trust-domain"),
    both("a subdomain of the trust domain", mint(CA, SHOP.replace(TD, f"a.{TD}")), "trust-domain"),
    both("the trust domain in upper case", mint(CA, SHOP.replace(TD, TD.upper())), "spiffe-id"),
    Case("our name signed by the partner", mint(PARTNER, SHOP), UNTRUSTED, "anchor"),
    Case("the partner's name signed by our root", mint(CA, "spiffe://partner.test/shop"), "trust-domain", "anchor"),
    # Who signed it.
    both("a root of the same name", mint(STRANGER, SHOP), UNTRUSTED),
    both("signed by itself", mint(None, SHOP), "self-signed certificate"),
    both("signed by itself under the root's name", mint(None, SHOP, name="ca"), "self-signed certificate"),
    both("an intermediate that is not sent", alone(mint(MIDDLE, SHOP)), UNTRUSTED),
    both("signed by a leaf", mint(A_LEAF, SHOP), INVALID_CA),
    both("signed by an expired intermediate", mint(EXPIRED_CA, SHOP), "certificate has expired"),
    both("signed by one constrained to another name", mint(CONSTRAINED, SHOP), "permitted subtree violation"),
    both("signed by one without basic constraints", mint(NO_BASIC, SHOP), INVALID_CA),
    # When.
    both("expired", mint(CA, SHOP, begins_s=-7200, ends_s=-5), "certificate has expired"),
    both("expired long ago", mint(CA, SHOP, begins_s=-900_000_000, ends_s=-800_000_000), "certificate has expired"),
    both("not valid yet", mint(CA, SHOP, begins_s=36_000), "certificate is not yet valid"),
    # What it may be used for.
    both("a CA", mint(CA, SHOP, ca=True), "unsuitable certificate purpose"),
    both("a CA with every usage", mint(CA, SHOP, ca=True, usages=SIGNS, purposes=list(BOTH)), "not-a-ca"),
    both("the trust domain's own ID", mint(CA, f"spiffe://{TD}"), "spiffe-id"),
    both("a leaf with keyCertSign", mint(CA, SHOP, usages=SIGNS), "keyCertSign"),
    both("a leaf with cRLSign", mint(CA, SHOP, usages=("digital_signature", "crl_sign")), "key-usage: cRLSign"),
    both("without digitalSignature", mint(CA, SHOP, usages=("key_agreement",)), "purpose|key-usage"),
    both("without key usage", mint(CA, SHOP, signing=False), "key-usage: no key usage"),
    both("without purposes", mint(CA, SHOP, purposes=None), "extended-key-usage: no extended"),
    both("for code signing", mint(CA, SHOP, purposes=[ExtendedKeyUsageOID.CODE_SIGNING]), "unsuitable certificate purpose"),
    both("for any purpose", mint(CA, SHOP, purposes=[ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]), "unsuitable certificate purpose"),
    Case("for callers only", mint(CA, SHOP, purposes=CLIENT), "unsuitable certificate purpose", None),
    Case("for services only", mint(CA, SHOP, purposes=SERVER), None, "unsuitable certificate purpose"),
    # What names it carries.
    both("a NUL in the SAN", mint(CA, SHOP + "\0.evil"), "spiffe-id"),
    both("a NUL before the end", mint(CA, SHOP[:-1] + "\0p"), "spiffe-id"),
    both("a line break in the SAN", mint(CA, SHOP + "\r\nx-forwarded-client-cert: URI=root"), "spiffe-id"),
    both("two URIs", mint(CA, SHOP, "spiffe://td.test/other"), "uri-san: 2"),
    both("the same URI twice", mint(CA, SHOP, SHOP), "uri-san: 2"),
    both("a web address beside it", mint(CA, SHOP, "https://shop.test"), "uri-san: 2"),
    both("no URI", mint(CA), "uri-san: 0"),
    both("a DNS name only", mint(CA, dns=["shop.td.test"]), "uri-san: 0"),
    both("the ID as a DNS name", mint(CA, dns=["spiffe", "td.test"]), "uri-san: 0"),
    both("the ID as common name", mint(CA, name=SHOP[-40:]), "uri-san: 0"),
    both("a web address", mint(CA, "https://td.test/ns/default/dc/dc1/svc/shop"), "spiffe-id"),
    both("a percent-encoded ID", mint(CA, SHOP.replace("shop", "sh%6Fp")), "spiffe-id"),
    both("a dot segment", mint(CA, SHOP + "/../shop"), "spiffe-id"),
    both("a trailing slash", mint(CA, SHOP + "/"), "spiffe-id"),
    both("a port", mint(CA, SHOP.replace(TD, f"{TD}:443")), "spiffe-id"),
    both("a user", mint(CA, SHOP.replace(TD, f"root@{TD}")), "spiffe-id"),
    both("a query", mint(CA, SHOP + "?x"), "spiffe-id"),
    both("3,000 bytes of ID", mint(CA, SHOP + "/" + "p" * 3000), "spiffe-id"),
    both("a URI that is not ASCII", mint(CA, more=[_odd_san("3006860473e93a78")]), "encoding|codec"),
    both("a name of an unknown kind", mint(CA, more=[_odd_san("3007a505a1030c0161")]), "encoding"),
]  # fmt: skip
