"""The sections of a suite, as pydantic models: what each setting means, its unit and its range.

Names of data sets, models and corruptions are checked against what is registered, which the caller passes in,
so that this module knows the shape of a suite and nothing of how it is run.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from benchmarks.techniques import ORIGINAL_STUDY, TECHNIQUES

Fraction = Annotated[float, Field(gt=0, lt=1)]
Positive = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0)]


def _count(value: object) -> object:
    if value == "all" or (type(value) is int and value >= 1):
        return value
    raise ValueError('expected a whole number of at least 1 or "all"')


#: How many of something, or every one.  Checked as one thing, so that an error names the key once.
Count = Annotated[int | Literal["all"], BeforeValidator(_count)]


@dataclass(frozen=True)
class Known:
    """The names that a suite may use: data sets, models, and corruptions with their families."""

    datasets: Collection[str]
    models: Collection[str]
    corruptions: Mapping[str, str]


class _AnyName(Mapping[str, str]):
    """Holds every name."""

    def __contains__(self, name: object) -> bool:
        return True

    def __getitem__(self, name: str) -> str:
        return name

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


#: For what has been recorded: it is not run again, so the names that its suite has need not be known here.
ANY_NAME = _AnyName()


class Section(BaseModel):
    # TOML has types, so nothing is converted: a text is no number, and neither is true.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Data(Section):
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
        return check_names("data set", names, _known_of(info).datasets)


#: The initial weights that are no file.
WEIGHTS = ("none", "imagenet")


class Network(Section):
    """What a network is built from: ``width`` multiplies the number of channels and units of hidden layers,
    ``upsampling`` repeats each pixel in front of it, ``dense_units`` is the hidden layer behind the backbones
    of the original study.  ``initial_weights`` is ``"none"``, ``"imagenet"`` (tf-keras' own, downloaded) or
    the path of an ``.h5`` file in their layout, from the suite file's folder.
    """

    width: Annotated[float, Field(gt=0, le=4)] = 1.0
    upsampling: Annotated[int, Field(ge=1, le=16)] = 1
    dense_units: Positive = 1024
    initial_weights: str = "none"


class NetworkChange(Section):
    """What is otherwise for one network."""

    width: Annotated[float, Field(gt=0, le=4)] | None = None
    upsampling: Annotated[int, Field(ge=1, le=16)] | None = None
    dense_units: Positive | None = None
    initial_weights: str | None = None


class Model(Network):
    """Which networks, built from what; ``by_model`` says what is otherwise for one of them."""

    names: list[str] = Field(min_length=1)
    by_model: dict[str, NetworkChange] = {}

    @field_validator("names")
    @classmethod
    def _known(cls, names: list[str], info: ValidationInfo) -> list[str]:
        return check_names("model", names, _known_of(info).models)


def _epochs(value: object) -> object:
    if value == AS_ORIGINAL or (type(value) is int and value >= 1):
        return value
    raise ValueError(f'expected a whole number of at least 1 or "{AS_ORIGINAL}"')


#: As many epochs as the original took to its best one.
AS_ORIGINAL: Literal["as-original"] = "as-original"

Epochs = Annotated[int | Literal["as-original"], BeforeValidator(_epochs)]


class Training(Section):
    """One training run.  ``augment`` names the random changes of the training images; ``patience`` counts
    epochs without a better loss on the validation split before training stops.  ``epochs`` of a fine-tuning
    may be ``"as-original"``: as many as the original network took to reach its best one.  ``seed`` is for
    runs that are to differ in this training alone: initial weights and the order and augmentation of the
    images follow from it and not from the suite's, from which everything else still does.
    """

    epochs: Epochs
    batch_size: Positive
    learning_rate: Rate
    schedule: Literal["constant", "cosine"] = "constant"
    augment: list[Literal["flip", "shift"]] = []
    patience: Positive = 5
    seed: Annotated[int, Field(ge=0)] | None = None


class TrainingChange(Section):
    """What is otherwise in the training runs of one network or one step."""

    epochs: Epochs | None = None
    batch_size: Positive | None = None
    learning_rate: Rate | None = None
    schedule: Literal["constant", "cosine"] | None = None
    augment: list[Literal["flip", "shift"]] | None = None
    patience: Positive | None = None


class OriginalTraining(Training):
    """The training of the original networks; ``by_model`` says what is otherwise for one of them."""

    by_model: dict[str, TrainingChange] = {}

    @field_validator("epochs")
    @classmethod
    def _number(cls, epochs: int | str) -> int | str:
        if epochs == AS_ORIGINAL:
            raise ValueError("expected a whole number for the original itself")
        return epochs


class FineTuning(Training):
    """The training that follows a compression step.  ``by_step`` says what is otherwise for a step of the
    graph (``prune``, ``qat``, ...), ``by_model`` for a network, which has the last word.
    """

    by_step: dict[str, TrainingChange] = {}
    by_model: dict[str, TrainingChange] = {}

    @field_validator("by_step")
    @classmethod
    def _known(cls, changes: dict[str, TrainingChange]) -> dict[str, TrainingChange]:
        steps = {technique.step for technique in TECHNIQUES.values() if not technique.converted}
        check_names("step", list(changes), sorted(steps - {"train"}))
        return changes


def _share(value: object) -> object:
    if value == FOUND or (isinstance(value, float) and 0 < value < 1):
        return value
    raise ValueError(f'expected a number between 0 and 1 or "{FOUND}"')


#: The largest ratio that costs little enough, found by trying.
FOUND: Literal["auto"] = "auto"

#: What ``"auto"`` tries are multiples of this, as a fraction.
RATIO_STEP = 0.05


class L1Pruning(Section):
    """``ratio`` of the output channels of each convolution, and of the weights of each dense layer, are set
    to zero, or ``"auto"``: the largest ratio, in steps of :data:`RATIO_STEP`, that costs at most 5 points of
    accuracy on the validation split.  ``structural`` also takes the channels out of the deployed file.
    """

    ratio: Annotated[float | Literal["auto"], BeforeValidator(_share)] = 0.2
    structural: bool = False

    @property
    def least_ratio(self) -> float:
        """The least ratio that there can be."""
        return RATIO_STEP if isinstance(self.ratio, str) else self.ratio


class Compression(Section):
    """Which techniques, and their targets: sparsity as a fraction, clusters per kernel."""

    techniques: list[str] = Field(default=list(ORIGINAL_STUDY), min_length=1)
    sparsity: Fraction = 0.5
    clusters: Annotated[int, Field(ge=2, le=256)] = 16
    calibration_images: Positive = 200
    l1_pruning: L1Pruning = L1Pruning()

    @field_validator("techniques")
    @classmethod
    def _known(cls, names: list[str]) -> list[str]:
        return check_names("technique", names, TECHNIQUES)


class Corruptions(Section):
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
        return check_names("corruption", names, _known_of(info).corruptions)

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


class Latency(Section):
    """How one inference is timed: ``rounds`` timed calls on one image after ``warmup`` untimed ones."""

    rounds: Positive = 100
    warmup: Annotated[int, Field(ge=0)] = 10


class Statistics(Section):
    """How sure the figures have to be: intervals at ``level``, from ``replicates`` of the bootstrap.

    What the figures are about: ``"test-set"``, the whole test set, of which the images are a sample, so that
    nothing is uncertain once all are measured; or ``"such-images"``, images of its kind without number.
    """

    level: Fraction = 0.95
    replicates: Annotated[int, Field(ge=100)] = 2000
    about: Literal["test-set", "such-images"] = "test-set"


class Gate(Section):
    """When a comparison with a baseline is a regression: it has to be significant and to matter.

    ``least_effect`` is the smallest rise of a cell's error that matters, in points: 1.0 is one image in a
    hundred.  ``least_mce_effect`` is the smallest rise of a variant's mCE that matters, in per cent of the
    error of the baseline's original.  ``correction`` of the p-values for the number of tests: ``"bh"``
    (Benjamini-Hochberg), or ``"by"`` (Benjamini-Yekutieli), which holds however the cells depend on each
    other.  Significant is what ``1 - statistics.level`` says.
    """

    least_effect: Annotated[float, Field(gt=0, le=100)] = 1.0
    least_mce_effect: Rate = 2.0
    correction: Literal["bh", "by"] = "bh"


class Bounds(Section):
    """Limits that a case asserts; one that is absent is not asserted.

    ``accuracy_min`` and ``accuracy_drop_max`` are fractions of 1 on clean images, ``ce_max``, ``mce_max`` and
    ``relative_mce_max`` are in percent of the original network's error, ``mce_rise_max`` is how much mCE may
    lie above the original's, ``zipped_mb_max`` is in 10^6 bytes, ``latency_ms_max`` the median of one
    inference in milliseconds.  ``post_attack_accuracy_min`` is a fraction of 1, of the attack's images, after
    the worst that was done to them.  ``explanation_correlation_min`` is the mean rank correlation of Grad-CAM
    maps with the original's (-1 to 1), ``neighbour_accuracy_min`` (0 to 1) and ``silhouette_min`` (-1 to 1)
    are of the map of an embedding.
    """

    accuracy_min: Annotated[float, Field(ge=0, le=1)] | None = None
    accuracy_drop_max: Annotated[float, Field(ge=0, le=1)] | None = None
    ce_max: Rate | None = None
    mce_max: Rate | None = None
    mce_rise_max: Annotated[float, Field(ge=0)] | None = None
    relative_mce_max: Rate | None = None
    compression_ratio_min: Rate | None = None
    zipped_mb_max: Rate | None = None
    latency_ms_max: Rate | None = None
    post_attack_accuracy_min: Annotated[float, Field(ge=0, le=1)] | None = None
    explanation_correlation_min: Annotated[float, Field(ge=-1, le=1)] | None = None
    neighbour_accuracy_min: Annotated[float, Field(ge=0, le=1)] | None = None
    silhouette_min: Annotated[float, Field(ge=-1, le=1)] | None = None


class Thresholds(Bounds):
    """The limits for every case; ``where`` says what is otherwise for those that a pattern matches, the most
    specific one first (:mod:`benchmarks.rules`).  ``strict`` also fails a case whose interval straddles one.
    """

    strict: bool = False
    where: dict[str, Bounds] = {}


def check_names(what: str, names: list[str], known: Collection[str]) -> list[str]:
    """Return ``names``; raises ``ValueError`` if one is not ``known`` or occurs twice."""
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
