"""How many images a sequential evaluation looks at, from the outcomes of a run that looked at all.

    python -m docs.sequential_curve REPORT [--ce-max 150] [--orders 20] [--out docs/sequential]

REPORT is the folder of a report.  For each compressed variant and corruption of it, the question whether CE
is at most the limit is put to a sequential evaluation, the images in an order drawn at random, several times.
Written are ``curve.csv`` (the share of the cells decided after each share of the images), the same as
``curve.png`` and ``curve.svg``, and a page that says how many cells were decided when, and whether every
decision is what all images say.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import style
from matplotlib.figure import Figure

from fixtures.sequential import ABOVE, corruption_error_evaluation, corruption_error_values
from reporting.drawing import GREY, INK, STYLE, save
from reporting.files import listed, write_bytes, write_text
from reporting.journal import read_journal
from reporting.observed import Observed, observed_of
from reporting.statistics.outcomes import NO_ORIGINAL

#: Images that a case looks at between two decisions.
BATCH = 25


@dataclass(frozen=True)
class Looked:
    """What one evaluation took: the share of the images, and whether its decision was that of all images.

    ``agrees`` is ``None`` where all images had to be looked at.
    """

    dataset: str
    share: float
    agrees: bool | None


def looked_at(observed: Observed, ce_max: float, orders: int, rng: np.random.Generator) -> Iterator[Looked]:
    """Yield what each evaluation of each compressed variant and corruption took."""
    outcomes = observed.outcomes
    wrong = np.unpackbits(outcomes.wrong, axis=-1, count=outcomes.images).astype(bool)
    for index, original in enumerate(outcomes.original):
        if original in (index, NO_ORIGINAL):
            continue
        for corruption in outcomes.corruptions:
            own = [place for place, (name, _) in enumerate(outcomes.cells) if name == corruption]
            if not (outcomes.measured[index, own] & outcomes.measured[original, own]).all():
                continue
            values = corruption_error_values(wrong[index, own], wrong[original, own], ce_max)
            truth = values.sum() > 0
            for _ in range(orders):
                evaluation = corruption_error_evaluation(ce_max, severities=len(own), images=outcomes.images)
                drawn = values[rng.permutation(outcomes.images)]
                for start in range(0, outcomes.images, BATCH):
                    if evaluation.update(drawn[start : start + BATCH]) is not None:
                        break
                share = evaluation.seen / outcomes.images
                early = evaluation.seen < outcomes.images
                yield Looked(
                    observed.dataset, share, (evaluation.decision == ABOVE) == truth if early else None
                )


def curve_of(looked: pd.DataFrame) -> pd.DataFrame:
    """Return the share of the evaluations decided (fraction) at each share of the images, by data set."""
    shares = np.linspace(0, 1, 101)
    return pd.DataFrame(
        [
            {"dataset": dataset, "images": share, "decided": (rows["share"] <= share).mean()}
            for dataset, rows in looked.groupby("dataset")
            for share in shares
        ]
    )


def draw(curve: pd.DataFrame, ce_max: float) -> Figure:
    """Return the curve as a figure."""
    with style.context(STYLE):
        figure = Figure(figsize=(5.2, 3.4), layout="constrained")
        axes = figure.add_subplot()
        for dataset, rows in curve.groupby("dataset"):
            axes.step(
                100 * rows["images"], 100 * rows["decided"], where="post", color=INK, label=str(dataset)
            )
        axes.axvline(20, color=GREY, linestyle=(0, (5, 3)), linewidth=0.9)
        axes.set(
            xlabel="images looked at, in %",
            ylabel="cells decided, in %",
            title=f"Is CE at most {ce_max:g} %?  Decided at a level of 95 %",
            xlim=(0, 100),
            ylim=(0, 102),
        )
        axes.grid(color=GREY, alpha=0.25, linewidth=0.5)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        if curve["dataset"].nunique() > 1:
            axes.legend(frameon=False)
    return figure


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m docs.sequential_curve",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("report", type=Path, metavar="REPORT")
    parser.add_argument("--out", type=Path, metavar="DIR", default=Path("docs/sequential"))
    parser.add_argument("--ce-max", type=float, default=150.0, help="the limit in per cent (default: 150)")
    parser.add_argument("--orders", type=int, default=20, help="random orders of each cell (default: 20)")
    options = parser.parse_args()
    recording = read_journal(options.report)
    rng = np.random.default_rng(recording.header.suite.seed)
    looked = pd.DataFrame(
        [
            vars(one)
            for observed in observed_of(recording.records)
            for one in looked_at(observed, options.ce_max, options.orders, rng)
        ]
    )
    curve = curve_of(looked)
    figure = draw(curve, options.ce_max)
    written = [write_text(options.out / "curve.csv", curve.to_csv(index=False, lineterminator="\n"))]
    written += [write_bytes(options.out / f"curve.{kind}", save(figure, kind)) for kind in ("png", "svg")]
    page = page_of(looked, recording.header.suite.name, options.ce_max, options.orders)
    written.append(write_text(options.out / "README.md", page))
    print(page, "Written:", *listed(written), sep="\n")


def page_of(looked: pd.DataFrame, suite: str, ce_max: float, orders: int) -> str:
    """Return what came out, as Markdown."""
    early = looked[looked["agrees"].notna()]
    wrong = int((~early["agrees"].astype(bool)).sum())
    rows = {
        "cells (compressed variant x corruption), each in as many random orders": (
            f"{len(looked) // orders:,} x {orders}"
        ),
        "decided from at most 20 % of the images": f"{(looked['share'] <= 0.2).mean():.1%}",
        "decided before the last image": f"{len(early) / len(looked):.1%}",
        "images looked at, of all": f"{looked['share'].mean():.1%}",
        "decisions that all images contradict (5 % are allowed)": f"{wrong} of {len(early):,}",
    }
    return "\n".join(
        [
            "# Stop when it is certain\n",
            f"Made by `python -m docs.sequential_curve` from the outcomes of a run of suite `{suite}` that "
            f"looked at every image: is CE at most {ce_max:g} %, asked of images in random order, {BATCH} "
            "at a time, at a level of 95 %?\n",
            "![Share of the cells decided after each share of the images](curve.png)\n",
            "| what | |",
            "|---|--:|",
            *(f"| {what} | {figure} |" for what, figure in rows.items()),
            "",
        ]
    )


if __name__ == "__main__":
    main()
