"""
The one ordered list of policies, outside in, with the reason for each place.

Owns the order. docs/life-of-a-request.md tells when it runs; later policies find their place here (style: authenticate before
authorize before charging a budget; what may wait after what may refuse; the breaker last, so that an admitted probe reaches the upstream).
"""

from __future__ import annotations

from edge.config.models import Config
from edge.pipeline import Pipeline, Policy
from edge.policies.count_in_flight import CountInFlight
from edge.policies.limit_request import LimitRequest
from edge.policies.log_access import LogAccess
from edge.telemetry.metrics import Metrics

ORDER: tuple[type[Policy], ...] = (
    CountInFlight,  # outermost: a call that waits in any other is seen waiting
    LimitRequest,  # before any work is done for the call: cheap enough for a flood
)


def pipeline(config: Config, metrics: Metrics, log_access: LogAccess) -> Pipeline:
    """The policies of a gateway, as its configuration wants them; the access log observes every call's end, admitted or not."""
    made: dict[type[Policy], Policy] = {
        CountInFlight: CountInFlight(metrics),
        LimitRequest: LimitRequest(config.limits.max_in_flight),
    }
    return Pipeline([made[kind] for kind in ORDER], observers=[log_access.observe])


def names() -> list[str]:
    """The policies' names in order, for `edge explain` and `edge routes`."""
    return [kind.name for kind in ORDER]
