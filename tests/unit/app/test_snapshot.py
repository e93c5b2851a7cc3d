"""From a configuration to compiled routes, or to everything that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.app.snapshot import json_options, load_snapshot, metadata_rules, with_reflected
from edge.core.cors import CorsRules
from edge.core.metadata import MetadataRules
from edge.core.problem import ProblemsError
from edge.ingress.serving import WebSocketSettings
from edge.routes import Missing
from edge.wire.codec import JsonOptions
from tests.unit.app.configs import PROTO, config


def test_an_annotated_method_becomes_a_route(tmp_path: Path) -> None:
    snapshot = load_snapshot(config(tmp_path))
    found = snapshot.routes.lookup("GET", "/v1/items/7")
    assert not isinstance(found, Missing)
    assert (found.value.rpc.path, found.captures, found.value.timeout_s) == ("/shop.v1.Shop/GetItem", ("7",), 15.0)
    assert isinstance(snapshot.routes.lookup("POST", "/shop.v1.Shop/Unbound"), Missing)


def test_default_bindings_are_made_when_asked_for(tmp_path: Path) -> None:
    """C4."""
    snapshot = load_snapshot(config(tmp_path, api={"default_bindings": True}))
    assert not isinstance(snapshot.routes.lookup("POST", "/shop.v1.Shop/Unbound"), Missing)


def test_what_is_wrong_with_protos_and_rules_comes_out_together(tmp_path: Path) -> None:
    """C5: a template that does not parse and one whose field is missing are both told."""
    bad = PROTO.replace("/v1/items/{id}", "/v1/items/{id") + PROTO.split("message")[0].split("syntax")[0]
    bad = bad.replace("rpc Unbound(Item) returns (Item);", "")
    bad = bad.replace(
        "service Shop {", 'service Shop { rpc B(Item) returns (Item) { option (google.api.http) = {get: "/v1/{x}"}; }'
    )
    with pytest.raises(ProblemsError) as caught:
        load_snapshot(config(tmp_path, proto=bad))
    told = str(caught.value)
    assert "/v1/items/{id" in told
    assert "x" in told
    assert len(caught.value.problems) == 2


def test_a_reflected_api_is_loading_until_it_is_told(tmp_path: Path) -> None:
    """C1: the snapshot names it; a description completes it."""
    known = load_snapshot(config(tmp_path)).descriptions["shop"]
    waiting = load_snapshot(config(tmp_path, api={"reflection": True}))
    assert (waiting.loading, waiting.routes.routes) == (("shop",), ())
    told = with_reflected(waiting, "shop", known)
    assert told.loading == ()
    assert not isinstance(told.routes.lookup("GET", "/v1/items/7"), Missing)
    assert waiting.loading == ("shop",), "the old snapshot is untouched"


def test_every_json_choice_reaches_the_codec(tmp_path: Path) -> None:
    choices = {
        "json": {
            "names": "proto", "enums": "short", "defaults": True, "nulls": True, "int64": "number", "unknown_fields": "ignore",
            "pretty": True, "update_mask": False, "form": True,
        },
        "query": {
            "unknown": "capture", "ignore": ["a"], "system_parameters": False, "plus_is_space": False, "lenient_bools": True,
        },
        "path": {"repeated": True},
    }  # fmt: skip
    (api,) = config(tmp_path, api=choices).apis
    assert json_options(api) == JsonOptions(
        proto_names=True,
        enums="short",
        print_defaults=True,
        print_nulls=True,
        int64="number",
        pretty=True,
        unknown_fields="ignore",
        unknown_query="capture",
        ignored_query=("a",),
        system_parameters=False,
        plus_is_space=False,
        lenient_bools=True,
        repeated_path=True,
        update_mask=False,
        form=True,
    )


def test_json_may_be_so_many_times_the_largest_message(tmp_path: Path) -> None:
    """An API that takes larger messages prints larger answers, and none less than the default."""
    for taken, printed in (("1KiB", 64), ("4MiB", 64), ("10MiB", 160)):
        (api,) = config(tmp_path, api={"max_response_bytes": taken}).apis
        assert json_options(api).max_printed_bytes == printed << 20


def test_every_metadata_choice_reaches_the_rules(tmp_path: Path) -> None:
    given = {
        "forward": "permanent", "authorization": False, "underscores": "allow", "response": "bare", "grpc_status": True,
    }  # fmt: skip
    (api,) = config(tmp_path, api={"metadata": given}).apis
    assert metadata_rules(api) == MetadataRules(
        forward_all=False, authorization=False, underscores=True, permanent=True, response="bare", grpc_status=True
    )
    (prefixed,) = config(tmp_path, api={"metadata": {"forward": "prefixed"}}).apis
    assert metadata_rules(prefixed) == MetadataRules(forward_all=False)


def test_a_profile_reaches_everything(tmp_path: Path) -> None:
    """Its defaults come out where written ones would."""
    settings = load_snapshot(config(tmp_path, api={"profile": "grpc-gateway"})).apis["shop"]
    assert (settings.unimplemented, settings.streaming.format) == (True, "envelope")
    assert settings.metadata == MetadataRules(forward_all=False, permanent=True, response="prefixed")
    plain = load_snapshot(config(tmp_path)).apis["shop"]
    assert (plain.unimplemented, plain.streaming.format, plain.metadata) == (False, "array", MetadataRules())


def test_cors_and_websocket_reach_the_settings(tmp_path: Path) -> None:
    """Both are off unless they are written."""
    plain = load_snapshot(config(tmp_path)).apis["shop"]
    assert (plain.cors, plain.websocket) == (None, None)
    cors = {
        "origins": ["https://a.example"], "methods": ["GET"], "headers": ["x-a"], "expose": ["x-b"], "credentials": True,
        "max_age": "1m",
    }  # fmt: skip
    choices = {"cors": cors, "websocket": {"ping_interval": "5s"}}
    given = load_snapshot(config(tmp_path, api=choices)).apis["shop"]
    assert given.cors == CorsRules(
        ("https://a.example",), ("GET",), ("x-a",), ("x-b",), credentials=True, max_age_s=60.0
    )
    assert given.websocket == WebSocketSettings(5.0)
