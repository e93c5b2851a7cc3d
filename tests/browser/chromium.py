"""
Chromium without a window, in a profile of its own; and a page in it, driven by the DevTools protocol.

    with chromium(folder, url) as browser:
        page = browser.page()
        page.until("document.title == 'ready'")

Owns that nothing of the browser outlives the test: its process group is its own and is ended whole.
Source: https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium on this machine (on Debian: apt-get install chromium)"
)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--remote-debugging-port=0",
)  # fmt: skip
START_S = 60


class Page:
    """One page."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)

    def tell(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command of the protocol, and its result."""
        wanted = next(self._ids)
        self._socket.send(json.dumps({"id": wanted, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv(timeout=START_S))
            if answer.get("id") == wanted:  # others are events
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    def value(self, expression: str) -> Any:
        """A JavaScript expression's value, promises awaited."""
        got = self.tell("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in got, got
        return got["result"].get("value")

    def until(self, expression: str, within_s: float = 30) -> Any:
        """Wait for an expression to become true; its value."""
        end = time.monotonic() + within_s
        while not (value := self.value(expression)):
            assert time.monotonic() < end, f"never true: {expression}"
            time.sleep(0.05)
        return value

    def resize(self, width: int, height: int) -> None:
        """The window's size, in pixels."""
        self.tell("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def picture(self) -> bytes:
        """A PNG of what the window shows."""
        return base64.b64decode(self.tell("Page.captureScreenshot", format="png")["data"])


class Browser:
    """A running browser."""

    def __init__(self, profile: Path) -> None:
        self._profile = profile

    @contextmanager
    def page(self) -> Iterator[Page]:
        """The page it was started with."""
        (port, *_) = _eventually(lambda: (self._profile / "DevToolsActivePort").read_text().split())
        address = _eventually(lambda: _pages(port)[0]["webSocketDebuggerUrl"])
        with connect(address, max_size=None, proxy=None) as socket:
            yield Page(socket)


def _pages(port: str) -> list[dict[str, Any]]:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
        f"http://127.0.0.1:{port}/json/list"
    ) as answer:
        return [target for target in json.load(answer) if target["type"] == "page"]


def _eventually(get: Any) -> Any:
    """What `get` gives once the browser is far enough to have it."""
    end = time.monotonic() + START_S
    while True:
        try:
            return get()
        except (OSError, IndexError):
            assert time.monotonic() < end, "the browser did not start"
            time.sleep(0.05)


@contextmanager
def chromium(folder: Path, url: str, *flags: str) -> Iterator[Browser]:
    """Open a page in a fresh profile below `folder`."""
    assert CHROMIUM is not None
    profile = folder / "profile"
    command = [CHROMIUM, *FLAGS, *flags, f"--user-data-dir={profile}", url]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet, start_new_session=True) as running:
        try:
            yield Browser(profile)
        finally:
            os.killpg(running.pid, signal.SIGKILL)  # its helpers, too: the group is its own
