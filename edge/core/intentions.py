"""
Who may call us, by the intentions of the mesh: the decision, of a caller and of a request.

Owns the order in which it is made. The most exact intention that names the caller decides and no other: its action, or the first of its
permissions that speaks of the request; what none speaks of is for the default policy. What cannot be decided here is denied: a JSON web
token, a sameness group, a caller that is no service. A path that has several spellings must be allowed in all of them, or an escaped letter
would lead past a rule that the route behind it obeys. Source: Consul, agent/xds/rbac.go; mesh.md 4.1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from edge.core.consul_identity import DEFAULT, MeshService
from edge.core.intention_http import HttpRequest, Permission
from edge.core.percent import Decoding, PathEncodingError, decode

ANY = "*"


@dataclass(frozen=True, slots=True)
class Source:
    """Whom an intention is about. `*` as name or namespace is anyone; a service of a `peer` is nobody who can be called by here."""

    name: str
    namespace: str = DEFAULT
    partition: str = DEFAULT
    peer: str = ""
    sameness_group: str = ""

    def names(self, caller: MeshService) -> bool:
        """Whether the caller is meant. The datacenter is none of an intention's concern."""
        if self.peer:
            return False  # its certificate would be of a trust domain whose roots Consul's HTTP API does not tell
        if self.name not in (ANY, caller.service) or self.namespace not in (ANY, caller.namespace):
            return False
        return bool(self.sameness_group) or self.partition.lower() == caller.partition.lower()

    def __str__(self) -> str:
        outside = [each for each in (self.peer, self.sameness_group) if each]
        namespace = "" if self.namespace == DEFAULT else f"{self.namespace}/"
        return f"{namespace}{self.name}{f' of {outside[0]}' if outside else ''}"


@dataclass(frozen=True, slots=True)
class Intention:
    """One intention. With `permissions`, `allows` says nothing."""

    source: Source
    destination: str
    precedence: int
    allows: bool = False
    permissions: tuple[Permission, ...] = ()
    needs_token: bool = False

    def __str__(self) -> str:
        return f"the intention {self.source} => {self.destination}"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether, and by which rule: for the log."""

    allowed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Intentions:
    """All that is said about calls to `service`; `listed` in the order in which it counts."""

    service: str
    listed: tuple[Intention, ...]
    default_allow: bool
    _default: Decision = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        reason = f"no intention speaks of it, and the default is to {_verb(allow=self.default_allow)}"
        object.__setattr__(self, "_default", Decision(self.default_allow, reason))

    def about(self, caller: MeshService) -> Intention | None:
        """The one intention that counts for a caller."""
        return next((each for each in self.listed if each.source.names(caller)), None)

    def of_caller(self, caller: MeshService) -> Decision | None:
        """What is decided before any request: None where each request has to be looked at."""
        intention = self.about(caller)
        if intention is None:
            return self._default
        if intention.source.sameness_group:
            return _denied(f"{intention}: sameness groups are not supported")
        if intention.permissions:
            return None
        if intention.allows and intention.needs_token:
            return _denied(f"{intention} asks for a JSON web token, which is not supported")
        return Decision(intention.allows, f"{intention} {'allows' if intention.allows else 'denies'} it")

    def of_request(self, caller: MeshService, request: HttpRequest) -> Decision:
        """Whether this caller may make this request."""
        settled = self.of_caller(caller)
        if settled is not None:
            return settled
        intention = self.about(caller)
        assert intention is not None  # without one, of_caller has settled it
        decision = self._default
        for spelling in _spellings(request):
            decision = self._by_permission(intention, spelling)
            if not decision.allowed:
                break
        return decision

    def may_ever(self, caller: MeshService) -> bool:
        """Whether any request of the caller could be allowed."""
        settled = self.of_caller(caller)
        if settled is not None:
            return settled.allowed
        intention = self.about(caller)
        return self.default_allow or any(each.allows for each in (intention.permissions if intention else ()))

    def _by_permission(self, intention: Intention, request: HttpRequest) -> Decision:
        for number, permission in enumerate(intention.permissions, 1):
            if not permission.fits(request):
                continue
            which = f"permission {number} of {intention}"
            if permission.needs_token or (intention.needs_token and permission.allows):
                return _denied(f"{which} asks for a JSON web token, which is not supported")
            return Decision(permission.allows, f"{which} {'allows' if permission.allows else 'denies'} it")
        if intention.needs_token:
            return _denied(f"{intention} asks for a JSON web token, which is not supported")
        which = f"no permission of {intention} speaks of it"
        return Decision(self.default_allow, f"{which}, and the default is to {_verb(allow=self.default_allow)}")


def _denied(reason: str) -> Decision:
    return Decision(allowed=False, reason=reason)


def _verb(*, allow: bool) -> str:
    return "allow" if allow else "deny"


def _spellings(request: HttpRequest) -> Iterable[HttpRequest]:
    yield request
    if "%" in request.path:
        try:
            # As routes see a path without, and with, an escaped slash: that one stays within its segment.
            decoded, kept = decode(request.path), decode(request.path, Decoding.EXCEPT_SLASH)
        except PathEncodingError:
            return  # no route takes it
        yield replace(request, path=decoded)
        if kept != decoded:
            yield replace(request, path=kept.replace("%2f", "%2F"))
            yield replace(request, path=kept.replace("%2F", "%2f"))


def in_order(intentions: Iterable[Intention]) -> tuple[Intention, ...]:
    """The most exact first; those alike stay as they were."""
    return tuple(sorted(intentions, key=lambda each: -each.precedence))
