"""Tables of integrals: what they determine, with what errors, and beside spectra."""

import numpy as np
import pytest

from nmrqb.battery import Battery
from nmrqb.errors import InputError
from nmrqb.experiment.recorded import analyse_recorded, calibrate_recorded, load_data
from nmrqb.operators import pauli_coefficients
from nmrqb.tomography import measurement_chain, response_matrix

RATIO = 6.728284 / 26.7522128
THERMAL = np.diag([1 + RATIO, 1 - RATIO, RATIO - 1, -1 - RATIO]) / 4
CHANNELS = ("1H", "13C")
GAINS = {"1H": 3.0, "13C": 0.7}
SIGMA = {"1H": 0.01, "13C": 0.005}


def expectations(rho):
    return pauli_coefficients(rho)[1:].real * len(rho)


def amplitudes(lab, rho, readouts):
    """Return line amplitudes of a deviation: (readouts, channels, lines), ascending in ν."""
    response = response_matrix(
        measurement_chain(lab.sample, readouts, relaxation=False, observed=CHANNELS)
    )
    real, imaginary = np.split(response.matrix @ expectations(rho), 2)
    return (real + 1j * imaginary).reshape(len(readouts), 2, 2)


class Bench:
    """An experimenter who phases on the reference and integrates, with errors."""

    def __init__(self, lab, seed=1):
        self.lab, self.rng = lab, np.random.default_rng(seed)
        self.rows = {channel: [] for channel in CHANNELS}
        self.files = []

    def integrate(self, rho, experiment, readouts, *, axis="spectrometer", phases=None, **keys):
        """Add rows: file amplitudes run down in ν and are conjugate on a spectrometer's axis.

        A 90° x pulse takes Z to −Y: the phase correction is that which makes −i positive.
        """
        for readout, own in zip(readouts, amplitudes(self.lab, rho, readouts), strict=True):
            for channel, lines in zip(CHANNELS, own, strict=True):
                phased = 1j * GAINS[channel] * lines * np.exp(1j * (phases or {}).get(readout, 0))
                on_file = phased if axis == "rotating-frame" else phased.conj()[::-1]
                noise = SIGMA[channel] * (self.rng.normal(size=(2, 2)) @ [1, 1j])
                self.rows[channel].append(on_file + noise)
                entry = {"file": f"{channel}.txt", "record": len(self.rows[channel])}
                entry |= {"channel": channel, "readout": readout, "experiment": experiment}
                self.files.append(entry | keys)

    def write(self, *, imaginary=(), columns=(2, 3), order="ascending", axes=None, **keys):
        """Write tables with a first column of names, and the data file."""
        channels = {}
        for channel in CHANNELS:
            table = {"columns": list(columns), "order": order, "error": SIGMA[channel]}
            if channel in imaginary:
                table["imaginary"] = f"{channel}_imaginary.txt"
            channels[channel] = {"integrals": table} | (axes or {})
            step = 1 if order == "ascending" else -1
            for name, part in (("", np.real), ("_imaginary", np.imag)):
                lines = [
                    " ".join([f"exp{k}", *(f"{x:.9g}" for x in part(row)[::step])])
                    for k, row in enumerate(self.rows[channel])
                ]
                text = "spectrum line1 line2\n" + "\n".join(lines) + "\n"
                (self.lab.folder / f"{channel}{name}.txt").write_text(text)
        keys = {
            "calibration": {"experiment": "eq", "state": "thermal"},
            "channels": channels,
        } | keys
        return self.lab.write(self.files, **keys)


@pytest.fixture
def bench(lab):
    return Bench(lab)


def deviation(make, seed=1):
    return make.random_state(seed) - np.eye(4) / 4


def analysed(path, **keywords):
    return analyse_recorded(load_data(path), **keywords)


def pulls(state, rho):
    axes = np.array([c.vector for c in state.estimate.seen])
    return (state.estimate.values - axes @ expectations(rho)) / state.estimate.errors


@pytest.mark.parametrize("axis", ["spectrometer", "rotating-frame"])
@pytest.mark.parametrize("order", ["ascending", "descending"])
def test_real_parts_determine_what_they_show(axis, order, bench, make):
    """90° x pulses and phased spectra show −Y only: Z of a spin, alone and with the other's Z."""
    rho = deviation(make)
    bench.integrate(THERMAL, "eq", ["XI", "IX"], axis=axis)
    bench.files = [f for f in bench.files if (f["readout"] == "XI") == (f["channel"] == "1H")]
    bench.integrate(rho, "P0", ["XI", "IX"], axis=axis)
    tomogram = analysed(bench.write(order=order, axes={"axis": axis}))
    (state,) = tomogram.states
    # the spin that was not turned shows its Y, and with the other's Z, which was Y, YY
    assert {c.name for c in state.estimate.seen} == {"ZI", "ZZ", "IZ", "IY", "YI", "YY"}
    assert np.abs(pulls(state, rho)).max() < 4.5
    assert state.estimate.errors.max() < 0.1
    assert {"XI", "IX", "XX", "XY", "XZ", "ZX"} <= {c.name for c in state.estimate.invisible}
    for channel, gain in GAINS.items():
        assert tomogram.gains[channel].factor == pytest.approx(1j * gain, rel=0.05)
    for f in tomogram.files:
        assert np.all(np.isfinite(f.amplitudes.real))
        assert np.all(np.isnan(f.amplitudes.imag))


def test_the_missing_part_is_not_taken_for_zero(bench, make):
    """Whatever stands in the part that is not seen, nothing that is told changes."""
    rho = deviation(make)
    hidden = np.kron([[0, 1], [1, 0]], np.eye(2)) / 4  # ⟨XI⟩ = 1
    found = []
    for more in (0, hidden):
        own = Bench(bench.lab)
        own.integrate(THERMAL, "eq", ["XX"])
        own.integrate(rho + more, "P0", ["XX", "II"])
        found.append(analysed(own.write()).states[0].estimate)
    assert found[0].values == pytest.approx(found[1].values, abs=1e-9)
    assert found[0].design.errors == pytest.approx(found[1].design.errors)
    assert not np.isfinite(found[0].design.errors[found[0].design.paulis.index("XI")])


def test_both_parts_determine_everything(bench, make):
    rho = deviation(make, 4)
    bench.integrate(THERMAL, "eq", ["XX"])
    bench.integrate(rho, "P0", make.readouts)
    whole = analysed(bench.write(imaginary=CHANNELS)).states[0]
    half = analysed(bench.write()).states[0]
    assert whole.estimate.design.complete
    assert not half.estimate.design.complete
    assert np.abs(pulls(whole, rho)).max() < 4.5
    assert whole.p_value > 1e-3
    mixed = analysed(bench.write(imaginary=["13C"])).states[0]
    assert mixed.estimate.design.rank < whole.estimate.design.rank
    assert mixed.estimate.design.rank > half.estimate.design.rank
    assert np.abs(pulls(mixed, rho)).max() < 4.5


def test_a_table_of_turned_spectra_shows_the_other_part(bench, make):
    """Phased a quarter turn away, the real part is what the imaginary part was."""
    rho = deviation(make, 2)
    bench.integrate(THERMAL, "eq", ["XX"])
    bench.integrate(rho, "P0", make.readouts)
    reference = bench.files[:2]
    bench.files = reference + [f | {"phase": "0 deg"} for f in bench.files[2:]]
    shown = analysed(bench.write()).states[0]
    for channel in CHANNELS:  # rows of the state turned by −90° in the file: Re(−i b) = Im b
        own = bench.rows[channel]
        bench.rows[channel] = [own[0], *(-1j * row for row in own[1:])]
    bench.files = reference + [f | {"phase": "-90 deg"} for f in bench.files[2:]]
    turned = analysed(bench.write()).states[0]
    assert {c.name for c in shown.estimate.seen} != {c.name for c in turned.estimate.seen}
    for state in (shown, turned):
        assert np.abs(pulls(state, rho)).max() < 4.5
        assert np.isfinite(state.estimate.errors).all()


@pytest.mark.slow
def test_errors_are_true(lab, make):
    """χ² of 20 tables is what it should be: errors of the rows and of the gain are both in."""
    rho = deviation(make, 3)
    squares, determined, chi2, freedom = 0.0, 0, 0.0, 0
    for seed in range(20):
        bench = Bench(lab, seed)
        bench.integrate(THERMAL, "eq", ["XX"])
        bench.integrate(rho, "P0", ["II", "XX", "XY"])
        estimate = analysed(bench.write()).states[0].estimate
        axes = np.array([c.vector for c in estimate.seen])
        miss = estimate.values - axes @ expectations(rho)
        squares += miss @ np.linalg.solve(estimate.covariance, miss)
        determined += len(miss)
        chi2 += float(estimate.chi2)
        freedom += estimate.degrees_of_freedom
    for found, expected in ((squares, determined), (chi2, freedom)):
        assert abs(found - expected) < 4 * np.sqrt(2 * expected)


MHZ, STEP, WIDTH, LINES = {"1H": 62.375, "13C": 15.6874}, 0.1, 1.2, (-107.565, 107.565)
AXIS = np.arange(-200, 200, STEP)


def phased_spectrum(file_amplitudes, rng):
    values = sum(
        a / (np.pi * WIDTH + 2j * np.pi * (AXIS - nu))
        for a, nu in zip(file_amplitudes, LINES, strict=True)
    )
    return values + 2e-3 * (rng.normal(size=(len(AXIS), 2)) @ [1, 1j])


def test_beside_spectra_of_the_same_data(lab, make):
    """The same spectra as CSV, and as integrals of their phased real and imaginary parts."""
    rho, rng = deviation(make, 5), np.random.default_rng(3)
    spectra, tables, integrals = [], [], {channel: [] for channel in CHANNELS}
    for experiment, state, played in (("eq", THERMAL, ["XX"]), ("P0", rho, make.readouts)):
        for readout, own in zip(played, amplitudes(lab, state, played), strict=True):
            for channel, lines in zip(CHANNELS, own, strict=True):
                values = phased_spectrum((1j * GAINS[channel] * lines).conj()[::-1], rng)
                name = f"{experiment}_{readout}_{channel}.csv"
                columns = [AXIS / MHZ[channel], values.real, values.imag]
                np.savetxt(lab.folder / name, np.transpose(columns), delimiter=",", fmt="%.9g")
                inside = [np.abs(AXIS - nu) < 5 for nu in LINES]
                integrals[channel].append([values[window].sum() * STEP for window in inside])
                entry = {"channel": channel, "readout": readout, "experiment": experiment}
                spectra.append({"file": name} | entry)
                tables.append({"file": f"{channel}.csv", "record": len(integrals[channel])} | entry)
    error = 2e-3 * STEP * np.sqrt(10 / STEP)
    channels = {}
    for channel, rows in integrals.items():
        np.savetxt(lab.folder / f"{channel}.csv", np.real(rows), delimiter=",")
        np.savetxt(lab.folder / f"{channel}_i.csv", np.imag(rows), delimiter=",")
        table = {"columns": [1, 2], "order": "ascending", "error": float(error)}
        channels[channel] = {"integrals": table | {"imaginary": f"{channel}_i.csv"}}
    known = {"calibration": {"experiment": "eq", "state": "thermal"}}
    frequencies = {c: {"frequency": f"{f} MHz"} for c, f in MHZ.items()}
    fitted = analysed(lab.write(spectra, channels=frequencies, **known)).states[0]
    both = analysed(lab.write(tables, channels=channels, **known)).states[0]
    assert np.abs(pulls(fitted, rho)).max() < 4.5
    assert [c.name for c in both.estimate.seen] == [c.name for c in fitted.estimate.seen]
    # dispersive wings of the neighbour reach into a region: 1.5 % of it that no error holds
    assert both.estimate.values == pytest.approx(fitted.estimate.values, abs=0.03)
    for channel in channels.values():
        del channel["integrals"]["imaginary"]
    half = analysed(lab.write(tables, channels=channels, **known)).states[0]
    assert half.estimate.design.rank < both.estimate.design.rank
    assert np.abs(half.estimate.values - _values(fitted, half)).max() < 0.03


def _values(state, other):
    """Return what a state that is known completely says of the combinations of another."""
    known = np.array([c.vector for c in state.estimate.seen])
    wanted = np.array([c.vector for c in other.estimate.seen])
    return wanted @ np.linalg.solve(known, state.estimate.values)


def test_relative_errors_and_errors_of_noise(bench, make):
    """A share is one of the largest integral of the table; noise is pooled over its rows."""
    bench.integrate(THERMAL, "eq", ["XX"])
    bench.integrate(deviation(make), "P0", ["II", "XX"])
    path = bench.write()
    text = path.read_text()
    largest = max(abs(row.real).max() for row in bench.rows["1H"])
    path.write_text(text.replace("error: 0.01", "error: 2 %"))
    files = analysed(path).files
    assert np.diag(files[0].covariance) == pytest.approx([(0.02 * largest) ** 2] * 2)
    noise = np.random.default_rng(1).normal(size=(3, 3)) * 0.2
    table = bench.lab.folder / "1H.txt"
    head, *rows = table.read_text().splitlines()
    more = [f"{r} {' '.join(map(str, n))}" for r, n in zip(rows, noise.tolist(), strict=True)]
    table.write_text("\n".join([head, *more]))
    path.write_text(text.replace("error: 0.01", "noise: [4, 5, 6]"))
    files = analysed(path).files
    assert np.diag(files[0].covariance) == pytest.approx([np.mean(noise**2)] * 2)


def test_sums_of_tables(bench):
    """Three experiments add up to a pseudo-pure state; its populations are determined."""
    orders = ([0, 1, 2, 3], [0, 3, 1, 2], [0, 2, 3, 1])
    bench.integrate(THERMAL, "eq", ["XI", "IX"])
    for k, order in enumerate(orders):
        bench.integrate(THERMAL[np.ix_(order, order)], f"P{k}", ["XI", "IX"])
    own = [f for f in bench.files if (f["readout"] == "XI") == (f["channel"] == "1H")]
    bench.files = own
    tomogram = analysed(bench.write(), battery=Battery.from_terms(B=5, Delta=2))
    (state,) = tomogram.states
    values, covariance = state.populations
    truth = np.array([3, -1, -1, -1]) * (1 + RATIO) / 4
    assert values == pytest.approx(truth, abs=5 * np.sqrt(covariance.diagonal().max()))
    assert np.sqrt(covariance.diagonal().max()) < 0.05
    assert not tomogram.findings
    mirrored = bench.write().read_text().replace("  13C:\n", "  13C:\n    axis: mirrored\n")
    (bench.lab.folder / "m.yaml").write_text(mirrored)
    findings = analysed(bench.lab.folder / "m.yaml").findings
    assert any("axis of 13C mirrored" in text for text in findings)


def test_experiments_phased_differently_do_not_add(bench, make):
    bench.integrate(THERMAL, "eq", ["XX"])
    for k in range(2):
        bench.integrate(deviation(make, k), f"P{k}", ["XX", "II"])
    bench.files[-1] |= {"phase": "30 deg"}
    tomogram = analysed(bench.write())
    (lost,) = tomogram.states[0].missing
    assert lost == "II on 13C (its tables show parts of different phases)"


def test_a_reference_that_cannot_be_phased(bench, make):
    bench.integrate(THERMAL, "eq", ["XX", "YY"])
    bench.integrate(deviation(make), "P0", ["XX"])
    with pytest.raises(InputError, match="cannot all be absorptive in spectra of one phase"):
        analysed(bench.write())
    phases = {"YY": np.pi / 2}  # phased on its own: its lines, along x, are absorptive too
    own = Bench(bench.lab)
    own.integrate(THERMAL, "eq", ["XX", "YY"], axis="rotating-frame", phases=phases)
    for f in own.files[2:]:
        f["phase"] = "90 deg"
    rho = deviation(make)
    own.integrate(rho, "P0", ["XX", "II"], axis="rotating-frame")
    state = analysed(own.write(axes={"axis": "rotating-frame"})).states[0]
    assert np.abs(pulls(state, rho)).max() < 4.5


def test_a_reference_phased_away_from_its_channel(bench, make):
    """Its lines are absorptive at 30° from the phase of the other tables."""
    rho = deviation(make, 6)
    frame = {"axis": "rotating-frame"}
    bench.integrate(THERMAL, "eq", ["XX"], phase="30 deg", **frame)
    bench.integrate(
        rho, "P0", ["XX", "II"], phases=dict.fromkeys(("XX", "II"), -np.pi / 6), **frame
    )
    tomogram = analysed(bench.write(axes=frame))
    for channel, gain in GAINS.items():
        expected = 1j * gain * np.exp(-1j * np.pi / 6)
        assert tomogram.gains[channel].factor == pytest.approx(expected, rel=0.06)
    assert np.abs(pulls(tomogram.states[0], rho)).max() < 4.5


def test_without_a_reference_phases_are_told(bench, make):
    """On the rotating frame's axis −i is positive after a receiver phase of 90°."""
    rho = make.random_state(2)
    bench.integrate(rho - np.eye(4) / 4, "P0", ["XX", "II"], axis="rotating-frame")
    for channel, gain in GAINS.items():
        bench.rows[channel] = [row / gain for row in bench.rows[channel]]
    for f in bench.files:
        f["phase"] = "90 deg"
    path = bench.write(axes={"axis": "rotating-frame"}, kind="full")
    document = path.read_text()
    start = document.index("calibration:")
    end = document.index("channels:")
    path.write_text(document[:start] + document[end:])
    state = analysed(path).states[0]
    assert {"ZI", "IZ"} <= {c.name for c in state.estimate.seen}
    assert np.abs(pulls(state, rho)).max() < 4.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"record": 9}, r"data.yaml:\d+:\d+: `record` must be from 1 to 4, but is 9"),
        ({"record": None}, r"it holds 4 rows; say which with `record`"),
        ({"file": "nowhere.txt"}, r"nowhere.txt:1:1: "),
    ],
)
def test_faults_of_rows(change, message, bench, make):
    bench.integrate(THERMAL, "eq", ["XX"])
    bench.integrate(deviation(make), "P0", ["II", "XX", "IX"])
    changed = {k: v for k, v in (bench.files[2] | change).items() if v is not None}
    bench.files[2] = changed
    with pytest.raises(InputError, match=message):
        analysed(bench.write())


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("a 1 2\nb 1 x\nc 1 2\nd 1 2\n", r"1H.txt:2:5: must be a finite number, but is 'x'"),
        ("a 1 2\nb 1\nc 1 2\nd 1 2\n", r"1H.txt:2:1: must hold 3 columns, but holds 2"),
        ("a 0 0\nb 0 0\nc 0 0\nd 0 0\n", r"its integrals are all 0"),
        (
            "nothing here\n",
            r"1H.txt:1:1: this holds no row of numbers with numbers in columns 2, 3",
        ),
        ("", r"1H.txt:1:1: the table of integrals is empty"),
    ],
)
def test_faults_of_tables(table, message, bench, make):
    bench.integrate(THERMAL, "eq", ["XX"])
    bench.integrate(deviation(make), "P0", ["II", "XX", "IX"])
    path = bench.write()
    path.write_text(path.read_text().replace("error: 0.01", "error: 1 %"))
    (bench.lab.folder / "1H.txt").write_text(table)
    with pytest.raises(InputError, match=message):
        analysed(path)


def test_few_integrals_of_noise_are_refused(bench, make):
    bench.integrate(THERMAL, "eq", ["XX"])
    bench.integrate(deviation(make), "P0", ["II"])
    path = bench.write()
    path.write_text(path.read_text().replace("error: 0.01", "noise: [4]"))
    (bench.lab.folder / "1H.txt").write_text("a 1 2 .1\nb 2 1 .2\n")
    with pytest.raises(InputError, match="holds 2 integrals of noise, but at least 8"):
        analysed(path)


def test_series_of_integrals(lab):
    """T1, T2 and a nutation from columns of tables, with errors that hold the truth."""
    rng, sigma = np.random.default_rng(5), 0.01
    times = {"T1": np.array([0.01, 0.1, 0.5, 1, 2, 5, 15, 40]), "T2": np.linspace(0.02, 1, 9),
             "pulse_90": np.arange(2, 60, 4) * 1e-6}  # fmt: skip
    truth = {"T1": 8.0, "T2": 0.3, "pulse_90": 11e-6}
    courses = {
        "T1": lambda t: 1 - 1.9 * np.exp(-t / 8),
        "T2": lambda t: np.exp(-t / 0.3),
        "pulse_90": lambda t: np.sin(np.pi / 2 * t / 11e-6),
    }
    series = []
    for name, t in times.items():
        rows = [
            f"{k}\t{courses[name](x) + sigma * rng.normal():.6f}" for k, x in enumerate(t, start=1)
        ]
        (lab.folder / f"{name}.txt").write_text("\n".join(rows))
        series.append({
            "file": f"{name}.txt", "measures": name, "spin": "H",
            "times": [f"{x:.9g} s" for x in t],
            "integrals": {"columns": [2], "error": sigma},
        })  # fmt: skip
    found = calibrate_recorded(load_data(lab.write([], series=series)))
    for one in found:
        assert abs(one.value - truth[one.measures]) < 4 * one.error, one.measures
        assert one.error < 0.05 * one.value
        assert one.misfit < 3
        assert one.ppm is None
    short = [series[0] | {"times": ["1 s", "2 s"]}]
    with pytest.raises(InputError, match="holds 8 rows, but 2 times are known"):
        calibrate_recorded(load_data(lab.write([], series=short)))
