"""
List C (configuration and descriptors) of transcoding.md through a whole gateway: what describes an API, and what replaces it.

Reflection has a file of its own, test_reflection.
"""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest
from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from edge.core.problem import ProblemsError
from tests.gateway import bookstore_config, running
from tests.matrix.rest_site import (
    LAB,
    LABORATORY,
    Site,
    checked,
    compiled,
    descriptor_set,
    echo,
    recorded,
    rules,
    served_by,
    serving,
    shaped,
)
from tests.upstreams.recorder import Recorder, ThreadedRecorder


def test_c1_inline_protos_and_a_descriptor_file_serve_the_same(lab: Site, shop: Site) -> None:
    """C1: `shop` compiles .proto files, `lab` loads a descriptor set; both have all routes."""
    for site in (lab, shop):
        assert shaped(site.ask("PUT", "/v1/shelves"), 405)["code"] == 12


async def test_c1_a_changed_file_is_swapped_in_whole_or_not_at_all(tmp_path: Path) -> None:
    """C1: a reload under load fails no request; one that cannot be served leaves everything as it was."""
    async with Recorder() as upstream:
        upstream.default = echo
        config = bookstore_config(tmp_path, upstream.port, api=compiled(tmp_path))
        async with running(tmp_path, config) as gateway, gateway.client() as client, asyncio.TaskGroup() as tasks:
            seen: list[int] = []

            async def load() -> None:
                while len(seen) < 10_000:
                    seen.append((await client.get(f"{LAB}?stringValue=a")).status_code)

            loading = tasks.create_task(load())
            config["apis"][0]["http"] = rules(Unbound=[{"get": "/new/{delay}"}])
            (tmp_path / "edge.yaml").write_text(json.dumps(config))
            await gateway.gateway.reload()
            assert (await client.get("/new/1s")).status_code == 200
            config["apis"][0]["http"] = rules(Unbound=[{"get": "/newer/{nothing}"}])
            (tmp_path / "edge.yaml").write_text(json.dumps(config))
            with pytest.raises(ProblemsError, match="nothing"):
                await gateway.gateway.reload()
            assert (await client.get("/new/1s")).status_code == 200
            loading.cancel()
        assert set(seen) == {200}


def test_c2_two_versions_of_a_service_are_served_at_once(tmp_path: Path) -> None:
    """C2: two APIs with the same full service name, other routes, other schema, other upstream."""
    files = FileDescriptorSet.FromString(descriptor_set())
    for file in files.file:
        for service in file.service:
            for method in service.method:
                if method.options.HasExtension(annotations_pb2.http):
                    rule = method.options.Extensions[annotations_pb2.http]
                    for each in (rule, *rule.additional_bindings):
                        kind = each.WhichOneof("pattern")
                        if kind == "custom":
                            each.custom.path = each.custom.path.replace("/v1/", "/v2/")
                        else:
                            setattr(each, kind, getattr(each, kind).replace("/v1/", "/v2/"))
        for message in file.message_type:
            if message.name == "Specimen":
                message.field.add(name="new_in_v2", number=200, label=1, type=9)
    newer = tmp_path / "newer.binpb"
    newer.write_bytes(files.SerializeToString())
    with ThreadedRecorder() as old, ThreadedRecorder() as new:
        old.default = new.default = echo
        config = bookstore_config(tmp_path, old.port, api=compiled(tmp_path))
        config["apis"].append({"name": "bookstore-v2", "descriptors": str(newer), "upstream": "newer"})
        config["upstreams"]["newer"] = {"endpoints": [new.address]}
        with serving(tmp_path, config) as site:
            assert site.get(f"{LAB}?stringValue=a").json() == {"stringValue": "a"}
            assert site.get("/v2/lab/specimen?newInV2=b").json() == {"newInV2": "b"}
            assert shaped(site.get(f"{LAB}?newInV2=b"), 400)["details"][1]["fieldViolations"][0]["field"] == "newInV2"
        assert (len(old.calls), len(new.calls)) == (1, 1)
        assert old.last.path == new.last.path


def test_c3_configured_rules_replace_annotations_and_the_last_wins(tmp_path: Path) -> None:
    """C3: `http.rules` in google.api.Service form."""
    selector = LABORATORY + "EchoSpecimen"
    http = {"rules": [{"selector": selector, "get": "/first"}, {"selector": selector, "get": "/second/{string_value}"}]}
    with recorded(tmp_path, api={"http": http}) as site:
        assert site.get("/second/a").json() == {"stringValue": "a"}
        assert site.get("/first").status_code == 404
        assert site.get(LAB).status_code == 404
        assert site.get("/v1/shelves").status_code == 200


def test_c4_default_bindings_are_opt_in(lab: Site, tmp_path: Path) -> None:
    """C4, section 3: `POST /pkg.Service/Method` for methods without a rule, only when asked for; else it is a Connect call."""
    path = "/bookstore.v1.Laboratory/Unbound"
    assert lab.post(path, []).json()["code"] == "invalid_argument"
    with recorded(tmp_path, api={"default_bindings": True}) as site:
        assert site.post(path, {"delay": "1s"}).status_code == 200
        assert site.seen("SlowRequest").delay.seconds == 1
        site.fresh().refused(site.post(path, []), 400)
        assert site.post("/bookstore.v1.Bookstore/ListShelves", []).json()["code"] == "invalid_argument"


def test_c5_what_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    """C5: a repeated path variable without the option, a field that does not exist, an unknown RPC: each with its rule."""
    http = rules(EchoSpecimen=[{"get": "/s/{strings}"}, {"post": "/s", "body": "no_such"}, {"get": "/{nmae}"}])
    text = "\n".join(str(problem) for problem in checked(tmp_path, api={**compiled(tmp_path), "http": http}))
    assert "strings: a path variable cannot fill a repeated field" in text
    assert "no_such: body must be * or a top-level field of bookstore.v1.Specimen" in text
    assert "nmae: bookstore.v1.Specimen has no field 'nmae'" in text
    http["rules"].append({"selector": LABORATORY + "Ehco", "get": "/e"})
    assert "Ehco" in str(checked(tmp_path, api={**compiled(tmp_path), "http": http}))


def test_c5_a_missing_import_is_named(tmp_path: Path) -> None:
    """C5: with the file that imports it."""
    source = tmp_path / "broken.proto"
    source.write_text('syntax = "proto3";\nimport "gone/away.proto";\nmessage A { gone.Away b = 1; }\n')
    found = checked(tmp_path, api={"protos": {"roots": [str(tmp_path)], "files": ["broken.proto"]}})
    assert "gone/away.proto" in found[0].message
    assert found[0].place.endswith("broken.proto:2:1")


@pytest.mark.timeout(300)  # 8 s; a machine with much else to do is given its time
def test_c6_ten_thousand_routes_load_in_seconds_and_match_flat(tmp_path: Path) -> None:
    """C6: the last of 10,000 routes is found as fast as the first."""
    more = [{"get": f"/big/{number // 100}/{{name}}/n{number}"} for number in range(10_000)]
    started = time.process_time()
    with recorded(tmp_path, api={"http": rules(Anything=more)}) as site:
        assert time.process_time() - started < 60  # only a wrong order of growth takes longer
        assert served_by(site, "/big/0/x/n0") == served_by(site, "/big/99/x/n9999") == "Anything"
        times = []
        for target in ("/big/0/x/n0", "/big/99/x/n9999") * 10:
            begun = time.monotonic()
            assert site.get(target).status_code == 200
            times.append(time.monotonic() - begun)
        assert min(times[1::2]) < 5 * min(times[::2])
