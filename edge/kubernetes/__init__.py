"""
Asking a Kubernetes API server where the pods of a Service are.

Owns the conversation: `api` has the two requests through the official client, `discovery` the thread that makes them and what is
published of it. What the answers mean is decided in `edge.core.endpoint_slices` and `edge.core.slice_watch`.
"""
