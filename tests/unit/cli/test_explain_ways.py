"""`edge explain` on upstreams with several ways."""

from __future__ import annotations

import json
from pathlib import Path

from tests.unit.cli.conftest import Edge

SPLIT = """\
    split: {sticky: x-user, subsets: {stable: {weight: 60}, canary: {upstream: other, weight: 40}}}
    failover: {upstreams: [spare]}
  other: {endpoints: [127.0.0.1:3]}
  spare: {endpoints: [127.0.0.1:4]}
"""


def test_shares_for_most_and_the_way_itself_where_metadata_decides(edge: Edge, shop: Path) -> None:
    """The gateway's own choice; the values are fixed, as the hash is."""
    shop.write_text(shop.read_text().rstrip("\n") + "\n" + SPLIT)
    asked = edge("explain", "GET", "/v1/things/7")
    assert asked.code == 0, asked.err
    assert "split      60% shop/stable, 40% other; by x-user" in asked.out.splitlines()
    assert "failover   spare" in asked.out.splitlines()
    told = {}
    for user in ("user-1", "user-2", "user-3", "user-4", "user-5", "user-6", "user-7", "user-8", "user-9"):
        data = json.loads(edge("explain", "GET", "/v1/things/7", "-H", f"x-user: {user}", "--json").out)
        told[user] = data["ways"]["chosen"]
    assert set(told.values()) == {"shop/stable", "other"}, told
    user = next(user for user, way in told.items() if way == "other")
    line = edge("explain", "GET", "/v1/things/7", "-H", f"x-user: {user}").out.splitlines()
    assert "split      60% shop/stable, 40% other; by x-user: this request to other" in line


def test_nothing_where_there_is_one_way(edge: Edge, shop: Path) -> None:
    """As before."""
    assert "split" not in edge("explain", "GET", "/v1/things/7").out
    assert json.loads(edge("explain", "GET", "/v1/things/7", "--json").out)["ways"] is None
