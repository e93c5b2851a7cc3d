"""Reading what an answer's headers say."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict

from edge.consul.answer import ConsulError, Kind, read_answer
from edge.core.consul_last_good import Alarm


def test_headers_as_go_writes_them() -> None:
    """Go changes the case of names; aiohttp's mapping does not mind."""
    headers = CIMultiDict(
        {
            "X-Consul-Index": "42", "X-Consul-Results-Filtered-By-Acls": "true", "X-Consul-Knownleader": "false",
            "X-Consul-Lastcontact": "1500", "X-Consul-Default-Acl-Policy": "deny", "X-Consul-Contenthash": "abc",
            "X-Consul-Query-Backend": "streaming",
        }
    )  # fmt: skip
    answer = read_answer([], headers, authenticated=True)
    assert (answer.index, answer.filtered, answer.known_leader, answer.last_contact_s) == (42, True, False, 1.5)
    assert (answer.default_deny, answer.content_hash, answer.streamed) == (True, "abc", True)
    said = answer.provenance(restarted=True)
    assert (said.filtered, said.known_leader, said.restarted, said.streamed) == (True, False, True, True)


@pytest.mark.parametrize("index", [None, "", "x", "-1", "1.5", "²"])
def test_missing_or_broken_headers_are_harmless(index: str | None) -> None:
    """No index, a leader, nothing hidden."""
    headers = {} if index is None else {"X-Consul-Index": index, "X-Consul-LastContact": index}
    answer = read_answer({}, headers, authenticated=False)
    assert (answer.index, answer.filtered, answer.known_leader, answer.last_contact_s, answer.streamed) == (
        None,
        False,
        True,
        0.0,
        False,
    )


@pytest.mark.parametrize(
    ("error", "alarm"),
    [
        (ConsulError(Kind.DENIED, "no"), Alarm.DENIED),
        (ConsulError(Kind.FAILED, "No cluster leader"), Alarm.NO_LEADER),
        (ConsulError(Kind.FAILED, "rpc error"), Alarm.UNREACHABLE),
        (ConsulError(Kind.UNREACHABLE, "refused"), Alarm.UNREACHABLE),
        (ConsulError(Kind.NOT_FOUND, "no leader of that name"), Alarm.UNREACHABLE),
    ],
)
def test_alarm_of_a_failure(error: ConsulError, alarm: Alarm) -> None:
    """As a watch raises it."""
    assert error.alarm is alarm
