"""So many calls at once and no more."""

from __future__ import annotations

from edge.outcome import Fault, Refusal
from edge.pipeline import Held, Pipeline
from edge.policies.limit_request import LimitRequest
from tests.unit.telemetry.exchanges import exchange


def test_calls_past_the_limit_are_refused_as_overload_until_one_has_ended() -> None:
    pipeline = Pipeline([LimitRequest(2)])
    first, second, third = Held(), Held(), Held()
    x = exchange()
    assert pipeline.admit(x, first) is None
    assert pipeline.admit(x, second) is None
    refusal = pipeline.admit(x, third)
    assert isinstance(refusal, Refusal)
    assert (refusal.fault, refusal.retry_after_s) == (Fault.OVERLOADED, 1.0)
    third.settle(x)  # a refused call holds nothing that it could give back
    assert isinstance(pipeline.admit(x, third), Refusal)
    first.settle(x)
    first.settle(x)
    assert pipeline.admit(x, third) is None
    assert isinstance(pipeline.admit(x, Held()), Refusal)
