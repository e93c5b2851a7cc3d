"""Entries Consul refuses, with its words: our rules and a real agent are both held to them."""

from __future__ import annotations

from typing import Any

Entry = dict[str, Any]


def intentions(*sources: Entry, name: str = "shop") -> Entry:
    """An entry of these sources."""
    return {"Kind": "service-intentions", "Name": name, "Sources": list(sources)}


def _permitted(http: Entry | None, action: str = "allow") -> Entry:
    return intentions({"Name": "edge", "Permissions": [{"Action": action, **({} if http is None else {"HTTP": http})}]})


ALLOW = {"Name": "edge", "Action": "allow"}
HTTP = "Sources[0].Permissions[0].HTTP"

ALONE: list[tuple[Entry, str]] = [
    ({"Kind": "proxy-defaults", "Name": "other"}, 'invalid name ("other"), only "global" is supported'),
    ({**intentions(ALLOW), "Meta": {str(number): "" for number in range(65)}}, "Meta exceeds maximum element count 64"),
    ({**intentions(ALLOW), "Meta": {"k": "v" * 513}}, 'Meta value for key "k" exceeds maximum length 512'),
    (intentions(), "At least one source is required"),
    (intentions({"Action": "allow"}), "Sources[0].Name is required"),
    (
        intentions({"Name": "ed*", "Action": "allow"}),
        "Sources[0].Name: wildcard character '*' cannot be used with partial values",
    ),
    (intentions({"Name": "edge"}), "Sources[0].Action must be set to 'allow' or 'deny'"),
    (intentions(ALLOW, ALLOW), 'Sources[1] defines "edge" more than once'),
    (
        {**_permitted({"PathExact": "/x"}), "Name": "*"},
        "Sources[0].Permissions cannot be specified on intentions with wildcarded destinations",
    ),
    (_permitted({"PathExact": "/x"}, "maybe"), "Sources[0].Permissions[0].Action must be set to 'allow' or 'deny'"),
    (_permitted(None), f"{HTTP} is required"),
    (_permitted({"PathExact": "x"}), f"{HTTP}.PathExact doesn't start with '/': \"x\""),
    (
        _permitted({"PathExact": "/x", "PathPrefix": "/"}),
        f"{HTTP} should only contain at most one of PathExact, PathPrefix, or PathRegex",
    ),
    (_permitted({"PathExact": "/x", "Methods": ["FETCH"]}), f'{HTTP}.Methods contains an invalid method "FETCH"'),
    (_permitted({"PathExact": "/x", "Methods": ["POST", "post"]}), f'{HTTP}.Methods contains "POST" more than once'),
    ({"Kind": "service-splitter", "Name": "shop", "Splits": []}, "no splits configured"),
    (
        {"Kind": "service-splitter", "Name": "shop", "Splits": [{"Weight": 90}, {"Weight": 5, "ServiceSubset": "v2"}]},
        "the sum of all split weights must be 100, not 95.000000",
    ),
    (
        {"Kind": "service-resolver", "Name": "shop", "DefaultSubset": "v1"},
        'DefaultSubset "v1" is not a valid subset',
    ),
    (
        {"Kind": "service-resolver", "Name": "shop", "Redirect": {"Service": "x"}, "Failover": {"*": {"Service": "y"}}},
        "Redirect and Failover cannot both be set",
    ),
    (
        {"Kind": "service-router", "Name": "shop", "Routes": [{"Destination": {"RetryOn": ["whenever"]}}]},
        'Route[0] contains an invalid retry condition: "whenever"',
    ),
    (
        {"Kind": "exported-services", "Name": "default", "Services": [{"Name": "shop", "Consumers": []}]},
        "Services[0]: must have at least one consumer",
    ),
    (
        {"Kind": "exported-services", "Name": "default", "Services": [{"Name": "shop", "Consumers": [{"Peer": "*"}]}]},
        "Services[0].Consumers[0]: exporting to all peers (wildcard) is not supported",
    ),
    ({"Kind": "jwt-provider", "Name": "p", "Issuer": "i"}, "JSONWebKeySet is required"),
]

_TCP = {"Kind": "service-defaults", "Name": "shop", "Protocol": "tcp"}
_GRPC = {"Kind": "service-defaults", "Name": "shop", "Protocol": "grpc"}
_PAY = {"Kind": "service-defaults", "Name": "pay", "Protocol": "http"}

TOGETHER: list[tuple[list[Entry], str]] = [
    (
        [_TCP, {"Kind": "service-splitter", "Name": "shop", "Splits": [{"Weight": 100}]}],
        'discovery chain "shop" uses a protocol "tcp" that does not permit advanced routing or splitting behavior',
    ),
    (
        [
            _GRPC,
            _PAY,
            {"Kind": "service-splitter", "Name": "shop", "Splits": [{"Weight": 50}, {"Weight": 50, "Service": "pay"}]},
        ],
        'discovery chain "shop" uses inconsistent protocols; service "pay" has "http" which is not "grpc"',
    ),
    (
        [_GRPC, {"Kind": "service-splitter", "Name": "shop", "Splits": [{"Weight": 100, "ServiceSubset": "v9"}]}],
        'service "shop" does not have a subset named "v9"',
    ),
    (
        [_TCP, _permitted({"PathExact": "/x"})],
        'service "shop" has protocol "tcp", which is incompatible with L7 intentions permissions',
    ),
    (
        [
            _GRPC,
            intentions(
                {
                    "Name": "edge",
                    "Permissions": [
                        {"Action": "allow", "HTTP": {"PathExact": "/x"}, "JWT": {"Providers": [{"Name": "nobody"}]}}
                    ],
                }
            ),
        ],
        "Referenced JWT Provider does not exist. Provider Name: nobody",
    ),
    (
        [
            {"Kind": "service-resolver", "Name": "shop", "Failover": {"*": {"Datacenters": ["dc2"]}}},
            {
                "Kind": "exported-services",
                "Name": "default",
                "Services": [{"Name": "shop", "Consumers": [{"Peer": "east"}]}],
            },
        ],
        'peer exported service "shop" contains cross-datacenter failover',
    ),
]
"""The last entry is the one that is refused."""
