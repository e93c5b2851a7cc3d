"""
The native codec of one API: bindings checked by the portable engine, then run in Rust.

Owns what is handed over and what is not. Not: errors of the load, system parameters, why a query or form is malformed, and error
details - never hot, and the same in both engines because it is the same code. An API that uses what the native codec does not know
(`support`) is served by the portable one, whole: no binding may behave differently from its neighbour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn, cast

import edge_native
from google.protobuf.descriptor import Descriptor

from edge.core.query_string import MalformedQueryError, parse_query
from edge.core.system_parameters import SYSTEM_PARAMETERS
from edge.wire.codec import BindingError, JsonOptions, MethodCodec, Render, Source
from edge.wire.native.support import is_special, mask_field, unknown_to_native
from edge.wire.native.tables import Telling
from edge.wire.portable.answer import answer_field, is_raw
from edge.wire.portable.api import PortableApiCodec
from edge.wire.portable.partial import printed_paths
from edge.wire.portable.query import QueryBinder


@dataclass(frozen=True, slots=True)
class _Binding:
    """What native/src/codec/method.rs reads of a binding."""

    input: str
    path_fields: list[str]
    body: str
    raw_body: bool
    form: bool
    query_fields: bool
    max_depth: int
    ignore_unknown: bool
    lenient_bools: bool
    plus_is_space: bool
    unknown_query: str
    ignored_query: list[str]
    system: list[str]
    mask: str
    plain: Render
    apply: Callable[[Render, str, str], Render]
    malformed_query: Callable[[str], object]
    malformed_form: Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class _Answer:
    """What native/src/codec/answer.rs reads of an answer."""

    output: str
    response_body: str
    raw: bool
    proto_names: bool
    print_defaults: bool
    print_nulls: bool
    int64_numbers: bool
    max_bytes: int


class NativeApiCodec:
    """The codec of one descriptor set (edge.wire.codec.ApiCodec)."""

    def __init__(self, descriptor_set: bytes) -> None:
        self._portable = PortableApiCodec(descriptor_set)
        self.telling = Telling(self._portable.schema)
        self._tables: Any = edge_native.Tables(self.telling, self._portable.schema.full_names)
        self.unknown = unknown_to_native(self._portable.schema, descriptor_set)

    def method(
        self,
        *,
        input_type: str,
        output_type: str,
        path_fields: Sequence[str],
        body: str,
        response_body: str,
        http_method: str,
        options: JsonOptions,
    ) -> MethodCodec:
        """Compile one binding. Raises CompileError."""
        checked = self._portable.method(
            input_type=input_type,
            output_type=output_type,
            path_fields=path_fields,
            body=body,
            response_body=response_body,
            http_method=http_method,
            options=options,
        )
        request, output = self._known(input_type), self._known(output_type)
        mask = mask_field(request, body, http_method) if options.update_mask else None
        if self.unknown or (mask is not None and mask.containing_oneof is not None):
            return checked
        for name in (input_type, output_type):
            self.telling(self._tables, name)
        query = _query(output, response_body, options)
        binding = _Binding(
            input=input_type,
            path_fields=list(path_fields),
            body=body,
            raw_body=checked.takes_raw,
            form=options.form and _takes_form(request, body),
            query_fields=body != "*",
            max_depth=options.max_depth,
            ignore_unknown=options.unknown_fields == "ignore",
            lenient_bools=options.lenient_bools,
            plus_is_space=options.plus_is_space,
            unknown_query=options.unknown_query,
            ignored_query=list(options.ignored_query),
            system=list(SYSTEM_PARAMETERS) if options.system_parameters else [],
            mask=mask.name if mask is not None else "",
            plain=Render(enums=options.enums, pretty=options.pretty),
            apply=query.apply,
            malformed_query=query.pairs,
            malformed_form=_refuse_form,
        )
        answer = _Answer(
            output_type,
            response_body,
            checked.gives_raw,
            options.proto_names,
            options.print_defaults,
            options.print_nulls,
            options.int64 == "number",
            options.max_printed_bytes,
        )
        return cast(MethodCodec, edge_native.MethodCodec(self._tables, binding, answer))

    def status_details(self, status: bytes) -> list[bytes]:
        """The details of a google.rpc.Status, each as a JSON text with its @type; base64 where it cannot be decoded."""
        return self._portable.status_details(status)

    def knows(self, full_name: str) -> bool:
        """Whether a type has been handed over."""
        return bool(self._tables.knows(full_name))

    def _known(self, full_name: str) -> Descriptor:
        """A type of a binding that has been checked."""
        descriptor = self._portable.schema.message(full_name)
        assert descriptor is not None
        return descriptor


def _query(output: Descriptor, response_body: str, options: JsonOptions) -> QueryBinder:
    """What the portable engine does with system parameters and malformed queries."""
    field = answer_field(output, response_body)
    selectable = output if field is None else field.message_type
    selection = partial(printed_paths, selectable, proto_names=options.proto_names)
    return QueryBinder(None, options, selection, media=is_raw(output, field))


def _takes_form(request: Descriptor, body: str) -> bool:
    if body == "*":
        return not is_special(request)
    field = request.fields_by_name.get(body)
    held = None if field is None or field.is_repeated else field.message_type
    return held is not None and not is_special(held)


def _refuse_form(body: bytes) -> NoReturn:
    try:
        parse_query(body.decode("ascii"), plus_is_space=True)
    except (MalformedQueryError, UnicodeDecodeError) as error:
        raise BindingError(Source.BODY, "", f"the form is malformed: {error}") from None
    raise AssertionError("the form is well-formed")
