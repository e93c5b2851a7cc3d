"""
Random descriptors for the comparison of codecs: every kind of field, proto2, proto3 and editions, and bindings that fit them.

    schema = fitting(random.Random(seed))
    schema.descriptor_set, schema.messages, schema.options()
"""

from __future__ import annotations

from random import Random
from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    Edition,
    EnumDescriptorProto,
    FeatureSet,
    FileDescriptorProto,
    FileDescriptorSet,
)
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as F
from google.protobuf.descriptor_pool import DescriptorPool

from edge.wire.codec import JsonOptions
from edge.wire.portable.schema import _STANDARD

WELL_KNOWN = [
    "Timestamp",
    "Duration",
    "FieldMask",
    "Struct",
    "Value",
    "ListValue",
    "Any",
    "Empty",
    "DoubleValue",
    "FloatValue",
    "Int64Value",
    "UInt64Value",
    "Int32Value",
    "UInt32Value",
    "BoolValue",
    "StringValue",
    "BytesValue",
]
SCALARS = [t for t in F.Type.values() if t not in (F.TYPE_GROUP, F.TYPE_MESSAGE, F.TYPE_ENUM)]
KEYS = [t for t in SCALARS if t not in (F.TYPE_DOUBLE, F.TYPE_FLOAT, F.TYPE_BYTES)]
NAMES = ["a", "b_c", "d_e_f", "value", "x1", "y_2", "Zed", "name", "some_long_field_name", "key", "id", "q"]
IMPORTS = ["any", "duration", "empty", "field_mask", "struct", "timestamp", "wrappers"]


def fitting(random: Random) -> Schema:
    """The next schema that protobuf takes: a few in a hundred break a rule of editions or of map values."""
    while True:
        try:
            return Schema(random)
        except TypeError:
            continue


class Schema:
    """One file of a few messages and enums, and the pool of a service that has it."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.syntax = random.choice(["proto2", "proto3", "proto3", "editions"])
        file = FileDescriptorProto(name="r.proto", package="r", syntax=self.syntax)
        file.dependency.extend(f"google/protobuf/{name}.proto" for name in IMPORTS)
        if self.syntax == "editions":
            file.edition = Edition.EDITION_2023
            if random.random() < 0.3:
                file.options.features.field_presence = FeatureSet.IMPLICIT
        self.implicit = file.options.features.field_presence == FeatureSet.IMPLICIT
        for index in range(random.randint(1, 3)):
            self._enum(file.enum_type.add(name=f"Kind{index}"), index)
        self.enums = [enum.name for enum in file.enum_type]
        self.closed = {
            e.name
            for e in file.enum_type
            if self.syntax == "proto2" or e.options.features.enum_type == FeatureSet.CLOSED
        }
        self.messages = [f"M{index}" for index in range(random.randint(1, 4))]
        for name in self.messages:
            self._message(file.message_type.add(name=name))
        if self.syntax != "proto3" and random.random() < 0.3:
            self._extension(file)
        self.descriptor_set = FileDescriptorSet(file=[file]).SerializeToString()
        self.pool = DescriptorPool()
        for standard in (f"google/protobuf/{name}.proto" for name in IMPORTS):
            self.pool.AddSerializedFile(_STANDARD[standard])
        self.pool.AddSerializedFile(file.SerializeToString())

    def descriptor(self, name: str) -> Descriptor:
        """A message type by its short name."""
        return self.pool.FindMessageTypeByName(f"r.{name}" if name in self.messages else name)

    def _chance(self, of: float) -> bool:
        return self.random.random() < of

    def _enum(self, enum: EnumDescriptorProto, index: int) -> None:
        if self.syntax == "editions" and self._chance(0.4):
            enum.options.features.enum_type = FeatureSet.CLOSED
        prefix = f"KIND{index}_"
        start = 1 if self.syntax == "proto2" and self._chance(0.5) else 0
        for offset, name in enumerate(self.random.sample(["NONE", "ONE", "TWO_X", "3D", "FULL"], 3)):
            enum.value.add(name=prefix + name, number=start + offset if offset < 2 else self.random.choice([7, -1]))

    def _message(self, message: DescriptorProto) -> None:
        names = self.random.sample(NAMES, self.random.randint(1, 7))
        numbers = self.random.sample([1, 2, 3, 4, 5, 15, 16, 17, 300, 5000, 70000], len(names))
        for name, number in zip(names, numbers, strict=True):
            self._field(message, name, number)
        if self.syntax != "proto3":
            message.extension_range.add(start=100, end=200)
        self._oneofs(message)

    def _field(self, message: DescriptorProto, name: str, number: int) -> None:
        field = message.field.add(name=name, number=number, label=F.LABEL_OPTIONAL)
        if self._chance(0.15):
            field.json_name = self.random.choice([f"{name}X", f"odd-{name}", f"{name}É"])
        if self._chance(0.25):
            self._map(message, field)
            return
        self._type(field)
        if self._chance(0.3):
            field.label = F.LABEL_REPEATED
            self._packing(field)
        elif self.syntax == "proto3" and self._chance(0.2):
            field.proto3_optional = True
        elif self.syntax == "proto2":
            self._old(field)
        elif self.syntax == "editions":
            self._features(field)

    def _type(self, field: F) -> None:
        roll = self.random.random()
        if roll < 0.5:
            field.type = self.random.choice(SCALARS)
        elif roll < 0.62:
            field.type, field.type_name = F.TYPE_ENUM, f".r.{self._fitting_enum()}"
        elif roll < 0.8:
            field.type, field.type_name = F.TYPE_MESSAGE, f".r.{self.random.choice(self.messages)}"
        else:
            field.type, field.type_name = F.TYPE_MESSAGE, f".google.protobuf.{self.random.choice(WELL_KNOWN)}"
        if self._chance(0.03):
            field.type, field.type_name = F.TYPE_ENUM, ".google.protobuf.NullValue"
            if self.syntax == "editions" and self.implicit:
                field.options.features.field_presence = FeatureSet.EXPLICIT
        if self.syntax == "editions" and field.type == F.TYPE_STRING and self._chance(0.3):
            field.options.features.utf8_validation = FeatureSet.NONE

    def _fitting_enum(self) -> str:
        return self.random.choice(self.enums)

    def _packing(self, field: F) -> None:
        if field.type in (F.TYPE_STRING, F.TYPE_BYTES, F.TYPE_MESSAGE, F.TYPE_GROUP) or self._chance(0.5):
            return
        if self.syntax == "editions":
            field.options.features.repeated_field_encoding = FeatureSet.EXPANDED
        else:
            field.options.packed = self._chance(0.5)

    def _old(self, field: F) -> None:
        if self._chance(0.08) and not field.type_name.startswith(".r.M"):
            field.label = F.LABEL_REQUIRED
        elif self._chance(0.3) and field.type == F.TYPE_INT32:
            field.default_value = "7"

    def _features(self, field: F) -> None:
        is_closed = field.type == F.TYPE_ENUM and field.type_name.removeprefix(".r.") in self.closed
        if is_closed and self.implicit:
            field.options.features.field_presence = FeatureSet.EXPLICIT
        elif field.type != F.TYPE_MESSAGE and self._chance(0.3) and not is_closed:
            presence = self.random.choice([FeatureSet.IMPLICIT, FeatureSet.EXPLICIT])
            if field.type_name != ".google.protobuf.NullValue":
                field.options.features.field_presence = presence

    def _map(self, message: DescriptorProto, field: F) -> None:
        words = "".join(part[:1].upper() + part[1:] for part in field.name.split("_"))
        entry = message.nested_type.add(name=f"{words}Entry")
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, label=F.LABEL_OPTIONAL, type=self.random.choice(KEYS))
        value = entry.field.add(name="value", number=2, label=F.LABEL_OPTIONAL)
        self._type(value)
        if value.type == F.TYPE_ENUM and (
            self.syntax == "proto3"
            or (self.syntax == "editions" and value.type_name.removeprefix(".r.") in self.closed)
        ):
            value.type_name = f".r.{self.enums[0]}"
            if self.syntax == "editions" and self.enums[0] in self.closed:
                value.type, value.type_name = F.TYPE_INT32, ""
        value.options.ClearField("features")
        field.label, field.type = F.LABEL_REPEATED, F.TYPE_MESSAGE
        field.type_name = f".r.{message.name}.{entry.name}"

    def _oneofs(self, message: DescriptorProto) -> None:
        free = [
            field
            for field in message.field
            if field.label == F.LABEL_OPTIONAL and not field.proto3_optional and not field.options.HasField("features")
        ]
        if len(free) >= 2 and self._chance(0.6):
            count = self.random.randint(1, len(free))
            message.oneof_decl.add(name="choice")
            for field in free[:count]:
                field.oneof_index = 0
                field.ClearField("default_value")
        for field in message.field:
            if field.proto3_optional:
                field.oneof_index = len(message.oneof_decl)
                message.oneof_decl.add(name=f"_{field.name}")

    def _extension(self, file: FileDescriptorProto) -> None:
        extended = self.random.choice(self.messages)
        extension = file.extension.add(name="ext", number=100, label=F.LABEL_OPTIONAL, extendee=f".r.{extended}")
        if self._chance(0.5):
            extension.type = F.TYPE_STRING
        else:
            extension.type, extension.type_name = F.TYPE_MESSAGE, f".r.{self.random.choice(self.messages)}"

    def options(self) -> JsonOptions:
        """Random options."""
        random = self.random
        return JsonOptions(
            proto_names=self._chance(0.3),
            enums=random.choice(["names", "numbers", "short"]),
            print_defaults=self._chance(0.3),
            print_nulls=self._chance(0.3),
            int64=random.choice(["string", "number"]),
            pretty=self._chance(0.2),
            unknown_fields=random.choice(["reject", "ignore"]),
            unknown_query=random.choice(["reject", "ignore", "capture"]),
            ignored_query=("utm",) if self._chance(0.2) else (),
            system_parameters=self._chance(0.7),
            plus_is_space=self._chance(0.7),
            lenient_bools=self._chance(0.3),
            repeated_path=self._chance(0.5),
            update_mask=self._chance(0.8),
            form=self._chance(0.4),
            http_body="json" if self._chance(0.2) else "raw",
            max_depth=random.choice([100, 100, 5, 3]),
        )

    def path_fields(self, descriptor: Descriptor) -> list[str]:
        """Names that a path may bind, most of them fitting."""
        found: list[str] = []
        for _ in range(self.random.choice([0, 0, 1, 1, 2])):
            names, at = [], descriptor
            while at is not None and at.fields:
                field = self.random.choice(list(at.fields))
                names.append(field.name)
                inner: Any = field.message_type
                if inner is None or inner.full_name.startswith("google.protobuf") or len(names) > 2:
                    break
                at = inner
            found.append(".".join(names))
        return found
