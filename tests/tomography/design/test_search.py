"""Optimal readouts, against the enumeration of all sets with plain linear algebra."""

import itertools

import numpy as np
import pytest

from nmrqb.errors import ArgumentError
from nmrqb.sample import Coupling, Sample, Spin, load_sample
from nmrqb.spectrometer import Receiver
from nmrqb.tomography import measurement_chain, response_matrix
from nmrqb.tomography.design import (
    analyse,
    best_set,
    global_candidates,
    local_candidates,
    optimal_readouts,
)
from nmrqb.tomography.design.exchange import _exchanged, best
from nmrqb.tomography.design.sets import Pool, spectral_figure
from nmrqb.tomography.response import amplitude_covariance, seen_amplitudes

CHLOROFORM = load_sample("chloroform")
RECEIVER = Receiver(2000.0, 256)
HOMONUCLEAR = Sample(
    "ab", (Spin("A", "1H", 60.0), Spin("B", "1H", -45.0)), (Coupling(("A", "B"), 10.0),)
)
DELAYED = (
    "II",
    "XX",
    "YY",
    "45 x",
    "45 y",
    "XX - 2 ms - XX",
    "XX - 2 ms - YY",
    "90 x - 1 ms - 45 x",
)
THREE = Sample(
    "abc",
    tuple(Spin(s, n) for s, n in zip("ABC", ("1H", "13C", "15N"), strict=True)),
    (Coupling(("A", "B"), 140.0), Coupling(("A", "C"), -90.0), Coupling(("B", "C"), 15.0)),
)
FOUR = Sample(
    "abcd",
    tuple(Spin(s, n) for s, n in zip("ABCD", ("1H", "13C", "15N", "19F"), strict=True)),
    tuple(
        Coupling(pair, J)
        for pair, J in zip(
            itertools.combinations("ABCD", 2), (140, -90, 40, 15, 250, 7), strict=True
        )
    ),
)
FIGURES = {
    "A": lambda s: np.sum(s**-2.0),
    "E": lambda s: s[-1] ** -2.0,
    "condition": lambda s: s[0] / s[-1],
}


def blocks_of(chain, noise=None):
    """Return what every readout alone shows, whitened on its own: name → (rows, P)."""
    found = {}
    for name in chain.readouts:
        single = measurement_chain(
            chain.setup.sample, [name], pulses=chain.setup.pulses, relaxation=False,
            receiver=RECEIVER, observed=chain.channels,
        )  # fmt: skip
        response = response_matrix(single)
        whiten = np.eye(len(response.matrix))
        if noise is not None:
            whiten = np.linalg.inv(np.linalg.cholesky(amplitude_covariance(response, noise)))
        found[name] = whiten @ response.matrix
    return found


def enumerated(blocks, size, criterion):
    """Return set → figure of all sets of a size, infinite where the rank is not full."""
    values = {}
    for names in itertools.combinations(blocks, size):
        sizes = np.linalg.svd(np.concatenate([blocks[n] for n in names]), compute_uv=False)
        complete = len(sizes) == 15 and sizes[-1] > 1e-8 * sizes[0]
        values[names] = FIGURES[criterion](sizes) if complete else np.inf
    return values


def chain_of(sample, candidates, **options):
    return measurement_chain(sample, candidates, relaxation=False, receiver=RECEIVER, **options)


# ------------------------------------------------------------------ proven by all sets of two spins
@pytest.mark.parametrize("criterion", FIGURES)
@pytest.mark.parametrize(
    ("sample", "candidates", "pulses"),
    [
        (CHLOROFORM, local_candidates(2), "ideal"),
        (CHLOROFORM, local_candidates(2), "finite"),
        (HOMONUCLEAR, DELAYED, "ideal"),
    ],
    ids=["cover", "finite", "delays"],
)
def test_the_best_set_of_every_size_is_that_of_the_enumeration(
    sample, candidates, pulses, criterion
):
    chain = chain_of(sample, candidates, pulses=pulses)
    noise = np.array([0.1, 0.3])[: len(sample.nuclei)] if pulses == "finite" else None
    blocks = blocks_of(chain, noise)
    for size in (3, 4, 5, len(candidates)):
        values = enumerated(blocks, size, criterion)
        least = min(values.values())
        choice = best_set(chain, size, criterion=criterion, noise=noise)
        assert choice.figure == pytest.approx(least, rel=1e-6)
        assert values[choice.readouts] == pytest.approx(least, rel=1e-5)
        assert choice.proven == bool(np.isfinite(least))


def test_no_three_local_readouts_are_enough_and_the_choice_says_so():
    # tomography.md, section 3: any 2 or 3 readouts are incomplete, 81 sets of four are complete
    few = optimal_readouts(CHLOROFORM, size=3)
    assert (few.figure, few.proven, few.design.rank) == (np.inf, False, 14)
    assert "no set of 3 sees as much" in few.certificate
    four = optimal_readouts(CHLOROFORM)
    assert len(four.readouts) == 4
    assert four.proven
    assert four.figure == pytest.approx(four.design.a_figure)
    assert four.certificate == (
        "fewer than 4 never suffice (integer program); best of all 126 sets of 4, 81 of them alike"
    )


@pytest.mark.parametrize(("size", "figure"), [(4, 2.0), (5, np.sqrt(2)), (9, np.sqrt(1.5))])
def test_published_condition_numbers(size, figure):
    choice = optimal_readouts(CHLOROFORM, size=size, criterion="condition")
    assert choice.figure == pytest.approx(figure, abs=1e-9)
    assert choice.design.condition == pytest.approx(figure, abs=1e-6)


# --------------------------------------------------------------------------- what no set can see
def test_global_candidates_are_certified_not_to_see_the_exchange():
    choice = optimal_readouts(HOMONUCLEAR, global_candidates(2))
    assert (len(choice.readouts), choice.design.rank, choice.proven) == (3, 14, True)
    assert np.isfinite(choice.figure)
    assert "no set of these 5 candidates sees XX + YY + ZZ: together they have rank 14 of 15" in (
        choice.certificate
    )


def test_words_of_many_spins_are_counted_before_they_are_made():
    assert len(local_candidates(6)) == 729
    many = Sample("many", tuple(Spin(f"H{k}", "1H") for k in range(40)), ())
    message = r"must be 1 to 1000 readouts, but all words of 40 spins are 3\^40; name some"
    for call in (lambda: local_candidates(40), lambda: optimal_readouts(many)):
        with pytest.raises(ArgumentError, match=message):
            call()


def test_one_channel_is_certified_not_to_see_the_other_spin():
    choice = optimal_readouts(CHLOROFORM, observed=["1H"])
    assert "no set of these 9 candidates sees IX, IY, IZ" in choice.certificate
    assert "(integer program)" in choice.certificate  # a cover of those Paulis that can be seen
    every = blocks_of(chain_of(CHLOROFORM, local_candidates(2), observed=["1H"]))
    ranks = {
        names: np.linalg.matrix_rank(np.concatenate([every[n] for n in names]))
        for names in itertools.combinations(every, len(choice.readouts) - 1)
    }
    assert max(ranks.values()) == 11
    assert choice.design.rank == 12


def test_the_smallest_set_that_is_hardly_complete_does_not_count():
    # three spins at 300 Hz from each other: six readouts suffice on paper, with condition 63
    sample = Sample(
        "aaa",
        tuple(Spin(s, "1H", f) for s, f in zip("ABC", (-230.0, 50.0, 300.0), strict=True)),
        (Coupling(("A", "B"), 7.0), Coupling(("A", "C"), -3.0), Coupling(("B", "C"), 15.0)),
    )
    chain = chain_of(sample, local_candidates(3))
    assert best_set(chain).design.condition < 10
    loose = best_set(chain, max_condition=1e3)
    assert loose.design.condition > 30
    assert len(loose.readouts) < len(best_set(chain).readouts)


# ------------------------------------------------------------------------------------- more spins
def test_three_spins_need_seven_local_readouts():
    # tomography.md found complete sets at 7 and none at 4 to 6 by random search: it is the least
    choice = optimal_readouts(THREE)
    assert (len(choice.readouts), choice.design.rank, choice.proven) == (7, 63, True)
    assert choice.certificate.startswith("fewer than 7 never suffice (integer program)")
    literature = ("III", "IIY", "IYY", "YII", "XYX", "XXY", "XXX")
    known = analyse(response_matrix(chain_of(THREE, literature)))
    assert choice.figure <= known.a_figure * (1 + 1e-9)


def test_four_spins_in_seconds():
    choice = optimal_readouts(FOUR, size=18)
    assert choice.design.rank == 255
    assert choice.design.condition < 5
    assert choice.figure == pytest.approx(choice.design.a_figure, rel=1e-6)
    assert not choice.proven


@pytest.mark.slow
def test_the_fewest_for_four_spins():
    choice = optimal_readouts(FOUR)
    assert choice.design.complete
    assert 12 <= len(choice.readouts) <= 15
    assert "not proven the fewest; fewer than" in choice.certificate


# ------------------------------------------------------------------------------------ the mechanism
def pool_of(sample, candidates, criterion="A", **options):
    seen = seen_amplitudes(chain_of(sample, candidates, **options))[..., 1:]
    return Pool(np.concatenate([seen.real, seen.imag], axis=1), criterion)


def test_ideal_local_pulses_are_a_cover_and_others_are_not():
    cover = pool_of(CHLOROFORM, local_candidates(2)).cover
    np.testing.assert_allclose(np.unique(cover.round(12)), [0, 0.5])
    assert pool_of(CHLOROFORM, local_candidates(2), pulses="finite").cover is None
    assert pool_of(HOMONUCLEAR, DELAYED).cover is None


@pytest.mark.parametrize("criterion", FIGURES)
@pytest.mark.parametrize(
    ("sample", "candidates"), [(CHLOROFORM, local_candidates(2)), (HOMONUCLEAR, DELAYED)]
)
def test_one_readout_more_by_update_is_that_by_inversion(sample, candidates, criterion):
    pool = pool_of(sample, candidates, criterion)
    members = [0, 1, 3, 4, 5]
    values = pool.with_each(members)
    for k in range(pool.size):
        M = pool.grams[[*members, k]].sum(axis=0) + 1e-6 * pool.largest * np.eye(15)
        expected = spectral_figure(np.linalg.eigvalsh(M), criterion, 1e-6)
        if criterion == "A":
            expected = np.trace(np.linalg.inv(M))
        assert values[k] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("criterion", FIGURES)
def test_exchange_finds_what_all_sets_hold(criterion):
    pool = pool_of(HOMONUCLEAR, DELAYED, criterion)
    for size in (4, 5, 6):
        everything = pool.figures(best(pool, size, 0).members[None])[0]
        exchanged = pool.figures(_exchanged(pool, size, 0)[None])[0]
        assert exchanged == pytest.approx(everything, rel=1e-3)


def test_the_order_of_the_candidates_does_not_matter():
    chain = chain_of(HOMONUCLEAR, DELAYED)
    turned = chain_of(HOMONUCLEAR, DELAYED[::-1])
    first, second = best_set(chain), best_set(turned)
    assert set(first.readouts) == set(second.readouts)
    assert first.figure == pytest.approx(second.figure)


def test_a_seed_gives_the_same_set():
    assert optimal_readouts(THREE, size=9).readouts == optimal_readouts(THREE, size=9).readouts


# ---------------------------------------------------------------------------------------- refusals
@pytest.mark.parametrize("size", [0, -1, 10])
def test_sizes_out_of_range_are_refused(size):
    with pytest.raises(
        ArgumentError, match="`size` must be between 1 and the number of candidates 9"
    ):
        optimal_readouts(CHLOROFORM, size=size)


@pytest.mark.parametrize("count", [0, 1001])
def test_counts_of_candidates_out_of_range_are_refused(count):
    with pytest.raises(ArgumentError, match=f"must be 1 to 1000 readouts, but are {count}"):
        optimal_readouts(CHLOROFORM, ["II"] * count)


def test_other_criteria_are_refused():
    with pytest.raises(ArgumentError, match=r"`criterion` must be one of .* but is 'D'"):
        optimal_readouts(CHLOROFORM, criterion="D")


def test_candidates_that_mean_nothing_are_refused():
    with pytest.raises(ArgumentError, match="2 letters of I, X, Y"):
        optimal_readouts(CHLOROFORM, ["II", "IZ"])


def test_noise_of_the_wrong_channels_is_refused():
    with pytest.raises(ArgumentError, match="`noise` must be 2 positive numbers"):
        best_set(chain_of(CHLOROFORM, ("II",)), noise=np.array([0.1]))
