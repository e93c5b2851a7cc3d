"""
The source of our certificate that the `identity` section names, and what is shown of any source.

Owns the translation from the section to a source of `certs`; what a source does, and when its identity may be used, is told there.
"""

from __future__ import annotations

from certs.files import CertificateFiles, FileSource
from certs.source import CertificateSource
from certs.workload_api import WorkloadApiSource
from edge.config.identity_models import Identity
from edge.config.models import Config


def identity_source(config: Config, given: Identity) -> CertificateSource:
    """The source; not started."""
    if given.files is not None:
        files = given.files
        paths = {name: str(config.resolve(path)) for name, path in files.federated.items()}
        cert, key, roots = (str(config.resolve(path)) for path in (files.cert, files.key, files.trust_bundle))
        return FileSource(CertificateFiles(cert, key, roots, paths))
    api = given.workload_api
    assert api is not None  # the configuration's checks: one of the two is given
    return WorkloadApiSource(api.socket, api.spiffe_id)


def certificate_page(source: CertificateSource | None) -> dict[str, object] | None:
    """What the admin listener shows of the certificate a source gives; None where none is used."""
    if source is None:
        return None
    identity = source.current()
    told: dict[str, object] = {"source": source.name, "fault": source.fault()}
    if identity is not None:
        told |= {
            "spiffe_id": str(identity.spiffe_id),
            "not_after": identity.not_after,
            "serial": f"{identity.serial:x}",
            "trust_domains": sorted(identity.trust_domains),
        }
    return told
