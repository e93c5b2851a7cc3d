"""
docs/configuration.md, made of the models: every key with its type, default and meaning.

Owns the page's text. The models are the one source, so that the page cannot go stale: a test compares the two, and
`edge schema --markdown` writes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from inspect import getdoc
from typing import Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from edge.config.address import Address, IpNetwork
from edge.config.models import Config, Model
from edge.config.rotating_secret import RotatingSecret
from edge.config.secret import Secret
from edge.config.shape import as_section, bare, element, fields_of
from edge.config.units import Bytes, Seconds

_INTRODUCTION = """\
# Configuration

One YAML file (JSON works too). This page is made of the models in `edge/config`; rewrite it with
`edge schema --markdown > docs/configuration.md`. Complete examples stand in [examples](examples/).

```yaml
listeners:
  - bind: 127.0.0.1:8080
admin:
  bind: 127.0.0.1:9901
apis:
  - name: bookstore
    protos: {roots: [protos], files: [bookstore/v1/bookstore.proto]}
    upstream: bookstore
upstreams:
  bookstore:
    endpoints: [127.0.0.1:50051]
```

`edge check -c edge.yaml` reports everything that is wrong with a file, each with its line and a fix; exit code 0 or 2.
`edge schema` prints the JSON Schema for editors: with
`# yaml-language-server: $schema=edge.schema.json` as a first line, many complete and check as you type.

## How values are written

| kind | written | refused |
|---|---|---|
| duration | `250ms`, `2s`, `5m`, `1h` | a bare number: nobody agrees on what 500 means |
| size | `64KiB`, `4MiB` (1024), `1MB` (1000), `512` (bytes) | fractions, negative numbers |
| address | `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`, `:8080` (all interfaces) | a port alone, a URL |
| path | relative to the folder of the configuration file, or absolute | what does not exist |
| secret | `${NAME}` within any text, or `file:path` | the secret itself |

`${NAME}` is replaced by an environment variable in any value, `${NAME:-default}` has a default, `$$` is a dollar sign. A variable that is
not set is an error. Keys are never substituted. Values follow YAML 1.2: `no` and `on` are text, only `true` and `false` are
booleans. Anchors, aliases and `<<` work; other tags are refused. Unknown and repeated keys are errors.
"""


def markdown() -> str:
    """The whole page."""
    tables = [f"## {path or 'The file'}\n\n{getdoc(section)}\n\n{_table(section)}" for path, section in _sections()]
    return "\n".join([_INTRODUCTION, *tables])


def _sections(section: type[Model] = Config, path: str = "") -> Iterator[tuple[str, type[Model]]]:
    """Every section with the path of its key, parents first; one that contains itself is listed once."""
    yield path, section
    for key, field in fields_of(section).items():
        inner, suffix = _unwrapped(field.annotation)
        found = as_section(inner)
        if found is not None and found is not section:
            yield from _sections(found, f"{path}.{key}{suffix}" if path else f"{key}{suffix}")


def _unwrapped(kind: object) -> tuple[object, str]:
    """The innermost type of lists and mappings, and how a path goes through them."""
    inner, suffix = bare(kind), ""
    while (held := element(inner)) is not None:
        suffix += "[]" if get_origin(inner) is tuple else ".NAME"
        inner = bare(held)
    return inner, suffix


def _table(section: type[Model]) -> str:
    rows = [_row(key, field) for key, field in fields_of(section).items()]
    return "\n".join(["| key | type | default | meaning |", "|---|---|---|---|", *rows, ""])


def _row(key: str, field: FieldInfo) -> str:
    meaning = (field.description or "").replace("|", "\\|").replace("\n", " ")
    return f"| `{key}` | {_type(field.annotation)} | {_default(field)} | {meaning} |"


_NAMES: dict[object, str] = {
    str: "text", int: "number", bool: "`true` or `false`",
    Seconds: "duration", Bytes: "size", Address: "address", Secret: "secret", RotatingSecret: "secret", IpNetwork: "IP network",
}  # fmt: skip


def _type(annotation: object) -> str:
    kind = bare(annotation)
    if get_origin(kind) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(kind))
    held = element(kind)
    if held is not None:
        return f"{'list' if get_origin(kind) is tuple else 'mapping'} of {_type(held)}"
    return _NAMES.get(kind, "section")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None or isinstance(value, Model):
        return "none" if value is None else "see below"
    if isinstance(value, RotatingSecret):
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`" if value or isinstance(value, int | float) else "empty"
