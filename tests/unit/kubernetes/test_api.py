"""The two requests, by the official client over real HTTP; against a real API server: tests/kubernetes."""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from edge.kubernetes import api as module
from edge.kubernetes.api import ApiError, ClusterAccess, SliceApi
from tests.peers.kubernetes_api import endpoint, slice_of
from tests.peers.kubernetes_double import ApiDouble, listing, refusal, running_double, versioned

SLICE = slice_of("a", "shop", "n", [endpoint("10.0.0.1")], port=1)


@pytest.fixture(autouse=True)
def _installed() -> None:
    pytest.importorskip("kubernetes", reason="the official client is not installed")


def made(double: ApiDouble, folder: Path) -> SliceApi:
    return SliceApi(ClusterAccess(str(double.kubeconfig(folder))), "n", "shop")


def test_a_list_asks_for_the_slices_of_the_service(tmp_path: Path) -> None:
    with running_double(lambda _: (200, listing(7, SLICE))) as double:
        api = made(double, tmp_path)
        assert api.list() == listing(7, SLICE)
        (asked,) = double.asked
        assert asked.path == "/apis/discovery.k8s.io/v1/namespaces/n/endpointslices"
        assert asked.query == {"labelSelector": "kubernetes.io/service-name=shop"}
        assert asked.token == "Bearer t"
        api.close()


def test_a_watch_asks_from_a_version_with_bookmarks_and_an_end(tmp_path: Path) -> None:
    """Events that come in pieces, or several at once, are whole."""
    event = {"type": "ADDED", "object": versioned(SLICE, 8)}
    line = json.dumps(event).encode() + b"\n"
    with running_double(lambda _: (200, [line[:20], line[20:], line * 2, b"\n"])) as double:
        api = made(double, tmp_path)
        assert list(api.watch("7").events()) == [event] * 3
        (asked,) = double.asked
        spelt = {
            key: value.lower() if key != "labelSelector" else value for key, value in asked.query.items()
        }  # True in older clients
        assert spelt == {
            "labelSelector": "kubernetes.io/service-name=shop", "watch": "true", "resourceVersion": "7",
            "allowWatchBookmarks": "true", "timeoutSeconds": str(module.WATCH_S),
        }  # fmt: skip
        api.close()


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (403, refusal(403, "may not"), (403, "403: may not")),
        (410, refusal(410, "too old"), (410, "410: too old")),
        (429, refusal(429, "slow down"), (429, "429: slow down")),
        (502, b"<html>", (502, "502: Bad Gateway")),
        (200, b"<html>", (0, "the answer is no JSON")),
    ],
)
def test_refusals_in_the_servers_words(status: int, body: object, expected: tuple[int, str], tmp_path: Path) -> None:
    with running_double(lambda _: (status, body)) as double:
        api = made(double, tmp_path)
        with pytest.raises(ApiError) as caught:
            api.list()
        assert caught.value.status == expected[0]
        assert str(caught.value).startswith(expected[1])
        assert len(double.asked) == 1, "when to try again is not the client's decision"
        api.close()


def test_nobody_there(tmp_path: Path) -> None:
    with running_double(lambda _: (200, {})) as double:
        pass
    api = made(double, tmp_path)
    with pytest.raises(ApiError, match="refused") as caught:
        api.list()
    assert caught.value.status == 0
    api.close()


def test_what_is_no_event(tmp_path: Path) -> None:
    with running_double(lambda _: (200, [b"<html>\n"])) as double:
        api = made(double, tmp_path)
        with pytest.raises(ApiError, match="is no JSON"):
            list(api.watch("7").events())
        api.close()


def test_an_event_without_end_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LINE_BYTES", 1000)
    with running_double(lambda _: (200, [b"x" * 600] * 10)) as double:
        api = made(double, tmp_path)
        with pytest.raises(ApiError, match="larger than 1000"):
            list(api.watch("7").events())
        api.close()


def test_silence_ends_a_watch_without_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other end may have vanished: the watch is opened anew."""
    monkeypatch.setattr(module, "SILENCE_S", 0.2)
    never = threading.Event()
    with running_double(lambda _: (200, [never])) as double:
        api = made(double, tmp_path)
        assert list(api.watch("7").events()) == []
        api.close()


def test_a_blocked_watch_is_ended_from_another_thread(tmp_path: Path) -> None:
    """At once, long before its silence is over."""
    never = threading.Event()
    with running_double(lambda _: (200, [never])) as double:
        api = made(double, tmp_path)
        opened = api.watch("7")
        threading.Timer(0.2, opened.shut).start()
        began = time.monotonic()
        with suppress(ApiError):  # the end of the connection may be seen as a break
            list(opened.events())
        assert time.monotonic() - began < module.SILENCE_S / 3
        api.close()


def test_no_cluster_is_configured(tmp_path: Path) -> None:
    with pytest.raises(ApiError, match="no cluster is configured"):
        SliceApi(ClusterAccess(str(tmp_path / "none")), "n", "shop")
