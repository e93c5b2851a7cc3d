"""How an end is told by a close frame."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.core.grpc_status import Code
from edge.core.websocket_close import close_code, close_reason


def test_codes() -> None:
    assert close_code(Code.OK) == 1000
    assert [close_code(code) for code in (Code.CANCELLED, Code.UNAUTHENTICATED, 99)] == [4001, 4016, 4099]


def test_a_short_reason_is_kept_whole() -> None:
    assert close_reason("é" * 61) == "é" * 61
    assert close_reason("é" * 62) == "é" * 60 + "…"


@given(st.text(st.characters(codec="utf-8")))
def test_a_reason_fits_a_control_frame(text: str) -> None:
    """123 bytes; what is cut off is said to be."""
    reason = close_reason(text)
    assert len(reason.encode()) <= 123
    assert reason == text or (reason.endswith("…") and text.startswith(reason[:-1]))


def test_a_lone_surrogate_is_no_crash() -> None:
    assert close_reason("\ud800") == "?"
