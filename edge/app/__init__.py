"""
The gateway put together: configuration to snapshot, snapshot to a serving process.

`snapshot` compiles, `policies` is the one ordered list, `gateway` serves and swaps snapshots, `run` is what `edge run` does.
"""

from edge.app.policies import names as policy_names
from edge.app.run import run
from edge.app.snapshot import Snapshot, load_snapshot

__all__ = ["Snapshot", "load_snapshot", "policy_names", "run"]
