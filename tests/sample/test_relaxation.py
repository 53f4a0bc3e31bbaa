"""Mechanisms of relaxation: what is sound, what is refused, and what files make of them."""

# ruff: noqa: E501 (one input per line)

import math

import numpy as np
import pytest

from nmrqb import formats
from nmrqb.errors import ArgumentError, InputError
from nmrqb.sample import (
    T1T2,
    Dephasing,
    DipolarCSA,
    LindbladOperator,
    PairCoherences,
    PauliNoise,
    Sample,
    SampleFormat,
    ShieldingAnisotropy,
    Spin,
    load_sample,
)
from nmrqb.sample.relaxation_fit import misfits, pair_dephasing, pure_dephasing

PAIR = ("1H", "13C")
HEAD = """\
format: nmrqb-sample/1
field: 11.7 T
spins:
  - {label: 1H, nucleus: 1H, T1: 1 s, T2: 0.8 s}
  - {label: 13C, nucleus: 13C, T1: 2 s, T2: 0.5 s}
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def written(text):
        (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
        return "./a.yaml"

    return written


# ------------------------------------------------------------------------------------- the nouns
REFUSED = [
    (lambda: PauliNoise({}), "`rates_per_s` must name at least one spin, but is empty"),
    (lambda: PauliNoise({"H": (0, -1, 0)}), "`rates_per_s` must be 0 or more and finite, but is -1"),
    (lambda: PauliNoise({"H": (0, math.nan, 0)}), "`rates_per_s` must be 0 or more .* but is nan"),
    (lambda: PauliNoise({"H": (1, 2)}), "`rates_per_s` must hold 3 rates, but holds 2"),
    (lambda: Dephasing(PAIR, (1.0,)), "`rates_per_s` must hold 2 rates, but holds 1"),
    (lambda: Dephasing(PAIR, (1.0, math.inf)), "`rates_per_s` must be .* finite, but is inf"),
    (lambda: Dephasing(("H", "H"), (1.0, 1.0)), r"`spins` must name each spin once, but is \[H, H\]"),
    (lambda: Dephasing((), ()), r"`spins` must name each spin once, but is \[\]"),
    (lambda: Dephasing(PAIR, (1.0, 1.0), 1.01), "`correlation` must be from -1 to 1 for 2 spins, but is 1.01"),
    (lambda: Dephasing(PAIR, (1.0, 1.0), math.nan), "`correlation` must be from -1 to 1 .* but is nan"),
    (lambda: Dephasing(("A", "B", "C"), (1.0, 1.0, 1.0), -0.51), "`correlation` must be from -0.5 to 1 for 3 spins"),
    (lambda: Dephasing(PAIR, (1.0, 1.0), ((1, 0.5), (0.4, 1))), "`correlation` must be .* but is not symmetric"),
    (lambda: Dephasing(PAIR, (1.0, 1.0), ((2, 0.5), (0.5, 1))), "`correlation` must be .* 1 on its diagonal"),
    (lambda: Dephasing(PAIR, (1.0, 1.0), ((1, 2), (2, 1))), "`correlation` must be .* negative eigenvalue -1"),
    (lambda: Dephasing(PAIR, (1.0, 1.0), ((1, math.nan), (math.nan, 1))), "`correlation` must be .* is not finite"),
    (lambda: Dephasing(PAIR, (1.0, 1.0), ((1, 0),)), "`correlation` must be one number or .* of 2 spins"),
    (lambda: PairCoherences(("H", "H"), 1, 1), r"`between` must name two spins, but is \[H, H\]"),
    (lambda: PairCoherences(PAIR, 0, 1), "`T_ZQ_s` must be positive and finite, but is 0"),
    (lambda: PairCoherences(PAIR, 1, math.nan), "`T_DQ_s` must be positive and finite, but is nan"),
    (lambda: ShieldingAnisotropy("H", math.inf), "`anisotropy` must be finite, but is inf"),
    (lambda: ShieldingAnisotropy("H", 1e-6, -0.1), "`angle_rad` must be from 0° to 180°, but is -5.73°"),
    (lambda: DipolarCSA(PAIR, -1e-9, 1e-10), "`correlation_time_s` must be positive and finite, but is -1e-09"),
    (lambda: DipolarCSA(PAIR, 1e-9, 0.0), "`distance_m` must be positive and finite, but is 0"),
    (lambda: DipolarCSA(PAIR, 1e-9, dipolar_hz=math.nan), "`dipolar_hz` must be finite, but is nan"),
    (lambda: DipolarCSA(PAIR, 1e-9, 1e-10, 20e3), "`dipolar_hz` must be left out beside `distance_m`, but is 20000"),
    (lambda: DipolarCSA(PAIR, 1e-9), "`distance_m` must be given where there is neither"),
    (lambda: DipolarCSA(PAIR, 1e-9, csa=(ShieldingAnisotropy("X", 1e-6),)), "`csa` must be of the spins 1H, 13C, each once, but is of X"),
    (lambda: DipolarCSA(PAIR, 1e-9, csa=(ShieldingAnisotropy("1H", 1e-6),) * 2), "`csa` must be of .* but is of 1H, 1H"),
    (lambda: DipolarCSA(PAIR, 1e-9, 1e-10, csa_angle_rad=1.0), "`csa_angle_rad` must be left out .* but is 57.3°"),
    (
        lambda: DipolarCSA(
            PAIR, 1e-9, 1e-10, csa_angle_rad=0.0,
            csa=(ShieldingAnisotropy("1H", 1e-6, 1.0), ShieldingAnisotropy("13C", 1e-6, 0.5)),
        ),
        "`csa_angle_rad` must be from 28.65° to 85.94° for axes at 57.3° and 28.65° .* but is 0°",
    ),
    (lambda: LindbladOperator({}, 1.0), "`operator` must act on a spin, but is {}"),
    (lambda: LindbladOperator({"II": 1}, 1.0), "`operator` must act on a spin"),
    (lambda: LindbladOperator({"XX": 0}, 1.0), "`operator` must act on a spin"),
    (lambda: LindbladOperator({"XQ": 1}, 1.0), "`operator` must be of words of the letters I X Y Z . -, but has 'XQ'"),
    (lambda: LindbladOperator({"XX": math.nan}, 1.0), "`operator` must have finite coefficients"),
    (lambda: LindbladOperator({"XX": 1, "X": 1}, 1.0), "`operator` must have words of one length, but has XX, X"),
    (lambda: LindbladOperator({"XX": 1}, 1.0, ("H",)), "`operator` must have words of 1 letters each, but has XX"),
    (lambda: LindbladOperator({"XX": 1}, -1.0), "`rate_per_s` must be 0 or more and finite, but is -1"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), REFUSED)
def test_what_makes_no_sense_is_refused_by_name(make, message):
    with pytest.raises(ArgumentError, match=f"^Argument {message}"):
        make()


def test_the_extremes_are_sound():
    assert Dephasing(("A", "B", "C"), (1.0, 1.0, 1.0), -0.5).matrix[0, 1] == -0.5
    assert np.linalg.matrix_rank(Dephasing(PAIR, (1.0, 2.0), 1.0).matrix) == 1
    angles = (ShieldingAnisotropy("1H", 1e-6, 1.0), ShieldingAnisotropy("13C", 1e-6, 0.5))
    for between in (0.5, 1.5):
        assert DipolarCSA(PAIR, 1e-9, csa=angles, csa_angle_rad=between).labels == PAIR


# ---------------------------------------------------------------------------------- with a sample
def sample(T1=(1.0, 2.0), T2=(0.8, 0.5), *, field=11.7, nuclei=PAIR, p=(0.0, 0.0), relaxation=()):
    spins = tuple(
        Spin(label, nucleus, T1_s=a, T2_s=b, polarization=c)
        for label, nucleus, a, b, c in zip(PAIR, nuclei, T1, T2, p, strict=True)
    )
    return Sample("pair", spins, field_tesla=field, relaxation=relaxation)


def messages(sample, *mechanisms):
    return [misfit.message for misfit in misfits(sample, mechanisms)]


def test_t1_and_t2_need_not_be_listed():
    noise = PauliNoise({"1H": (1.0, 0.0, 0.0)})
    assert sample().mechanisms == (T1T2(),)
    assert sample(relaxation=(noise,)).mechanisms == (T1T2(), noise)
    assert sample(relaxation=(noise, T1T2())).mechanisms == (noise, T1T2())


def test_what_fits_has_no_misfit():
    geometry = DipolarCSA(PAIR, 1e-9, 1e-10)
    pair = PairCoherences(PAIR, 0.5, 0.4)
    assert messages(sample(), T1T2(), geometry, pair, LindbladOperator({"XX": 1}, 1.0)) == []


@pytest.mark.parametrize(
    ("subject", "mechanism", "message"),
    [
        (sample(), PauliNoise({"1h": (1, 0, 0)}), "there is no spin `1h`; did you mean `1H`? Valid: 13C, 1H"),
        (sample(), LindbladOperator({"XXX": 1}, 1.0), "`XXX` must have 2 letters, one for each spin of the sample, but has 3; or name its `spins`"),
        (sample(field=None), DipolarCSA(PAIR, 1e-9, 1e-10), "its Larmor frequencies need the `field` of the sample, which has none"),
        (
            sample(nuclei=("1H", "1H"), p=(0.1, 0.2)), DipolarCSA(PAIR, 1e-9, 1e-10),
            "1H and 13C are both 1H and relax together to one polarization, but have 0.1 and 0.2",
        ),
        (sample(), PairCoherences(PAIR, 0.5, 0.4), "pair coherences complete T1 and T2 of their spins; list `T1T2` too"),
    ],
)  # fmt: skip
def test_misfits(subject, mechanism, message):
    assert messages(subject, mechanism) == [message]


def test_what_may_stand_only_once():
    pair = PairCoherences(PAIR, 0.5, 0.4)
    turned = PairCoherences(PAIR[::-1], 0.5, 0.4)
    assert messages(sample(), T1T2(), T1T2()) == ["T1T2 stands twice; say it once"]
    told = "the pair 13C, 1H stands twice; say it once"
    assert messages(sample(), T1T2(), pair, turned)[0] == told


# ---------------------------------------------------------------- which pair coherences are possible
def completely_positive(subject, zero, double):
    """Whether the 3×3 Kossakowski matrix over ZI, IZ, ZZ that gives the rates is positive.

    Independent of the code: the three elements are solved for from the rates of the diagonal
    elements ρ_ij, −½ Σ_kl C_kl (s_k^i − s_k^j)(s_l^i − s_l^j).
    """
    signs = np.array([[1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]])

    def row(i, j):  # rate of |i⟩⟨j| as a row over C_11, C_22, C_33, C_12 (C_13 = C_23 = 0)
        a, b, c = signs[:, i] - signs[:, j]
        return [a * a / 2, b * b / 2, c * c / 2, a * b]

    kappa = [pure_dephasing(spin) for spin in subject.spins]
    r = sum(1 / (2 * spin.T1_s) for spin in subject.spins)
    rows = np.array([row(0, 2), row(0, 1), row(1, 2), row(0, 3)])
    wanted = [*kappa, 1 / zero - r, 1 / double - r]
    a, b, c, d = np.linalg.solve(rows, wanted)
    return np.linalg.eigvalsh([[a, d, 0], [d, b, 0], [0, 0, c]]).min() > -1e-9


@pytest.mark.parametrize(
    "T", [((1.0, 2.0), (0.8, 0.5)), ((1.0, 1.0), (0.5, 0.5)), ((9.0, 3.0), (0.1, 4.0))]
)
def test_pair_coherences_are_refused_exactly_where_the_map_is_not_completely_positive(T):
    subject, seen = sample(*T), set()
    for zero in np.geomspace(0.03, 10, 23):
        for double in np.geomspace(0.03, 10, 23):
            told = messages(subject, T1T2(), PairCoherences(PAIR, zero, double))
            possible = completely_positive(subject, zero, double)
            assert (told == []) == possible, (zero, double, told)
            seen.add(possible)
    assert seen == {True, False}


def test_the_range_that_a_refusal_tells_is_the_range():
    subject = sample()
    (told,) = messages(subject, T1T2(), PairCoherences(PAIR, 0.5, 0.1))
    assert told == "with `T_ZQ` 0.5 s, `T_DQ` must be from 0.222222 s to 0.645161 s, but is 0.1 s"
    for T, fine in [(0.22223, True), (0.6451, True), (0.22221, False), (0.6452, False)]:
        assert (messages(subject, T1T2(), PairCoherences(PAIR, 0.5, T)) == []) == fine
    (told,) = messages(subject, T1T2(), PairCoherences(PAIR, 0.1, 0.3))
    assert (
        told
        == "`T_ZQ` must be from 0.180463 s to 1.04307 s with T1 and T2 of its spins, but is 0.1 s"
    )
    for T in (0.18046, 1.0431):  # just outside
        (told,) = messages(subject, T1T2(), PairCoherences(PAIR, T, 0.3))
        assert told.startswith("`T_ZQ` must be from 0.180463 s to 1.04307 s")
    (told,) = messages(sample((1.0, 1.0), (2.0, 2.0)), T1T2(), PairCoherences(PAIR, 0.5, 1.0))
    assert told == "`T_ZQ` must be 1 s with T1 and T2 of its spins, but is 0.5 s"
    assert messages(sample((1.0, 1.0), (2.0, 2.0)), T1T2(), PairCoherences(PAIR, 1.0, 1.0)) == []
    (told,) = messages(sample((math.inf,) * 2, (1.0, 1.0)), T1T2(), PairCoherences(PAIR, 0.1, 1.0))
    assert told == "`T_ZQ` must be at least 0.25 s with T1 and T2 of its spins, but is 0.1 s"
    (told,) = messages(
        sample((math.inf,) * 2, (math.inf,) * 2), T1T2(), PairCoherences(PAIR, 1.0, 1.0)
    )
    assert told == "`T_ZQ` must be left out with T1 and T2 of its spins, but is 1 s"


def test_pairs_that_share_a_spin_must_fit_together():
    spins = tuple(Spin(label, "1H", T2_s=1.0) for label in "ABC")
    trio = Sample("trio", spins)
    opposite = [PairCoherences(pair, 0.28, 2.6) for pair in (("A", "B"), ("B", "C"), ("A", "C"))]
    for one in opposite:
        assert messages(trio, T1T2(), one) == []
    (told,) = messages(trio, T1T2(), *opposite)
    assert "A, B, C are possible pair by pair, but not together" in told
    assert pair_dephasing(trio, opposite).lowest < 0
    assert messages(trio, T1T2(), *[PairCoherences(o.between, 0.6, 0.45) for o in opposite]) == []


# ----------------------------------------------------------------------------------------- files
FINE = [
    ("T1T2", T1T2()),
    ("{T1T2: {}}", T1T2()),
    ("{pauli: {1H: {x: 0.2 /s, z: 1/ms}}}", PauliNoise({"1H": (0.2, 0, 1000)})),
    ("{dephasing: {spins: [1H, 13C], rates: [0.5 /s, 0.3 /s]}}", Dephasing(PAIR, (0.5, 0.3))),
    (
        "{dephasing: {spins: [1H, 13C], rates: [0.5 /s, 0.3 /s], correlation: -80 %}}",
        Dephasing(PAIR, (0.5, 0.3), -0.8),
    ),
    (
        "{dephasing: {spins: [1H, 13C], rates: [0.5 /s, 0.3 /s], correlation: [[1, 0.5], [50 %, 1]]}}",
        Dephasing(PAIR, (0.5, 0.3), ((1.0, 0.5), (0.5, 1.0))),
    ),
    ("{pair_coherences: {between: [1H, 13C], T_ZQ: 0.5 s, T_DQ: 400 ms}}", PairCoherences(PAIR, 0.5, 0.4)),
    ("{dipolar_csa: {between: [1H, 13C], distance: 109 pm, correlation_time: 10 ps}}", DipolarCSA(PAIR, 1e-11, 1.09e-10)),
    ("{dipolar_csa: {between: [1H, 13C], dipolar: -23 kHz, correlation_time: 10 ps}}", DipolarCSA(PAIR, 1e-11, dipolar_hz=-23e3)),
    (
        "{dipolar_csa: {between: [1H, 13C], correlation_time: 10 ps, csa_angle: 90 deg, "
        "csa: {13C: {anisotropy: 50 ppm, angle: 90 deg}, 1H: {anisotropy: -5 ppm}}}}",
        DipolarCSA(
            PAIR, 1e-11, csa=(ShieldingAnisotropy("13C", 50e-6, math.pi / 2), ShieldingAnisotropy("1H", -5e-6)),
            csa_angle_rad=math.pi / 2,
        ),
    ),
    ("{lindblad: {operator: {XX: 1, YY: [0, -1]}, rate: 0.1 /s}}", LindbladOperator({"XX": 1, "YY": -1j}, 0.1)),
    ("{lindblad: {operator: {+-: 1}, rate: 0.1 /s, spins: [13C, 1H]}}", LindbladOperator({"+-": 1}, 0.1, ("13C", "1H"))),
]  # fmt: skip


@pytest.mark.parametrize(("text", "mechanism"), FINE)
def test_what_a_file_says(write, text, mechanism):
    found = load_sample(write(f"{HEAD}relaxation:\n  - {text}\n"))
    assert found.relaxation == (mechanism,)


def test_several_mechanisms_and_both_forms_of_a_list(write):
    text = "relaxation: [pauli: {1H: {x: 1 /s}}, lindblad: {operator: {ZZ: 1}, rate: 1 /s}]\n"
    assert [type(m) for m in load_sample(write(HEAD + text)).relaxation] == [
        PauliNoise,
        LindbladOperator,
    ]
    assert load_sample(write(HEAD)).relaxation == ()


BROKEN = [
    ("T1", "7:5", "`relaxation[0]` must be T1T2, or a mapping such as {pauli: {1H: {x: 0.2 /s}}}, but is 'T1'"),
    ("[T1T2]", "7:5", "`relaxation[0]` must be T1T2, or a mapping such as"),
    ("{}", "7:5", "`relaxation[0]` must be exactly one of T1T2, pauli, dephasing, pair_coherences, dipolar_csa, lindblad, but has none"),
    ("{pauly: {1H: {x: 1 /s}}}", "7:6", "unknown key `pauly`; did you mean `pauli`?"),
    ("{pauli: {1H: {x: 1 /s}}, T1T2: {}}", "7:5", "`relaxation[0]` must be exactly one of T1T2, pauli, dephasing, pair_coherences, dipolar_csa, lindblad, but has 2: T1T2, pauli"),
    ("{T1T2: {T1: 1 s}}", "7:13", "unknown key `T1`; Valid:"),
    ("{pauli: {}}", "7:13", "`pauli` must have at least 1 entry, but is {}"),
    ("{pauli: {X: {x: 1 /s}}}", "7:14", "there is no spin `X`; Valid: 13C, 1H"),
    ("{pauli: {1H: {x: 1 Hz}}}", "7:22", "`x`: `1 Hz` is in cycles, but must be a rate, for example '0.5 /s'"),
    ("{pauli: {1H: {x: 1}}}", "7:22", "`x`: `1` has no unit; write for example '1 /s'"),
    ("{pauli: {1H: {x: -1 /s}}}", "7:22", "`x` must be 0 or more, but is -1 /s"),
    ("{pauli: {1H: {w: 1 /s}}}", "7:19", "unknown key `w`; Valid: x, y, z"),
    ("{dephasing: {spins: [1H, 13C], rates: [0.5 /s]}}", "7:43", "`dephasing`: `rates` must hold 2 rates, but holds 1"),
    ("{dephasing: {spins: [1H, 1H], rates: [1 /s, 1 /s]}}", "7:25", "`dephasing`: `spins` must name each spin once, but is [1H, 1H]"),
    ("{dephasing: {spins: [1H, 13c], rates: [1 /s, 1 /s]}}", "7:30", "there is no spin `13c`; did you mean `13C`?"),
    ("{dephasing: {spins: [1H, 13C], rates: [1 /s, -1 /s]}}", "7:50", "`rates[1]` must be 0 or more, but is -1 /s"),
    ("{dephasing: {spins: [1H, 13C], rates: [1 /s, 1 /s], correlation: 120 %}}", "7:70", "`dephasing`: `correlation` must be from -1 to 1 for 2 spins, but is 1.2"),
    ("{dephasing: {spins: [1H, 13C], rates: [1 /s, 1 /s], correlation: much}}", "7:70", "`correlation`: unknown name `much`"),
    ("{dephasing: {spins: [1H, 13C], rates: [1 /s, 1 /s], correlation: [[1, x], [0, 1]]}}", "7:75", "`correlation[0][1]`: unknown name `x`"),
    ("{dephasing: {spins: [1H, 13C], rates: [1 /s, 1 /s], correlation: [[1, 2], [2, 1]]}}", "7:70", "`dephasing`: `correlation` must be one number or a correlation matrix"),
    ("{dephasing: {spins: [1H, 13C], rates: [1 /s, 1 /s], corelation: 1}}", "7:57", "unknown key `corelation`; did you mean `correlation`?"),
    ("{pair_coherences: {between: [1H, X], T_ZQ: 1 s, T_DQ: 1 s}}", "7:38", "there is no spin `X`"),
    ("{pair_coherences: {between: [1H], T_ZQ: 1 s, T_DQ: 1 s}}", "7:33", "`pair_coherences`: `between` must name two spins, but is [1H]"),
    ("{pair_coherences: {between: [1H, 13C], T_ZQ: 1 s}}", "7:23", "missing key `T_DQ`"),
    ("{pair_coherences: {between: [1H, 13C], T_ZQ: 0.1 s, T_DQ: 1 s}}", "7:50", "`T_ZQ` must be from 0.180463 s to 1.04307 s with T1 and T2 of its spins, but is 0.1 s"),
    ("{pair_coherences: {between: [1H, 13C], T_ZQ: 0.5 s, T_DQ: 1 s}}", "7:63", "with `T_ZQ` 0.5 s, `T_DQ` must be from 0.222222 s to 0.645161 s, but is 1 s"),
    ("{dipolar_csa: {between: [1H, 13C], distance: 109 pm}}", "7:19", "missing key `correlation_time`"),
    ("{dipolar_csa: {between: [1H, 13C], distance: 109, correlation_time: 1 ns}}", "7:50", "`distance`: `109` has no unit; write for example '109 pm'"),
    ("{dipolar_csa: {between: [1H, 13C], correlation_time: 1 ns}}", "7:19", "`dipolar_csa`: `distance` must be given where there is neither `dipolar` nor `csa`"),
    ("{dipolar_csa: {between: [1H, 13C], correlation_time: 1 ns, distance: 1 nm, dipolar: 1 Hz}}", "7:89", "`dipolar_csa`: `dipolar` must be left out beside `distance`"),
    ("{dipolar_csa: {between: [1H, 13C], correlation_time: 1 ns, csa: {X: {anisotropy: 1 ppm}}}}", "7:69", "`dipolar_csa`: `csa` must be of the spins 1H, 13C, each once, but is of X"),
    ("{dipolar_csa: {between: [1H, 13C], correlation_time: 1 ns, csa: {1H: {anisotropy: 1 ppm, angle: 200 deg}}}}", "7:101", "`1H`: `angle` must be from 0° to 180°, but is 200°"),
    ("{lindblad: {operator: {XXX: 1}, rate: 1 /s}}", "7:28", "`XXX` must have 2 letters, one for each spin of the sample, but has 3; or name its `spins`"),
    ("{lindblad: {operator: {XQ: 1}, rate: 1 /s}}", "7:27", "`lindblad`: `operator` must be of words of the letters I X Y Z + -, but has 'XQ'"),
    ("{lindblad: {operator: {XX: a}, rate: 1 /s}}", "7:32", "`XX` must be a number, or [real, imaginary] such as [0, 1], but is 'a'"),
    ("{lindblad: {operator: {XX: [1, 2, 3]}, rate: 1 /s}}", "7:32", "`XX` must be a number, or [real, imaginary]"),
    ("{lindblad: {operator: {XX: true}, rate: 1 /s}}", "7:32", "`XX` must be a number, or [real, imaginary] such as [0, 1], but is true"),
    ("{lindblad: {operator: {II: 1}, rate: 1 /s}}", "7:27", "`lindblad`: `operator` must act on a spin"),
    ("{lindblad: {operator: {X: 1}, rate: 1 /s, spins: [Y]}}", "7:55", "there is no spin `Y`"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "message"), BROKEN)
def test_broken_mechanisms_tell_where_and_what(write, text, place, message):
    with pytest.raises(InputError, match=r"^\./a\.yaml:7:") as caught:
        load_sample(write(f"{HEAD}relaxation:\n  - {text}\n"))
    (fault,) = caught.value.faults
    assert f"{fault.at.line}:{fault.at.column}" == place
    assert fault.message.startswith(message)


def test_a_mechanism_that_needs_the_field_is_told_where_it_stands(write):
    text = HEAD.replace("field: 11.7 T\n", "notes: none\n") + (
        "relaxation:\n  - T1T2\n  - {dipolar_csa: {between: [1H, 13C], distance: 1 nm, correlation_time: 1 ns}}\n"
    )
    with pytest.raises(
        InputError, match=r"^\./a\.yaml:8:5: its Larmor frequencies need the `field`"
    ):
        load_sample(write(text))


def test_all_faults_of_a_file_in_one_go(write):
    text = (
        HEAD
        + "relaxation:\n  - {pauli: {A: {x: 1 /s}}}\n  - T2\n  - {pauli: {B: {x: 1 /s}}}\nfeild: 1 T\n"
    )
    with pytest.raises(InputError, match="unknown key `feild`") as caught:
        load_sample(write(text))
    assert [fault.at.line for fault in caught.value.faults] == [7, 8, 9, 10]


def test_an_override_that_makes_pair_coherences_impossible_is_told_with_both_places(write):
    file = write(
        HEAD
        + "relaxation:\n  - {pair_coherences: {between: [1H, 13C], T_ZQ: 0.5 s, T_DQ: 0.4 s}}\n"
    )
    told = r"^overrides\.1H\.T2:1:1: `T_ZQ` must be from .* \(\./a\.yaml:7:50\)$"
    with pytest.raises(InputError, match=told):
        load_sample(file, {"1H": {"T2": "10 ms"}})


def test_what_is_wrong_without_the_overrides_is_told_in_the_file(write):
    file = write(
        HEAD + "relaxation:\n  - {pair_coherences: {between: [1H, 13C], T_ZQ: 9 ms, T_DQ: 0.4 s}}\n"
    )
    with pytest.raises(InputError, match=r"^\./a\.yaml:7:50: `T_ZQ` must be from"):
        load_sample(file, {"1H": {"offset": "10 Hz"}})


jsonschema = pytest.importorskip("jsonschema")
VALIDATOR = jsonschema.Draft202012Validator(formats.json_schema(SampleFormat))


@pytest.mark.parametrize("text", [text for text, _ in FINE])
def test_the_schema_takes_what_is_sound(write, text):
    tree = formats.read("sample", write(f"{HEAD}relaxation:\n  - {text}\n"), SampleFormat).tree
    assert [error.message for error in VALIDATOR.iter_errors(tree)] == []


@pytest.mark.parametrize(
    "text",
    ["T1", "{}", "{pauly: {}}", "{pauli: {}}", "{pauli: {1H: {w: 1 /s}}}", "{pauli: {1H: {x: 1}}}",
     "{T1T2: {}, pauli: {1H: {x: 1 /s}}}", "{lindblad: {operator: {XX: a}, rate: 1 /s}}",
     "{lindblad: {operator: {XX: [1, 2, 3]}, rate: 1 /s}}", "{dipolar_csa: {between: [1H, 13C]}}",
     "{dephasing: {spins: [1H, 13C], rates: 1 /s}}"],
)  # fmt: skip
def test_the_schema_refuses_what_is_broken(write, text):
    tree = formats.read("sample", write(f"{HEAD}relaxation:\n  - {text}\n"), SampleFormat).tree
    assert not VALIDATOR.is_valid(tree)
