"""
List P (path templates) and X2 of transcoding.md through a whole gateway.

Which route was taken is read from what the service received, never from the gateway's own word. Targets go over a raw socket where an
HTTP client would rewrite them.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from edge.config.models import Http
from edge.core.problem import Problem
from tests.gateway import bookstore_config
from tests.matrix.rest_site import (
    LAB,
    LABORATORY,
    Site,
    checked,
    compiled,
    recorded,
    rules,
    served_by,
)
from tests.upstreams.bookstore import known
from tests.upstreams.recorder import Reply

EDGE = (sys.executable, "-m", "edge")


# P3: the widest first, so that the order of registration would give the wrong answer everywhere.
HTTP = rules(
    EchoPayload=[{"get": "/p3/**"}, {"get": "/back/**"}, {"get": "/deep/**"}, {"get": "/odd/*/**"}],
    Anything=[
        {"get": "/p3/a/*"},
        {"get": "/back/b/**/y/z"},
        {"get": "/deep/**/x"},
        {"get": "/odd/{name=c/**}/d/e"},
        {"get": "/odd/{name=c/**/d}/e:verb"},
        {"get": "/verbs/{name}"},
        {"get": "/many/{name=**}"},
    ],
    Slow=[
        {"get": "/p3/a/b"},
        {"get": "/verbs/{delay}:run"},
        {"get": "/verbs/one:two:three"},
        {"get": "/odd/x:verb%2Fz"},
    ],
    EchoSpecimen=[
        {"get": "/shelf/{string_value=100}"},
        {"get": "/deepest/{specimen.specimen.string_value=*/a/b}/c"},
        {"get": "/int32/{int32_value}"},
        {"get": "/uint64/{uint64_value}"},
        {"get": "/double/{double_value}"},
        {"get": "/float/{float_value}"},
        {"get": "/bool/{bool_value}"},
        {"get": "/bytes/{bytes_value}"},
        {"get": "/enum/{enum_value}"},
        {"get": "/time/{timestamp}"},
        {"get": "/span/{duration}"},
        {"get": "/mask/{field_mask}"},
        {"get": "/wrapped/{wrapped_int64}"},
        {"get": "/word/{wrapped_string}"},
        {"get": "/choice/{choice_int64}"},
        {"get": "/strings/{strings}"},
        {"custom": {"kind": "HEAD", "path": "/custom"}},
        {"custom": {"kind": "OPTIONS", "path": "/custom"}},
        {"custom": {"kind": "TRACE", "path": "/custom"}},
        {"custom": {"kind": "PURGE", "path": "/custom"}},
    ],
)


@pytest.fixture(scope="module")
def _odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    limits = {"max_uri_bytes": "256KiB", "max_header_bytes": "512KiB"}
    api = {"http": HTTP, "path": {"repeated": True}, "services": [LABORATORY.rstrip(".")]}
    with recorded(tmp_path_factory.mktemp("odd"), api=api, limits=limits) as site:
        yield site


@pytest.fixture
def odd(_odd: Site) -> Site:
    """The laboratory under the rules above."""
    return _odd.fresh()


BAD_TEMPLATES = (
    "", "//", "/{}", "/a/", "/a//b", ":verb", "/:verb", "/a/:verb", "/*:", "/{name}:", "/{name", "/{name.", "/{name=x:verb}", "a",
    "/{name=/b}", "/{name={name}}", "/a{name}", "/{name}b", "/{name}a{name}", "/***", "/bar*", "/a?b", "/a b", "/{1}", "/{name-}",
    "/foo:baz/buzz", "/%1", "/a/**/*", "/a/**/**", "/a/**/foo/**", "/{name}/{name}",
)  # fmt: skip


@pytest.fixture(scope="module")
def template_problems(tmp_path_factory: pytest.TempPathFactory) -> list[Problem]:
    """What one check says of all bad templates."""
    folder = tmp_path_factory.mktemp("bad")
    http = rules(Anything=[{"get": template} for template in BAD_TEMPLATES])
    return checked(folder, api={**compiled(folder), "http": http})


@pytest.mark.parametrize("template", BAD_TEMPLATES)
def test_p1_a_bad_template_is_an_error_with_its_column(template_problems: list[Problem], template: str) -> None:
    """P1: named with the RPC its rule selects, quoted, and the column of the fault; all of them by one check."""
    (found,) = [each for each in template_problems if each.message.startswith(f'GET "{template}": ')]
    assert found.path == LABORATORY + "Anything"
    assert re.search(r": column \d+: ", found.message)
    assert found.place.endswith("edge.json:1")
    assert found.fix


def test_p1_a_bad_template_stops_the_start(tmp_path: Path) -> None:
    """P1: the gateway does not serve around a rule it cannot read."""
    path = tmp_path / "edge.json"
    http = rules(Anything=[{"get": "/a{name}"}])
    path.write_text(json.dumps(bookstore_config(tmp_path, 1, api={**compiled(tmp_path), "http": http})))
    done = subprocess.run([*EDGE, "run", "-c", str(path)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert 'GET "/a{name}": column 3' in done.stderr


@pytest.mark.parametrize(
    ("target", "rpc"),
    [("/odd/c/1/2/d/e", "Anything"), ("/odd/c/1/d/e:verb", "Anything"), ("/odd/c/d/e", "Anything"), ("/odd/x/y/z", "EchoPayload"),
     ("/odd/x", "EchoPayload"), ("/odd", "404"), ("/shelf/100", "EchoSpecimen"), ("/shelf/101", "404"), ("/odd/x:verb%2fz", "Slow"),
     ("/verbs/one:two:three", "Slow")],
)  # fmt: skip
def test_p2_odd_templates_are_served(odd: Site, target: str, rpc: str) -> None:
    """P2: `**` inside variables and before a verb, literals in variables, escaped verbs, verbs with two colons."""
    assert served_by(odd, target) == rpc


def test_p2_a_variable_binds_all_its_segments(odd: Site) -> None:
    """P2, P7: `{x.y.z=*/a/b}` makes the messages above the field."""
    odd.raw_get("/deepest/one/a/b/c")
    assert odd.seen().specimen.specimen.string_value == "one/a/b"


@pytest.mark.parametrize(
    ("target", "rpc"),
    [("/p3/a/b", "Slow"), ("/p3/a/c", "Anything"), ("/p3/b", "EchoPayload"), ("/p3/a/b/c", "EchoPayload"), ("/p3", "EchoPayload"),
     ("/back/b/1/2/y/z", "Anything"), ("/back/b/y/z", "Anything"), ("/back/b/1/y", "EchoPayload"), ("/back/b", "EchoPayload")],
)  # fmt: skip
def test_p3_the_more_specific_wins_whatever_the_order(odd: Site, target: str, rpc: str) -> None:
    """P3: literal before `*` before `**`, with backtracking."""
    assert served_by(odd, target) == rpc


def test_p3_very_many_segments_cost_no_more_than_their_length(odd: Site) -> None:
    """P3: `/deep/**/x` with 64,000 slashes neither overflows nor takes noticeable time, matched or not."""
    long = "/deep" + "/a" * 64_000
    started = time.process_time()  # of the gateway too, and of the recorder
    assert served_by(odd, long + "/x") == "Anything"
    assert served_by(odd, long + "/y") == "EchoPayload"
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("target", "field", "value"),
    [("/verbs/jason:other", "name", "jason:other"), ("/verbs/a:b:other", "name", "a:b:other"), ("/verbs/:run", None, None),
     ("/many/a:b/c", "name", "a:b/c"), ("/verbs/x:run/", None, None)],
)  # fmt: skip
def test_p4_only_registered_verbs_are_split_off(odd: Site, target: str, field: str | None, value: str | None) -> None:
    """P4: what follows another colon belongs to the value; nothing before a verb, or a slash behind it, matches nothing."""
    status, _ = odd.raw_get(target)
    if field is None:
        assert (status, odd.recorder.calls) in [(404, []), (200, odd.recorder.calls)]
        assert not odd.recorder.calls or odd.seen("AnythingRequest").name == ":run"
    else:
        assert getattr(odd.seen("AnythingRequest"), field) == value


def test_p4_a_registered_verb_is_the_last_colon_s(odd: Site) -> None:
    """P4: `/verbs/3s:run` is the verb `run` and the value `3s`."""
    odd.raw_get("/verbs/3s:run")
    assert odd.recorder.last.path == "/bookstore.v1.Laboratory/Slow"
    assert odd.seen("SlowRequest").delay.seconds == 3


@pytest.mark.parametrize("hexadecimal", [str.upper, str.lower])
def test_p5_every_ascii_character_round_trips_in_one_segment(odd: Site, hexadecimal: Any) -> None:
    """P5: a single segment is decoded whole, `%2F` too, in upper and lower hex. NUL is refused (X2)."""
    text = "".join(map(chr, range(1, 0x7F)))
    target = "/verbs/x" + "".join(f"%{hexadecimal(f'{ord(char):02x}')}" for char in text)
    status, answer = odd.raw_get(target)
    assert status == 200, answer
    assert odd.seen("AnythingRequest").name == "x" + text


def test_p5_a_plus_in_the_path_is_a_plus(odd: Site) -> None:
    """P5: never a space."""
    odd.raw_get("/verbs/a+b%2Bc")
    assert odd.seen("AnythingRequest").name == "a+b+c"


def test_p5_unicode(odd: Site) -> None:
    """P5: UTF-8, percent-encoded as clients do."""
    assert odd.get("/verbs/" + quote("日本ä")).status_code == 200
    assert odd.seen("AnythingRequest").name == "日本ä"


def test_p5_several_segments_keep_escaped_reserved_characters(odd: Site) -> None:
    """P5: by default in `{x=**}` only what is not reserved is decoded, so that an escaped slash stays apart from a separator."""
    odd.raw_get("/many/a%2Fb/c%20d%3A%7e")
    assert odd.seen("AnythingRequest").name == "a%2Fb/c d%3A~"


def test_p5_fully_decoded_by_choice(tmp_path: Path) -> None:
    """P5: `fully_decode_reserved_expansion` decodes `%2F` too."""
    http = {**rules(Anything=[{"get": "/many/{name=**}"}]), "fully_decode_reserved_expansion": True}
    with recorded(tmp_path, api={"http": http}) as site:
        site.raw_get("/many/a%2Fb/c%3A")
        assert site.seen("AnythingRequest").name == "a/b/c:"


@pytest.mark.parametrize("segment", ["%", "%4", "%zz", "%c3%28", "%ff"])
def test_p5_malformed_escapes_are_400(odd: Site, segment: str) -> None:
    """P5: cut short, not hexadecimal, not UTF-8."""
    status, answer = odd.raw_get(f"/verbs/a{segment}")
    assert (status, answer["code"], odd.recorder.calls) == (400, 3, [])


@pytest.mark.parametrize(
    "target", ["/v1/shelves/", "//v1/shelves", "/v1//shelves", "/v1/shelves/1/books/", "/v1/shelves//books"]
)
def test_p6_superfluous_slashes_do_not_match(lab: Site, target: str) -> None:
    """P6: a trailing or doubled slash is another path: 404."""
    status, answer = lab.raw_get(target)
    assert (status, answer["code"], lab.recorder.calls) == (404, 5, [])


def test_p6_superfluous_slashes_merge_by_choice(tmp_path: Path) -> None:
    """P6: `path.merge_slashes`."""
    with recorded(tmp_path, api={"path": {"merge_slashes": True}}) as site:
        for target in ("/v1/shelves/", "//v1///shelves", "/v1/shelves"):
            assert served_by(site, target) == "ListShelves"


def test_p6_duplicates_are_errors(tmp_path: Path) -> None:
    """P6: two bindings of one method and shape; both are named (Envoy serves neither and says nothing)."""
    http = rules(Anything=[{"get": "/v1/shelves/{name}"}])
    (found,) = checked(tmp_path, api={**compiled(tmp_path), "http": http})
    assert "GetShelf" in found.message + found.path
    assert "Anything" in found.message + found.path


@pytest.mark.parametrize(
    ("target", "field", "value"),
    [("/int32/-2147483648", "int32_value", -(2**31)), ("/uint64/18446744073709551615", "uint64_value", 2**64 - 1),
     ("/double/1e-3", "double_value", 0.001), ("/double/-Infinity", "double_value", float("-inf")),
     ("/float/0.5", "float_value", 0.5),
     ("/bool/true", "bool_value", True), ("/bytes/_-8", "bytes_value", b"\xff\xef"),
     ("/bytes/%2F%2B8%3D", "bytes_value", b"\xff\xef"),
     ("/bytes/_-8%3D", "bytes_value", b"\xff\xef"), ("/enum/COLOUR_RED", "enum_value", 1), ("/enum/-1", "enum_value", -1),
     ("/choice/7", "choice_int64", 7)],
)  # fmt: skip
def test_p7_scalars_in_the_path(odd: Site, target: str, field: str, value: object) -> None:
    """P7: every kind of scalar, enums by name and number, bytes in either alphabet padded or not, a member of a oneof."""
    status, answer = odd.raw_get(target)
    assert status == 200, answer
    assert getattr(odd.seen(), field) == value


def test_p7_well_known_types_in_the_path(odd: Site) -> None:
    """P7: Timestamp, Duration, FieldMask and wrappers as their JSON text."""
    for target in ("/time/2026-01-02T03:04:05.5Z", "/span/1.5s", "/mask/a.bC,d", "/wrapped/0", "/word/a"):
        assert odd.raw_get(target)[0] == 200, target
    got = [known().Specimen.FromString(call.message) for call in odd.recorder.calls]
    assert got[0].timestamp.ToJsonString() == "2026-01-02T03:04:05.500Z"
    assert got[1].duration.ToJsonString() == "1.500s"
    assert list(got[2].field_mask.paths) == ["a.b_c", "d"]
    assert got[3].HasField("wrapped_int64")
    assert got[4].wrapped_string.value == "a"


def test_p7_a_repeated_field_by_choice(odd: Site) -> None:
    """P7: `path.repeated` lets a variable fill one element; without it the rule does not load (test_c5)."""
    odd.raw_get("/strings/a?strings=a")
    assert list(odd.seen().strings) == ["a"]


@pytest.mark.parametrize(
    ("target", "field"),
    [("/int32/2147483648", "int32_value"), ("/int32/abc", "int32_value"), ("/uint64/-1", "uint64_value"),
     ("/float/1e39", "float_value"),
     ("/double/x", "double_value"), ("/bool/yes", "bool_value"), ("/bytes/%21%21", "bytes_value"),
     ("/enum/COLOUR_PINK", "enum_value"),
     ("/time/0000-01-01T00:00:00Z", "timestamp"), ("/span/1", "duration"), ("/wrapped/x", "wrapped_int64")],
)  # fmt: skip
def test_p7_what_does_not_fit_is_400_naming_the_field(odd: Site, target: str, field: str) -> None:
    """P7: overflow and text that is no number never reach the service."""
    odd.refused(odd.get(target), 400, field)


def test_p8_wrong_method_and_unknown_path(lab: Site) -> None:
    """P8, section 3: 405 with Allow, and 404, both as google.rpc.Status."""
    wrong = lab.ask("DELETE", "/v1/shelves")
    assert lab.refused(wrong, 405)["details"][0]["reason"] == "METHOD_NOT_ALLOWED"
    assert wrong.headers["allow"] == "GET, HEAD, POST"
    assert lab.refused(lab.get("/v1/none"), 404)["details"][0]["reason"] == "ROUTE_NOT_FOUND"


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "PURGE"])
def test_p8_custom_methods(odd: Site, method: str) -> None:
    """P8: any method by a custom rule."""
    answer = odd.ask(method, "/custom?stringValue=a")
    assert answer.status_code == 200
    assert odd.seen().string_value == "a"
    assert bool(answer.content) == (method != "HEAD")


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "OPTIONS", "MKCOL"])
def test_p8_a_custom_star_takes_any_method(lab: Site, method: str) -> None:
    """P8: `custom {kind: "*"}`."""
    lab.recorder.default = Reply()
    assert lab.ask(method, "/v1/lab/anything/x").json() == {}
    assert lab.seen("AnythingRequest").name == "x"


def test_p8_a_get_route_answers_head(lab: Site) -> None:
    """R6: HEAD of a GET route has its headers and no body."""
    answer = lab.ask("HEAD", f"{LAB}?stringValue=abc")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) == len(b'{"stringValue":"abc"}')
    assert lab.seen().string_value == "abc"


@pytest.mark.parametrize(
    "target",
    ["/v1/shelves/..", "/v1/../v1/shelves", "/v1/shelves/%2e%2e", "/v1/shelves/%2E%2e/books", "/v1/authors/a%2F..%2Fb", "/v1/authors/a\\b",
     "/v1/shelves/.", "/v1/files/a/%2e%2e/b", "/v1/authors/a%00b", "/v1/authors/..;x=1"],
)  # fmt: skip
def test_x2_paths_with_two_readings_are_refused(lab: Site, target: str) -> None:
    """X2: dot segments in any spelling, backslashes and NUL: 400 before anything is matched."""
    status, answer = lab.raw_get(target)
    assert (status, answer["code"], lab.recorder.calls) == (400, 3, [])


def test_x2_with_curl(lab: Site) -> None:
    """X2: `--path-as-is` sends what curl would have resolved; without it curl resolves the dots itself, and the path is a plain one."""
    told = json.loads(lab.curl("--path-as-is", "/v1/lab/../lab/specimen"))
    assert (told["code"], lab.recorder.calls) == (3, [])
    assert json.loads(lab.curl("/v1/lab/../lab/specimen?stringValue=a")) == {"stringValue": "a"}


def test_the_rules_above_are_what_an_operator_could_write() -> None:
    """The tests' own `http` section is valid configuration."""
    assert len(Http.model_validate(HTTP).rules) == 4
