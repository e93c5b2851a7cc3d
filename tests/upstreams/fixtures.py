"""
The upstreams as pytest fixtures. Import the ones a test module uses:

    from tests.upstreams.fixtures import recorder  # noqa: F401  # a fixture
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.upstreams.bookstore import BookstoreProcess
from tests.upstreams.faulty import Faulty
from tests.upstreams.recorder import Recorder, ThreadedRecorder


@pytest.fixture
async def recorder() -> AsyncIterator[Recorder]:
    """A recorder in the test's loop."""
    async with Recorder() as upstream:
        yield upstream


@pytest.fixture
def threaded_recorder() -> Iterator[ThreadedRecorder]:
    """A recorder on threads."""
    with ThreadedRecorder() as upstream:
        yield upstream


@pytest.fixture
def mortal() -> Iterator[Faulty]:
    """A child that echoes, until it is killed; `restart` brings it back on its port."""
    with Faulty() as upstream:
        yield upstream


@pytest.fixture
def hanging() -> Iterator[Faulty]:
    """A child that begins every call and answers none."""
    with Faulty(hang=True) as upstream:
        yield upstream


@pytest.fixture
def restless() -> Iterator[Faulty]:
    """A child that sends GOAWAY on each connection after about half a second."""
    with Faulty(max_age_s=0.5) as upstream:
        yield upstream


@pytest.fixture
def single() -> Iterator[Faulty]:
    """A child that allows one stream per connection."""
    with Faulty(max_streams=1) as upstream:
        yield upstream


@pytest.fixture
def bookstore_process() -> Iterator[BookstoreProcess]:
    """The bookstore in a child process."""
    with BookstoreProcess() as upstream:
        yield upstream
