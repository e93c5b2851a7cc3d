"""
Partial answers: the fields `$fields` selects, checked against the answer's type and cut out of its JSON value.

Owns the dotted form of Render.fields, in names as printed. Unknown names are refused, as Google's APIs do; below a map, Struct
or Any nothing can be checked. A selected message comes whole; arrays are transparent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from edge.core.system_parameters import SystemParameterError
from edge.wire.portable.json_parse import Json
from edge.wire.portable.schema import is_map_entry, map_entry
from edge.wire.portable.well_known import SPECIAL

Tree = dict[str, "Tree"]
"""Selected names; an empty tree selects all below."""


def printed_paths(answer: Descriptor | None, paths: Iterable[Sequence[str]], proto_names: bool) -> tuple[str, ...]:
    """The paths with each field as the answer prints it. `answer` None: a scalar, nothing to select from."""
    return tuple(".".join(_printed(answer, path, proto_names)) for path in paths)


def _printed(descriptor: Descriptor | None, path: Sequence[str], proto_names: bool) -> list[str]:
    names: list[str] = []
    for position, name in enumerate(path):
        if descriptor is None:
            raise SystemParameterError(f"goes below {'.'.join(names) or 'the answer'}, which has no fields")
        if name == "*" or descriptor.full_name in SPECIAL or is_map_entry(descriptor):
            return [*names, *path[position:]]
        field = field_named(descriptor, name)
        if field is None:
            raise SystemParameterError(f"names {name!r}, which {descriptor.full_name} has not")
        names.append(field.name if proto_names else field.json_name)
        if map_entry(field) is not None:
            return [*names, *path[position + 1 :]]
        descriptor = field.message_type
    return names


def field_named(descriptor: Descriptor, name: str) -> FieldDescriptor | None:
    """A field by its proto or JSON name."""
    return next((field for field in descriptor.fields if name in (field.name, field.json_name)), None)


def tree_of(paths: Iterable[str]) -> Tree:
    """The paths as a tree; a path that is the beginning of another covers it."""
    tree: Tree = {}
    for path in sorted(paths, key=len, reverse=True):
        node = tree
        *above, last = path.split(".")
        for name in above:
            node = node.setdefault(name, {})
        node[last] = {}
    return tree


def keep(value: Json, tree: Tree) -> Json:
    """What of a JSON value the tree selects."""
    if type(value) is list:
        return [keep(item, tree) for item in value]
    if type(value) is not dict or not tree:
        return value
    every = tree.get("*")
    selected = ((name, item, tree.get(name, every)) for name, item in value.items())
    return {name: keep(item, below) for name, item, below in selected if below is not None}
