"""The native engine: HTTP/2 sessions and codec of the Rust extension `edge_native`."""
