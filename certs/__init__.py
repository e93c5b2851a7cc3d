"""
Certificates and identities of the mesh: SPIFFE IDs, the strict check of a peer's leaf, sources of our own leaf, TLS contexts.

Stands alone: imports nothing of edge. docs/certificates.md says how the files fit together.
"""
