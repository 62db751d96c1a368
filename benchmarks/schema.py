"""What is measured: a suite, which describes a whole run (its sections: :mod:`benchmarks.sections`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, TypeVar

from pydantic import Field, model_validator

from benchmarks.cases import KINDS, STANDARD_CORRUPTIONS, Case, Variant
from benchmarks.methods import EXPLANATIONS, PERPLEXITY, Attacks, Explanations, least_images
from benchmarks.sections import (
    Compression,
    Corruptions,
    Data,
    FineTuning,
    Gate,
    Latency,
    Model,
    Network,
    OriginalTraining,
    Section,
    Statistics,
    Thresholds,
    Training,
    suggestion,
)
from benchmarks.techniques import TECHNIQUES

AnySection = TypeVar("AnySection", bound=Section)


class Suite(Section):
    """A whole run.  ``name`` is the suite file's; ``seed`` determines everything random in it.

    ``evaluation``: ``"full"``, or ``"sequential"``, which looks at the images of a case only until its
    thresholds are decided.

    ``module`` is a Python file beside the suite file that registers what is the user's own.  ``protocol``:
    ``"sound"``, or ``"paper"`` for the original study's own choices where they are not: training stops early
    by the test set and uses every training image, plain QAT fake-quantizes only convolutions and dense
    layers, and each CE is rounded before it is averaged.
    """

    name: str
    description: str
    seed: Annotated[int, Field(ge=0)] = 0
    module: str | None = None
    protocol: Literal["sound", "paper"] = "sound"
    evaluation: Literal["full", "sequential"] = "full"
    data: Data
    model: Model
    training: OriginalTraining
    fine_tuning: FineTuning
    compression: Compression = Compression()
    corruptions: Corruptions
    latency: Latency = Latency()
    attacks: Attacks = Attacks()
    explanations: Explanations = Explanations()
    statistics: Statistics = Statistics()
    gate: Gate = Gate()
    thresholds: Thresholds = Thresholds()

    @model_validator(mode="after")
    def _changes_name_models(self) -> Suite:
        for section in ("model", "training", "fine_tuning"):
            changes = getattr(self, section).by_model
            for name in changes:
                if name not in self.model.names:
                    raise ValueError(
                        f"{section}.by_model: expected one of the suite's models "
                        f"({', '.join(self.model.names)}), got {name!r}{suggestion(name, self.model.names)}"
                    )
        return self

    @model_validator(mode="after")
    def _sequential_is_of_the_test_set(self) -> Suite:
        if self.evaluation == "sequential" and self.statistics.about != "test-set":
            raise ValueError(
                'statistics.about: expected "test-set" with evaluation = "sequential", got '
                f'"{self.statistics.about}", because what is decided is on which side of a threshold the '
                "whole test set is"
            )
        return self

    @model_validator(mode="after")
    def _attacks_have_names_of_their_own(self) -> Suite:
        taken = {*KINDS, "clean", *self.corruptions.names, *EXPLANATIONS}
        for name in self.attacks.by_name:
            if name in taken:
                raise ValueError(
                    f"attacks.by_name: expected a name that nothing else has, got {name!r}, because cases "
                    "are named after what they look at; call it otherwise"
                )
        return self

    @model_validator(mode="after")
    def _embeddings_have_enough_images(self) -> Suite:
        section, there = self.explanations, self.data.test_images
        images = section.embedding_images if there == "all" else min(section.embedding_images, there)
        least = least_images(section.neighbours)
        if "embedding" in section.names and images < least:
            raise ValueError(
                f"explanations: expected at least {least} test images to embed, got {images}, "
                f"because t-SNE looks at {PERPLEXITY} neighbours of each and trustworthiness at "
                f"{section.neighbours} of fewer than half; try a larger data.test_images or "
                "explanations.embedding_images, or fewer explanations.neighbours"
            )
        return self

    def network(self, model: str) -> Network:
        """Return what one of the suite's networks is built from."""
        return _changed(Network, self.model, self.model.by_model.get(model))

    def budget(self, step: str, model: str) -> Training:
        """Return the training run of one step (``train`` makes the original) on one network."""
        if step == "train":
            return _changed(Training, self.training, self.training.by_model.get(model))
        section = self.fine_tuning
        return _changed(Training, section, section.by_step.get(step), section.by_model.get(model))

    def notes(self) -> list[str]:
        """Return in sentences what a reader of the results has to know of how they came about."""
        if self.protocol == "paper":
            protocol = (
                "Protocol: the study's own. Training stopped by the test set, plain QAT quantized "
                "convolutions and dense layers alone, CEs are rounded."
            )
        else:
            protocol = "Protocol: sound. Training stopped by a validation split of the training images."
        return [protocol, self.corruptions.describe()]

    def variants(self) -> Iterator[Variant]:
        """Yield every variant, in the order of the suite file, techniques in the order of the graph."""
        for dataset in self.data.datasets:
            for model in self.model.names:
                for technique in TECHNIQUES:
                    if technique in self.compression.techniques:
                        yield Variant(dataset, model, technique)

    def cases(self, kind: str, families: Mapping[str, str]) -> Iterator[Case]:
        """Yield every case of one kind; ``families`` maps each corruption to its family.

        There is an mCE only where the suite has all fifteen standard corruptions and looks at every image.
        """
        if kind not in KINDS:
            raise KeyError(kind)
        complete = set(STANDARD_CORRUPTIONS) <= set(self.corruptions.names) and self.evaluation == "full"
        if kind == "mce" and not complete:
            return
        for variant in self.variants():
            if kind == "robustness":
                for corruption in self.corruptions.names:
                    yield Case(variant, kind, corruption, families[corruption])
            elif kind == "adversarial":
                for attack in self.attacks.by_name:
                    yield Case(variant, kind, method=attack)
            elif kind == "explainability":
                for explanation in self.explanations.names:
                    yield Case(variant, kind, method=explanation)
            else:
                yield Case(variant, kind)


def _changed(kind: type[AnySection], base: Section, *changes: Section | None) -> AnySection:
    """Return the fields of ``kind`` as ``base`` has them, with what each of ``changes`` sets in its turn.

    ``None`` sets nothing, however it came there: a suite also travels to other processes as JSON.
    """
    values = {name: getattr(base, name) for name in kind.model_fields}
    for change in changes:
        if change is not None:
            values |= change.model_dump(exclude_none=True)
    return kind.model_construct(**values)
