"""The native engine: the Rust extension `edge_native` behind the interfaces of edge.wire (docs/adr/0002-two-engines.md)."""
