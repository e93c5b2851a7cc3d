"""
A real Kubernetes API server and the etcd behind it, for the tests, built once from their Go modules into `.cache/kubernetes-<version>/`.

Owns the version. The API server is Kubernetes' own command; its go.mod takes the staging modules from folders the module does not
hold, so ours takes the same release of each from the proxy. Takes many minutes and some 6 GB of Go's caches. What cannot be built
costs one plain line and no failure: the tests then run against the double alone.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULE, VERSION = "k8s.io/kubernetes", "v1.36.3"
STAGING = VERSION.replace("v1.", "v0.", 1)
FOLDER = ROOT / ".cache" / f"kubernetes-{VERSION}"
API_SERVER = FOLDER / "kube-apiserver"
ETCD = FOLDER / "etcd"
TIMEOUT_S = 3600

# What the command's own main.go does.
API_SERVER_MAIN = """\
package main

import (
	"os"

	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	os.Exit(cli.Run(app.NewAPIServerCommand()))
}
"""

ETCD_MAIN = """\
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	etcdmain.Main(os.Args)
}
"""


class UnbuiltError(Exception):
    """It cannot be had; the text says why."""


def build() -> None:
    """Download, verify, compile. Raises UnbuiltError."""
    go = shutil.which("go")
    if go is None:
        raise UnbuiltError("Go is not installed")
    source = FOLDER / "source"
    for name, text in (("apiserver", API_SERVER_MAIN), ("etcd", ETCD_MAIN)):
        (source / name).mkdir(parents=True, exist_ok=True)
        (source / name / "main.go").write_text(text)
    described = json.loads(_run([go, "mod", "download", "-json", f"{MODULE}@{VERSION}"], FOLDER))
    folder = Path(described["Dir"])
    (source / "go.mod").write_text(go_mod((folder / "go.mod").read_text()))
    own = f"{MODULE} {VERSION} {described['Sum']}\n{MODULE} {VERSION}/go.mod {described['GoModSum']}\n"
    (source / "go.sum").write_text((folder / "go.sum").read_text() + own)
    for package, binary in (("etcd", ETCD), ("apiserver", API_SERVER)):
        unfinished = FOLDER / f"{binary.name}.part"
        flags = [
            "-mod=mod",
            "-trimpath",
            "-p",
            "2",
            "-ldflags",
            f"-s -w -X k8s.io/component-base/version.gitVersion={VERSION}",
        ]
        _run(["nice", "-n", "15", go, "build", *flags, "-o", str(unfinished), f"./{package}"], source)
        unfinished.replace(binary)  # in one step: a test never starts half a file


def go_mod(theirs: str) -> str:
    """Our module's go.mod: Kubernetes' own requirements, for that is what its go.sum names, with staging modules by version."""
    language = re.search(r"^go (\S+)$", theirs, re.MULTILINE)
    requirements = re.findall(r"^require \((.*?)^\)", theirs, re.MULTILINE | re.DOTALL)
    staged = re.findall(r"^\t(k8s\.io/\S+) => \./staging/", theirs, re.MULTILINE)
    if language is None or not requirements or not staged:
        raise UnbuiltError("go.mod has another shape than it had")
    lines = [f"module edge.invalid/kubernetes\n\ngo {language.group(1)}\n", f"require {MODULE} {VERSION}\n"]
    lines += [f"require ({block})\n" for block in requirements]
    lines += ["replace (", *(f"\t{name} => {name} {STAGING}" for name in staged), ")\n"]
    return "\n".join(lines)


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
    """Build what is missing; always 0, for none of it is needed to build or to run."""
    if API_SERVER.is_file() and ETCD.is_file():
        return 0
    print(f"kubernetes {VERSION}: building, this takes many minutes", flush=True)
    try:
        build()
        print(f"kubernetes {VERSION}: built")
    except (UnbuiltError, OSError, KeyError, ValueError) as error:
        print(f"kubernetes {VERSION}: not built, its tests run against the double alone ({error})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
