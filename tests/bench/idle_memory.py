"""
What an idle connection costs a server in memory: resident size with and without so many of them, by their number.

Each has made one request and rests, as a browser's does. The first size is read with as many connections open already: they take what
a server's heap has free from its start, which would else hide what a connection costs.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.bench.process_cpu import family, rss_bytes
from tests.bench.scenes import Scene
from tests.bench.server_process import Server
from tests.bench.site import NAME, Site

REST_S = 1.0


def bytes_each(server: Server, scene: Scene, site: Site, count: int) -> float:
    """Resident bytes per idle connection."""
    with _resting(server, scene, site, count):
        time.sleep(REST_S)
        before = resident_bytes(server)
        with _resting(server, scene, site, count):
            time.sleep(REST_S)
            return (resident_bytes(server) - before) / count


def resident_bytes(server: Server) -> int:
    """Of all its processes."""
    return sum(rss_bytes(pid) for pid in family(server.pid))


@contextmanager
def _resting(server: Server, scene: Scene, site: Site, count: int) -> Iterator[None]:
    context = ssl.create_default_context(cafile=str(site.certificates.ca)) if server.tls else None
    request = f"GET {scene.path} HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode()
    with ExitStack() as stack:
        for _ in range(count):
            plain = socket.create_connection(("127.0.0.1", server.port), timeout=10)
            connection = context.wrap_socket(plain, server_hostname=NAME) if context else plain
            stack.enter_context(connection)
            connection.sendall(request)
            answer = connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200"), answer[:200]
        yield
