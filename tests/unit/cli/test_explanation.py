"""What would become of a request: attribution, deadline, message and refusal, sending nothing."""

from __future__ import annotations

from edge.app import Snapshot
from edge.cli.explanation import Asked, Bound, Explanation, explain_request


def explained(
    snapshot: Snapshot, method: str, url: str, headers: dict[str, str] | None = None, body: bytes | None = None
) -> Explanation:
    """The explanation of one request."""
    pairs = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    return explain_request(snapshot, Asked(method, url, pairs, body))


def test_path_and_query(snapshot: Snapshot) -> None:
    """Each value with its source, and the message they make."""
    found = explained(snapshot, "GET", "/v1/shelves/a%2Fb/things/7?full=true")
    assert found.route is not None
    assert found.route.rpc.selector == "shop.v1.Shop.GetThing"
    assert found.bound == [Bound("shelf", "a/b", "path"), Bound("id", "7", "path"), Bound("full", "true", "query")]
    assert found.message == {"id": "7", "shelf": "a/b", "full": True}
    assert found.answer is None


def test_body_field_and_whole_body(snapshot: Snapshot) -> None:
    """A body that is one field, a body that is the message."""
    one = explained(snapshot, "POST", "/v1/shelves/s/things", body=b'{"name": "x"}')
    assert one.bound == [Bound("shelf", "s", "path"), Bound("thing", '{"name":"x"}', "body")]
    assert one.message == {"shelf": "s", "thing": {"name": "x"}}
    whole = explained(snapshot, "PATCH", "/v1/things/1:touch", body=b'{"name": "x"}')
    assert whole.bound == [Bound("id", "1", "path"), Bound("name", '"x"', "body")]


def test_whole_url(snapshot: Snapshot) -> None:
    """Host and fragment are not part of the target."""
    assert explained(snapshot, "GET", "http://books.example/v1/things/7?full=true#x").message == {
        "id": "7",
        "full": True,
    }
    assert Asked("GET", "http://books.example").path == "/"


def test_deadline_is_the_nearer_and_what_is_sent(snapshot: Snapshot) -> None:
    """The text cannot differ from the call."""
    for timeout, expected in (({}, 5.0), ({"grpc-timeout": "200m"}, 0.2), ({"grpc-timeout": "1M"}, 5.0)):
        found = explained(snapshot, "GET", "/v1/things/7", timeout)
        assert found.deadline_s == expected
        assert found.sent is not None
        assert found.sent.deadline == expected


def test_malformed_deadline(snapshot: Snapshot) -> None:
    """Refused, as the gateway does."""
    found = explained(snapshot, "GET", "/v1/things/7", {"grpc-timeout": "soon"})
    assert (found.sent, found.deadline_s) == (None, None)
    assert found.answer is not None
    assert found.answer.status == 400


def test_metadata_is_what_the_service_would_see(snapshot: Snapshot) -> None:
    """Hop-by-hop and identity headers end here."""
    found = explained(
        snapshot, "GET", "/v1/things/7", {"x-a": "b", "connection": "close", "x-forwarded-client-cert": "me"}
    )
    assert found.sent is not None
    names = [name for name, _ in found.sent.metadata]
    assert b"x-a" in names
    assert b"connection" not in names
    assert b"x-forwarded-client-cert" not in names


def test_unknown_path_names_its_neighbours(snapshot: Snapshot) -> None:
    """404 with near misses."""
    found = explained(snapshot, "GET", "/v1/thing/7")
    assert found.route is None
    assert found.near[0].template == "/v1/things/{id}"
    assert found.answer is not None
    assert found.answer.status == 404


def test_wrong_method_names_the_others(snapshot: Snapshot) -> None:
    """405: the same path, other methods."""
    found = explained(snapshot, "PUT", "/v1/things/7")
    assert [(miss.method, miss.template) for miss in found.near] == [("GET", "/v1/things/{id}")]
    assert found.answer is not None
    assert found.answer.status == 405
    assert (b"allow", b"GET, HEAD") in found.answer.headers


def test_misfits_are_answered_as_the_gateway_does(snapshot: Snapshot) -> None:
    """Nothing is sent; the answer is the client's."""
    for method, url, body, word in (
        ("GET", "/v1/things/seven", None, b"id"),
        ("GET", "/v1/things/7?colour=red", None, b"colour"),
        ("GET", "/v1/things/7?id=8", None, b"id"),
        ("GET", "/v1/things/7?full=%zz", None, b"%zz"),
        ("POST", "/v1/shelves/s/things", b"{", b"body"),
        ("POST", "/v1/shelves/s/things", b'{"colour": 1}', b"colour"),
    ):
        found = explained(snapshot, method, url, body=body)
        assert found.sent is None
        assert found.route is not None
        assert found.answer is not None
        assert found.answer.status == 400
        assert word in found.answer.body


def test_streams(snapshot: Snapshot) -> None:
    """The message that would open it, and no deadline but the client's."""
    found = explained(snapshot, "GET", "/v1/things/7:watch")
    assert found.message == {"id": "7"}
    assert (found.answer, found.deadline_s) == (None, None)
    assert found.sent is not None
    assert (found.sent.path, found.sent.deadline) == (b"/shop.v1.Shop/Watch", None)
    assert explained(snapshot, "GET", "/v1/things/7:watch", {"grpc-timeout": "1M"}).deadline_s == 60.0


def test_a_stream_that_would_be_refused(snapshot: Snapshot) -> None:
    """With the answer."""
    found = explained(snapshot, "GET", "/v1/things/seven:watch")
    assert found.sent is None
    assert found.answer is not None
    assert found.answer.status == 400
