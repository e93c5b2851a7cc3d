"""
The models seen as a shape: which section stands at a place, which keys it knows, what type a field has.

Owns the walk over type annotations, so that error texts and the reference page need no second description of the models.
"""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Annotated, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from edge.config.document import Loc
from edge.config.models import Config, Model


def section_at(loc: Loc) -> type[Model] | None:
    """The section whose keys stand at `loc`, None where there is none."""
    kind: object = Config
    for part in loc:
        kind = _step(bare(kind), part)
    return as_section(bare(kind))


def field_at(loc: Loc) -> FieldInfo | None:
    """The field a key at `loc` sets, None for list items and unknown keys."""
    section = section_at(loc[:-1]) if loc else None
    return fields_of(section).get(str(loc[-1])) if section else None


def fields_of(section: type[Model]) -> dict[str, FieldInfo]:
    """A section's fields by the key an operator writes."""
    return {field.alias or name: field for name, field in section.model_fields.items()}


def bare(kind: object) -> object:
    """A type without Annotated and without `| None`."""
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        elif get_origin(kind) in {Union, UnionType} and NoneType in get_args(kind):
            kind = next(arg for arg in get_args(kind) if arg is not NoneType)
        else:
            return kind


def as_section(kind: object) -> type[Model] | None:
    """The type as a section, if it is one."""
    return kind if isinstance(kind, type) and issubclass(kind, Model) else None


def element(kind: object) -> object:
    """What a list holds, or a mapping's values; None for other types."""
    arguments: tuple[object, ...] = get_args(kind)
    if get_origin(kind) is tuple:
        return arguments[0]
    return arguments[1] if get_origin(kind) is dict else None


def _step(kind: object, part: str | int) -> object:
    section = as_section(kind)
    if section is None:
        return element(kind)
    field = fields_of(section).get(str(part))
    return field.annotation if field else None
