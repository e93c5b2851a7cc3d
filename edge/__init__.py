"""
edge: a service-mesh-integrated API gateway. Outside REST/JSON (and, later, gRPC, gRPC-Web, Connect), inside gRPC.

Start reading at docs/life-of-a-request.md. Layers, top to bottom, are stated and enforced in pyproject.toml.
"""

__version__ = "0.1.0"
