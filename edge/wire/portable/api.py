"""
The messages of one API: compiles bindings, prints the details of errors.

Owns the sharing of compiled plans: thousands of bindings of an API read and print the same messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status

from edge.wire.codec import CompileError, EncodeError, JsonOptions, MethodCodec, Source
from edge.wire.portable.answer import Enums, answer, answer_field, field_printer, is_raw
from edge.wire.portable.any_type import opaque
from edge.wire.portable.body import body_binder
from edge.wire.portable.decode import Decoder
from edge.wire.portable.encode import Encoder, Print, Style, dump
from edge.wire.portable.field_mask import update_mask
from edge.wire.portable.method import PortableMethodCodec
from edge.wire.portable.partial import printed_paths
from edge.wire.portable.path import PathBinder
from edge.wire.portable.query import QueryBinder
from edge.wire.portable.schema import Schema
from edge.wire.portable.text_binder import TextBinder


class PortableApiCodec:
    """The codec of one descriptor set (edge.wire.codec.ApiCodec)."""

    def __init__(self, descriptor_set: bytes) -> None:
        self.schema = Schema(descriptor_set)
        self._decoders: dict[JsonOptions, Decoder] = {}
        self._encoders: dict[Style, Encoder] = {}

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
        plan = self._decoder(options).plan(self._message(input_type))
        path = PathBinder(plan, path_fields, body, options.repeated_path)
        output = self._message(output_type)
        field = answer_field(output, response_body)
        binder = None if body == "*" else TextBinder(plan, path, Source.QUERY, options.max_depth, closed=body)
        selection = partial(printed_paths, _selectable(output, field), proto_names=options.proto_names)
        return PortableMethodCodec(
            plan,
            path,
            body_binder(plan, body, path, options),
            QueryBinder(binder, options, selection, media=is_raw(output, field)),
            update_mask(plan, body, http_method) if options.update_mask else None,
            answer(
                output,
                field,
                _Printers(self, output, field, options),
                options.max_printed_bytes,
                raw=options.http_body == "raw",
            ),
        )

    def status_details(self, status: bytes) -> list[bytes]:
        """The details of a google.rpc.Status, each as a JSON text with its @type; base64 where it cannot be decoded."""
        try:
            details = Status.FromString(status).details
        except DecodeError:
            return []
        encoder = self.encoder(JsonOptions(), "names")
        texts = []
        for detail in details:
            try:
                texts.append(dump(encoder.print_any(detail), pretty=False))
            except (EncodeError, RecursionError):
                texts.append(dump(opaque(detail.type_url, detail.value), pretty=False))
        return texts

    def encoder(self, options: JsonOptions, enums: Enums) -> Encoder:
        """The printers for these options with this style of enums."""
        style = Style(options.proto_names, enums, options.print_defaults, options.print_nulls, options.int64)
        if style not in self._encoders:
            self._encoders[style] = Encoder(self.schema, style)
        return self._encoders[style]

    def _decoder(self, options: JsonOptions) -> Decoder:
        if options not in self._decoders:
            self._decoders[options] = Decoder(self.schema, options)
        return self._decoders[options]

    def _message(self, full_name: str) -> Descriptor:
        descriptor = self.schema.message(full_name)
        if descriptor is None:
            raise CompileError(full_name, "the descriptors define no such message")
        return descriptor


class _Printers(dict[Enums, Print]):
    """A binding's printers by enum style: the API's own compiled at load, the others when a client first asks."""

    def __init__(
        self, api: PortableApiCodec, output: Descriptor, field: FieldDescriptor | None, options: JsonOptions
    ) -> None:
        super().__init__()
        self._api, self._output, self._field, self._options = api, output, field, options
        self[options.enums]  # a group in the answer is an error of the load

    def __missing__(self, enums: Enums) -> Print:
        encoder = self._api.encoder(self._options, enums)
        self[enums] = made = _printer(encoder, self._output, self._field)
        return made


def _printer(encoder: Encoder, output: Descriptor, field: FieldDescriptor | None) -> Print:
    whole = encoder.printer(output).print
    return whole if field is None else field_printer(field, encoder.field(field))


def _selectable(output: Descriptor, field: FieldDescriptor | None) -> Descriptor | None:
    """The type `$fields` selects from."""
    return output if field is None else field.message_type
