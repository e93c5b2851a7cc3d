"""
What pydantic found wrong, in the words of the operator: the line, the value as written, and what to write instead.

Owns the texts of every schema error, one function per error type. A value that came out of the environment is quoted as its
`${NAME}`, a secret not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from edge.config.document import Document, Loc, dotted, quoted
from edge.config.shape import field_at, fields_of, section_at

Text = tuple[str, str]
"""A message and its fix."""


def add_schema_problems(document: Document, error: ValidationError) -> None:
    """Note each schema error at its line; a place that is already known to be wrong is not reported twice."""
    known = {problem.path for problem in document.problems}
    for details in error.errors(include_url=False):
        loc: Loc = details["loc"]
        if dotted(loc) not in known and not _follows_from_others(details):
            document.add(loc, *_text(details, document))


def _follows_from_others(details: ErrorDetails) -> bool:
    """A list whose items are all wrong is also "too short" to pydantic."""
    return details["type"] == "too_short" and bool(details["input"])


def did_you_mean(word: object, known: list[str]) -> str:
    """`did you mean "bind"?`, or nothing when no known word is near."""
    near = get_close_matches(str(word).lower(), known, n=1, cutoff=0.6)
    return f'did you mean "{near[0]}"?' if near else ""


def _text(details: ErrorDetails, document: Document) -> Text:
    describe = _TEXTS.get(details["type"])
    if describe is None:
        return f"{_written(details, document)}: {details['msg']}", "see docs/configuration.md"
    return describe(details, document)


def _written(details: ErrorDetails, document: Document) -> str:
    """The value as the operator wrote it."""
    loc, value = details["loc"], details["input"]
    text = document.texts.get(loc)
    if text is not None and isinstance(value, str) and text != value:
        return f"{quoted(text)}, after substitution,"
    # `1.10` is the number 1.1, but not what was written.
    return text if text and isinstance(value, float) else quoted(value)


def _missing(details: ErrorDetails, document: Document) -> Text:
    key = details["loc"][-1]
    return f'the key "{key}" is missing', f"add {key}: {_example(details['loc'])}"


def _unknown(details: ErrorDetails, document: Document) -> Text:
    loc = details["loc"]
    section = section_at(loc[:-1])
    known = list(fields_of(section)) if section else []
    fix = did_you_mean(loc[-1], known) or f"known here: {', '.join(known)}"
    return f'"{loc[-1]}" is not a key here', fix


def _one_of(details: ErrorDetails, document: Document) -> Text:
    expected = details["ctx"]["expected"].replace("'", '"').replace(" or ", ", ")
    choices = expected.replace('"', "").replace(", ", " or ")
    return f"{_written(details, document)} is none of {expected}", f"write {choices}"


def _unit(details: ErrorDetails, document: Document) -> Text:
    context = details["ctx"]
    return f"{_written(details, document)} {context['message']}", context["fix"]


def _secret(details: ErrorDetails, document: Document) -> Text:
    return details["ctx"]["message"], details["ctx"]["fix"]


def _too_small(details: ErrorDetails, document: Document) -> Text:
    context = details["ctx"]
    bound = f"more than {context['gt']}" if "gt" in context else f"at least {context['ge']}"
    # The input of a unit type is the parsed value; what was written reads better.
    written = document.texts.get(details["loc"], str(details["input"]))
    return f"{written} is too small; it must be {bound}", f"write {_example(details['loc'])}"


def _too_large(details: ErrorDetails, document: Document) -> Text:
    written = document.texts.get(details["loc"], str(details["input"]))
    return f"{written} is too large; it must be at most {details['ctx']['le']}", f"write {_example(details['loc'])}"


def _not_multiple(details: ErrorDetails, document: Document) -> Text:
    return f"{_written(details, document)} is finer than {details['ctx']['multiple_of']}", "round it"


def _too_long(details: ErrorDetails, document: Document) -> Text:
    most = details["ctx"]["max_length"]
    return f"{_written(details, document)} is longer than {most} characters", f"shorten it to {most}"


def _misshapen(details: ErrorDetails, document: Document) -> Text:
    return (
        f"{_written(details, document)} does not match {details['ctx']['pattern']}",
        f"write {_example(details['loc'])}",
    )


def _not_text(details: ErrorDetails, document: Document) -> Text:
    value = details["input"]
    if isinstance(value, dict | list) or value is None:
        return f"{quoted(value)}, where text is expected", f"write {_example(details['loc'])}"
    written = document.texts.get(details["loc"], str(value))
    return f"{written} is not text", f'put it in quotes: "{written}"'


def _not_list(details: ErrorDetails, document: Document) -> Text:
    value = details["input"]
    if value is None:
        return "it is empty", _list_fix(details["loc"])
    fix = f"write [{document.texts[details['loc']]}]" if isinstance(value, str) else _list_fix(details["loc"])
    return f"{_written(details, document)} is not a list", fix


def _list_fix(loc: Loc) -> str:
    example = _example(loc)
    return f"write {example}" if example.startswith("[") else "write its items below it, each after a dash"


def _not_mapping(details: ErrorDetails, document: Document) -> Text:
    section = section_at(details["loc"])
    keys = f"its keys below it: {', '.join(fields_of(section))}" if section else "keys and values below it"
    if details["input"] is None:
        return "it is empty", f"remove the line, or write {keys}"
    return f"{_written(details, document)} is not a mapping", f"write {keys}"


def _nothing_in_it(details: ErrorDetails, document: Document) -> Text:
    return "it is empty", f"write {_example(details['loc'])}"


def _not_bool(details: ErrorDetails, document: Document) -> Text:
    return f"{_written(details, document)} is neither true nor false", "write true or false"


def _not_int(details: ErrorDetails, document: Document) -> Text:
    return f"{_written(details, document)} is not a whole number", f"write a number such as {_example(details['loc'])}"


def _example(loc: Loc) -> str:
    """A right value for a place: its first example, or its default."""
    field = field_at(loc) or field_at(loc[:-1])
    if field is None:
        return "a value"
    if field.examples:
        return str(field.examples[0])
    return "a value" if field.is_required() or field.default is None else str(field.default)


_TEXTS: dict[str, Callable[[ErrorDetails, Document], Text]] = {
    "missing": _missing,
    "extra_forbidden": _unknown,
    "literal_error": _one_of,
    "edge": _unit,
    "edge_secret": _secret,
    "greater_than": _too_small,
    "greater_than_equal": _too_small,
    "less_than_equal": _too_large,
    "multiple_of": _not_multiple,
    "string_too_long": _too_long,
    "string_pattern_mismatch": _misshapen,
    "string_type": _not_text,
    "string_too_short": _nothing_in_it,
    "too_short": _nothing_in_it,
    "tuple_type": _not_list,
    "list_type": _not_list,
    "model_type": _not_mapping,
    "model_attributes_type": _not_mapping,
    "dict_type": _not_mapping,
    "bool_type": _not_bool,
    "bool_parsing": _not_bool,
    "int_type": _not_int,
    "int_parsing": _not_int,
    "int_from_float": _not_int,
    "int_parsing_size": _not_int,
}
