"""
`host:port` and IP networks in the configuration.

Owns their grammar: `127.0.0.1:8080`, `[::1]:80`, `localhost:50051`, and `:8080` for all interfaces. Hosts are checked for form only;
names are resolved when they are dialled or bound. Source: RFC 3986 section 3.2.2 (brackets), RFC 1123 section 2.1 (host names).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from edge.config.units import wrong

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?", re.ASCII)
_EXAMPLES = "127.0.0.1:8080, [::1]:8080, localhost:8080 or :8080"
_MAX_PORT = 65535


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port. `host` has no brackets; it is empty for all interfaces. Port 0 lets the system choose."""

    host: str
    port: int

    @classmethod
    def parse(cls, value: object) -> Address:
        """The address in `host:port`. Raises PydanticCustomError."""
        if isinstance(value, int) and not isinstance(value, bool):
            raise wrong("has no host", f"write 127.0.0.1:{value}, or :{value} for all interfaces")
        if not isinstance(value, str):
            raise wrong("is not an address", f"write host:port, as in {_EXAMPLES}")
        text = value.strip()
        if "://" in text:
            raise wrong("is a URL", f"write host:port alone: {_without_scheme(text)}")
        host, port = _split(text)
        return cls(_host(host, port), _port(port))

    @property
    def is_wildcard(self) -> bool:
        """Whether it means every interface."""
        return self.host in {"", "0.0.0.0", "::", "*"}  # noqa: S104  # compared, not bound

    @property
    def is_ip(self) -> bool:
        """Whether the host is an IP address and no name."""
        return ":" in self.host or self.host.replace(".", "").isdigit()

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            lambda value: value if isinstance(value, cls) else cls.parse(value),
            serialization=core_schema.to_string_ser_schema(when_used="json"),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": r"^.*:\d+$", "examples": ["127.0.0.1:8080", "[::1]:8080", ":8080"]}


def _without_scheme(text: str) -> str:
    return text.split("://", 1)[1].split("/", 1)[0]


def _split(text: str) -> tuple[str, str]:
    """Host, still with its brackets, and port text."""
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        raise wrong("has no port", f"write {text or 'localhost'}:8080")
    if ":" in host and not host.startswith("["):
        raise wrong("is ambiguous", f"put an IPv6 address in brackets: [{host}]:{port}")
    return host, port


def _host(host: str, port: str) -> str:
    if host.startswith("["):
        return _ipv6(host, port)
    if host and re.fullmatch(r"[\d.]+", host):
        return _ipv4(host, port)
    if host and not _NAME.fullmatch(host):
        raise wrong("has a host that is no name and no IP address", f"write host:port, as in {_EXAMPLES}")
    return host


def _ipv6(host: str, port: str) -> str:
    try:
        return str(ipaddress.IPv6Address(host[1:].removesuffix("]")))
    except ValueError:
        raise wrong("has no IPv6 address in its brackets", f"write it as in [::1]:{port}") from None


def _ipv4(host: str, port: str) -> str:
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError:
        raise wrong("has a host that is no IPv4 address", f"write it as in 127.0.0.1:{port}") from None


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= _MAX_PORT:
        return int(text)
    raise wrong("has no port between 0 and 65535", f"write host:port, as in {_EXAMPLES}")


def _network(value: object) -> IpNetwork:
    """`10.0.0.0/8`, `fd00::/8`, or one address. Raises PydanticCustomError."""
    if isinstance(value, ipaddress.IPv4Network | ipaddress.IPv6Network):
        return value
    if not isinstance(value, str):
        raise wrong("is not an IP network", "write it as in 10.0.0.0/8 or fd00::/8")
    try:
        return ipaddress.ip_network(value.strip())
    except ValueError as error:
        fix = "write it as in 10.0.0.0/8 or fd00::/8"
        if "host bits" in str(error):
            fix = f"write {ipaddress.ip_network(value.strip(), strict=False)}, or the one address without /"
        raise wrong("is not an IP network", fix) from None


Network = Annotated[IpNetwork, BeforeValidator(_network)]
"""An IP network; one address is a network of one."""
