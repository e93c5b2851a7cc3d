"""What the doctor finds in Kubernetes, and of our own certificate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge.cli import located_findings as module
from edge.cli.findings import Finding, State
from edge.cli.located_findings import located
from tests.peers.kubernetes_api import endpoint, slice_of
from tests.peers.kubernetes_double import listing, refusal, running_double
from tests.unit.app.configs import config
from tests.unit.certs.mint import EDGE, mint, root
from tests.unit.certs.workload_server import Agent, response, serving, svid

TWO = listing(1, slice_of("a", "books", "n", [endpoint("10.0.0.1"), endpoint("10.0.0.2", ready=False)], port=1))


@pytest.mark.parametrize(
    ("answer", "port", "state", "text"),
    [
        ((200, TWO), "grpc", State.OK, "books.n: 1 to call, 1 not ready"),
        ((200, listing(1)), "grpc", State.FAILED, "Kubernetes knows no ready pod of books.n"),
        ((200, TWO), "http", State.FAILED, "no pod of books.n has the port asked for"),
        ((403, refusal(403, "may not")), "grpc", State.FAILED, "403: may not"),
        ((200, {}), "grpc", State.FAILED, "the list has another shape than the API's"),
    ],
)
def test_pods(answer: tuple[int, Any], port: str, state: State, text: str, tmp_path: Path) -> None:
    """By one list, with the permission the gateway will need."""
    pytest.importorskip("kubernetes", reason="the official client is not installed")
    with running_double(lambda _: answer) as double:
        upstreams = {"shop": {"kubernetes": {"service": "books", "namespace": "n", "port": port}}}
        cluster = {"kubeconfig": str(double.kubeconfig(tmp_path))}
        loaded = config(tmp_path, upstreams=upstreams, kubernetes=cluster)
        assert located(loaded) == [Finding(state, "upstreams.shop.kubernetes", text)]


def test_our_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From whoever gives it; why there is none, or that none came in time."""
    ca, agent = root(), Agent()
    monkeypatch.setattr(module, "_WAIT_S", 0.3)
    loaded = config(tmp_path, identity={"workload_api": {"socket": f"unix://{tmp_path}/agent.sock"}})
    (found,) = located(loaded)
    assert found.state is State.FAILED
    assert "does not exist" in found.text
    with serving(agent, tmp_path / "agent.sock"):
        (found,) = located(loaded)
        assert (found.state, found.text.endswith("none has come yet")) == (State.FAILED, True)
        agent.say(response([svid(mint(ca, EDGE), EDGE, ca)]))
        monkeypatch.setattr(module, "_WAIT_S", 30.0)
        (found,) = located(loaded)
        assert found.state is State.OK
        assert found.text.startswith(f"{EDGE} from SPIFFE Workload API, expires in 11 h")


def test_nothing_to_look_at(tmp_path: Path) -> None:
    assert located(config(tmp_path)) == []
