"""
Labels as a filter expression of Consul's over a service's metadata.

Owns its spelling, which a resolver's subsets and the gateway's own must share. Consul's expressions have no escapes: the configuration
takes no label that would need one. Source: https://developer.hashicorp.com/consul/api-docs/features/filtering.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_IDENTIFIER = re.compile(r"[a-zA-Z][a-zA-Z0-9_/]*", re.ASCII)


def metadata_filter(labels: Mapping[str, str]) -> str:
    """The instances with all of these."""
    return " and ".join(f'{_selector(key)} == "{value}"' for key, value in sorted(labels.items()))


def _selector(key: str) -> str:
    return f"Service.Meta.{key}" if _IDENTIFIER.fullmatch(key) else f'Service.Meta["{key}"]'
