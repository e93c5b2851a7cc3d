"""When an answer replaces the last good set, and which alarm stands."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from edge.core.consul_identity import MeshService
from edge.core.consul_instances import Instance, Observed
from edge.core.consul_last_good import DOUBT_S, Alarm, LastGood, Provenance

ONE = Instance("10.0.0.1", 80, 1, False, MeshService("web", "dc1"), False, "web-1", "n1")
TWO = Instance("10.0.0.2", 80, 1, False, MeshService("web", "dc1"), False, "web-2", "n1")
FULL, EMPTY = Observed((ONE,)), Observed()
FINE = Provenance()


def kept() -> LastGood:
    """With one instance."""
    good = LastGood()
    good.heard(FULL, FINE, 0.0)
    return good


def alarm(good: LastGood) -> Alarm | None:
    """What stands."""
    return good.trouble.alarm if good.trouble else None


def test_nothing_is_known_at_first() -> None:
    """That is not the empty set."""
    assert LastGood().instances is None


def test_answer_is_believed_and_equal_ones_are_no_change() -> None:
    """Returning from a blocking query need not mean change."""
    good = LastGood()
    assert good.heard(FULL, FINE, 1.0)
    assert not good.heard(FULL, FINE, 2.0)
    assert good.confirmed_at == 2.0
    assert good.heard(Observed((ONE, TWO)), FINE, 3.0)
    assert good.instances == (ONE, TWO)


def test_last_instance_may_go() -> None:
    """An empty answer from a Consul in order is the truth."""
    good = kept()
    assert good.heard(EMPTY, FINE, 1.0)
    assert good.instances == ()
    assert good.trouble is None


def test_all_critical_is_the_truth_too() -> None:
    """They are listed, so nothing hides them."""
    good = kept()
    assert good.heard(Observed((), critical=2), Provenance(filtered=True), 1.0)
    assert good.instances == ()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (Provenance(filtered=True), Alarm.FILTERED),
        (Provenance(authenticated=False, default_deny=True), Alarm.FILTERED),
        (Provenance(known_leader=False), Alarm.NO_LEADER),
    ],
)
def test_nothing_is_not_believed_from_who_cannot_know(said: Provenance, expected: Alarm) -> None:
    """The set stays, however long it lasts; at first, it stays unknown."""
    good = kept()
    for now in (1.0, 1000.0):
        assert not good.heard(EMPTY, said, now)
        assert good.instances == (ONE,)
        assert alarm(good) is expected
    assert good.confirmed_at == 0.0
    fresh = LastGood()
    assert not fresh.heard(EMPTY, said, 1.0)
    assert fresh.instances is None
    assert fresh.heard(EMPTY, FINE, 2.0)
    assert fresh.trouble is None


def test_no_token_under_default_allow_is_no_reason_to_doubt() -> None:
    """A Consul without access rules is asked without a token."""
    assert kept().heard(EMPTY, Provenance(authenticated=False), 1.0)


def test_partly_hidden_is_taken_with_an_alarm() -> None:
    """What is seen is real."""
    good = kept()
    assert good.heard(Observed((TWO,)), Provenance(filtered=True), 1.0)
    assert good.instances == (TWO,)
    assert alarm(good) is Alarm.FILTERED


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (Provenance(known_leader=False), Alarm.NO_LEADER),
        (Provenance(last_contact_s=10.5), Alarm.STALE),
        (Provenance(last_contact_s=9.5), None),
    ],
)
def test_stale_answers_are_taken_with_an_alarm(said: Provenance, expected: Alarm | None) -> None:
    """Better old than none."""
    good = kept()
    good.heard(Observed((ONE, TWO)), said, 1.0)
    assert good.instances == (ONE, TWO)
    assert alarm(good) is expected


def test_failure_takes_nothing_away() -> None:
    """And is over with the next answer."""
    good = kept()
    good.failed(Alarm.UNREACHABLE, "connection refused")
    assert good.instances == (ONE,)
    assert alarm(good) is Alarm.UNREACHABLE
    good.heard(FULL, FINE, 5.0)
    assert good.trouble is None


@pytest.mark.parametrize("nothing", [EMPTY, Observed((), critical=1)])
def test_nothing_after_a_loss_is_doubted_for_a_while(nothing: Observed) -> None:
    """An agent started anew knows nothing, and its checks begin critical; after a while it is believed."""
    good = kept()
    good.failed(Alarm.UNREACHABLE, "gone")
    assert not good.heard(nothing, FINE, 100.0)
    assert alarm(good) is Alarm.DOUBTED
    assert good.recheck_in_s(110.0) == pytest.approx(DOUBT_S - 10)
    assert not good.heard(nothing, FINE, 100.0 + DOUBT_S - 1)
    assert list(good.instances or ()) == [ONE]
    assert good.heard(nothing, FINE, 100.0 + DOUBT_S)
    assert good.instances == ()
    assert good.trouble is None
    assert good.recheck_in_s(200.0) is None


def test_index_reset_is_a_loss() -> None:
    """Without any failure in between."""
    good = kept()
    assert not good.heard(EMPTY, Provenance(restarted=True), 1.0)
    assert alarm(good) is Alarm.DOUBTED


def test_doubt_ends_with_the_first_instance() -> None:
    """It has come back; a later loss is doubted anew, for its full time."""
    good = kept()
    good.failed(Alarm.UNREACHABLE, "gone")
    good.heard(EMPTY, FINE, 100.0)
    assert not good.heard(FULL, FINE, 105.0)
    assert good.trouble is None
    assert good.heard(EMPTY, FINE, 106.0)


def test_doubt_is_counted_from_when_consul_is_back() -> None:
    """A second failure begins it again."""
    good = kept()
    good.failed(Alarm.UNREACHABLE, "gone")
    good.heard(EMPTY, FINE, 100.0)
    good.failed(Alarm.UNREACHABLE, "gone again")
    assert good.recheck_in_s(101.0) is None
    assert not good.heard(EMPTY, FINE, 100.0 + DOUBT_S + 1)


def test_streamed_answer_alone_takes_the_last_instance_not_away() -> None:
    """The streaming backend does not say whether access rules emptied it: it is confirmed first."""
    good = kept()
    streamed = Provenance(streamed=True, known_leader=False)
    assert not good.heard(EMPTY, streamed, 1.0)
    assert good.instances == (ONE,)
    assert good.trouble is None
    assert good.unconfirmed
    assert not good.heard(EMPTY, Provenance(filtered=True), 1.1)
    assert alarm(good) is Alarm.FILTERED
    assert not good.unconfirmed
    good = kept()
    good.heard(EMPTY, streamed, 1.0)
    assert good.heard(EMPTY, FINE, 1.1)
    assert good.instances == ()


def test_streamed_change_is_taken_and_confirmed() -> None:
    """Without a leader's alarm, which the streaming backend would always raise."""
    good = kept()
    streamed = Provenance(streamed=True, known_leader=False)
    assert good.heard(Observed((TWO,)), streamed, 1.0)
    assert good.trouble is None
    assert good.unconfirmed
    good.heard(Observed((TWO,)), FINE, 1.1)
    assert not good.unconfirmed
    assert not good.heard(Observed((TWO,)), streamed, 2.0)
    assert not good.unconfirmed  # nothing new: no further query


def test_streamed_answer_clears_no_alarm_by_itself() -> None:
    """What the alarm is about, it cannot know; it is asked again."""
    good = kept()
    good.heard(FULL, Provenance(filtered=True), 1.0)
    good.heard(FULL, Provenance(streamed=True, known_leader=False), 2.0)
    assert alarm(good) is Alarm.FILTERED
    assert good.unconfirmed


class Machine(RuleBasedStateMachine):
    """Any story: what is published is only ever what Consul listed, and an empty set only what a Consul in order said."""

    def __init__(self) -> None:
        super().__init__()
        self.good = LastGood()
        self.now = 0.0
        self.ever: set[tuple[Instance, ...]] = set()

    @rule(step=st.floats(0, 60))
    def time_passes(self, step: float) -> None:
        self.now += step

    @rule()
    def failure(self) -> None:
        before = self.good.instances
        self.good.failed(Alarm.UNREACHABLE, "gone")
        assert self.good.instances == before

    @rule(
        instances=st.sampled_from([(), (ONE,), (ONE, TWO)]), filtered=st.booleans(), leader=st.booleans(),
        restarted=st.booleans(), streamed=st.booleans(), critical=st.integers(0, 1),
    )  # fmt: skip
    def answer(
        self,
        instances: tuple[Instance, ...],
        filtered: bool,
        leader: bool,
        restarted: bool,
        streamed: bool,
        critical: int,
    ) -> None:
        before = self.good.instances
        said = Provenance(filtered=filtered, known_leader=leader, restarted=restarted, streamed=streamed)
        changed = self.good.heard(Observed(instances, critical), said, self.now)
        assert changed == (self.good.instances != before)
        if instances:
            assert self.good.instances == instances
        if changed and not instances:
            assert leader
            assert not streamed
            assert not (filtered and not critical)

    @invariant()
    def an_alarm_stands_while_an_empty_answer_is_not_taken(self) -> None:
        if self.good.instances and not self.good.observed.instances and not self.good.unconfirmed:
            assert self.good.trouble is not None


TestLastGoodMachine = Machine.TestCase
TestLastGoodMachine.settings = settings(max_examples=150, stateful_step_count=20, deadline=None)
