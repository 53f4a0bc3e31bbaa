"""Readers against one known FID that every kind of file holds."""

import numpy as np
import pytest

from nmrqb.errors import ArgumentError, InputError
from nmrqb.spectrometer import Receiver
from nmrqb.spectrometer.measured import measured_spectrum
from nmrqb.spectrometer.readers import (
    READERS,
    Recording,
    nucleus_of,
    read_integrals,
    read_recording,
    read_times,
    write_fids,
)

SW, POINTS, MHZ = 2000.0, 512, 300.0  # of the files that the fixtures make
LINE_HZ, RATE, AMPLITUDE, CARRIER_OFFSET = 310.0, 8.0, 3000.0, 1500.0
VENDORS = ("bruker", "varian", "nmrpipe", "spinsolve", "jeol")


@pytest.mark.parametrize("kind", VENDORS)
def test_vendors_files_hold_the_fid(kind, request, make):
    recording = read_recording(request.getfixturevalue(kind))
    assert recording.kind == kind
    assert recording.domain == "time"
    assert recording.nucleus == "1H"
    assert recording.spectral_width_hz == pytest.approx(SW)
    assert recording.carrier_hz == pytest.approx(MHZ * 1e6 + CARRIER_OFFSET)
    assert recording.reference_hz == pytest.approx(MHZ * 1e6)
    assert recording.values == pytest.approx(make.signal(), abs=AMPLITUDE * 3e-4)
    assert len(recording.sha256) == 64


@pytest.mark.parametrize("kind", VENDORS)
def test_the_line_stands_at_its_shift(kind, request):
    spectrum = measured_spectrum(read_recording(request.getfixturevalue(kind)))
    top = spectrum.frequencies_hz[np.argmax(np.abs(spectrum.values))]
    assert spectrum.ppm(top) == pytest.approx(
        (CARRIER_OFFSET + LINE_HZ) / MHZ, abs=SW / POINTS / MHZ
    )


def test_reader_may_be_named(bruker):
    assert read_recording(bruker / "fid", "bruker").points == POINTS
    with pytest.raises(ArgumentError, match="did you mean `bruker`"):
        read_recording(bruker, "brucker")
    assert set(READERS) == {*VENDORS, "csv", "nmrqb"}


def test_own_files_come_back_without_loss(native, make):
    recording = read_recording(native)
    assert np.array_equal(recording.values, np.stack([make.signal(), make.signal(scale=0.5)]))
    assert recording.delays_s == (0.1, 0.2)
    assert recording.dead_time_s == 1e-4
    assert (recording.rows, recording.points) == (2, POINTS)


@pytest.mark.parametrize("fids", [np.ones(3), np.full(POINTS, np.nan)])
def test_own_writer_refuses_what_does_not_fit(fids, tmp_path):
    with pytest.raises(ArgumentError, match="`fids` must be finite and have shape"):
        write_fids(tmp_path / "x.npz", fids, Receiver(SW, POINTS), nucleus="1H")
    assert not list(tmp_path.iterdir())


# ------------------------------------------------------------------------------------- Bruker
def delayed(delay, points=2 * POINTS):
    """Return an FID behind a linear-phase filter: it builds up symmetrically round a delay."""
    grid = np.arange(8 * points) / SW
    whole = np.where(grid > 0, 1.0, 0.5) * AMPLITUDE * np.exp((2j * np.pi * LINE_HZ - RATE) * grid)
    transform = np.fft.fft(whole)
    turns = np.fft.fftfreq(len(whole))
    edge = np.clip((0.5 - np.abs(turns)) / 0.05, 0, 1)
    return np.fft.ifft(transform * edge * np.exp(-2j * np.pi * turns * delay))[:points]


@pytest.mark.parametrize(
    ("delay", "changes"),
    [
        (67.98, {"GRPDLY": 67.98, "DIGMOD": 1}),
        (67.4167, {"GRPDLY": None, "DIGMOD": 1, "DSPFVS": 10, "DECIM": 24}),  # from the table
        (70.25, {"GRPDLY": -1, "DIGMOD": 1, "DSPFVS": 12, "DECIM": 16}),
    ],
)
def test_the_digital_filter_is_removed(delay, changes, tmp_path, make):
    from nmrglue.fileio.bruker import bruker_dsp_table

    if "DECIM" in changes:
        delay = bruker_dsp_table[changes["DSPFVS"]][changes["DECIM"]]
    data = make.integers(delayed(delay))
    folder = make.bruker(tmp_path / "1", data, TD=4 * POINTS, **changes)
    recording = read_recording(folder)
    spectrum = measured_spectrum(recording)
    k = np.argmax(np.abs(spectrum.values))
    ideal = measured_spectrum(
        Recording(make.signal(recording.points), "time", "x", "x", SW, spectrum.carrier_hz or 1.0)
    )
    ratio = spectrum.values[k] / ideal.values[np.argmax(np.abs(ideal.values))]
    assert abs(ratio) == pytest.approx(1, abs=0.05)
    assert np.degrees(np.angle(ratio)) == pytest.approx(0, abs=6)  # delay·360°·f/SW if it were left


def test_unknown_filter_is_told(tmp_path, make):
    changes = {"GRPDLY": None, "DIGMOD": 1, "DSPFVS": 10, "DECIM": 7}
    with pytest.raises(InputError, match=r"acqus:1:1: `GRPDLY` is missing.*DSPFVS 10.*DECIM 7"):
        read_recording(make.bruker(tmp_path / "1", **changes))


@pytest.mark.parametrize(("order", "dtype"), [(0, "<i4"), (1, ">i4")])
@pytest.mark.parametrize("kind", [0, 2])
def test_byte_orders_and_types(order, dtype, kind, tmp_path, make):
    own = dtype if kind == 0 else dtype.replace("i4", "f8")
    folder = make.bruker(
        tmp_path / "1", make.integers(make.signal(), own), BYTORDA=order, DTYPA=kind
    )
    assert read_recording(folder).values == pytest.approx(make.signal(), abs=1)


def test_rows_of_a_series_and_their_delays(tmp_path, make):
    points = 100  # a row fills 800 of 1024 bytes
    rows = [make.integers(make.signal(points, scale)).ljust(1024, b"\0") for scale in (1, 0.5, -1)]
    folder = make.bruker(
        tmp_path / "1", b"".join(rows), name="ser", second=3, TD=2 * points,
        lists={"vdlist": "10\n0.5s \n25m\n"},
    )  # fmt: skip
    recording = read_recording(folder)
    assert recording.values.shape == (3, points)
    assert recording.values[2] == pytest.approx(-make.signal(points), abs=1)
    assert recording.delays_s == pytest.approx((10, 0.5, 0.025))


def test_lists_of_pulses_are_in_microseconds(tmp_path):
    (tmp_path / "vplist").write_text("5\n10u\n1m\n")
    assert read_times(tmp_path / "vplist", microseconds=True) == pytest.approx((5e-6, 1e-5, 1e-3))
    (tmp_path / "vdlist").write_text("1s\nsoon\n")
    with pytest.raises(InputError, match=r"vdlist:2:1: must be a time such as 0.5s or 25m"):
        read_times(tmp_path / "vdlist")


# ------------------------------------------------------------------------------------- text
def test_table_is_uniform_and_ascends(table):
    recording = read_recording(table)
    assert recording.domain == "frequency"
    assert recording.ppm == pytest.approx(np.linspace(-2, 9, 400), abs=1e-5)
    assert np.ptp(np.diff(recording.ppm)) < 1e-12
    lines = table.read_text().splitlines()
    table.write_text("ppm;re;im\n" + "\n".join(lines[::-1]).replace(",", "; "))
    turned = read_recording(table)
    assert turned.values == pytest.approx(recording.values)
    assert turned.ppm == pytest.approx(recording.ppm)


@pytest.mark.parametrize(
    ("line", "text", "message"),
    [
        (3, "1.0,a,2", r":3:5: must be a number, but is 'a'"),
        (7, "1.0,2", r":7:1: must be three numbers .*, but there are 2"),
        (9, "1.0,,2", r":9:1: .*a column is empty"),
        (11, "-1.7,nan,2", r":11:1: must be a finite number, but is nan"),
        (200, "8.9,1,2", r"axis must be uniform, but point 200 lies at 8.9 ppm"),
    ],
)
def test_faults_of_a_table_have_their_place(line, text, message, table):
    lines = table.read_text().splitlines()
    lines[line - 1] = text
    table.write_text("\n".join(lines))
    with pytest.raises(InputError, match=message):
        read_recording(table)


def test_integrals_of_topspin(tmp_path):
    file = tmp_path / "integrals.txt"
    file.write_text("# title\nspectrum  line1 line2\n 1 0.5 -0.25\n 2  1e-1 3\n\n")
    table = read_integrals(file, named_rows=True)
    assert table.values.tolist() == [[0.5, -0.25], [0.1, 3.0]]
    assert table.spectra == ("1", "2")
    assert read_integrals(file).values.shape == (2, 3)
    file.write_text("1 2 3\n4 x 6\n")
    with pytest.raises(InputError, match=r":2:3: must be a finite number, but is 'x'"):
        read_integrals(file)
    file.write_text("1 2 3\n4 6\n")
    with pytest.raises(InputError, match=r":2:1: must hold 3 integrals .*, but holds 2"):
        read_integrals(file)


def test_columns_of_a_table_may_stand_among_others(tmp_path):
    file = tmp_path / "integrals.csv"
    file.write_text("name,region 1,remark,region 2\nP0 on 1H, 0.5 ,fine,-0.25\n\nP1,1e-1,,3,\n")
    table = read_integrals(file, columns=[3, 1])
    assert table.values.tolist() == [[-0.25, 0.5], [3.0, 0.1]]
    assert table.source == str(file)
    file.write_text("P0\t1\t2\nP1\t\t2\n")
    with pytest.raises(InputError, match=r":2:4: must be a finite number, but is ''"):
        read_integrals(file, columns=[1])
    file.write_text("P0 1 2\nP1 1\n")
    with pytest.raises(InputError, match=r":2:1: must hold 3 columns, but holds 2"):
        read_integrals(file, columns=[2])
    with pytest.raises(InputError, match=r":1:1: this holds no row of numbers .* columns 9"):
        read_integrals(file, columns=[8])


def test_a_slip_in_the_first_row_of_a_table_is_not_a_title(tmp_path):
    """Rows are counted: one that is skipped moves all others."""
    file = tmp_path / "integrals.txt"
    file.write_text("Integrals of region 1\nspectrum integral\n1 1.O\n2 0.5\n3 0.2\n")
    with pytest.raises(InputError, match=r":3:3: must be a finite number, but is '1\.O'"):
        read_integrals(file, columns=[1])
    file.write_text("Integrals of region 1\nspectrum integral\n1 1.0\n2 0.5\n3 0.2\n")
    assert read_integrals(file, columns=[1]).values.tolist() == [[1.0], [0.5], [0.2]]


@pytest.mark.parametrize("line", ["P0;0,53;0,21", "P0\t0,53\t0,21", "0,53 0,21"])
def test_a_decimal_comma_is_not_a_separator(line, tmp_path):
    file = tmp_path / "integrals.txt"
    file.write_text(f"# title\n{line}\n")
    with pytest.raises(InputError, match=r":2:\d: numbers must have a decimal point, .*'0,53'"):
        read_integrals(file)


@pytest.mark.parametrize(("sign", "change"), [
    (0, lambda fid: fid),
    (1, lambda fid: fid * (-1) ** np.arange(POINTS)),
    (16, lambda fid: (fid * (-1) ** np.arange(POINTS)).conj()),
])  # fmt: skip
def test_signs_that_nmrpipe_is_asked_for(sign, change, nmrpipe, make):
    """The file holds what the transform with -auto turns into an ordinary FID."""
    content = np.frombuffer(nmrpipe.read_bytes(), "<f4").copy()
    content[64] = sign
    asked = change(make.signal())
    content[512:] = np.concatenate([asked.real, asked.imag])
    nmrpipe.write_bytes(content.tobytes())
    assert read_recording(nmrpipe).values == pytest.approx(make.signal(), abs=AMPLITUDE * 3e-4)


@pytest.mark.parametrize(
    ("text", "nucleus"),
    [("<1H>", "1H"), ("H1", "1H"), ("C13", "13C"), ("^13C", "13C"), ("Proton", "1H"),
     ("Carbon13", None), ("", None), (None, None)],
)  # fmt: skip
def test_names_of_nuclei(text, nucleus):
    assert nucleus_of(text) == nucleus
