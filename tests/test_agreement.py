"""Twins that see something else than their files are told."""

from __future__ import annotations

import pandas as pd

from reporting.agreement import LEAST, disagreement_sentences


def agreements(**by_technique: float) -> pd.DataFrame:
    rows = [("digits", "vgg6", technique, share) for technique, share in by_technique.items()]
    return pd.DataFrame(rows, columns=["dataset", "model", "technique", "agreement"])


def test_twins_that_agree_are_not_told_of() -> None:
    assert list(disagreement_sentences(agreements(original=1.0, int8=LEAST))) == []
    assert list(disagreement_sentences(agreements(int8=float("nan")))) == []
    assert list(disagreement_sentences(agreements())) == []


def test_each_that_does_not_is_told_with_its_least_agreement_in_the_order_of_techniques() -> None:
    [sentence] = disagreement_sentences(agreements(pcqat_int8=0.9, int8=0.8), agreements(int8=0.45, qat=1.0))
    assert sentence.endswith("digits-vgg6-int8 (45.0%), digits-vgg6-pcqat_int8 (90.0%).")
    assert "fewer than 95% of the images" in sentence
