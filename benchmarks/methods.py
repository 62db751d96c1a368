"""The methods of cases: the attacks and the explanations of a suite, as sections of it."""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field, field_validator

from benchmarks.sections import Fraction, Positive, Rate, Section, check_names


class CarliniWagner(Section):
    """The attack of Carlini and Wagner (2017) for the smallest change by its L2 norm.

    ``iterations`` of Adam's kind at ``learning_rate`` for each of ``binary_search_steps`` that look for the
    weight of misclassification beside the norm, beginning at ``initial_weight``.  ``confidence`` is by how
    much the wrong class has to be ahead, in logits.
    """

    method: Literal["carlini_wagner"]
    learning_rate: Rate = 5e-5
    iterations: Positive = 40
    binary_search_steps: Positive = 10
    initial_weight: Rate = 0.01
    confidence: Annotated[float, Field(ge=0)] = 0.0


class FastGradientSign(Section):
    """The fast gradient sign method of Goodfellow et al. (2015): one step of ``epsilon`` for every pixel, as
    a fraction of the range of pixels.
    """

    method: Literal["fgsm"]
    epsilon: Fraction = 8 / 255


class ProjectedGradient(Section):
    """Projected gradient descent of Madry et al. (2018): ``iterations`` of ``step_size``, no pixel further
    than ``epsilon`` from where it was; both are fractions of the range of pixels.
    """

    method: Literal["pgd"]
    epsilon: Fraction = 8 / 255
    step_size: Fraction = 2 / 255
    iterations: Positive = 10


#: The settings of an attack; ``method`` says which.
Attack = Annotated[CarliniWagner | FastGradientSign | ProjectedGradient, Field(discriminator="method")]

_NAME = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Attacks(Section):
    """Which attacks, each under a name of the suite's choice, on how many test ``images``, drawn from those
    of ``data.test_images``.  ``batch_size`` of them are attacked at a time and kept together.
    """

    by_name: dict[_NAME, Attack] = Field(default={})
    images: Positive = 1000
    batch_size: Positive = 50


#: The ways of explaining.
EXPLANATIONS = MappingProxyType(
    {
        "embedding": "where the first dense layer puts images of a few classes: a map by t-SNE",
        "activation_maps": "which pixels a decision rests on: Grad-CAM and guided backpropagation",
    }
)

#: About how many neighbours of an image t-SNE keeps near it, by scikit-learn's default: it needs more images.
PERPLEXITY = 30


def least_images(neighbours: int) -> int:
    """Return the least images that a map and its figures, of ``neighbours`` of each, are defined for."""
    return max(PERPLEXITY, 2 * neighbours) + 1


class Explanations(Section):
    """Which ways of explaining.

    ``embedding_images`` are the points of the map, from the test images of the first ``embedding_classes``
    classes; its figures look at ``neighbours`` of each, fewer than half of them.  ``map_images`` are the
    images whose activation maps are measured, and ``samples`` of them are shown.
    """

    names: list[str] = Field(default=[])
    embedding_images: Annotated[int, Field(ge=50)] = 1000
    embedding_classes: Annotated[int, Field(ge=2)] = 10
    neighbours: Positive = 10
    map_images: Positive = 100
    samples: Annotated[int, Field(ge=1, le=12)] = 5

    @field_validator("names")
    @classmethod
    def _known(cls, names: list[str]) -> list[str]:
        return check_names("explanation", names, EXPLANATIONS)
