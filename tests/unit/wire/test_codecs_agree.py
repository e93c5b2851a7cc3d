"""
Both codecs on random descriptors, bindings, requests and answers: the same message or the same refusal, the same JSON or none.

What is compared: the bound message as a service reads it, the Render, the captured parameters; of a refusal its source, field, words and
offset; of an answer every byte. One number makes an example again: `EXAMPLES=20000 pytest` runs that many.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.wire.codec import (
    ApiCodec,
    BindingError,
    CompileError,
    EncodeError,
    JsonOptions,
    MethodCodec,
    Render,
    RequestMessage,
)
from edge.wire.portable.api import PortableApiCodec
from tests.unit.wire import random_texts
from tests.unit.wire.random_schemas import fitting

pytest.importorskip("edge_native", reason="the native engine is not built")

from edge.wire.native.api import NativeApiCodec  # only where the extension is built

EXAMPLES = int(os.environ.get("EXAMPLES", "60"))
BINDINGS = 2
MESSAGES = 5

Outcome = tuple[Any, ...]


def outcome(attempt: Callable[[], Any]) -> Outcome:
    """What comes of it; anything but a refusal in the codec's own words is a defect and passes through."""
    try:
        return "ok", attempt()
    except BindingError as error:
        return "refused", error.source, place(error), error.description, error.offset
    except CompileError as error:
        return "no binding", error.field, error.description
    except EncodeError:
        return ("no answer",)


def place(error: BindingError) -> str:
    """The field to blame. The portable engine holds maps of integers as lists, and names what is required in one by its index there."""
    if error.description != "is required":
        return error.field
    return re.sub(r"\[[^]]*\]|\.value\b", "", error.field)


class Pair:
    """One schema under both engines."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.schema = fitting(random)
        self.portable: ApiCodec = PortableApiCodec(self.schema.descriptor_set)
        native = NativeApiCodec(self.schema.descriptor_set)
        assert native.unknown is None
        self.native: ApiCodec = native

    def binding(self) -> tuple[Descriptor, Descriptor, dict[str, Any]]:
        """A random binding and its types."""
        random, schema = self.random, self.schema
        request = schema.descriptor(random.choice(schema.messages))
        answer = schema.descriptor(random.choice(schema.messages))
        return (
            request,
            answer,
            {
                "input_type": request.full_name,
                "output_type": answer.full_name,
                "path_fields": schema.path_fields(request),
                "body": random.choice(["", "*", "*", *(field.name for field in request.fields)]),
                "response_body": random.choice(["", "", *(field.name for field in answer.fields)]),
                "http_method": random.choice(["POST", "PATCH"]),
                "options": schema.options(),
            },
        )

    def compiled(self, binding: dict[str, Any]) -> tuple[MethodCodec, MethodCodec] | None:
        """The binding under both; None, alike, when it does not fit."""
        one = outcome(lambda: self.portable.method(**binding))
        other = outcome(lambda: self.native.method(**binding))
        if "ok" in (one[0], other[0]):
            assert (one[0], other[0]) == ("ok", "ok"), (binding, one, other)
            return one[1], other[1]
        assert one == other
        return None

    def bodies(self, request: Descriptor, binding: dict[str, Any]) -> tuple[bytes, str]:
        """A body and its declared type."""
        random, body = self.random, binding["body"]
        if body in ("", "*"):
            value = random_texts.value(random, request) if body else {}
        else:
            value = random_texts.field_value(random, request.fields_by_name[body], 0)
        roll = random.random()
        if roll < 0.05:
            return random_texts.query(random, request).encode(), "application/x-www-form-urlencoded"
        types = ["", "", "application/json", "application/json; charset=UTF-8", "text/plain"]
        return random_texts.text(random, value), random.choice(types[:4] if roll < 0.95 else types)

    def seen(self, bound: Outcome, request: Descriptor) -> Outcome:
        """A bound request as the service sees it: what an Any holds is read too."""
        if bound[0] != "ok":
            return bound
        made: RequestMessage = bound[1]
        message = GetMessageClass(request).FromString(made.message)
        printer = self.portable.method(
            input_type=request.full_name,
            output_type=request.full_name,
            path_fields=(),
            body="",
            response_body="",
            http_method="GET",
            options=JsonOptions(),
        )
        text = outcome(lambda: printer.response(made.message, Render()))
        # Texts say all of a message but the presence of what prints like nothing; its own bytes say that, but not inside an Any.
        return "ok", message if text == ("no answer",) else text, made.render, made.captured

    def render(self, answer: Descriptor, options: JsonOptions) -> Render:
        """A random way to print."""
        random = self.random
        names = [field.name if options.proto_names else field.json_name for field in answer.fields]
        below = ["", ".*", ".a", ".@type", ".value"]
        paths = [random.choice(names) + random.choice(below) for _ in range(2)] if random.random() < 0.3 else []
        enums: Any = random.choice(["names", "numbers", "short"])
        return Render(enums=enums, pretty=random.random() < 0.2, fields=tuple(paths))


@pytest.mark.timeout(120 + EXAMPLES)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**64 - 1))
def test_the_same_requests_bind_to_the_same_messages(seed: int) -> None:
    """B6, Q3, P7: path, query and body, fitting, odd and broken: one message, or one refusal of one field in the same words."""
    pair = Pair(Random(seed))
    for _ in range(BINDINGS):
        request, _, binding = pair.binding()
        codecs = pair.compiled(binding)
        if codecs is None:
            continue
        for _ in range(MESSAGES):
            body, content_type = pair.bodies(request, binding)
            captures = random_texts.captures(pair.random, request, binding["path_fields"])
            query = random_texts.query(pair.random, request) if pair.random.random() < 0.5 else ""
            given = (captures, query, body, content_type)
            ours, theirs = (outcome(partial(codec.request, *given)) for codec in codecs)
            assert pair.seen(ours, request) == pair.seen(theirs, request), (
                binding,
                captures,
                query,
                body,
                content_type,
            )


@pytest.mark.timeout(120 + EXAMPLES)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**64 - 1))
def test_the_same_messages_print_the_same_bytes(seed: int) -> None:
    """R1, R3, R5: messages in any order, with fields twice, unknown, extended and broken: the same JSON, or none."""
    pair = Pair(Random(seed))
    for _ in range(BINDINGS):
        _, answer, binding = pair.binding()
        codecs = pair.compiled(binding | {"path_fields": [], "body": ""})
        if codecs is None:
            continue
        for _ in range(MESSAGES):
            message = random_texts.message(pair.random, answer)
            if pair.random.random() < 0.2:
                message = random_texts.broken(pair.random, message)
            render = pair.render(answer, binding["options"])
            ours, theirs = (outcome(partial(codec.response, message, render)) for codec in codecs)
            assert ours == theirs, (binding, message, render)
