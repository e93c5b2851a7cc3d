"""
From a file to a Config, or to everything that is wrong with it at once.

Owns the order of the steps: read, parse, substitute, validate, cross-check. No step hides the problems of another: the checks
read the plain data, so that they run even where the schema does not fit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from edge.config.consul_checks import check_consul
from edge.config.cross_checks import check_references
from edge.config.document import Document, dotted, read_document
from edge.config.file_checks import check_files
from edge.config.http_checks import check_http_rules
from edge.config.identity_checks import check_identity
from edge.config.interpolate import interpolate
from edge.config.mesh_checks import check_mesh
from edge.config.models import Config, HttpRule
from edge.config.problems import add_schema_problems
from edge.config.source_checks import check_sources
from edge.config.traffic_checks import check_traffic
from edge.core.problem import Problem, ProblemsError

MAX_FILE_BYTES = 16 * 1024 * 1024


def load_config(path: Path, env: Mapping[str, str]) -> Config:
    """
    The configuration in a YAML or JSON file. `env` is what `${NAME}` reads.

    Raises ProblemsError with every problem, in the order of the file's lines.
    """
    document = read_document(_read(path), str(path))
    interpolate(document, env)
    config = _validated(document, path.parent)
    check_references(document)
    check_sources(document)
    check_consul(document)
    check_identity(document)
    check_http_rules(document)
    check_mesh(document)
    check_traffic(document)
    check_files(document, path.parent)
    problems = sorted(document.problems, key=_line)
    if config is None or any(not problem.warning for problem in problems):
        raise ProblemsError(problems)
    return _completed(config, document, path.parent, problems)


def _read(path: Path) -> str:
    fix = "give the path of a configuration file, as in -c edge.yaml"
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ProblemsError([Problem(str(path), "", f"cannot be read: {error.strerror}", fix)]) from None
    if len(raw) > MAX_FILE_BYTES:
        raise ProblemsError([Problem(str(path), "", f"is larger than {MAX_FILE_BYTES // 1024**2} MiB", fix)])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = f"{path}:{raw.count(10, 0, error.start) + 1}"
        message = f"the byte 0x{raw[error.start]:02X} is not UTF-8"
        raise ProblemsError([Problem(place, "", message, "save the file as UTF-8")]) from None


def _validated(document: Document, base: Path) -> Config | None:
    try:
        return Config.model_validate(document.data, context={"base": str(base)})
    except ValidationError as error:
        add_schema_problems(document, error)
        return None


def _line(problem: Problem) -> int:
    match = re.search(r":(\d+)$", problem.place)
    return int(match[1]) if match else 0


def _completed(config: Config, document: Document, base: Path, problems: list[Problem]) -> Config:
    """Tell the models where they were written."""
    config._base = str(base.absolute())
    config._places = {dotted(loc): f"{document.name}:{line}" for loc, line in document.lines.items()}
    config._warnings = tuple(problems)
    for index, api in enumerate(config.apis):
        for number, rule in enumerate(api.http.rules):
            _place_rule(rule, f"apis[{index}].http.rules[{number}]", config)
    return config


def _place_rule(rule: HttpRule, path: str, config: Config) -> None:
    rule._source = config.place(path)
    for number, extra in enumerate(rule.additional_bindings):
        _place_rule(extra, f"{path}.additional_bindings[{number}]", config)
