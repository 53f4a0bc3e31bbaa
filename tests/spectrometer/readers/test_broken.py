"""Truncated, byte-swapped, empty, huge and foreign files: one message, soon, in little room."""

import time
import tracemalloc

import numpy as np
import pytest

from nmrqb.errors import InputError
from nmrqb.spectrometer.readers import read_recording

POINTS = 512
ALL = ("bruker", "varian", "nmrpipe", "spinsolve", "jeol", "table", "native")
DATA = {"bruker": "fid", "varian": "fid", "spinsolve": "data.1d"}
SECONDS, BYTES = 5.0, 60e6


def data_file(path, kind):
    return path / DATA[kind] if kind in DATA else path


def refused(path, reader=None):
    """Return the one message of a file that cannot be read; it comes soon and in little room."""
    tracemalloc.start()
    start = time.process_time()
    with pytest.raises(InputError, match=r":\d+:\d+: ") as caught:
        read_recording(path, reader)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert time.process_time() - start < SECONDS
    assert peak < BYTES
    assert len(caught.value.faults) == 1
    return str(caught.value)


@pytest.fixture(autouse=True, scope="module")
def _loaded():
    import nmrglue  # noqa: F401 - not part of the time


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.9])
def test_truncated(kind, share, request):
    path = request.getfixturevalue(kind)
    file = data_file(path, kind)
    whole = file.read_bytes()
    cut = whole[: int(share * len(whole))]
    file.write_bytes(cut)
    if kind == "table" and share > 0.1:  # a shorter table is a table, but its last line is cut
        file.write_bytes(cut.rpartition(b",")[0])
    message = refused(path)
    if not share:
        assert "empty" in message


@pytest.mark.parametrize(
    ("kind", "name"), [("bruker", "acqus"), ("varian", "procpar"), ("spinsolve", "acqu.par")]
)
def test_parameters_are_needed(kind, name, request):
    path = request.getfixturevalue(kind)
    for content in (b"", b"\x00\xff" * 100, b"nothing of use\n" * 10, None):
        if content is None:
            (path / name).unlink()
        else:
            (path / name).write_bytes(content)
        refused(path, kind)


@pytest.mark.parametrize("kind", ["bruker", "varian", "spinsolve", "jeol", "nmrpipe"])
def test_a_huge_header(kind, request):
    path = request.getfixturevalue(kind)
    name = {"bruker": "acqus", "varian": "procpar", "spinsolve": "acqu.par"}.get(kind)
    if name is None:
        data = bytearray(path.read_bytes())
        words = {"jeol": [(176, b"\xff" * 32)], "nmrpipe": [(4 * 99, b"\x7f\x7f\x7f\x7f" * 2)]}
        for at, bad in words[kind]:
            data[at : at + len(bad)] = bad
        path.write_bytes(data)
    else:
        with (path / name).open("ab") as stream:
            stream.truncate(3_000_000_000)  # a hole: it takes no room on the disk
    refused(path, kind)


@pytest.mark.parametrize("kind", ["bruker", "varian", "spinsolve", "native", "table", "jeol"])
def test_a_huge_data_file(kind, request):
    path = request.getfixturevalue(kind)
    with data_file(path, kind).open("ab") as stream:
        stream.truncate(30_000_000_000)
    assert "MB allowed" in refused(path, None if kind != "table" else "csv")


@pytest.mark.parametrize("kind", ["bruker", "varian", "spinsolve", "jeol"])
def test_byte_swapped(kind, request):
    path = request.getfixturevalue(kind)
    file = data_file(path, kind)
    data = np.frombuffer(file.read_bytes(), dtype="<u4")
    file.write_bytes(data.byteswap().tobytes())
    message = refused(path, kind)
    assert any(word in message for word in ("byte-swapped", "not with JEOL"))


def test_swapped_nmrpipe_is_read(nmrpipe):
    straight = read_recording(nmrpipe).values
    data = np.frombuffer(nmrpipe.read_bytes(), dtype="<f4")
    nmrpipe.write_bytes(data.byteswap().tobytes())
    try:
        assert read_recording(nmrpipe).values == pytest.approx(straight)
    except InputError as error:
        pytest.fail(str(error))


@pytest.mark.parametrize("kind", ALL)
def test_foreign_content(kind, request):
    path = request.getfixturevalue(kind)
    rng = np.random.default_rng(1)
    for junk in (rng.bytes(5000), b"PK\x03\x04" + rng.bytes(3000), b"<html>no data</html>\n" * 50):
        data_file(path, kind).write_bytes(junk)
        if kind == "bruker":
            continue  # any bytes of the right number are integers
        refused(path, {"table": "csv", "native": "nmrqb"}.get(kind, kind))


@pytest.mark.parametrize("name", ["nothing", "folder", "picture.png", "text.csv", "bad\0name"])
def test_what_is_no_data(name, tmp_path):
    if name == "folder":
        (tmp_path / name).mkdir()
    elif name == "picture.png":
        (tmp_path / name).write_bytes(b"\x89PNG" + bytes(200))
    elif name == "text.csv":
        (tmp_path / name).write_text("a,b\nc,d\n")
    refused(tmp_path / name)


def test_unfinished_parameters_do_not_hang(tmp_path, make):
    folder = make.bruker(tmp_path / "1")
    for end in ("##$D= (0..99999999)\n1 2 3", "##$NAME= <never closed", "##$TD= 1e400", "##$TD= 0"):
        (folder / "acqus").write_text("##TITLE= x\n" + end + "\n")
        refused(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"TD": 10**12}, "`TD` must be a number from"),
        ({"TD": 4 * POINTS}, "truncated"),
        ({"TD": POINTS // 4}, "belongs to other parameters"),
        ({"TD": "much"}, "`TD` must be a number"),
        ({"DTYPA": 7}, "`DTYPA` must be 0 or 2"),
        ({"AQ_mod": 0}, "`AQ_mod` must be 1 or 3"),
        ({"SW_h": 0}, "`SW_h` must be a number from"),
        ({"SFO1": None}, "`SFO1` must be a number .* is missing"),
        ({"GRPDLY": 1e9, "DIGMOD": 1}, "`GRPDLY` must be a number from"),
        ({"BYTORDA": 1}, "byte-swapped"),
    ],
)
def test_parameters_of_bruker_that_contradict(changes, message, tmp_path, make):
    with pytest.raises(InputError, match=message):
        read_recording(make.bruker(tmp_path / "1", **changes))


def test_series_without_its_second_parameters(tmp_path, make):
    make.bruker(tmp_path / "1", make.integers(make.signal()), name="ser")
    assert "acqu2s" in refused(tmp_path / "1")
    (tmp_path / "1" / "acqu2s").write_text(make.acqus(TD=1_000_000))
    assert "truncated" in refused(tmp_path / "1")


def test_archive_that_unpacks_to_too_much(tmp_path, monkeypatch):
    import zipfile

    monkeypatch.setattr("nmrqb.spectrometer.readers.guards.MAX_DATA_BYTES", 1_000_000)
    file = tmp_path / "bomb.npz"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("values.npy", "w", force_zip64=True) as member:
            for _ in range(2):
                member.write(bytes(1_000_000))
        archive.writestr("header.npy", b"x")
    assert "unpacks to more" in refused(file)


def test_array_that_claims_a_huge_shape(native):
    import io
    import zipfile

    with zipfile.ZipFile(native) as archive:
        header = archive.read("header.npy")
    stream = io.BytesIO()
    claim = {"descr": "<c16", "fortran_order": False, "shape": (10**12,)}
    np.lib.format.write_array_header_1_0(stream, claim)
    with zipfile.ZipFile(native, "w") as archive:
        archive.writestr("header.npy", header)
        archive.writestr("values.npy", stream.getvalue() + bytes(64))
    assert "an array of shape (1000000000000,) is promised" in refused(native)


def test_pickles_are_not_opened(tmp_path):
    file = tmp_path / "evil.npz"
    np.savez(file, values=np.array([object()], dtype=object), header=np.array("{}"))
    assert "an array of shape (1,)" in refused(file)


def test_many_parameters_of_jeol(tmp_path, make):
    data = bytearray(make.jeol_bytes())
    data[1360 + 8 : 1360 + 12] = b"\xff\xff\xff\x7f"
    (tmp_path / "x.jdf").write_bytes(data)
    refused(tmp_path / "x.jdf")


# ------------------------------------------------------------------------------- damaged archives
def test_an_encrypted_archive(native):
    data = bytearray(native.read_bytes())
    data[6] |= 1  # of the first member, and in the list of all
    data[data.index(b"PK\1\2") + 8] |= 1
    native.write_bytes(data)
    assert "encrypted" in refused(native)


def test_a_damaged_archive_of_lzma(native):
    import zipfile

    with zipfile.ZipFile(native) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(native, "w", zipfile.ZIP_LZMA) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    data = bytearray(native.read_bytes())
    data[200:400] = bytes(200)
    native.write_bytes(data)
    assert "(LZMAError: " in refused(native)


def test_a_header_of_brackets(tmp_path):
    file = tmp_path / "deep.npz"
    np.savez(file, values=np.ones(64, dtype=complex), header=np.array("[" * 100_000))
    assert "(RecursionError: " in refused(file)


@pytest.mark.parametrize("name", ["x.csv", "x.npz", "x"])
def test_an_archive_of_two_disks(name, tmp_path):
    import struct

    locator = struct.pack("<4sLQL", b"PK\6\7", 0, 0, 2)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0, 0, 0, 0, 0)
    (tmp_path / name).write_bytes(bytes(100) + locator + end)
    assert "BadZipFile" in refused(tmp_path / name)


# ------------------------------------------------------------------- numbers that make no spectrum
def archive(path, values, **changes):
    import json

    header = {
        "format": "nmrqb-fid/1", "nucleus": "1H", "spectral_width_hz": 2000.0, "dead_time_s": 0.0,
        "carrier_hz": 300.0015e6, "reference_hz": 300e6,
    } | changes  # fmt: skip
    np.savez(path, values=values, header=np.array(json.dumps(header)))
    return path


@pytest.mark.parametrize(
    "values",
    [
        np.array([str(k) for k in range(64)]),
        np.array(["2020-01-01"] * 64, dtype="M8[s]"),
        np.ones(64, dtype=bool),
    ],
)
def test_points_are_numbers(values, tmp_path):
    message = f"`values` must be numbers, but is of type {values.dtype}"
    assert message in refused(archive(tmp_path / "x.npz", values))


@pytest.mark.parametrize("values", [np.array(1j), np.ones(1), np.ones((64, 1))])
def test_recordings_of_too_few_points(values, tmp_path):
    said = refused(archive(tmp_path / "x.npz", values))
    assert "must hold rows of at least 16 points" in said


@pytest.mark.parametrize("name", ["carrier_hz", "reference_hz"])
@pytest.mark.parametrize("value", [1e308, 1e-300, 0.0, -3e8])
def test_frequencies_of_no_spectrometer(name, value, tmp_path):
    said = refused(archive(tmp_path / "x.npz", np.ones(64, dtype=complex), **{name: value}))
    assert f"`{name}` must be a number from 1000 to 1e+12" in said


@pytest.mark.parametrize(
    ("ppm", "size", "message"),
    [(1e300, 1, "`ppm` must ascend"), (1e-310, 1, "`ppm` must"), (1, 1e308, "up to 1e+150")],
)
def test_tables_of_wild_numbers(ppm, size, message, tmp_path):
    rows = [f"{x * ppm},{size},0" for x in np.linspace(-2, 9, 64)]
    (tmp_path / "x.csv").write_text("\n".join(rows))
    assert message in refused(tmp_path / "x.csv")
