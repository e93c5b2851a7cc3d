"""Connections of a mesh listener: told to end, then cut; each alone. Real clients: tests/consul/test_called_by_sidecar.py."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from edge.core.consul_identity import MeshService
from edge.core.mesh_caller import Caller
from edge.ingress.connections import Admission, Connections, ConnectionSlots
from edge.ingress.visits import Ending, Visit, VisitConnections, Visits
from tests.unit.ingress.doubles import run

CALLER = Caller("spiffe://td.test/ns/default/dc/dc1/svc/web", MeshService("web", "dc1"))
GRACE_S = 5.0


@dataclass(eq=False)
class Line:
    """A connection that remembers."""

    drained: int = 0
    cuts: int = 0

    def drain(self) -> None:
        self.drained += 1

    def cut(self) -> None:
        self.cuts += 1


class Scene:
    """Visits that end at their age."""

    def __init__(self) -> None:
        self.endings: list[Ending] = []
        self.visits = Visits(self._why, GRACE_S, self.endings.append)
        self.whole = Connections(ConnectionSlots(10))

    def _why(self, visit: Visit, now: float) -> tuple[Ending, str] | None:
        return (Ending.AGE, "old") if now >= visit.ends_at else None

    def come(self, after_s: float) -> tuple[Line, VisitConnections]:
        """A connection that has to end in so long."""
        visit = Visit(CALLER, asyncio.get_running_loop().time() + after_s)
        view, line = VisitConnections(self.whole, self.visits, visit), Line()
        assert view.add(line) is Admission.SERVE
        return line, view

    def leave(self, line: Line, view: VisitConnections) -> None:
        view.discard(line)
        self.visits.close()


def test_told_then_cut() -> None:
    """Once told, once the grace is over cut; counted once."""

    async def scenario() -> None:
        scene = Scene()
        line, view = scene.come(2.0)
        await asyncio.sleep(1.5)
        assert (line.drained, view.draining) == (0, False)
        await asyncio.sleep(2.0)
        assert (line.drained, line.cuts, view.draining) == (1, 0, True)
        await asyncio.sleep(GRACE_S)
        assert (line.drained, line.cuts > 0) == (1, True)
        assert scene.endings == [Ending.AGE]
        scene.leave(line, view)

    run(scenario())


def test_one_is_told_alone() -> None:
    """The others go on, and share their count with the listener."""

    async def scenario() -> None:
        scene = Scene()
        (old, its_view), (young, view) = scene.come(0.5), scene.come(100.0)
        await asyncio.sleep(2.0)
        assert (old.drained, young.drained) == (1, 0)
        assert (its_view.draining, view.draining, scene.whole.draining) == (True, False, False)
        assert len(view) == len(its_view) == len(scene.whole) == 2
        scene.leave(old, its_view)
        assert len(scene.whole) == 1
        scene.leave(young, view)
        assert len(scene.whole) == len(scene.visits) == 0

    run(scenario())


def test_a_review_does_not_wait() -> None:
    """When something changed, at once."""

    async def scenario() -> None:
        scene = Scene()
        line, view = scene.come(0.0)
        scene.visits.review()
        assert line.drained == 1
        scene.leave(line, view)

    run(scenario())


def test_a_connection_that_changes_hands_keeps_its_age() -> None:
    """HTTP/2 told by its first bytes, a WebSocket."""

    async def scenario() -> None:
        scene = Scene()
        former, view = scene.come(1.0)
        line = Line()
        view.replace(former, line)
        await asyncio.sleep(3.0)
        assert (former.drained, line.drained) == (0, 1)
        scene.leave(line, view)

    run(scenario())


def test_the_listeners_own_drain_counts() -> None:
    """For each of its connections."""

    async def scenario() -> None:
        scene = Scene()
        line, view = scene.come(100.0)
        scene.whole.draining = True
        assert view.draining
        scene.leave(line, view)

    run(scenario())


def test_a_look_that_fails_is_not_the_last() -> None:
    """Else no connection of the listener would ever end by its age again."""

    async def scenario() -> None:
        looks: list[float] = []

        def why(_visit: Visit, now: float) -> tuple[Ending, str] | None:
            looks.append(now)
            raise ValueError("a bug")

        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
        visits, whole = Visits(why, GRACE_S, lambda _: None), Connections(ConnectionSlots(10))
        view, line = VisitConnections(whole, visits, Visit(CALLER, 0.0)), Line()
        view.add(line)
        await asyncio.sleep(3.5)
        assert len(looks) == 3
        view.discard(line)
        visits.close()

    run(scenario())
