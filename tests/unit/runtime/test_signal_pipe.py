"""Signals to select on."""

from __future__ import annotations

import select
import signal

from edge.runtime.signal_pipe import SignalPipe


def test_signals_come_in_order_and_the_old_handlers_come_back() -> None:
    before = signal.getsignal(signal.SIGUSR2)
    with SignalPipe((signal.SIGUSR1, signal.SIGUSR2)) as pipe:
        assert pipe.take() == []
        signal.raise_signal(signal.SIGUSR2)
        signal.raise_signal(signal.SIGUSR1)
        assert select.select((pipe.reader,), (), (), 5)[0]
        assert pipe.take() == [signal.SIGUSR2, signal.SIGUSR1]
    assert signal.getsignal(signal.SIGUSR2) is before
