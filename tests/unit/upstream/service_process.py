"""A grpcio service as a process of its own, to be killed: `python -m tests.unit.upstream.service_process PORT`."""

from __future__ import annotations

import sys
import threading

from tests.unit.upstream.services import serving

if __name__ == "__main__":
    with serving(port=int(sys.argv[1])) as service:
        print(service.port, flush=True)
        threading.Event().wait()
