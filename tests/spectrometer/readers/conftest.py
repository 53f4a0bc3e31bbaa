"""Small folders and files as spectrometers write them, of one known FID."""

import struct
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

SW, POINTS, MHZ = 2000.0, 512, 300.0
LINE_HZ, RATE, AMPLITUDE = 310.0, 8.0, 3000.0
CARRIER_OFFSET = 1500.0  # Hz above 0 ppm: 5 ppm


def signal(points=POINTS, scale=1.0):
    t = np.arange(points) / SW
    return scale * AMPLITUDE * np.exp((2j * np.pi * LINE_HZ - RATE) * t)


def acqus(**changes):
    values = {
        "AQ_mod": 3, "BF1": MHZ, "BYTORDA": 0, "DTYPA": 0, "NUC1": "<1H>", "SFO1": MHZ + 1.5e-3,
        "SW_h": SW, "TD": 2 * POINTS, "GRPDLY": 0, "DIGMOD": 0,
    } | changes  # fmt: skip
    lines = [f"##${key}= {value}" for key, value in values.items() if value is not None]
    return "\n".join(["##TITLE= parameters", "##$D= (0..3)", "0 1 2 3", *lines, "##END=", ""])


def integers(values, dtype="<i4"):
    return np.stack([values.real, values.imag], axis=-1).round().astype(dtype).tobytes()


def write_bruker(folder, data=None, *, name="fid", second=None, lists=None, **changes):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "acqus").write_text(acqus(**changes))
    (folder / name).write_bytes(integers(signal()) if data is None else data)
    if second is not None:
        (folder / "acqu2s").write_text(acqus(TD=second))
    for file, text in (lists or {}).items():
        (folder / file).write_text(text)
    return folder


@pytest.fixture
def bruker(tmp_path):
    return write_bruker(tmp_path / "bruker")


@pytest.fixture
def varian(tmp_path):
    from nmrglue.fileio import varian as writer

    folder = tmp_path / "varian"
    folder.mkdir()
    values = signal()
    header = struct.pack(">6i2hi", 1, 1, 2 * POINTS, 4, 8 * POINTS, 8 * POINTS + 28, 0, 0x49, 1)
    body = np.stack([values.real, -values.imag], axis=-1).astype(">f4").tobytes()  # conjugate
    (folder / "fid").write_bytes(header + bytes(28) + body)
    numbers = {"sw": SW, "sfrq": MHZ + 1.5e-3, "rfl": SW / 2 - CARRIER_OFFSET, "rfp": 0.0}
    lines = [f"{k} 1 1 1e9 0 0 2 1 0 1 64\n1 {v:.9f}\n0" for k, v in numbers.items()]
    words = {"tn": "H1", "array": ""}
    lines += [f'{k} 2 2 8 0 0 2 1 9 1 64\n1 "{v}"\n0' for k, v in words.items()]
    (folder / "procpar").write_text("\n".join(lines) + "\n")
    assert writer.read_procpar(str(folder / "procpar"))["sw"]["values"] == [f"{SW:.9f}"]
    return folder


@pytest.fixture
def nmrpipe(tmp_path):
    from nmrglue.fileio import fileiobase
    from nmrglue.fileio import pipe as writer

    axis = {"sw": SW, "obs": MHZ, "car": CARRIER_OFFSET, "label": "1H", "size": POINTS}
    udic = fileiobase.create_blank_udic(1)
    udic[0].update(axis | {"complex": True, "time": True, "freq": False})
    file = tmp_path / "test.fid"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        writer.write(str(file), writer.create_dic(udic), signal().astype("complex64"))
    return file


@pytest.fixture
def spinsolve(tmp_path):
    folder = tmp_path / "spinsolve"
    folder.mkdir()
    parameters = {
        "b1Freq": MHZ, "bandwidth": SW / 1e3, "lowestFrequency": CARRIER_OFFSET - SW / 2,
        "rxChannel": '"1H"',
    }  # fmt: skip
    (folder / "acqu.par").write_text("\n".join(f"{k} = {v}" for k, v in parameters.items()) + "\n")
    values = signal()
    header = struct.pack("<8I", 1347571539, 1145132097, 1446063665, 504, POINTS, 1, 1, 1)
    axis = (np.arange(POINTS) / SW).astype("<f4").tobytes()
    body = np.stack([values.real, -values.imag], axis=-1).astype("<f4").tobytes()  # conjugate
    (folder / "data.1d").write_bytes(header + axis + body)
    return folder


def jeol_bytes():
    """Return a one-dimensional complex .jdf with the fields that the reader of nmrglue wants."""
    values = signal()
    points, start, parameters = POINTS, 2048, 1360
    head = bytearray(start)
    head[0:8] = b"JEOL.NMR"
    head[8] = 1  # data and parameters are little-endian
    head[12], head[13] = 1, 0b10000000
    head[14] = 1  # float64, one_d
    head[24] = 3  # complex
    struct.pack_into(">8I", head, 176, points, *[1] * 7)
    struct.pack_into(">8I", head, 208, *[0] * 8)
    struct.pack_into(">8I", head, 240, points - 1, *[0] * 7)
    known = [
        ("X_SWEEP", 2, struct.pack("<d8x", SW)),
        ("X_FREQ", 2, struct.pack("<d8x", MHZ * 1e6)),
        ("X_OFFSET", 2, struct.pack("<d8x", CARRIER_OFFSET / MHZ)),
        ("X_DOMAIN", 0, b"Proton".ljust(16, b" ")),
    ]
    struct.pack_into(">2I", head, 1212, parameters, 16 + 64 * len(known))
    struct.pack_into(">I", head, 1284, start)
    struct.pack_into("<4I", head, parameters, 64, 0, len(known), 16 + 64 * len(known))
    at = parameters + 16
    for name, kind, value in known:
        head[at + 16 : at + 32] = value
        struct.pack_into("<i", head, at + 32, kind)
        head[at + 36 : at + 64] = name.ljust(28).encode()
        at += 64
    body = np.concatenate([values.real, -values.imag]).astype("<f8").tobytes()
    return bytes(head) + body


@pytest.fixture
def jeol(tmp_path):
    file = tmp_path / "test.jdf"
    file.write_bytes(jeol_bytes())
    return file


@pytest.fixture
def table(tmp_path):
    file = tmp_path / "spectrum.csv"
    ppm = np.linspace(-2, 9, 400)
    values = 1 / (0.05 + 2j * np.pi * (ppm - 3))
    rows = [f"{x:.5f},{v.real:.6g},{v.imag:.6g}" for x, v in zip(ppm, values, strict=True)]
    file.write_text("\n".join(rows) + "\n")
    return file


@pytest.fixture
def native(tmp_path):
    from nmrqb.spectrometer import Receiver
    from nmrqb.spectrometer.readers import write_fids

    file = tmp_path / "fids.npz"
    fids = np.stack([signal(), signal(scale=0.5)])
    write_fids(
        file,
        fids,
        Receiver(SW, POINTS, dead_time_s=1e-4),
        nucleus="1H",
        delays_s=(0.1, 0.2),
        carrier_hz=MHZ * 1e6 + CARRIER_OFFSET,
        reference_hz=MHZ * 1e6,
    )
    return file


@pytest.fixture
def make():
    """Return the functions above: tests cannot import this file."""
    return SimpleNamespace(
        signal=signal,
        acqus=acqus,
        integers=integers,
        bruker=write_bruker,
        jeol_bytes=jeol_bytes,
    )
