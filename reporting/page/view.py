"""A report as the sections of the page look at it: its variants with their names, addresses and figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pandas as pd

from benchmarks.techniques import TECHNIQUES
from reporting.frames import CLEAN, VARIANT
from reporting.page.metrics import Metric, metrics_of
from reporting.tables import corruptions_in_order, number, titles

if TYPE_CHECKING:
    from reporting.report import Report

#: Digits that are kept of a figure: enough for every image of the largest test set to count.
_DIGITS = 7


@dataclass(frozen=True)
class Shown:
    """A variant by its names, as people and as the page's scripts call it."""

    dataset: str
    model: str
    technique: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What names it in a table of a report."""
        return self.dataset, self.model, self.technique

    @property
    def id(self) -> str:
        """Its address within the page, which is the same in every report."""
        return "/".join(quote(name, safe="") for name in self.key)

    @property
    def title(self) -> str:
        """Its technique, as people write it."""
        return titles([self.technique])[0]

    @property
    def number(self) -> str:
        """The number of its technique, such as ``#12``, or nothing where it has none."""
        return number(self.technique) if self.technique in TECHNIQUES else ""

    @property
    def traits(self) -> list[str]:
        """What its technique is, in the order of their names."""
        return sorted(TECHNIQUES[self.technique].traits) if self.technique in TECHNIQUES else []


@dataclass(frozen=True, eq=False)
class View:
    """A ``report``, and what several sections need of it, computed once."""

    report: Report

    @cached_property
    def variants(self) -> list[Shown]:
        """Every variant of which anything is known, in the order of the summary."""
        return [Shown(*names) for names in self.report.summary[VARIANT].itertuples(index=False)]

    @cached_property
    def places(self) -> Mapping[tuple[str, str, str], int]:
        """Where each variant is in :attr:`variants`."""
        return {variant.key: place for place, variant in enumerate(self.variants)}

    @cached_property
    def datasets(self) -> list[str]:
        """The data sets, sorted."""
        return list(dict.fromkeys(variant.dataset for variant in self.variants))

    @cached_property
    def models(self) -> list[str]:
        """The networks, in the order of the variants."""
        return list(dict.fromkeys(variant.model for variant in self.variants))

    @cached_property
    def figures(self) -> pd.DataFrame:
        """The summary with the size and the latency under the names of the metrics; a row a variant."""
        latency = self.report.latency.set_index(VARIANT).rename(
            columns={"median_s": "latency", "p90_s": "latency_p90"}
        )
        summary = self.report.summary.join(latency, on=VARIANT)
        return summary.assign(zipped=summary["zipped_bytes"].astype("float64"))

    @cached_property
    def metrics(self) -> Mapping[str, Metric]:
        """How each figure is shown, by its key."""
        return metrics_of(self.figures)

    @cached_property
    def known(self) -> list[str]:
        """The keys of the metrics that any variant has."""
        return [key for key in self.metrics if self.figures[key].notna().any()]

    def corruptions(self, dataset: str) -> list[str]:
        """Return the corruptions of a data set, by family."""
        cells = self.report.cells
        measured = cells.loc[(cells["dataset"] == dataset) & (cells["corruption"] != CLEAN), "corruption"]
        return self.in_order(measured)

    def in_order(self, corruptions: Iterable[str]) -> list[str]:
        """Return corruptions by family, without repetition."""
        return corruptions_in_order(corruptions, self.report.families)

    def family(self, corruption: str) -> str:
        """Return the family of a corruption, or ``other`` where it is not known."""
        return self.report.families.get(corruption, "other")

    def to_json(self) -> dict[str, Any]:
        """Return what every script needs: variants and metrics."""
        rows = self.figures.to_dict("records")
        return {
            "metrics": [self.metrics[key].to_json() for key in self.known],
            "datasets": self.datasets,
            "variants": [
                {
                    "id": variant.id,
                    "dataset": variant.dataset,
                    "model": variant.model,
                    "technique": variant.technique,
                    "title": variant.title,
                    "number": variant.number,
                    "figures": {key: self._figure(row, key) for key in self.known},
                    "front": number_or_none(row["pareto_probability"]),
                    "optimal": None if pd.isna(row["pareto"]) else bool(row["pareto"]),
                    "drop": [number_or_none(row[f"accuracy_drop{end}"]) for end in ("", "_low", "_high")],
                    "p90": number_or_none(row["latency_p90"]),
                }
                for variant, row in zip(self.variants, rows, strict=True)
            ],
        }

    def _figure(self, row: Mapping[Any, Any], key: str) -> list[float | None]:
        """Return a figure with the ends of its interval, ``null`` where one is absent."""
        return [number_or_none(row.get(f"{key}{end}")) for end in ("", "_low", "_high")]


def number_or_none(value: Any, digits: int = _DIGITS) -> float | None:
    """Return a number with so many significant ``digits``, ``None`` where it is absent."""
    return None if pd.isna(value) else float(f"{value:.{digits}g}")


def label(variant: Shown, datasets: Sequence[str]) -> str:
    """Return a variant in words, with its data set where there are several."""
    names = [variant.dataset] if len(datasets) > 1 else []
    code = f" ({variant.number})" if variant.number else ""
    return " · ".join([*names, variant.model, f"{variant.title}{code}"])
