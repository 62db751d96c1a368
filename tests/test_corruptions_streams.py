"""The random numbers of the corruptions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from fixtures.corruptions.poisson import poisson_counts
from fixtures.corruptions.streams import Streams, standard_normals, unit_uniforms, unit_uniforms32


def streams(indices, seed=0, corruption="fog", severity=1):
    return Streams(seed, corruption, severity, np.asarray(indices))


def test_an_image_has_the_same_numbers_alone_and_among_others():
    together = streams([3, 1, 4]).words(10)
    np.testing.assert_array_equal(streams([1]).words(10)[0], together[1])
    np.testing.assert_array_equal(streams([9, 3, 1, 4])[1:].words(10), together)


def test_fewer_numbers_are_the_first_of_more():
    np.testing.assert_array_equal(streams([2]).words(5), streams([2]).words(100)[:, :5])


def test_streams_differ_by_seed_corruption_severity_and_index():
    different = [
        streams([0]),
        streams([1]),
        streams([0], seed=1),
        streams([0], corruption="snow"),
        streams([0], severity=2),
    ]
    assert len({one.words(2).tobytes() for one in different}) == len(different)


def test_a_generator_counts_on_where_its_words_begin():
    (generator,) = streams([5]).generators()
    np.testing.assert_array_equal(generator.bit_generator.random_raw(7), streams([5]).words(7)[0])


def test_the_numbers_stay_what_they_are():
    assert streams([0]).words(2).tolist() == [[1219410609810644322, 14026847057648476468]]


def test_uniform_numbers_are_uniform():
    words = streams(range(100)).words(1000)
    for uniforms in (unit_uniforms(words), unit_uniforms32(words.view(np.uint32))):
        assert uniforms.min() >= 0
        assert uniforms.max() < 1
        assert stats.kstest(uniforms.ravel(), "uniform").pvalue > 0.001


def test_normal_numbers_are_normal():
    normals = standard_normals(streams(range(100)).bits(np.uint16, (5000,))).ravel()
    assert stats.kstest(normals, "norm").pvalue > 0.001


def test_normal_numbers_have_the_moments_of_the_normal_distribution():
    normals = standard_normals(np.arange(1 << 16, dtype=np.uint16)).astype(np.float64)
    assert normals.mean() == pytest.approx(0, abs=1e-6)
    assert normals.std() == pytest.approx(1, abs=1e-6)
    assert (normals**4).mean() == pytest.approx(3, abs=2e-3)


@pytest.mark.parametrize("photons", [500, 50, 3])
def test_counts_have_the_poisson_distribution_of_their_grey_level(photons):
    levels = np.array([0, 1, 20, 128, 255], np.uint8)
    images = np.repeat(levels, 60_000).reshape(1, -1)
    counts = poisson_counts(streams([0], severity=photons).bits(np.uint32, images.shape[1:]), images, photons)
    for level, of_level in zip(levels, counts.reshape(len(levels), -1), strict=True):
        rate = level / 255 * photons
        occurring = np.bincount(of_level, minlength=1000)
        expected = stats.poisson.pmf(np.arange(len(occurring)), rate) * len(of_level)
        usual = expected > 20
        observed = np.append(occurring[usual], occurring[~usual].sum())
        wanted = np.append(expected[usual], expected[~usual].sum())
        deviation = ((observed - wanted) ** 2 / np.maximum(wanted, 1)).sum()
        assert deviation < stats.chi2.ppf(0.9999, usual.sum() + 1)


def test_every_count_that_32_bits_can_choose_has_its_probability():
    low = np.arange(1 << 16, dtype=np.uint32)
    columns = np.arange(0, 64, dtype=np.uint32) << np.uint32(26)  # a rate of at most 3 has 64 columns
    bits = (columns[:, None] | low).reshape(1, -1)
    counts = poisson_counts(bits, np.full(bits.shape, 170, np.uint8), 3)
    share = np.bincount(counts.ravel(), minlength=20)[:20] / counts.size
    np.testing.assert_allclose(share, stats.poisson.pmf(np.arange(20), 2), atol=2**-21)
