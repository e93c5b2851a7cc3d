"""Independent programs beside the gateway in tests and benchmarks: a real Envoy, wrk."""
