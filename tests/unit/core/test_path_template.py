"""The template grammar: what parses to what, what is refused at which column, and formatting back (transcoding.md P1, P2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.path_template import Literal, Template, TemplateError, Variable, Wildcard, parse

ONE, REST = Wildcard.ONE, Wildcard.REST


def lit(*texts: str) -> tuple[Literal, ...]:
    return tuple(Literal(text) for text in texts)


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("/", Template(())),
        ("/**", Template((REST,))),
        ("/*", Template((ONE,))),
        ("/*/**", Template((ONE, REST))),
        ("/a:verb", Template(lit("a"), "verb")),
        ("/**:verb", Template((REST,), "verb")),
        ("/{x=**}:verb", Template((Variable(("x",), (REST,)),), "verb")),
        ("/{_}", Template((Variable(("_",), (ONE,)),))),
        ("/{a1_b}", Template((Variable(("a1_b",), (ONE,)),))),
        ("/{shelf=100}", Template((Variable(("shelf",), lit("100")),))),
        ("/{name=projects/*}", Template((Variable(("name",), (*lit("projects"), ONE)),))),
        ("/a/{b=c/**}/d/e", Template((*lit("a"), Variable(("b",), (*lit("c"), REST)), *lit("d", "e")))),
        (
            "/a/{b=c/**/d}/e:verb",
            Template((*lit("a"), Variable(("b",), (*lit("c"), REST, *lit("d"))), *lit("e")), "verb"),
        ),
        ("/{x.y.z=*/a/b}/c", Template((Variable(("x", "y", "z"), (ONE, *lit("a", "b"))), *lit("c")))),
        ("/a/**/x", Template((*lit("a"), REST, *lit("x")))),
        ("/a/**/{x=b/c}", Template((*lit("a"), REST, Variable(("x",), lit("b", "c"))))),
        ("/{a}/{b}", Template((Variable(("a",), (ONE,)), Variable(("b",), (ONE,))))),
        ("/{a}/{a.b}", Template((Variable(("a",), (ONE,)), Variable(("a", "b"), (ONE,))))),
        ("/a%20b/gr%c3%b6%C3%9Fe", Template(lit("a b", "größe"))),
        ("/a%2Fb:c%3Ad", Template(lit("a/b"), "c:d")),
        ("/a:ver%62%20x", Template(lit("a"), "verb x")),
        ("/a:custom:custom", Template(lit("a"), "custom:custom")),
        ("/-._~!$&'()+,;=@", Template(lit("-._~!$&'()+,;=@"))),
        ("/...", Template(lit("..."))),
    ],
)
def test_accepted(text: str, template: Template) -> None:
    assert parse(text) == template


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("", 1, 'starts with "/"'),
        ("a/b", 1, 'starts with "/"'),
        ("{x}", 1, 'starts with "/"'),
        ("*", 1, 'starts with "/"'),
        (":verb", 1, 'starts with "/"'),
        ("//", 2, "an empty segment"),
        ("/a/", 4, "an empty segment"),
        ("/a//b", 4, "an empty segment"),
        ("/:verb", 2, "an empty segment"),
        ("/a/:verb", 4, "an empty segment"),
        ("/*:", 4, "an empty verb"),
        ("/**:", 5, "an empty verb"),
        ("/a:", 4, "an empty verb"),
        ("/{var}:", 8, "an empty verb"),
        ("/a::b", 4, "an empty verb"),
        ("/a:b:", 6, "an empty verb"),
        ("/foo:baz/buzz", 9, '"/" after a verb'),
        ("/a:*", 4, '"*" in a literal'),
        ("/a:{b}", 4, '"{" in a literal'),
        ("/a:b{c}", 5, '"{" after a verb'),
        ("/{", 3, "a field name is missing"),
        ("/{}", 3, "a field name is missing"),
        ("/{=*}", 3, "a field name is missing"),
        ("/{.a}", 3, "a field name is missing"),
        ("/{1}", 3, "a field name is missing"),
        ("/{ä}", 3, "a field name is missing"),
        ("/{var.", 7, "a field name is missing"),
        ("/{var.}", 7, "a field name is missing"),
        ("/{a..b}", 5, "a field name is missing"),
        ("/{a.1}", 5, "a field name is missing"),
        ("/{var", 2, "not closed"),
        ("/a/{var=b/*", 4, "not closed"),
        ("/{var=", 7, "an empty segment"),
        ("/{var=}", 7, "an empty segment"),
        ("/{var=/b}", 7, "an empty segment"),
        ("/{var=b/}", 9, "an empty segment"),
        ("/{field-}", 8, '"-" inside a variable'),
        ("/{a b}", 4, '" " inside a variable'),
        ("/{x=var:verb}", 8, '":" inside a variable'),
        ("/{x:verb}", 4, '":" inside a variable'),
        ("/{var=a/{nested=b}}", 9, "a variable inside a variable"),
        ("/{a{b}}", 4, '"{" inside a variable'),
        ("/a{x}", 3, '"{" after a segment'),
        ("/{x}b", 5, '"b" after a segment'),
        ("/{x}a{y}", 5, '"a" after a segment'),
        ("/{x}{y}", 5, '"{" after a segment'),
        ("/a}", 3, '"}" after a segment'),
        ("/***", 2, '"***" is no wildcard'),
        ("/a/***", 4, '"***" is no wildcard'),
        ("/{a=***}", 5, '"***" is no wildcard'),
        ("/bar*", 5, '"*" after a segment'),
        ("/*bar", 3, '"b" after a segment'),
        ("/**bar", 4, '"b" after a segment'),
        ("/a?b", 3, '"?" after a segment'),
        ("/?", 2, '"?" in a literal'),
        ("/a b", 3, '" " after a segment'),
        ("/größe", 4, '"ö" after a segment'),
        ("/a\n", 3, "after a segment"),
        ("/%1", 2, '"%" in a literal'),
        ("/a%1/b", 3, '"%" after a segment'),
        ("/%zz", 2, '"%" in a literal'),
        ("/a/%FF", 4, "not UTF-8"),
        ("/a/%00", 4, "NUL"),
        ("/a/../b", 4, "no request can match"),
        ("/a/%2e%2E", 4, "no request can match"),
        ("/a/**/*", 7, 'a wildcard after "**"'),
        ("/a/**/**", 7, 'a wildcard after "**"'),
        ("/a/**/foo/**", 11, 'a wildcard after "**"'),
        ("/a/**/{x}", 7, 'a wildcard after "**"'),
        ("/{x=**}/{y=a/*}", 14, 'a wildcard after "**"'),
        ("/{a}/{a}", 7, "bound twice"),
        ("/{a.b}/c/{a.b=d/*}", 11, "bound twice"),
    ],
)
def test_refused_at_its_column(text: str, column: int, reason: str) -> None:
    with pytest.raises(TemplateError) as caught:
        parse(text)
    assert caught.value.column == column
    assert reason in caught.value.reason
    assert caught.value.fix
    assert str(caught.value).startswith(f"column {column}: ")


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("", 'write "/"'),
        ("v1/a", 'write "/v1/a"'),
        ("/a b", "percent-encode it: %20"),
        ("/größe", "percent-encode it: %C3%B6"),
        ("/a?", "percent-encode it: %3F"),
        ("/%1", "percent-encode it: %25"),
        ("/{a", 'add "}"'),
    ],
)
def test_the_fix_says_what_to_write(text: str, fix: str) -> None:
    with pytest.raises(TemplateError) as caught:
        parse(text)
    assert caught.value.fix == fix


def test_variables_come_in_order_with_field_path_and_width() -> None:
    variables = parse("/{z}/a/{name=projects/*}/{b.c=100}/{y=**}").variables
    assert [(v.name, v.single_segment) for v in variables] == [
        ("z", True),
        ("name", False),
        ("b.c", True),
        ("y", False),
    ]


def test_pattern_is_the_template_without_its_variables() -> None:
    assert parse("/a/{b=c/**/d}/e:v").pattern == (*lit("a", "c"), REST, *lit("d", "e"))


@pytest.mark.parametrize(
    "text", ["/", "/a/{b=c/**/d}/e:verb", "/{x}", "/*/**", "/a%20b%2Fc:d", "/a:b:c", "/{a.b=*/x}", "/%2A%3A%7B"]
)
def test_canonical_texts_come_back_as_they_were(text: str) -> None:
    assert str(parse(text)) == text


def test_other_spellings_come_back_canonical() -> None:
    assert str(parse("/{x=*}/%61%c3%b6")) == "/{x}/a%C3%B6"


_WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=6).filter(
    lambda text: not {".", ".."} & {part.partition(";")[0] for part in text.replace("\\", "/").split("/")}
)
_LITERALS = st.builds(Literal, _WORDS)
_NARROW = st.one_of(_LITERALS, st.just(ONE))


@st.composite
def templates(draw: st.DrawFn) -> Template:
    """Any template: parts before and after an optional `**`, variables cut anywhere."""
    flat = draw(st.lists(_NARROW, max_size=5))
    if draw(st.booleans()):
        flat = [*flat, REST, *draw(st.lists(_LITERALS, max_size=3))]
    parts: list[Literal | Wildcard | Variable] = []
    while flat:
        width = draw(st.integers(0, len(flat)))
        if width:
            parts.append(Variable((f"v{len(parts)}", "x"), tuple(flat[:width])))
        else:
            parts.append(flat[0])
        del flat[: width or 1]
    verb = draw(st.one_of(st.just(""), _WORDS)) if parts else ""
    return Template(tuple(parts), verb)


@given(templates())
def test_parsing_undoes_formatting(template: Template) -> None:
    assert parse(str(template)) == template


@given(st.one_of(st.text(), st.text(alphabet="/{}*:=.a%2F")))
def test_any_text_parses_or_is_refused_with_a_column_in_it(text: str) -> None:
    outcome = _parsed(text)
    if isinstance(outcome, TemplateError):
        assert 1 <= outcome.column <= len(text) + 1
        assert outcome.fix
    else:
        assert parse(str(outcome)) == outcome


def _parsed(text: str) -> Template | TemplateError:
    try:
        return parse(text)
    except TemplateError as error:
        return error
