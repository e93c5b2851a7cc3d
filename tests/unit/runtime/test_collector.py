"""What start-up made is out of the collector's sight; what dies of it is collected when the next is set aside."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from edge.runtime.collector import set_aside


class Ring:
    """Garbage that only the collector frees."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def seen_again() -> Iterator[None]:
    """The collector sees the tests' own objects again afterwards, as often as before."""
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_what_is_left_is_not_walked_again() -> None:
    """Nearly nothing is: the full pass after it has next to nothing to do."""
    kept = [Ring() for _ in range(100)]
    set_aside()
    assert gc.get_freeze_count() > len(kept)
    assert not [each for each in gc.get_objects() if isinstance(each, Ring)]


def test_calls_on_their_way_do_not_make_it_look() -> None:
    """A call is some fifty objects; hundreds may run."""
    set_aside()
    assert gc.get_threshold()[0] >= 100 * 50


def test_garbage_goes_first() -> None:
    """What is set aside is alive."""
    dead = weakref.ref(Ring())
    set_aside()
    assert dead() is None


def test_what_died_since_is_collected() -> None:
    """A reload's old routes do not stay for ever."""
    ring = Ring()
    old = weakref.ref(ring)
    set_aside()
    del ring
    gc.collect()
    assert old() is not None
    set_aside()
    assert old() is None
