"""What is measured: the schema of a suite file, and reading one.

A run is fully described by one TOML file.  The built-in ones stand in ``benchmarks/suites/`` and are plain
suite files too.  Names of data sets, models and corruptions are checked against what is registered, which
the caller passes in, so that this module knows the shape of a suite and nothing of how it is run.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
import json
import sys
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from benchmarks.cases import KINDS, Case, Variant
from benchmarks.techniques import TECHNIQUES

BUILT_IN = Path(__file__).parent / "suites"

Fraction = Annotated[float, Field(gt=0, lt=1)]
Positive = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0)]


def _count(value: object) -> object:
    if value == "all" or (type(value) is int and value >= 1):
        return value
    raise ValueError('expected a whole number of at least 1 or "all"')


#: How many of something, or every one.  Checked as one thing, so that an error names the key once.
Count = Annotated[int | Literal["all"], BeforeValidator(_count)]


class SuiteError(Exception):
    """A suite cannot be read: which file, which key, what was expected, what came."""


@dataclass(frozen=True)
class Known:
    """The names that a suite may use: data sets, models, and corruptions with their families."""

    datasets: Collection[str]
    models: Collection[str]
    corruptions: Mapping[str, str]


class _Section(BaseModel):
    # TOML has types, so nothing is converted: a text is no number, and neither is true.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Data(_Section):
    """Which images: ``test_images`` per cell (a seeded sample of the test set, the same for every case),
    ``train_images`` likewise; ``"all"`` takes every one.  ``options`` go to the data set's loader.
    """

    datasets: list[str] = Field(min_length=1)
    test_images: Count = "all"
    train_images: Count = "all"
    validation_fraction: Fraction = 0.1
    options: dict[str, Any] = {}

    @field_validator("datasets")
    @classmethod
    def _known(cls, names: list[str], info: ValidationInfo) -> list[str]:
        return _check_names("data set", names, _known_of(info).datasets)


class Model(_Section):
    """Which networks; ``width`` multiplies the number of channels and units of each layer."""

    names: list[str] = Field(min_length=1)
    width: Annotated[float, Field(gt=0, le=4)] = 1.0

    @field_validator("names")
    @classmethod
    def _known(cls, names: list[str], info: ValidationInfo) -> list[str]:
        return _check_names("model", names, _known_of(info).models)


class Training(_Section):
    """One training run.  ``augment`` names the random changes of the training images; ``patience`` counts
    epochs without a better loss on the validation split before training stops.
    """

    epochs: Positive
    batch_size: Positive
    learning_rate: Rate
    schedule: Literal["constant", "cosine"] = "constant"
    augment: list[Literal["flip", "shift"]] = []
    patience: Positive = 5


class Compression(_Section):
    """Which techniques, and their targets: sparsity as a fraction, clusters per kernel."""

    techniques: list[str] = Field(default=list(TECHNIQUES), min_length=1)
    sparsity: Fraction = 0.5
    clusters: Annotated[int, Field(ge=2, le=256)] = 16
    calibration_images: Positive = 200

    @field_validator("techniques")
    @classmethod
    def _known(cls, names: list[str]) -> list[str]:
        return _check_names("technique", names, TECHNIQUES)


class Corruptions(_Section):
    """Which corruptions at which severities (1 to 5), on which published scale.

    ``source``: ``"generated"`` here, or ``"published"`` files such as CIFAR-10-C; there is no falling back
    from one to the other.  ``frost_textures`` is a folder with the original photographs of frost, to be used
    instead of the textures that come with RobustLite.
    """

    names: list[str] = Field(min_length=1)
    severities: list[Annotated[int, Field(ge=1, le=5)]] = [1, 2, 3, 4, 5]
    scale: Literal["cifar", "tiny-imagenet", "imagenet"] = "cifar"
    source: Literal["generated", "published"] = "generated"
    frost_textures: str | None = None

    @field_validator("names")
    @classmethod
    def _known(cls, names: list[str], info: ValidationInfo) -> list[str]:
        return _check_names("corruption", names, _known_of(info).corruptions)

    def describe(self) -> str:
        """Return in a sentence where the corrupted images come from."""
        if self.source == "published":
            return "Corrupted images: the published files."
        frost = ""
        if "frost" in self.names:
            textures = (
                f"the photographs in {self.frost_textures}" if self.frost_textures else "our own textures"
            )
            frost = f", frost with {textures}"
        return f"Corrupted images: generated on the {self.scale} scale{frost}."

    @field_validator("severities")
    @classmethod
    def _ascending(cls, severities: list[int]) -> list[int]:
        if not severities or severities != sorted(set(severities)):
            raise ValueError("expected severities in ascending order, each once")
        return severities


class Latency(_Section):
    """How one inference is timed: ``rounds`` timed calls on one image after ``warmup`` untimed ones."""

    rounds: Positive = 100
    warmup: Annotated[int, Field(ge=0)] = 10


class Thresholds(_Section):
    """Limits that a case asserts; one that is absent is not asserted.

    ``accuracy_min`` and ``accuracy_drop_max`` are fractions of 1 on clean images, ``ce_max`` is in percent of
    the original network's error, ``zipped_mb_max`` in 10^6 bytes, ``latency_ms_max`` the median of one
    inference in milliseconds.
    """

    accuracy_min: Annotated[float, Field(ge=0, le=1)] | None = None
    accuracy_drop_max: Annotated[float, Field(ge=0, le=1)] | None = None
    ce_max: Rate | None = None
    compression_ratio_min: Rate | None = None
    zipped_mb_max: Rate | None = None
    latency_ms_max: Rate | None = None


class Suite(_Section):
    """A whole run.  ``name`` is the suite file's; ``seed`` determines everything random in it.

    ``module`` is a Python file beside the suite file that registers what is the user's own.
    """

    name: str
    description: str
    seed: Annotated[int, Field(ge=0)] = 0
    module: str | None = None
    data: Data
    model: Model
    training: Training
    fine_tuning: Training
    compression: Compression = Compression()
    corruptions: Corruptions
    latency: Latency = Latency()
    thresholds: Thresholds = Thresholds()

    def variants(self) -> Iterator[Variant]:
        """Yield every variant, in the order of the suite file, techniques in the order of the graph."""
        for dataset in self.data.datasets:
            for model in self.model.names:
                for technique in TECHNIQUES:
                    if technique in self.compression.techniques:
                        yield Variant(dataset, model, technique)

    def cases(self, kind: str, families: Mapping[str, str]) -> Iterator[Case]:
        """Yield every case of one kind; ``families`` maps each corruption to its family."""
        if kind not in KINDS:
            raise KeyError(kind)
        for variant in self.variants():
            if kind == "robustness":
                for corruption in self.corruptions.names:
                    yield Case(variant, kind, corruption, families[corruption])
            else:
                yield Case(variant, kind)


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
    try:
        return Suite.model_validate({"name": path.stem, **raw}, context={"known": known})
    except ValidationError as error:
        raise SuiteError(_explain(path, error)) from error


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
    *sections, last = names = key.strip().split(".")
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


def _check_names(what: str, names: list[str], known: Collection[str]) -> list[str]:
    if len(set(names)) != len(names):
        raise ValueError(f"expected each {what} once")
    for name in names:
        if name not in known:
            raise ValueError(
                f"expected a known {what} ({', '.join(known)}), got {name!r}{suggestion(name, known)}"
            )
    return names


def suggestion(name: str, known: Collection[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest of the known names, or nothing if none is near."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _known_of(info: ValidationInfo) -> Known:
    if not info.context:
        raise TypeError("a suite is validated with context={'known': Known(...)}")
    known: Known = info.context["known"]
    return known


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
        elif detail["type"] == "missing":
            lines.append(f"{path}: {key}: expected a value, got none")
        else:
            message = detail["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
            got = "" if ", got " in message else f", got {json.dumps(detail['input'], default=str)}"
            lines.append(f"{path}: {key}: {message}{got}")
    return "\n".join(lines)


def _keys_beside(location: tuple[int | str, ...]) -> list[str]:
    """Return the keys that the section of an unknown key knows."""
    section: type[BaseModel] = Suite
    for part in location[:-1]:
        annotation = section.model_fields[str(part)].annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            section = annotation
    return [key for key in section.model_fields if key != "name"]
