"""What attacks do to each variant, by every way of attacking, and whose robustness is masking alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from reporting.agreement import disagreement_sentences
from reporting.attacked import Example, Shown, masking_sentence
from reporting.frames import VARIANT
from reporting.page.pictures import address, fitting
from reporting.page.section import Section
from reporting.page.view import Shown as ShownVariant
from reporting.page.view import View
from reporting.studied import rate_texts, seconds_texts
from reporting.tables import figures

#: How much room the pictures may take, in bytes of the page.
ROOM = 800_000

#: What the page calls each way.
_WAYS = {"own": "own gradients", "twin": "through its twin", "transferred": "from the original"}

#: The width of the drawing of an accuracy, which is stretched to the width there is.
WIDTH = 100


def section(view: View) -> Section:
    """Return the attacks."""
    title = "What attacks do"
    attacked = view.report.attacked
    if attacked.empty:
        return Section("attacks", title, "Attacks", absent="no attack was tried")
    cases = attacked.drop_duplicates([*VARIANT, "attack"])
    shown = view.report.attacks
    most = max(len(one.examples) for one in shown)
    examples = fitting(most, ROOM, lambda number: _pictures(shown, number))
    several = cases["attack"].nunique() > 1
    return Section(
        "attacks",
        title,
        "Attacks",
        {
            "disagreeing": list(disagreement_sentences(attacked)),
            "attacked": len(cases[VARIANT].drop_duplicates()),
            "masked": list(_masked(attacked, several=several)),
            "unmasked": len(cases[~cases["masked"]][VARIANT].drop_duplicates()),
            "attacks": [
                _attack(view, str(attack), rows, shown, examples)
                for attack, rows in attacked.groupby("attack", sort=False)
            ],
            "datasets": sorted(attacked["dataset"].unique()),
            "models": sorted(attacked["model"].unique()),
            "left_out": examples < most,
            "examples": examples,
            "width": WIDTH,
        },
        {str(view.places[key]): rows for key, rows in _in_panels(attacked) if key in view.places},
    )


def _masked(attacked: pd.DataFrame, *, several: bool) -> Iterator[tuple[ShownVariant, str, str]]:
    """Yield each masked variant, the attack if there are ``several``, and how it is masked."""
    masked = attacked[attacked["masked"]]
    for key, rows in masked.groupby([*VARIANT, "attack"], sort=False):
        dataset, model, technique, attack = map(str, key)
        yield ShownVariant(dataset, model, technique), attack if several else "", masking_sentence(rows)


def _attack(
    view: View, attack: str, rows: pd.DataFrame, shown: Sequence[Shown], examples: int
) -> dict[str, Any]:
    """Return what is shown of an attack: its settings, a row a variant and way, its examples."""
    own = [one for one in shown if one.attack == attack]
    return {
        "name": attack,
        "method": rows["method"].iloc[0].replace("_", " "),
        "settings": _settings(own[0].settings),
        "images": f"{rows['images'].max():,}",
        "rows": _rows(view, rows),
        "examples": [
            (ShownVariant(*_names(one)), example, [address(picture) for picture in _of(example)])
            for one in own
            for example in one.examples[:examples]
        ],
    }


def _settings(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (name.replace("_", " "), f"{value:g}" if isinstance(value, int | float) else str(value))
        for name, value in settings.items()
        if name != "method"
    ]


def _rows(view: View, rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a row of text for each variant and way."""
    ways = rows.groupby(VARIANT, sort=False)["way"]
    texts = {
        "before": figures(100 * rows["accuracy_before"], 1),
        "after": rate_texts(rows, "accuracy_after"),
        "confidence_before": figures(100 * rows["confidence_before"], 1),
        "confidence_after": figures(100 * rows["confidence_after"], 1),
        "seconds": seconds_texts(rows["seconds_per_image"]),
        "l2": figures(rows["l2_mean"], 2),
        "median": figures(rows["l2_median"], 2),
        "raw": figures(100 * rows["attacked_wrong"], 1),
        "fooled": rate_texts(rows, "success"),
        "agreement": figures(100 * rows["agreement"], 1),
    }
    spans = zip(ways.transform("size"), ways.cumcount(), strict=True)
    return [
        {
            "variant": (variant := ShownVariant(*(row[name] for name in VARIANT))),
            "linked": variant.key in view.places,
            "span": 0 if place else span,
            "way": _WAYS[row["way"]],
            "why": "" if row["gradients"] else row["why"],
            "gradients": row["gradients"],
            "beats_own": row["beats_own"],
            "at": [_at(row["accuracy_after"]), _at(row["accuracy_before"])],
        }
        | {name: column[number] for name, column in texts.items()}
        for number, (row, (span, place)) in enumerate(zip(rows.to_dict("records"), spans, strict=True))
    ]


def _at(accuracy: float) -> float | None:
    """Return where on the drawing an accuracy is."""
    return None if pd.isna(accuracy) else round(WIDTH * accuracy, 1)


def _in_panels(attacked: pd.DataFrame) -> Iterator[tuple[tuple[str, str, str], list[list[str]]]]:
    """Yield by variant what its panel shows: attack and way, accuracy before and after, images fooled."""
    for key, rows in attacked.groupby(VARIANT):
        texts = zip(
            rows["attack"],
            [_WAYS[way] for way in rows["way"]],
            figures(100 * rows["accuracy_before"], 1),
            rate_texts(rows, "accuracy_after"),
            rate_texts(rows, "success"),
            ["masked" if beats else "" for beats in rows["beats_own"]],
            strict=True,
        )
        dataset, model, technique = map(str, key)
        yield (dataset, model, technique), [list(row) for row in texts]


def _pictures(shown: Sequence[Shown], examples: int) -> Iterator[str]:
    for one in shown:
        for example in one.examples[:examples]:
            yield from _of(example)


def _of(example: Example) -> tuple[str, str, str]:
    return example.clean, example.adversarial, example.change


def _names(one: Shown) -> tuple[str, str, str]:
    return one.variant.dataset, one.variant.model, one.variant.technique
