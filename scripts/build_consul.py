"""
A real Consul agent for the tests, built once from its Go module into `.cache/consul-<version>/`.

Owns the version: 1.16.2 is of the last line under the MPL-2.0, and its go.sum (unlike 1.16.3's, which replaces modules by folders
that the module does not hold) names the digest of every module it is made of, so that Go verifies all of them. Takes minutes and
about 4 GB of Go's caches. What cannot be built costs one plain line and no failure: the tests then run against the double alone.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULE, VERSION = "github.com/hashicorp/consul", "v1.16.2"
FOLDER = ROOT / ".cache" / f"consul-{VERSION}"
BINARY = FOLDER / "consul"
TIMEOUT_S = 3600

# What the module's own main.go does, without shell completion and filtered help.
MAIN = """\
package main

import (
	"os"

	"github.com/hashicorp/consul/command"
	"github.com/hashicorp/consul/command/cli"
	_ "github.com/hashicorp/consul/service_os"
	mcli "github.com/mitchellh/cli"
)

func main() {
	ui := &cli.BasicUI{BasicUi: mcli.BasicUi{Writer: os.Stdout, ErrorWriter: os.Stderr}}
	commands := &mcli.CLI{Name: "consul", Args: os.Args[1:], Commands: command.RegisteredCommands(ui)}
	code, _ := commands.Run()
	os.Exit(code)
}
"""

# The two exclusions are the module's own: an exclusion counts only in the main module.
GO_MOD = f"""\
module edge.invalid/consul

go 1.20

exclude (
	github.com/hashicorp/go-msgpack v1.1.5
	github.com/hashicorp/go-msgpack v1.1.6
)

require {MODULE} {VERSION}
"""


class UnbuiltError(Exception):
    """It cannot be had; the text says why."""


def build() -> None:
    """Download, verify, compile. Raises UnbuiltError."""
    go = shutil.which("go")
    if go is None:
        raise UnbuiltError("Go is not installed")
    source = FOLDER / "source"
    source.mkdir(parents=True, exist_ok=True)
    described = json.loads(_run([go, "mod", "download", "-json", f"{MODULE}@{VERSION}"], FOLDER))
    (source / "main.go").write_text(MAIN)
    (source / "go.mod").write_text(GO_MOD)
    sums = (Path(described["Dir"]) / "go.sum").read_text()
    own = f"{MODULE} {VERSION} {described['Sum']}\n{MODULE} {VERSION}/go.mod {described['GoModSum']}\n"
    (source / "go.sum").write_text(sums + own)
    unfinished = FOLDER / "consul.part"
    # -mod=mod: our go.mod names one module and takes the versions of the rest from it.
    flags = ["-mod=mod", "-trimpath", "-ldflags", "-s -w"]
    _run(["nice", "-n", "10", go, "build", *flags, "-o", str(unfinished), "."], source)
    unfinished.replace(BINARY)  # in one step: a test never starts half a file


def _run(command: list[str], folder: Path) -> str:
    try:
        done = subprocess.run(
            command, cwd=folder, env=os.environ, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise UnbuiltError(f"{' '.join(command[:4])} did not finish within {TIMEOUT_S} s") from None
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if not line.startswith("go: downloading")]
        raise UnbuiltError("; ".join(lines[:2]) or f"{command[0]} ended with {done.returncode}")
    return done.stdout


def main() -> int:
    """Build what is missing; always 0, for no agent is needed to build or to run."""
    if BINARY.is_file():
        return 0
    print(f"consul {VERSION}: building, this takes minutes", flush=True)
    try:
        build()
        print(f"consul {VERSION}: built")
    except (UnbuiltError, OSError, KeyError, ValueError) as error:
        print(f"consul {VERSION}: not built, its tests run against the double alone ({error})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
