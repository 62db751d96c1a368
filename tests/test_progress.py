"""What long steps say of themselves: how far they are, not too often, and that they are still alive."""

from __future__ import annotations

import threading
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.durations import in_words
from fixtures.progress import AT_LEAST, EVERY, Evaluation, Training, signs_of_life


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (44.6, "45 s"), (99.4, "99 s"), (99.6, "2 min"), (5930, "99 min"), (9000, "2 h 30 min")],
)
def test_a_length_of_time_is_told_as_people_say_it(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


# Evaluations


def evaluated(
    clock: Clock, seconds_a_batch: float, *, severities: int = 5, images: int = 10_000
) -> list[str]:
    """Return what the evaluation of batches of 100 images says while each takes so long."""
    lines: list[str] = []
    evaluation = Evaluation(
        lines.append, "digits-vgg6-int8 fog", severities=severities, images=images, clock=clock
    )
    with evaluation:
        for _ in range(severities * images // 100):
            clock.now += seconds_a_batch
            evaluation.seen(100)
    return lines


def test_an_evaluation_says_how_far_it_is_and_how_long_the_rest_takes() -> None:
    lines = evaluated(Clock(), 0.125)
    assert lines[2] == "digits-vgg6-int8 fog: 3 of 5 severities, 36,000 of 50,000 images, 18 s left"
    assert len(lines) == 4


def test_clean_images_have_no_severities() -> None:
    lines = evaluated(Clock(), 3, severities=1, images=1_000)
    assert lines == ["digits-vgg6-int8 fog: 500 of 1,000 images, 15 s left"]


@given(st.floats(0, 60), st.integers(1, 5))
def test_an_evaluation_is_never_silent_for_long_nor_speaks_often(pause: float, severities: int) -> None:
    clock, spoke = Clock(), [1000.0]
    evaluation = Evaluation(
        lambda _: spoke.append(clock.now), "x", severities=severities, images=1_000, clock=clock
    )
    for _ in range(severities * 10 - 1):
        clock.now += pause
        evaluation.seen(100)
        assert clock.now - spoke[-1] < EVERY
    assert all(later - earlier >= EVERY for earlier, later in pairwise(spoke))


def test_a_short_evaluation_is_told_only_as_a_detail() -> None:
    lines: list[str] = []
    details: list[str] = []
    clock = Clock()
    with Evaluation(
        lines.append, "x clean", severities=1, images=100, detail=details.append, clock=clock
    ) as evaluation:
        clock.now += 1.26
        evaluation.seen(100)
    assert lines == []
    assert details == ["x clean: 100 images to evaluate", "x clean: 100 images evaluated in 1.3 s"]


def test_an_evaluation_that_fails_is_not_said_to_have_ended() -> None:
    details: list[str] = []
    with (
        pytest.raises(ValueError, match="broken"),
        Evaluation(details.append, "x", severities=1, images=2, detail=details.append),
    ):
        raise ValueError("broken")
    assert details == ["x: 2 images to evaluate"]


# Training


def trained(epochs: int, seconds_a_batch: float, *, batches: int = 10, stopped_after: int = 0) -> list[str]:
    """Return what a training run says, that may be stopped early."""
    lines: list[str] = []
    clock = Clock()
    training = Training(lines.append, epochs=epochs, batches=batches, clock=clock)
    for epoch in range(stopped_after or epochs):
        for batch in range(batches):
            clock.now += seconds_a_batch
            training.batch(batch + 1)
        training.epoch(f"loss {epoch}")
    training.end()
    return lines


def test_of_short_epochs_the_first_and_the_last_are_told() -> None:
    assert trained(9, 0.01) == [
        "epoch 1/9: loss 0, at most 1 s left",
        "epoch 9/9: loss 8",
    ]


def test_the_last_epoch_is_told_where_training_stops_early() -> None:
    assert trained(9, 0.01, stopped_after=4)[-1] == "epoch 4/9: loss 3, at most 0 s left"


def test_the_only_epoch_is_told_once() -> None:
    assert trained(1, 0.01) == ["epoch 1/1: loss 0"]


def test_the_time_that_the_first_batch_takes_to_compile_is_not_expected_again() -> None:
    lines: list[str] = []
    clock = Clock()
    training = Training(lines.append, epochs=1, batches=101, clock=clock)
    for number, seconds in ((1, 120), (2, 15), (3, 15)):
        clock.now += seconds
        training.batch(number)
    assert lines == [
        "epoch 1/1: batch 1 of 101",
        "epoch 1/1: batch 2 of 101, at most 25 min left",
        "epoch 1/1: batch 3 of 101, at most 24 min left",
    ]


def test_epochs_between_are_told_no_more_often_than_needed() -> None:
    lines = trained(20, AT_LEAST / 10 / 2)
    assert [line.partition(":")[0] for line in lines] == [
        f"epoch {number}/20" for number in (1, *range(3, 20, 2), 20)
    ]


def test_a_long_epoch_is_told_of_within() -> None:
    lines = trained(2, EVERY / 5)
    assert lines[0] == "epoch 1/2: batch 5 of 10, at most 45 s left"
    assert "epoch 2/2: batch 5 of 10, at most 15 s left" in lines


def test_a_long_validation_is_told_of() -> None:
    lines: list[str] = []
    clock = Clock()
    training = Training(lines.append, epochs=3, batches=10, clock=clock)
    clock.now += EVERY
    training.validation_batch(7)
    training.validation_batch(8)
    assert lines == ["epoch 1/3: validating, batch 7"]


# Signs of life


def test_what_is_silent_is_told_to_go_on() -> None:
    spoke = threading.Event()
    lines: list[str] = []

    def tell(line: str) -> None:
        lines.append(line)
        spoke.set()

    with signs_of_life(tell, "cifar10: loading", every=0.01):
        assert spoke.wait(timeout=60)
    assert lines[0] == "cifar10: loading, 0 s so far"


def test_what_speaks_for_itself_needs_no_sign_of_life() -> None:
    lines: list[str] = []
    with signs_of_life(lines.append, "x", every=60) as tell:
        tell("epoch 1/2")
    assert lines == ["epoch 1/2"]


def test_nothing_is_told_when_it_is_over() -> None:
    lines: list[str] = []
    threads = threading.active_count()
    with pytest.raises(OSError, match="gone"), signs_of_life(lines.append, "x", every=0.01):
        raise OSError("gone")
    told = len(lines)
    time.sleep(0.05)
    assert len(lines) == told
    assert threading.active_count() == threads
