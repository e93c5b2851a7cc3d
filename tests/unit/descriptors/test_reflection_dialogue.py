"""The dialogue with a service about its own description, as a transcript of questions and answers."""

from __future__ import annotations

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse
from hypothesis import given
from hypothesis import strategies as st

from edge.core.problem import ProblemsError
from edge.descriptors.reflection_dialogue import Dialogue, Reflected
from tests.unit.descriptors.reflecting import INFRASTRUCTURE, A, B, C, Service, with_service
from tests.unit.descriptors.sources import file, names


def talk(upstream: Service) -> Reflected:
    """Run a dialogue to its end."""
    dialogue = Dialogue()
    pending = dialogue.start()
    while not dialogue.done:
        pending += dialogue.receive(upstream.answer(pending.pop(0)))
    assert not pending
    return dialogue.result()


def answered(message: ServerReflectionResponse) -> None:
    """Give the first question this answer."""
    dialogue = Dialogue()
    dialogue.start()
    dialogue.receive(message.SerializeToString())


def test_imports_are_asked_for_until_none_is_missing() -> None:
    upstream = Service(A, B, C)
    found = talk(upstream)
    assert upstream.asked == [
        "list_services",
        "file_containing_symbol p.S",
        "file_by_filename b.proto",
        "file_by_filename c.proto",
    ]
    assert names(found.descriptor_set) == ["c.proto", "b.proto", "a.proto"]
    assert found.services == ("p.S",)


def test_what_came_unasked_is_not_asked_for() -> None:
    upstream = Service(A, B, C, with_imports=True)
    assert names(talk(upstream).descriptor_set) == ["c.proto", "b.proto", "a.proto"]
    assert upstream.asked == ["list_services", "file_containing_symbol p.S"]


def test_services_that_came_with_another_are_not_asked_for() -> None:
    many = file("many.proto")
    for number in range(20):
        many.service.add(name=f"S{number}")
    upstream = Service(many)
    assert len(talk(upstream).services) == 20
    assert len(upstream.asked) == 1 + 16


def test_imports_that_came_with_another_are_not_asked_for() -> None:
    class Generous(Service):
        """One import brings all files."""

        def _sent(self, found: FileDescriptorProto) -> list[FileDescriptorProto]:
            return [found] if found.service else list(self.files.values())

    imports = [file(f"{number}.proto") for number in range(20)]
    upstream = Generous(with_service(file("a.proto", *(each.name for each in imports))), *imports)
    assert len(names(talk(upstream).descriptor_set)) == 21
    assert len(upstream.asked) == 2 + 16


def test_a_service_listed_twice_is_asked_for_once() -> None:
    upstream = Service(A, B, C, listed=["p.S", "p.S"])
    assert talk(upstream).services == ("p.S",)
    assert upstream.asked.count("file_containing_symbol p.S") == 1


def test_both_kinds_of_server_give_equal_bytes() -> None:
    assert talk(Service(A, B, C)) == talk(Service(A, B, C, with_imports=True))


def test_infrastructure_is_not_asked_for() -> None:
    upstream = Service(A, B, C, listed=["p.S", *INFRASTRUCTURE])
    assert talk(upstream).services == ("p.S",)
    assert not [question for question in upstream.asked if "grpc." in question]


def test_services_of_imports_are_not_the_upstreams() -> None:
    imported = with_service(file("c.proto", messages=[("C", "")]), "Elsewhere")
    assert talk(Service(A, B, imported, listed=["p.S"])).services == ("p.S",)


def test_googles_files_are_supplied_when_the_service_has_them_not() -> None:
    found = talk(Service(with_service(file("a.proto", "google/api/annotations.proto"))))
    assert "google/api/http.proto" in names(found.descriptor_set)


def test_an_import_no_one_has_names_its_importer() -> None:
    with pytest.raises(ProblemsError) as caught:
        talk(Service(A, B))
    (problem,) = caught.value.problems
    assert (problem.place, problem.path) == ("reflection", "b.proto")
    assert 'imports "c.proto"' in problem.message


def test_a_listed_service_that_is_not_described_is_a_warning_beside_others() -> None:
    found = talk(Service(A, B, C, listed=["p.S", "p.Ghost"]))
    assert found.services == ("p.S",)
    (problem,) = found.problems
    assert problem.warning
    assert problem.path == "p.Ghost"


@pytest.mark.parametrize("listed", [[], INFRASTRUCTURE, ["p.Ghost"]])
def test_nothing_described_is_an_error(listed: list[str]) -> None:
    with pytest.raises(ProblemsError, match="describes no service of its own") as caught:
        talk(Service(listed=listed))
    assert not caught.value.problems[-1].warning


def test_a_service_refused_once_but_described_with_another_is_no_problem() -> None:
    class Forgetful(Service):
        """Knows no symbol `p.Late`, though a file it sends declares it."""

        def _answer(self, question: ServerReflectionRequest) -> ServerReflectionResponse:
            self.owners.pop("p.Late", None)
            return super()._answer(question)

    late = with_service(file("late.proto"), "Late")
    upstream = Forgetful(late, with_service(file("a.proto", "late.proto")), listed=["p.Late", "p.S"])
    assert talk(upstream).services == ("p.Late", "p.S")
    assert talk(upstream).problems == ()


@given(st.integers(0, 60), st.booleans())
def test_few_questions_are_open_at_once_and_every_service_is_described(count: int, with_imports: bool) -> None:
    made = [with_service(file(f"{number}.proto", "c.proto"), f"S{number}") for number in range(count)]
    upstream = Service(A, B, C, *made, with_imports=with_imports)
    dialogue = Dialogue()
    pending = dialogue.start()
    while not dialogue.done:
        assert 0 < len(pending) <= 16
        pending += dialogue.receive(upstream.answer(pending.pop(0)))
    assert len(dialogue.result().services) == count + 1
    assert len(upstream.asked) == len(set(upstream.asked))


def test_answers_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ProblemsError, match="answered by nothing"):
        answered(ServerReflectionResponse())
    with pytest.raises(ProblemsError, match="answered by file_descriptor_response"):
        answered(ServerReflectionResponse(file_descriptor_response={}))
    with pytest.raises(ProblemsError, match="cannot be listed: no"):
        answered(ServerReflectionResponse(error_response={"error_code": 7, "error_message": "no"}))


def test_bytes_that_are_no_answer_are_refused() -> None:
    dialogue = Dialogue()
    dialogue.start()
    with pytest.raises(ProblemsError, match="not a reflection message"):
        dialogue.receive(b"\xff\xff")


def test_files_that_are_no_descriptors_are_refused() -> None:
    dialogue = Dialogue()
    dialogue.start()
    dialogue.receive(
        ServerReflectionResponse(list_services_response={"service": [{"name": "a.B"}]}).SerializeToString()
    )
    bad = ServerReflectionResponse(file_descriptor_response={"file_descriptor_proto": [b"\xff\xff"]})
    with pytest.raises(ProblemsError, match="not a reflection message"):
        dialogue.receive(bad.SerializeToString())


def test_an_answer_to_no_question_is_refused() -> None:
    upstream = Service(A, B, C)
    dialogue = Dialogue()
    pending = dialogue.start()
    while not dialogue.done:
        pending += dialogue.receive(upstream.answer(pending.pop(0)))
    with pytest.raises(ProblemsError, match="nothing had asked"):
        dialogue.receive(b"")


def test_a_description_without_end_is_cut_off() -> None:
    dialogue = Dialogue()
    dialogue.start()
    with pytest.raises(ProblemsError, match="larger than"):
        dialogue.receive(bytes(64 * 1024 * 1024 + 1))
