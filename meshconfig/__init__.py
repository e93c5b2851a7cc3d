"""
Mesh policy files, generated from the gateway's configuration: the policies that make the gateway the only way in.

Configuration → `plan` (an immutable list of who may call what) → documents → files: two pure functions and a writer. Renderers get only
the plan, so that none of them can allow what it does not say. Imports `edge.config` and `edge.core`, nothing else of edge.
"""
