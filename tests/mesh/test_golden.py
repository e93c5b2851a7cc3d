"""What is generated, byte for byte, and what the meshes' own definitions say of it."""

from __future__ import annotations

import os
import re

import pytest
import yaml

from meshconfig.checks.every import problems
from meshconfig.writer import files, stream
from tests.mesh.cases import FOLDER, NAMES, Case, case
from tests.mesh.crd import is_custom, needs_schemas, violations

each_case = pytest.mark.parametrize("name", NAMES)


def test_there_are_cases() -> None:
    """A glob that finds nothing must not pass."""
    assert len(NAMES) >= 20


@each_case
def test_the_same_configuration_gives_the_same_bytes(name: str) -> None:
    """Every target's text is the golden one, but for the hash of the whole configuration."""
    made = case(name)
    for target in made.plan.targets:
        golden, text = FOLDER / name / f"{target}.yaml", _text(made, target)
        if os.environ.get("UPDATE_GOLDEN"):
            golden.write_text(text, encoding="utf-8")
        assert text == golden.read_text(encoding="utf-8"), f"{target}: UPDATE_GOLDEN=1 writes it anew"


@each_case
def test_no_golden_of_a_target_that_is_gone(name: str) -> None:
    """What lies in a case's folder is an input or is compared."""
    inputs = {"edge.yaml", "options.yaml"}
    there = {path.name for path in (FOLDER / name).iterdir()} - inputs
    assert there == {f"{target}.yaml" for target in case(name).plan.targets}


@needs_schemas
@each_case
def test_every_custom_resource_is_what_its_definition_takes(name: str) -> None:
    """Structural schema, no unknown field, every CEL rule."""
    bodies = [document.body for document in case(name).documents if "apiVersion" in document.body]
    refused = {f"{body['kind']} {body['metadata']['name']}": violations(body) for body in bodies if is_custom(body)}
    assert {who: why for who, why in refused.items() if why} == {}


@each_case
def test_no_mesh_would_refuse_or_ignore_anything(name: str) -> None:
    """The rules beyond the schemas."""
    assert problems(case(name).documents) == ()


@each_case
def test_what_is_written_reads_back(name: str) -> None:
    """YAML takes no value for another: `on`, dates, numbers in quotes."""
    made = case(name)
    for document in made.documents:
        if "apiVersion" in document.body:
            text = files(made.plan, [document])[f"{document.target}/{document.file}"]
            assert yaml.safe_load(text) == document.body


def _text(made: Case, target: str) -> str:
    written = files(made.plan, made.of(target))
    # In quotes where its digits look like a number, which is chance.
    return re.sub(f"'?{made.plan.config_hash}'?", "CONFIG-HASH", stream(written))
