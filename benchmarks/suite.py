"""Reading a suite: a run is fully described by one TOML file.

The built-in ones stand in ``benchmarks/suites/`` and are plain suite files too.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
import tomllib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from benchmarks.rules import faults_of
from benchmarks.schema import Suite
from benchmarks.sections import ANY_NAME, WEIGHTS, Known, suggestion

BUILT_IN = Path(__file__).parent / "suites"


class SuiteError(Exception):
    """A suite cannot be read: which file, which key, what was expected, what came."""


def load_suite(name_or_path: str, known: Known, overrides: Collection[str] = ()) -> Suite:
    """Read a suite: a built-in one by its name, or any by the path of its file.

    ``overrides`` are one-off changes of the form ``section.key=value`` (value in TOML; a bare word is taken
    as text).  Raises :class:`SuiteError` with the file, the key, what was expected and what came.
    """
    path = _find(name_or_path)
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SuiteError(f"{path}: expected a TOML file, got: {error}") from error
    for override in overrides:
        _apply(raw, override)
    module = raw.get("module")
    if isinstance(module, str):
        raw["module"] = str((path.parent / module).absolute())
        import_suite_module(raw["module"])
    for network in _tables_with_weights(raw):
        network["initial_weights"] = str((path.parent / network["initial_weights"]).absolute())
    try:
        suite = Suite.model_validate({"name": path.stem, **raw}, context={"known": known})
    except ValidationError as error:
        raise SuiteError(_explain(path, error)) from error
    if known.corruptions is not ANY_NAME:  # else the families, which a pattern may name, are not known
        faults = [f"{path}: {fault}" for fault in faults_of(suite, known.corruptions)]
        if faults:
            raise SuiteError("\n".join(faults))
    return suite


def _tables_with_weights(raw: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the tables that name a file of initial weights."""
    model = raw.get("model")
    tables = [model, *model.get("by_model", {}).values()] if isinstance(model, dict) else []
    for table in tables:
        weights = table.get("initial_weights") if isinstance(table, dict) else None
        if isinstance(weights, str) and weights not in WEIGHTS:
            yield table


def import_suite_module(path: str) -> None:
    """Import a suite's own Python file, once in a process; what it registers can then be named in a suite."""
    name = f"robustlite_suite_module_{hashlib.sha256(path.encode()).hexdigest()[:16]}"
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SuiteError(f"module: expected the path of a Python file (.py), got {path}")
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise SuiteError(
            f"module: expected to import {path}, got {type(error).__name__}: {error}; "
            "it has to register what the suite names, and to run without the suite"
        ) from error


def built_in_suites() -> list[str]:
    """Return the names of the suites that come with RobustLite."""
    return sorted(path.stem for path in BUILT_IN.glob("*.toml"))


def _find(name_or_path: str) -> Path:
    if name_or_path.endswith(".toml"):
        return Path(name_or_path)
    path = BUILT_IN / f"{name_or_path}.toml"
    if not path.is_file():
        known = built_in_suites()
        raise SuiteError(
            f"--suite: expected one of {', '.join(known)} or the path of a .toml file, got {name_or_path!r}"
            + suggestion(name_or_path, known)
        )
    return path


def _apply(raw: dict[str, Any], override: str) -> None:
    """Set one ``section.key=value`` in the tables read from a suite file."""
    key, equals, text = override.partition("=")
    # Quoted parts are keys as TOML has them, such as the patterns below thresholds.where.
    *sections, last = names = [name.strip('"') for name in key.strip().split(".")]
    if not equals or not all(names):
        raise SuiteError(
            f"--set: expected section.key=value, got {override!r}; e.g. --set data.test_images=100"
        )
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    table = raw
    for section in sections:
        table = table.setdefault(section, {})
        if not isinstance(table, dict):
            raise SuiteError(f"--set {override}: expected {section!r} to be a section, got a value")
    table[last] = value


def _explain(path: Path, error: ValidationError) -> str:
    lines = []
    for detail in error.errors():
        key = ".".join(str(part) for part in detail["loc"])
        if detail["type"] == "extra_forbidden":
            siblings = _keys_beside(detail["loc"])
            lines.append(
                f"{path}: {key}: expected one of {', '.join(siblings)}, got an unknown key"
                + suggestion(str(detail["loc"][-1]), siblings)
            )
        elif detail["type"] == "model_type":
            lines.append(f"{path}: {key}: expected a section of keys, got {json.dumps(detail['input'])}")
        elif detail["type"] == "missing":
            lines.append(f"{path}: {key}: expected a value, got none")
        else:
            message = detail["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
            got = "" if ", got " in message else f", got {json.dumps(detail['input'], default=str)}"
            # What a check of the whole suite says names its key itself.
            lines.append(": ".join([str(path), *([key] if key else []), message + got]))
    return "\n".join(lines)


def _keys_beside(location: tuple[int | str, ...]) -> list[str]:
    """Return the keys that the section of an unknown key knows."""
    section: type[BaseModel] = Suite
    parts = iter(location[:-1])
    for part in parts:
        annotation = section.model_fields[str(part)].annotation
        if get_origin(annotation) is dict:
            annotation = get_args(annotation)[1]
            next(parts)  # the name of the one that the section is about
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            section = annotation
    return [key for key in section.model_fields if key != "name"]
