"""
A gRPC upstream that costs next to nothing: nginx with static answers and grpc-status in the trailers (Debian package nginx).

nginx refuses POST to a static file with 405; `error_page` turns that into the file with 200. The keepalive limits are lifted so that
no GOAWAY falls into a measurement. Streams are sent through the SSI filter for one effect of it: no content-length, which Envoy would
give to its client as that of the JSON.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.peers.ports import free_port

_CONFIGURATION = """
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log warn;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 100000000; keepalive_timeout 3600s; client_max_body_size 64m;
  client_body_buffer_size 1m; http2_recv_buffer_size 1m;
  client_body_temp_path {folder}/tmp; proxy_temp_path {folder}/tmp; fastcgi_temp_path {folder}/tmp;
  uwsgi_temp_path {folder}/tmp; scgi_temp_path {folder}/tmp;
  server {{
    listen 127.0.0.1:{port}{spoken}; http2_max_concurrent_streams 1000;
    {secured}
    root {folder}/answers; default_type application/grpc; types {{ }}
    error_page 405 =200 $uri;
    {trailer}
    location /bookstore.v1.Feeds/ {{ ssi on; ssi_types application/grpc; }}
    {counted}
  }}
}}
"""


@dataclass(frozen=True)
class Tls:
    """Speak TLS, and accept only clients that `ca` signed; PEM files."""

    ca: Path
    cert: Path
    key: Path

    @property
    def directives(self) -> str:
        """For the server block."""
        return (
            f"ssl_certificate {self.cert}; ssl_certificate_key {self.key}; "
            f"ssl_client_certificate {self.ca}; ssl_verify_client on;"
        )


def available() -> bool:
    """Whether nginx is installed."""
    return shutil.which("nginx") is not None


@contextmanager
def running_backend(
    folder: Path, *, core: int, counted: str = "", tls: Tls | None = None, http2: bool = True
) -> Iterator[int]:
    """
    Serve `folder`/answers; gives the port. Calls of the RPC path `counted` are a line each in `folder`/counted.log.

    Without `http2`, plain files over HTTP/1.1.
    """
    port = free_port()
    (folder / "tmp").mkdir(exist_ok=True)
    path = folder / "nginx.conf"
    location = f"location = {counted} {{ access_log {folder}/counted.log; }}" if counted else ""
    path.write_text(
        _CONFIGURATION.format(
            folder=folder,
            port=port,
            counted=location,
            spoken=(" ssl" if tls else "") + (" http2" if http2 else ""),
            trailer="add_trailer grpc-status 0 always;" if http2 else "",
            secured=tls.directives if tls else "",
        )
    )
    process = subprocess.Popen(["taskset", "-c", str(core), "nginx", "-c", str(path), "-e", f"{folder}/nginx.log"])
    try:
        _wait_listening(port)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _wait_listening(port: int) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"nothing listens on port {port}")
