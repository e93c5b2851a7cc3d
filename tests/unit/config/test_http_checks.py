"""The form of http.rules."""

from __future__ import annotations

import pytest

from edge.config.document import read_document
from edge.config.http_checks import check_http_rules


def found(*rules: str) -> list[tuple[str, bool]]:
    """Path and warning of what is noted about these rules."""
    document = read_document(f"apis: [{{http: {{rules: [{', '.join(rules)}]}}}}]\n", "edge.yaml")
    check_http_rules(document)
    return [(problem.path.removeprefix("apis[0].http."), problem.warning) for problem in document.problems]


@pytest.mark.parametrize(
    ("rule", "paths"),
    [
        ("{selector: a.B.C, get: /x}", []),
        ("{selector: a.B.C, custom: {kind: HEAD, path: /x}}", []),
        ("{selector: a.B.C}", ["rules[0]"]),
        ("{selector: a.B.C, get: /x, put: /x, post: /x}", ["rules[0].put", "rules[0].post"]),
        ("{get: /x}", ["rules[0]"]),
        ("{selector: '', get: /x}", ["rules[0]"]),
        ("{selector: '*', get: /x}", ["rules[0].selector"]),
        ("{selector: C, get: /x}", ["rules[0].selector"]),
        ("{selector: a.B.C, get: /x, additional_bindings: [{put: /y}]}", []),
        ("{selector: a.B.C, get: /x, additional_bindings: [{}]}", ["rules[0].additional_bindings[0]"]),
        (
            "{selector: a.B.C, get: /x, additional_bindings: [{selector: a.B.C, put: /y}]}",
            ["rules[0].additional_bindings[0].selector"],
        ),
        (
            "{selector: a.B.C, get: /x, additional_bindings: [{put: /y, additional_bindings: [{get: /z}]}]}",
            ["rules[0].additional_bindings[0].additional_bindings"],
        ),
    ],
)
def test_rule(rule: str, paths: list[str]) -> None:
    """One method, one selector, one level of bindings."""
    assert found(rule) == [(path, False) for path in paths]


def test_replaced_rule_is_a_warning() -> None:
    """The last one wins, as google.api.Http says."""
    assert found("{selector: a.B.C, get: /x}", "{selector: a.B.C, get: /y}") == [("rules[1].selector", True)]
