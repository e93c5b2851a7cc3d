"""Entries taken apart into what has one owner, and put together again."""

from __future__ import annotations

from meshconfig.items import Key, entries_of, items, with_part

OURS = {"Name": "edge", "Action": "allow", "Description": "managed-by=edge:edge spec-hash=00"}
THEIRS = {"Name": "other", "Action": "allow", "Description": "by hand"}
SHARED = {"Kind": "service-intentions", "Name": "shop", "ModifyIndex": 7, "Sources": [OURS, THEIRS]}


def test_sources_have_owners_of_their_own() -> None:
    """Our mark is no part of what is compared; their description is."""
    found = items([SHARED])
    ours, theirs = found[Key("service-intentions", "shop", "edge")], found[Key("service-intentions", "shop", "other")]
    assert (ours.owner, dict(ours.body), ours.index) == ("edge:edge", {"Name": "edge", "Action": "allow"}, 7)
    assert (theirs.owner, theirs.body["Description"]) == ("", "by hand")


def test_exported_services_are_marked_in_their_entry() -> None:
    """Those without a mark are foreign."""
    entry = {
        "Kind": "exported-services",
        "Name": "default",
        "Meta": {"edge:edge/exports/a": "00"},
        "Services": [{"Name": "a", "Consumers": [{"Peer": "p"}]}, {"Name": "b", "Consumers": [{"Peer": "p"}]}],
    }
    found = items([entry])
    assert [found[Key("exported-services", "default", name)].owner for name in "ab"] == ["edge:edge", ""]
    changed = with_part(entry, Key("exported-services", "default", "a"), None, None)
    assert changed
    assert changed["Meta"] == {}
    assert [service["Name"] for service in changed["Services"]] == ["b"]
    added = with_part(changed, Key("exported-services", "default", "c"), {"Name": "c"}, ("edge:edge", "11"))
    assert added
    assert added["Meta"] == {"edge:edge/exports/c": "11"}


def test_one_part_is_replaced_and_the_others_stay() -> None:
    """In their places; the last part takes the entry with it."""
    key = Key("service-intentions", "shop", "edge")
    changed = with_part(SHARED, key, {**OURS, "Action": "deny"}, None)
    assert changed
    assert changed["Sources"] == [{**OURS, "Action": "deny"}, THEIRS]
    assert SHARED["Sources"] == [OURS, THEIRS]
    assert with_part({**SHARED, "Sources": [OURS]}, key, None, None) is None
    assert with_part(None, key, OURS, None) == {"Kind": "service-intentions", "Name": "shop", "Sources": [OURS]}


def test_taken_apart_and_put_together() -> None:
    """The same entries."""
    whole = {"Kind": "service-defaults", "Name": "shop", "Protocol": "grpc"}
    assert entries_of(items([whole, SHARED])) == [
        whole,
        {"Kind": "service-intentions", "Name": "shop", "Sources": [OURS, THEIRS]},
    ]
