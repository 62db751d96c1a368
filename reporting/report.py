"""A report: everything that people read about a run, computed from what the run measured."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchmarks.cases import STANDARD_FAMILIES, Case
from benchmarks.schema import Suite
from benchmarks.sections import Statistics
from reporting import contents, studied, tables, tracking
from reporting.agreement import disagreement_sentences
from reporting.attacked import ATTACKED, Shown, attack_sentences, attacked_of, shown_of
from reporting.explained import (
    ActivationMaps,
    Embedding,
    embedding_figures,
    embeddings_of,
    explanation_sentences,
    map_figures,
    maps_of,
)
from reporting.files import write_bytes, write_text
from reporting.forgotten import Forgotten, forgotten_of
from reporting.frames import EXPECTED, SAMPLES, VARIANT, frame, from_records, samples_of
from reporting.journal import Entry, Header
from reporting.kernels import KERNELS, depthwise_sentences, kernels_of
from reporting.layout import Table, escape
from reporting.looked_at import LOOKED_AT, looked_at_of, looked_at_sentences
from reporting.metrics import BASELINE, Convention, compression_ratios, corruption_errors, summarise
from reporting.missing import absent_metrics, expected_cells, full_grid, missing_cells
from reporting.observed import Observed, observed_of
from reporting.paper.examples import Examples, examples_of
from reporting.paper.writing import Paper
from reporting.pareto import pareto_optimal
from reporting.sheets import Sheet, write_sheets
from reporting.tables import Failure, Held, failures_of, undecided_of
from reporting.uncertainty import INTERVALS, Uncertainty, uncertainty_of, with_intervals

if TYPE_CHECKING:  # which imports what imports this
    from reporting.regression.gated import Gated

TERMINAL_WIDTH = 100

#: The forms of the Pareto plot that a report shows.
_SHOWN = ("png", "svg")


@dataclass(frozen=True, eq=False)
class Report:
    """What a run measured, what it should have measured, and what failed.

    ``cells``, ``sizes`` and ``latency`` are the tables of :mod:`reporting.frames`; ``expected`` holds the
    cells that should be there (:func:`reporting.missing.expected_cells`).  ``suite`` and ``examples`` are for
    the tables and figures of the paper, which come ``with_paper`` alone; ``kernels`` is the table of
    :mod:`reporting.kernels`; ``observed`` are the outcomes by image, where they are known; ``unmeasured``
    are the cases, of any kind, that should have measured something and did not.  ``forgotten`` is what each
    variant forgot, as far as that was recorded; ``latency_samples`` is the table of single inferences.
    ``about`` is what is told about the run: ``command``, ``started``, ``python``, ``libraries``, ``machine``
    and, where it is known, ``ended``, which of a run that went on with a killed one are of its second part;
    of a merged run it is such a mapping for each in a list, ``merged`` (:func:`reporting.journal.runs_of`).
    ``families`` are those of the corruptions, by name; ``gated`` is what came of comparing the run with a
    baseline, if it was.  ``attacked`` is the table of :mod:`reporting.attacked`, ``attacks`` has the examples
    of it; ``embeddings`` and ``maps`` are the explanations.
    """

    cells: pd.DataFrame
    sizes: pd.DataFrame
    latency: pd.DataFrame
    expected: pd.DataFrame
    failures: tuple[Failure | Held, ...] = ()
    undecided: tuple[Held, ...] = ()
    convention: Convention = "unrounded"
    notes: tuple[str, ...] = ()
    suite: Suite | None = None
    examples: tuple[Examples, ...] = ()
    kernels: pd.DataFrame = field(default_factory=lambda: frame([], KERNELS))
    observed: tuple[Observed, ...] = ()
    looked_at: pd.DataFrame = field(default_factory=lambda: frame([], LOOKED_AT))
    with_paper: bool = True
    unmeasured: tuple[Case, ...] = ()
    forgotten: tuple[Forgotten, ...] = ()
    latency_samples: pd.DataFrame = field(default_factory=lambda: frame([], SAMPLES))
    about: Mapping[str, Any] = field(default_factory=dict)
    families: Mapping[str, str] = field(default_factory=lambda: STANDARD_FAMILIES)
    gated: Gated | None = None
    attacked: pd.DataFrame = field(default_factory=lambda: frame([], ATTACKED))
    attacks: tuple[Shown, ...] = ()
    embeddings: tuple[Embedding, ...] = ()
    maps: tuple[ActivationMaps, ...] = ()

    @classmethod
    def of_run(
        cls,
        header: Header,
        entries: Iterable[Entry],
        *,
        ended: str | None = None,
        convention: Convention | None = None,
        with_paper: bool = True,
        gated: Gated | None = None,
    ) -> Report:
        """Return the report on a run, of which the selected cases are expected.

        ``ended`` is when the run did, where that is known.  ``convention`` is that of the suite's protocol
        unless it is given.
        """
        entries = sorted(entries, key=lambda entry: entry.case)
        records = [entry.record for entry in entries if entry.record]
        suite, selected = header.suite, set(header.selected)
        strict = suite.thresholds.strict
        every = header.cases
        cases = [case for case in every if str(case) in selected]
        measured = {entry.case for entry in entries if entry.record}
        notes = suite.notes()
        if len(cases) < len(every):
            notes.append(f"Selected: {len(cases)} of the suite's {len(every)} cases.")
        return cls(
            *from_records(records),
            expected_cells(cases, suite.corruptions.severities),
            tuple(failure for entry in entries for failure in failures_of(entry, strict)),
            tuple(held for entry in entries for held in undecided_of(entry, strict)),
            convention or _convention_of(suite),
            tuple(notes),
            suite,
            examples_of(records),
            kernels_of(records),
            tuple(observed_of(records)),
            looked_at_of(records),
            with_paper,
            tuple(case for case in cases if str(case) not in measured),
            forgotten_of(records),
            samples_of(records),
            header.about_until(ended),
            header.families,
            gated,
            attacked_of(records, suite.statistics),
            shown_of(records),
            embeddings_of(records),
            maps_of(records, suite.statistics, suite.seed),
        )

    @classmethod
    def of_recorded(
        cls,
        cells: pd.DataFrame,
        sizes: pd.DataFrame,
        latency: pd.DataFrame,
        convention: Convention | None = None,
        suite: Suite | None = None,
    ) -> Report:
        """Return the report on recorded results, with every image set expected that any variant has.

        ``convention`` is that of the suite's protocol unless it is given.
        """
        convention = convention or _convention_of(suite)
        return cls(cells, sizes, latency, full_grid(cells), convention=convention, suite=suite)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row per variant (:func:`reporting.metrics.summarise`), with :data:`uncertainty.INTERVALS`."""
        summary = summarise(self.cells, self.sizes, self.convention)
        if len(self.looked_at):
            # Each case saw other images, as many as it took.
            summary[["mce", "relative_mce"]] = float("nan")
            summary["pareto"] = pareto_optimal(summary)
        return summary.join(self.uncertainty.variants.reindex(columns=list(INTERVALS)), on=VARIANT)

    @cached_property
    def statistics(self) -> Statistics:
        """How sure figures have to be: the suite's settings."""
        return self.suite.statistics if self.suite else Statistics()

    @cached_property
    def results(self) -> pd.DataFrame:
        """The cells with the intervals of their errors (:func:`uncertainty.with_intervals`)."""
        return with_intervals(self.cells, self.statistics).sort_values(list(EXPECTED))

    @cached_property
    def uncertainty(self) -> Uncertainty:
        """How sure the figures are."""
        return uncertainty_of(
            self.results,
            compression_ratios(self.sizes),
            self.observed,
            self.statistics,
            self.suite.seed if self.suite else 0,
        )

    @cached_property
    def corruption_errors(self) -> pd.DataFrame:
        """CE per variant and corruption (:func:`reporting.metrics.corruption_errors`)."""
        return corruption_errors(self.cells, self.convention)

    @cached_property
    def paper(self) -> Paper:
        """The tables and figures of the paper."""
        return Paper(self.summary, self.suite, self.examples)

    @cached_property
    def missing(self) -> pd.DataFrame:
        """The expected cells that were not measured."""
        return missing_cells(self.cells, self.expected)

    @cached_property
    def absent(self) -> pd.DataFrame:
        """Why metrics of a variant are absent (:func:`reporting.missing.absent_metrics`)."""
        absent = absent_metrics(self.cells, self.summary)
        # Why there is no mCE after a sequential evaluation, the sentences say.
        return absent[absent["metric"] != "mCE"] if len(self.looked_at) else absent

    def figures(self) -> Iterator[tracking.Figure]:
        """Yield every defined figure, for services that track benchmarks."""
        return tracking.figures(
            summary=self.summary,
            latency=self.latency,
            corruption_errors=self.corruption_errors,
            bounds=self.uncertainty.ce,
            attacked=self.attacked,
            maps=map_figures(self.maps),
        )

    def contents(self, *, brief: bool) -> Iterator[Table]:
        """Yield the report's tables, none wider than a terminal where models have names of usual length."""
        for sheet in self.sheets(brief=brief):
            yield from contents.fitting(sheet.shown)

    def sheets(self, *, brief: bool = False) -> Iterator[Sheet]:
        """Yield the report's tables whole, with the figures in them.

        A brief report has CE per corruption only of variants without mCE, few of what is undecided, and no
        costs, attacks and explanations, of which :meth:`outcomes` tells.
        """
        without_mce = self.summary.loc[self.summary["mce"].isna(), VARIANT]
        ce = self.corruption_errors
        if brief:
            ce = ce[ce.index.isin(pd.MultiIndex.from_frame(without_mce))]
        yield from contents.summary_sheets(self.summary)
        yield from contents.pareto_sheets(self.summary)
        yield from contents.corruption_sheets(ce)
        yield from contents.worst_sheets(self.cells, self.corruption_errors)
        yield from contents.looked_at_sheets(self.looked_at)
        yield from contents.latency_sheets(self.latency)
        if not brief:
            yield from studied.cost_sheets(self.summary, self.sizes, self.latency_samples)
            yield from studied.attack_sheets(self.attacked)
            yield from studied.embedding_sheets(embedding_figures(self.embeddings))
            yield from studied.map_sheets(map_figures(self.maps))
        yield from contents.failure_sheets(self.failures)
        yield from contents.undecided_sheets(self.undecided, brief=brief)
        yield from contents.missing_sheets(self.missing, self.absent)

    def sentences(self) -> Iterator[str]:
        """Yield what the report says in words: how to read its numbers, and what came out."""
        yield from self.notes
        yield from depthwise_sentences(self.kernels)
        yield from looked_at_sentences(self.looked_at)
        yield from self._certainty()
        severities = tables.runs(self.cells.loc[self.cells["severity"] > 0, "severity"].unique())
        if severities:
            yield (
                f"CE is the error summed over severities ({severities}) in % of the original's, mCE its mean "
                "over the fifteen standard corruptions: 100 is as robust as the original, less is better."
            )
        if self.convention == "rounded":
            yield "Each CE is rounded to an integer and each mean to one decimal, as in the original study."
        if self.summary.empty:
            yield "No accuracy, error or size was recorded."
        for dataset, rows in self.summary.groupby("dataset"):
            known = rows.loc[rows["technique"] != BASELINE, "mce"].dropna()
            if len(known):
                good = (known <= 100).sum()
                yield f"{dataset}: {good} of {len(known)} compressed variants have an mCE of 100 or less."
        if self.with_paper and not self.summary.empty:
            yield from self.paper.sentences()

    def outcomes(self) -> Iterator[str]:
        """Yield what attacks and explanations came to, in a sentence each."""
        yield from attack_sentences(self.attacked)
        embeddings, maps = embedding_figures(self.embeddings), map_figures(self.maps)
        yield from explanation_sentences(embeddings, maps)
        yield from disagreement_sentences(self.attacked, embeddings, maps)

    def _certainty(self) -> Iterator[str]:
        """Yield what the intervals are of, if there are any."""
        level, about = self.statistics.level, self.statistics.about
        for one in self.observed:
            images = one.outcomes.images
            if about == "such-images":
                meant = f"for images of this kind, judged by {images:,}"
            elif images < one.population:
                meant = f"for the whole test set of {one.population:,} images, judged by {images:,}"
            else:
                yield f"{one.dataset}: all {images:,} test images were measured; nothing is uncertain."
                continue
            yield f"{one.dataset}: ± is the larger side of the {100 * level:g} % interval {meant}."
        if (self.summary["mce"].notna() & self.summary["mce_low"].isna()).any() and self.observed:
            yield (
                "±? stands where these images do not bound a figure, because the original errs on so few of "
                "them; measure more images."
            )


def _convention_of(suite: Suite | None) -> Convention:
    return "rounded" if suite and suite.protocol == "paper" else "unrounded"


def render_terminal(report: Report, *, brief: bool = True) -> str:
    """Return the report as text that fits into 120 columns where models have names of usual length.

    ``brief`` is that of :meth:`Report.contents`.
    """
    paragraphs = [textwrap.fill(sentence, TERMINAL_WIDTH) + "\n" for sentence in report.sentences()]
    outcomes = [textwrap.fill(sentence, TERMINAL_WIDTH) + "\n" for sentence in report.outcomes()]
    return "\n".join(paragraphs + [table.to_text() for table in report.contents(brief=brief)] + outcomes)


def render_markdown(report: Report) -> str:
    """Return the report as a Markdown document."""
    paragraphs = [escape(sentence) + "\n" for sentence in [*report.sentences(), *report.outcomes()]]
    paragraphs.append("![Compression ratio, mCE and accuracy of every variant](pareto.svg)\n")
    paragraphs.append(
        "Tables are in [tables/](tables/) as Markdown, CSV and LaTeX; figures are in [figures/](figures/).\n"
    )
    if report.with_paper:
        paragraphs.append("The tables and figures of the paper are in [paper/](paper/).\n")
    sections = [table.to_markdown() for table in report.contents(brief=False)]
    return "\n".join(["# Robustness of compressed models\n", *paragraphs, *sections])


def write_report(report: Report, out: Path) -> list[Path]:
    """Write the report's files into the folder ``out``, made where needed, and return them.

    ``index.html``, the page to open (:mod:`reporting.page`), ``results.csv`` (every cell), ``summary.csv``
    and ``latency.csv`` (every variant), ``corruption_errors.csv`` (CE with its interval, where outcomes by
    image are known), ``kernels.csv`` (where files were inspected, every kernel of every variant),
    ``summary.md`` (the tables), ``pareto.png``, ``pareto.svg``, the files of :mod:`reporting.tracking`, each
    table as CSV, Markdown and LaTeX in ``tables/``, the figures of :mod:`reporting.pictures` in ``figures/``,
    and the tables and figures of the paper in ``paper/``.  The same report gives the same bytes.
    """
    from reporting.drawing import KINDS, save  # noqa: PLC0415 - matplotlib, which a terminal does not need
    from reporting.page import render_page  # noqa: PLC0415
    from reporting.pictures.writing import write_pictures  # noqa: PLC0415
    from reporting.plots import draw_pareto  # noqa: PLC0415

    csvs = {
        "results.csv": report.results,
        "summary.csv": report.summary,
        "latency.csv": report.latency.sort_values(VARIANT),
        **(
            {}
            if report.uncertainty.ce.empty
            else {"corruption_errors.csv": report.uncertainty.ce.reset_index()}
        ),
        **({} if report.kernels.empty else {"kernels.csv": report.kernels}),
    }
    written = [write_text(out / "index.html", render_page(report))]
    written += [
        write_text(out / name, table.to_csv(index=False, lineterminator="\n")) for name, table in csvs.items()
    ]
    written.append(write_text(out / "summary.md", render_markdown(report)))
    figure = draw_pareto(report.summary)
    pareto = {kind: save(figure, kind) for kind in (KINDS if report.with_paper else _SHOWN)}
    written += [write_bytes(out / f"pareto.{kind}", pareto[kind]) for kind in _SHOWN]
    tracked = tracking.files_of(report.figures(), report.statistics.level)
    written += [write_text(out / name, content) for name, content in tracked.items()]
    written += write_sheets(report.sheets(), out / "tables", contents.STEMS + studied.STEMS)
    written += write_pictures(report, out / "figures", pareto)
    return written + (report.paper.write(out / "paper", pareto) if report.with_paper else [])
