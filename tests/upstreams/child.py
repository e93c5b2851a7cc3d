"""An upstream in a child process that says on its first line which port it serves: started, killed, restarted, frozen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class ChildUpstream:
    """A context manager. `port` 0 lets the system choose once; a restart keeps it."""

    port: int = 0
    _child: subprocess.Popen[str] | None = field(default=None, repr=False)

    def command(self) -> Sequence[str]:
        """What to run after the interpreter; the child prints a line that ends with its port once it serves."""
        raise NotImplementedError

    @property
    def address(self) -> str:
        """host:port to dial."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The child's process id."""
        assert self._child is not None
        return self._child.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start the child and wait until it serves."""
        self._child = subprocess.Popen([sys.executable, *self.command()], stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        assert line, "the upstream did not start"
        self.port = int(line.rpartition(":")[2])

    def kill(self) -> None:
        """SIGKILL, if it runs still; its connections are reset, nobody listens on the port."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            assert self._child.stdout is not None
            self._child.stdout.close()
            self._child = None

    def restart(self) -> None:
        """Another process on the same port, with nothing of the first one's state."""
        self.kill()
        self.start()

    def freeze(self) -> None:
        """SIGSTOP: the kernel still accepts connections and bytes, nobody answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)
