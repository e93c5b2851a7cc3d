"""
Access rules of the double: policies as JSON rules, tokens that link them, and Consul's own refusals.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from tests.peers.consul_double_index import Index

_LEVELS = {"deny": 0, "read": 1, "list": 1, "write": 2}


class Denied(Exception):
    """403; the text is the body."""


class AccessRules:
    """Tokens by their secret. Deny by default."""

    def __init__(self, index: Index, management: str) -> None:
        self._index = index
        self._management = management
        self._policies: dict[str, dict[str, Any]] = {}
        self._tokens: dict[str, dict[str, Any]] = {}

    def add_policy(self, body: dict[str, Any]) -> dict[str, Any]:
        """A policy; Rules are JSON."""
        policy = {**body, "ID": str(uuid.uuid4()), "CreateIndex": self._index.write("acl")}
        self._policies[policy["Name"]] = policy
        return policy

    def add_token(self, body: dict[str, Any]) -> dict[str, Any]:
        """A token with policies by name, or service identities."""
        token = {**body, "AccessorID": body.get("AccessorID") or str(uuid.uuid4())}
        token["SecretID"] = body.get("SecretID") or str(uuid.uuid4())
        token["CreateIndex"] = self._index.write("acl")
        self._tokens[token["SecretID"]] = token
        return token

    def delete_token(self, accessor: str) -> None:
        """Revoke it."""
        self._tokens = {secret: token for secret, token in self._tokens.items() if token["AccessorID"] != accessor}
        for table in ("acl", "catalog", "config"):  # blocked queries of a revoked token end
            self._index.write(table)

    def resolve(self, secret: str) -> dict[str, Any] | None:
        """A token by its secret, None for the management token and for none. Raises Denied for an unknown one."""
        if not secret or secret == self._management:
            return None
        if secret not in self._tokens:
            raise Denied("ACL not found")
        return self._tokens[secret]

    def allows(self, secret: str, permission: str, name: str) -> bool:
        """Whether a token has `resource:access` on a name."""
        if secret == self._management:
            return True
        token = self.resolve(secret)
        if token is None:
            return False
        resource, access = permission.split(":")
        return self._level(token, resource, name) >= _LEVELS[access]

    def demand(self, secret: str, permission: str, name: str) -> None:
        """Raises Denied in Consul's words."""
        if not self.allows(secret, permission, name):
            token = self.resolve(secret)
            accessor = token["AccessorID"] if token else "00000000-0000-0000-0000-000000000002"
            on = f' on "{name}"' if name else ""
            raise Denied(f"Permission denied: token with AccessorID '{accessor}' lacks permission '{permission}'{on}")

    def _level(self, token: dict[str, Any], resource: str, name: str) -> int:
        levels = [0]
        for identity in token.get("ServiceIdentities") or ():
            own = name in {identity["ServiceName"], f"{identity['ServiceName']}-sidecar-proxy"}
            levels.append(2 if resource == "service" and own else 1 if resource in {"service", "node"} else 0)
        for link in token.get("Policies") or ():
            rules = json.loads(self._policies[link["Name"]]["Rules"])
            levels.append(_level_of(rules, resource, name))
        return max(levels)


def _level_of(rules: dict[str, Any], resource: str, name: str) -> int:
    if resource in {"acl", "operator", "mesh"}:
        return _LEVELS[rules.get(resource, "deny")]
    key, field = ("service", "intentions") if resource == "intention" else (resource, "policy")
    exact = rules.get(key, {}).get(name)
    if exact is not None:
        return _granted(exact, field)
    prefixes = [prefix for prefix in rules.get(f"{key}_prefix", {}) if name.startswith(prefix)]
    if not prefixes:
        return 0
    return _granted(rules[f"{key}_prefix"][max(prefixes, key=len)], field)


def _granted(rule: dict[str, str], field: str) -> int:
    """Who may read or write a service may read its intentions, unless it is said otherwise."""
    if field == "intentions" and field not in rule:
        return min(_LEVELS[rule.get("policy", "deny")], _LEVELS["read"])
    return _LEVELS[rule.get(field, "deny")]
