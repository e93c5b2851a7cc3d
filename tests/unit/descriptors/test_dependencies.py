"""Sets made self-contained: supplied, ordered, or precisely refused."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.problem import ProblemsError
from edge.descriptors.dependencies import missing, self_contained
from tests.unit.descriptors.sources import file


@given(st.integers(1, 12), st.randoms(use_true_random=False))
def test_dependencies_come_first_in_an_order_that_ignores_the_input_order(count: int, rand: random.Random) -> None:
    made = [
        file(f"{number}.proto", *(f"{low}.proto" for low in range(number) if rand.random() < 0.4))
        for number in range(count)
    ]
    ordered = [each.name for each in self_contained(made, "", "").file]
    rand.shuffle(made)
    assert [each.name for each in self_contained(made, "", "").file] == ordered
    position = {name: index for index, name in enumerate(ordered)}
    assert all(position[name] < position[each.name] for each in made for name in each.dependency)


def test_a_missing_file_names_who_imports_it_and_the_fix() -> None:
    with pytest.raises(ProblemsError) as caught:
        self_contained([file("a.proto", "b.proto"), file("c.proto", "b.proto")], "set.binpb", "rebuild")
    assert [(problem.place, problem.path, problem.fix) for problem in caught.value.problems] == [
        ("set.binpb", "a.proto", "rebuild"),
        ("set.binpb", "c.proto", "rebuild"),
    ]
    assert 'imports "b.proto"' in caught.value.problems[0].message


def test_googles_files_are_supplied_with_what_they_import() -> None:
    files = self_contained([file("a.proto", "google/api/annotations.proto")], "", "")
    assert {each.name for each in files.file} == {
        "a.proto",
        "google/api/annotations.proto",
        "google/api/http.proto",
        "google/protobuf/descriptor.proto",
    }


def test_a_google_file_of_the_set_is_not_replaced() -> None:
    own = file("google/api/http.proto", messages=[("Own", "")])
    files = self_contained([file("a.proto", "google/api/annotations.proto"), own], "", "")
    assert own in files.file


def test_a_cycle_is_told_with_its_circle() -> None:
    with pytest.raises(ProblemsError, match=r"b\.proto -> c\.proto -> b\.proto"):
        self_contained([file("a.proto", "b.proto"), file("b.proto", "c.proto"), file("c.proto", "b.proto")], "", "")


def test_the_same_file_twice_is_one_and_two_contents_are_refused() -> None:
    assert len(self_contained([file("a.proto"), file("a.proto")], "", "").file) == 1
    with pytest.raises(ProblemsError, match="two files of this name differ"):
        self_contained([file("a.proto"), file("a.proto", messages=[("A", "")])], "", "")


def test_a_chain_longer_than_the_stack_is_ordered() -> None:
    chain = [
        file(f"{number:05}.proto", *([f"{number + 1:05}.proto"] if number < 2999 else [])) for number in range(3000)
    ]
    assert self_contained(chain, "", "").file[0].name == "02999.proto"


def test_missing_lists_each_name_once() -> None:
    assert missing({"a": file("a", "z", "y"), "b": file("b", "z", "a")}) == ["y", "z"]
