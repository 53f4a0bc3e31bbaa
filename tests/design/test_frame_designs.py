"""Cycles of toggling frames as designs: what compiling says of them, files, and refusals."""

import itertools

import numpy as np
import pytest

import nmrqb as nq
from nmrqb.average import compile_timeline
from nmrqb.design import UnreachableError
from nmrqb.design.toggling import ImpossibleError, design_frames, program, term_key
from nmrqb.design.toggling.design import matrix_of
from nmrqb.errors import ArgumentError
from nmrqb.operators import pauli, pauli_coefficients
from nmrqb.sample import Coupling, Sample, Spin
from nmrqb.sequence import expand, load_sequence, save_sequence, sequence_text


def molecule(nuclei, *, offsets=(31.0, -17.0, 9.0, 24.0), raster_s=None):
    """Return spins with dipolar couplings between like ones, and scalar ones between others."""
    spins = tuple(
        Spin(f"A{k}", nucleus, offset_hz=offsets[k - 1], pulse_90_s=2e-6)
        for k, nucleus in enumerate(nuclei, 1)
    )
    sizes = itertools.cycle([310.0, -140.0, 95.0, 60.0, -45.0])
    couplings = tuple(
        Coupling((a.label, b.label), dipolar_hz=size)
        if a.nucleus == b.nucleus
        else Coupling((a.label, b.label), J_hz=abs(size))
        for (a, b), size in zip(itertools.combinations(spins, 2), sizes, strict=False)
    )
    return Sample("molecule", spins, couplings, raster_s=raster_s)


SOLID = molecule(["1H"] * 3)
HETERO = molecule(["1H", "13C", "15N"])
PAIR = nq.load_sample("oriented_pair")


@pytest.mark.parametrize(
    ("sample", "terms", "options", "strings"),
    [
        (HETERO, {"DM_z(A1,A2)": 12.0}, {}, {"XYI": 12.0, "YXI": -12.0}),
        (HETERO, {"KSEA_x(2,3)": 4.0}, {"refocus": True}, {"IYZ": 4.0, "IZY": 4.0}),
        (HETERO, {"XIX": 3.0, "ZII": 2.0}, {}, {"XIX": 3.0, "ZII": 2.0}),
        (SOLID, {"DM_z(A3,A1)": 6.0}, {"control": "selective"}, {"YIX": 6.0, "XIY": -6.0}),
        (SOLID, {"XXI": 0.0}, {"control": "collective"}, {}),
    ],
)
def test_compiling_finds_what_was_wanted(sample, terms, options, strings, tmp_path):
    design = design_frames(sample, terms, cycles=4, **options)
    wanted = sum((value * pauli(name) for name, value in strings.items()), np.zeros((8, 8)))
    save_sequence(design.sequence, tmp_path / "made.yaml")
    played = expand(load_sequence(str(tmp_path / "made.yaml")), sample)
    average = compile_timeline(played, sample, analyse=False)
    scale = average.duration_s / design.time_s
    np.testing.assert_allclose(average.orders[0].hamiltonian_hz * scale, wanted, atol=1e-8)
    first = np.abs(average.orders[1].hamiltonian_hz).max()
    assert first < 1e-9 * np.abs(average.orders[2].hamiltonian_hz).max() + 1e-9
    missed = np.linalg.norm(pauli_coefficients(average.effective_hz * scale - wanted))
    assert missed == pytest.approx(design.error_hz, rel=1e-3, abs=1e-8)
    assert average.free_evolution_s == pytest.approx(design.bound_s, rel=1e-9)


def test_the_error_falls_with_the_square_of_the_cycles():
    few, many = (
        design_frames(SOLID, {"DM_z(1,2)": 6.0}, control="selective", time=10e-3, cycles=n)
        for n in (4, 16)
    )
    assert few.error_hz / many.error_hz == pytest.approx(16, rel=0.05)
    chosen = design_frames(SOLID, {"DM_z(1,2)": 6.0}, control="selective", time=10e-3)
    assert chosen.error_hz <= 0.01 * 6 * np.sqrt(2)
    text = sequence_text(chosen.sequence)
    assert f"times: {chosen.cycles}" in text or chosen.cycles == 1


def test_the_file_says_what_the_design_is(tmp_path):
    design = design_frames(HETERO, {"DM_z(1,2)": 12.0}, cycles=1)
    design.save(tmp_path / "made.yaml")
    text = (tmp_path / "made.yaml").read_text(encoding="utf-8")
    assert text == design.text
    for words in (
        "# target     12 XYI, -12 YXI Hz",
        "# makes      12 XYI, -12 YXI Hz at zeroth order",
        f"differs from the target by {design.error_hz:.3g} Hz",
        "first order vanishes",
        "A1: (",
        "claims targets of two spins only",
        f"{len(design.plan.weights)} frames, the fewest in this time",
    ):
        assert words in text


def test_the_summary_says_where_fewer_frames_may_do(monkeypatch):
    monkeypatch.setattr(program, "_MAX_TIGHT", 1)
    design = design_frames(HETERO, {"DM_z(1,2)": 12.0}, cycles=1)
    assert "frames; fewer frames may do: " in "\n".join(design.summary)
    assert design.facts["fewest_frames"] is False


def test_a_pair_claims_its_target_and_keeps_it():
    design = design_frames(PAIR, {"DM_z": 20.0, "B": 1.5, "XI": -2.0}, control="selective")
    assert design.sequence.target.keys() == {"DM_z", "B", "XI"}
    assert design.average.target.met
    none = design_frames(PAIR, {"ZZ": 0.0}, control="selective")
    assert none.average.target.met
    assert none.average.target.error_hz == pytest.approx(none.error_hz, abs=1e-9)
    assert "target     nothing" in none.summary[0]


def test_a_target_is_named_by_labels_numbers_or_letters():
    labels = ("1H", "2", "13C")
    assert term_key("DM_z(13C,1H)", labels) == "DM_z(3,1)"
    assert term_key("DM_z(1, 3)", labels) == "DM_z(1,3)"
    assert term_key("DM_z(2,1)", labels) == "DM_z(2,1)"
    assert term_key("ZIX", labels) == "ZIX"
    swapped = design_frames(HETERO, {"DM_z(A2,A1)": -12.0}).plan.target
    np.testing.assert_array_equal(
        matrix_of(swapped), matrix_of(design_frames(HETERO, {"DM_z(1,2)": 12.0}).plan.target)
    )


def test_a_scale_at_the_edge_is_made_and_one_beyond_is_refused():
    design = design_frames(HETERO, {"DM_z(1,2)": 12.0}, refocus=True)
    largest = 12.0 * design.largest_scale
    edge = design_frames(HETERO, {"DM_z(1,2)": largest}, refocus=True)
    assert edge.free_evolution_s == pytest.approx(edge.time_s, rel=1e-9)
    with pytest.raises(UnreachableError, match=r"takes 1\.01 times T .* scale is 0\.990099") as why:
        design_frames(HETERO, {"DM_z(1,2)": 1.01 * largest}, refocus=True)
    assert why.value.largest_scale == pytest.approx(1 / 1.01, rel=1e-9)


def test_a_proof_comes_with_what_is_impossible():
    with pytest.raises(ImpossibleError, match=r"impossible: spins 1 and 2 are pulsed alike") as why:
        design_frames(SOLID, {"DM_z(1,2)": 2.0})
    assert why.value.certificate.code == "exchange"
    isotropic = Sample("scalar", SOLID.spins[:2], (Coupling(("A1", "A2"), J_hz=20.0),))
    with pytest.raises(ImpossibleError, match=r"between .* Hz, so it is not 0 in any average"):
        design_frames(isotropic, {"ZZ": 0.0}, control="collective")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: design_frames(SOLID, {}), r"`hamiltonian` must hold a term, but holds none"),
        (lambda: design_frames(SOLID, {"DM_z": 1.0}), r"must name two of the spins A1, A2, A3"),
        (lambda: design_frames(SOLID, {"DM_z(1,1)": 1.0}), r"must name two of .* 'DM_z\(1,1\)'"),
        (lambda: design_frames(SOLID, {"DMz(1,2)": 1.0}), r"did you mean `DM_z`"),
        (lambda: design_frames(SOLID, {"XYZ": 1.0}), r"must hold Pauli strings of one or two of 3"),
        (
            lambda: design_frames(SOLID, {"DM_z(1,2)": 1.0, "DM_z(A1,A2)": 2.0}),
            r"must hold DM_z\(1,2\) once, but holds it twice",
        ),
        (lambda: design_frames(SOLID, {"XXI": float("nan")}), r"must be finite, but XXI is nan"),
        (lambda: design_frames(SOLID, {"XXI": 0.0}, time=-1.0), r"`time` must be .* but is -1.0"),
        (lambda: design_frames(SOLID, {"XXI": 0.0}, cycles=0), r"`cycles` must be from 1 to 1000"),
        (lambda: design_frames(SOLID, {"XXI": 0.0}, control="all"), r"`control` must be one of"),
        (
            lambda: design_frames(SOLID, {"XXI": 0.0}, time=20e-3, cycles=1),
            r"`cycles` must make the cycles short enough .* with 1 .* take more cycles",
        ),
        (
            lambda: design_frames(molecule(["1H"] * 3, raster_s=1e-6), {"XXI": 0.0}),
            r"must leave times free, but 'molecule' has a raster of 1e-06 s",
        ),
        (
            lambda: design_frames(Sample("one", SOLID.spins[:1]), {"X": 1.0}),
            r"must have 2 to 6 spins, but 'one' has 1",
        ),
        (
            lambda: design_frames(Sample("bare", (Spin("a", "1H"), Spin("b", "1H"))), {"XX": 0.0}),
            r"must have couplings or offsets, but 'bare' has none",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()
