"""What two parts of a file say about each other."""

from __future__ import annotations

import pytest

from edge.config.cross_checks import check_references
from edge.config.document import read_document


def found(text: str) -> list[tuple[str, str, bool]]:
    """Path, message and warning of what the checks note."""
    document = read_document(text, "edge.yaml")
    check_references(document)
    return [(problem.path, problem.message, problem.warning) for problem in document.problems]


def test_misspelt_reference_is_told_from_both_sides() -> None:
    """The API names an upstream that is not there, the upstream is used by none."""
    text = "apis: [{name: a, reflection: true, upstream: bookstore}]\nupstreams: {bookstor: {endpoints: ['a:1']}}\n"
    assert found(text) == [
        ("apis[0].upstream", '"bookstore" is no upstream of this file', False),
        ("upstreams.bookstor", 'not used; apis[0].upstream says "bookstore"', True),
    ]


def test_unused_upstream_is_a_warning() -> None:
    """It does not stop the gateway."""
    text = "apis: [{name: a, reflection: true, upstream: u}]\nupstreams: {u: {endpoints: ['a:1']}, spare: {endpoints: ['b:1']}}\n"
    assert found(text) == [("upstreams.spare", "not used by any API", True)]


@pytest.mark.parametrize(
    ("keys", "count"),
    [
        ("reflection: true", 0),
        ("descriptors: x", 0),
        ("protos: {files: [x]}", 0),
        ("reflection: false", 1),
        ("", 1),
        ("reflection: false, descriptors: x", 0),
        ("reflection: true, descriptors: x", 1),
        ("reflection: {}, descriptors: x, protos: {files: [x]}", 2),
    ],
)
def test_exactly_one_description(keys: str, count: int) -> None:
    """protos, descriptors and reflection exclude each other, and one is needed."""
    assert len(found(f"apis: [{{name: a, upstream: u, {keys}}}]\nupstreams: {{u: {{endpoints: ['a:1']}}}}\n")) == count


def test_names_are_unique() -> None:
    """The second is told of the first."""
    api = "{name: a, reflection: true, upstream: u}"
    text = f"apis: [{api}, {api}]\nupstreams: {{u: {{endpoints: ['a:1']}}}}\n"
    assert found(text) == [("apis[1].name", '"a" is already apis[0]', False)]


@pytest.mark.parametrize(
    ("binds", "admin", "clashes"),
    [
        (["127.0.0.1:1", "127.0.0.1:2"], "127.0.0.1:3", []),
        (["127.0.0.1:1", "127.0.0.1:1"], "127.0.0.1:3", ["listeners[1].bind"]),
        (["127.0.0.1:1", ":1"], "127.0.0.1:3", ["listeners[1].bind"]),
        (["0.0.0.0:1", "127.0.0.1:1"], "127.0.0.1:3", ["listeners[1].bind"]),
        (["127.0.0.1:1", "127.0.0.2:1"], "127.0.0.1:3", []),
        (["127.0.0.1:0", "127.0.0.1:0"], "127.0.0.1:0", []),
        (["127.0.0.1:3"], "127.0.0.1:3", ["listeners[0].bind"]),
    ],
)
def test_binds_collide(binds: list[str], admin: str, clashes: list[str]) -> None:
    """Every interface collides with each; port 0 with none."""
    listeners = ", ".join(f"{{bind: '{bind}'}}" for bind in binds)
    assert [path for path, _, _ in found(f"listeners: [{listeners}]\nadmin: {{bind: '{admin}'}}\n")] == clashes


def test_default_admin_collides_unless_off() -> None:
    """The admin listener is there even when it is not written."""
    assert len(found("listeners: [{bind: ':9901'}]\n")) == 1
    assert found("listeners: [{bind: ':9901'}]\nadmin: null\n") == []


@pytest.mark.parametrize("endpoint", [":50051", "a:0"])
def test_endpoint_can_be_dialled(endpoint: str) -> None:
    """A bind address is no endpoint."""
    text = f"apis: [{{name: a, reflection: true, upstream: u}}]\nupstreams: {{u: {{endpoints: ['{endpoint}']}}}}\n"
    assert [path for path, _, _ in found(text)] == ["upstreams.u.endpoints[0]"]


@pytest.mark.parametrize(
    ("name", "ok"),
    [
        ("authorization", True),
        ("x-a_b.c", True),
        ("X-A", False),
        ("a b", False),
        ("", False),
        ("grpc-timeout", False),
        ("te", False),
        (":path", False),
    ],
)
def test_metadata_names(name: str, ok: bool) -> None:
    """Lower case, and none that gRPC itself sets."""
    text = f"apis: [{{name: a, reflection: true, upstream: u}}]\nupstreams: {{u: {{endpoints: ['a:1'], metadata: {{'{name}': x}}}}}}\n"
    assert (found(text) == []) is ok


def test_any_shape_is_survived() -> None:
    """The checks read data the schema refuses."""
    for text in (
        "[]",
        "x",
        "apis: 5",
        "apis: [5, []]",
        "upstreams: [a]",
        "upstreams: {a: 5}",
        "listeners: {a: b}",
        "admin: 5",
    ):
        found(text)
