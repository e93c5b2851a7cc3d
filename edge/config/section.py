"""
What every section of the configuration is made of: the frozen model and the field types sections share.

Owns that a section is immutable, refuses keys it does not know, and is documented by the docstring under each field.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from edge.config.units import Seconds, no_bool

Timeout = Annotated[Seconds, Field(gt=0)]
Count = Annotated[int, BeforeValidator(no_bool), Field(ge=1)]
FileName = Annotated[str, Field(min_length=1)]


class Model(BaseModel):
    """A frozen section; a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, validate_default=True)
