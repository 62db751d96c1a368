"""The identity of a case: one thing that is measured on one variant of one model.

A *variant* is a model on a data set after a technique (``digits-vgg6-pqat_int8``); a *case* is a variant and
the kind of measurement made on it.  Both are plain values, so a case means the same in the process that
collects it, in the worker that runs it and in the report that shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

#: Every kind of case, with what it measures (used to describe markers).
KINDS = MappingProxyType(
    {
        "accuracy": "top-1 accuracy on clean test images",
        "robustness": "top-1 error under one corruption at each severity",
        "mce": "mean corruption error over the fifteen standard corruptions",
        "claims": "size of the file, and whether it is what its technique claims",
        "latency": "time of one inference, alone on the machine",
        "adversarial": "accuracy on images that an attack has changed",
        "explainability": "what a network sees in its images, and whether compression keeps it",
    }
)

#: The families of the fifteen corruptions of the standard benchmark, in its order.
STANDARD_FAMILIES = MappingProxyType(
    dict.fromkeys(("gaussian_noise", "shot_noise", "impulse_noise"), "noise")
    | dict.fromkeys(("defocus_blur", "glass_blur", "motion_blur", "zoom_blur"), "blur")
    | dict.fromkeys(("snow", "frost", "fog", "brightness"), "weather")
    | dict.fromkeys(("contrast", "elastic_transform", "pixelate", "jpeg_compression"), "digital")
)

#: These fifteen corruptions: mCE is the mean over them.
STANDARD_CORRUPTIONS = tuple(STANDARD_FAMILIES)


@dataclass(frozen=True, order=True)
class Variant:
    """A model trained on a data set and compressed by a technique, each by its name in the suite."""

    dataset: str
    model: str
    technique: str

    def __str__(self) -> str:
        return f"{self.dataset}-{self.model}-{self.technique}"

    @property
    def original(self) -> Variant:
        """The uncompressed network that this variant is compared with."""
        return Variant(self.dataset, self.model, "original")


@dataclass(frozen=True, order=True)
class Case:
    """One measurement of a variant.

    ``kind`` is a key of :data:`KINDS`; ``corruption`` and ``family`` are set for ``robustness`` alone.
    ``method`` is the attack of an ``adversarial`` case, by its name in the suite, or how an
    ``explainability`` case explains.
    """

    variant: Variant
    kind: str
    corruption: str | None = None
    family: str | None = None
    method: str | None = None

    @property
    def what(self) -> str:
        """What is looked at: ``clean`` images, a corruption, a method, or the kind of the case."""
        return self.corruption or self.method or {"accuracy": "clean"}.get(self.kind, self.kind)

    def __str__(self) -> str:
        return f"{self.variant}-{self.what}"
