"""Fits of a tomography: a panel for every file, channels in columns, nothing left out unsaid."""

import numpy as np
import pytest

from nmrqb.report.recorded import fit_figures, fit_pictures
from nmrqb.tomography.estimation.states import to_state

RHO = to_state(np.array([0.0, 0.1, 0.2, 0.3, 0, 0.1, -0.2, 0.1, 0, 0.15, 0, 0.4, 0.1, 0, 0.2]))


def titles(figure):
    return [ax.get_title(loc="left") for ax in figure.axes]


def notes(ax):
    return [text.get_text() for text in ax.texts]


def test_every_file_has_a_panel(tomogram):
    found = tomogram({"rho": RHO}, ("II", "IX"), title="A state")
    (figure,) = fit_figures(found).values()
    assert titles(figure) == [f"rho {r} on {c}" for r in ("II", "IX") for c in ("1H", "13C")]
    assert "A state" in figure.get_suptitle()
    for ax, f in zip(figure.axes, found.files, strict=True):
        data = next(line for line in ax.lines if line.get_label() == "data")
        assert np.isfinite(data.get_ydata()).sum() == len(f.shown.values)
        (note,) = [text for text in notes(ax) if "misfit" in text]
        assert f"misfit {f.multiplet.misfit:.3g}" in note
        if f.coupling_hz is not None:
            told = float(note.partition("J = ")[2].split()[0])
            assert told == pytest.approx(f.coupling_hz[0], abs=0.1 * f.coupling_hz[1])
    assert [ax.get_xlabel() for ax in figure.axes] == ["", "", *(f"{c}, offset (Hz)" for c in
                                                                ("1H", "13C"))]  # fmt: skip


def test_a_channel_has_one_phase_and_amplitudes_show_as_they_are(tomogram):
    """Peaks of the curve are those of the real parts of the amplitudes, up to quarter turns."""
    found = tomogram({"rho": RHO}, ("II", "IX", "XX"))
    (figure,) = fit_figures(found).values()
    for channel in ("1H", "13C"):
        files = [f for f in found.files if f.file.channel == channel]
        factors = []
        for f in files:
            ax = figure.axes[titles(figure).index(f.file.name)]
            curve = next(line for line in ax.lines if line.get_label() == "fit").get_ydata()
            curve = curve[np.isfinite(curve)]
            exact = [f.shown.turned(k * np.pi / 2).curve.real for k in range(4)]
            misses = [np.abs(np.sort(curve) - np.sort(e)).max() for e in exact]
            factors.append(int(np.argmin(misses)))
            assert min(misses) < 1e-9 * np.abs(curve).max()
        assert len(set(factors)) == 1


@pytest.mark.parametrize("sign", [1, -1])
def test_the_reference_stands_upright(tomogram, sign):
    """Even where another experiment shows larger lines of the other sign."""
    thermal = to_state(0.2 * sign * (np.eye(15)[11] + np.eye(15)[2]))
    other = to_state(-0.9 * sign * (np.eye(15)[11] + np.eye(15)[2]))
    state = {"ZI": 0.2 * sign, "IZ": 0.2 * sign}
    found = tomogram(
        {"P0": thermal, "P1": other}, ("XX",), kind="deviation",
        calibration={"experiment": "P0", "state": state},
    )  # fmt: skip
    (figure,) = fit_figures(found).values()
    for ax, upright in zip(figure.axes, (True, True, False, False), strict=True):
        curve = next(line for line in ax.lines if line.get_label() == "fit").get_ydata()
        assert (np.nanmax(curve) > -np.nanmin(curve)) == upright


def test_known_lines_are_drawn_too(tomogram):
    (figure,) = fit_figures(tomogram({"rho": RHO}, ("II",), lines="known")).values()
    (note,) = [text for text in notes(figure.axes[0]) if "misfit" in text]
    assert note.startswith("lines known")
    assert 0.5 < float(note.split()[-1]) < 1.6


def test_a_missing_file_leaves_a_gap_that_says_so(tomogram):
    lost = tomogram(
        {"P0": RHO, "P1": RHO},
        ("XI", "IX"),
        without=lambda e, r, c: (r == "XI") == (c == "13C") or (e, c) == ("P1", "13C"),
    )
    (figure,) = fit_figures(lost).values()
    assert titles(figure) == ["P0 XI on 1H", "P0 IX on 13C", "P1 XI on 1H", "P1 on 13C"]
    assert notes(figure.axes[3]) == ["no file"]
    assert not figure.axes[3].lines
    assert figure.axes[1].get_xlabel() == "13C, offset (Hz)"  # it is the lowest of its column


def test_one_file(tomogram):
    single = tomogram({"rho": RHO}, ("XX",), without=lambda e, r, c: c == "13C")
    (figure,) = fit_figures(single).values()
    assert titles(figure) == ["rho XX on 1H"]


def test_many_files_make_pages_and_too_many_show_the_worst(tomogram, monkeypatch):
    found = tomogram({f"t{k}": RHO for k in range(3)}, ("IX",), combine="each")
    monkeypatch.setattr(fit_pictures, "ROWS", 2)
    figures = fit_figures(found)
    assert list(figures) == ["fits.png", "fits_2.png"]
    assert [name for figure in figures.values() for name in titles(figure)] == [
        f.file.name for f in found.files
    ]
    assert "page 2 of 2" in figures["fits_2.png"].get_suptitle()
    monkeypatch.setattr(fit_pictures, "MOST_PAGES", 1)
    (figure,) = fit_figures(found).values()
    misfits = {f"t{k}": max(f.multiplet.misfit for f in found.files
                            if f.file.experiment == f"t{k}") for k in range(3)}  # fmt: skip
    best = min(misfits, key=misfits.get)
    drawn = {title.split()[0] for title in titles(figure)}
    assert drawn == set(misfits) - {best}
    assert "the 2 of 3 rows that fit worst" in figure.get_suptitle()


@pytest.mark.parametrize("axis", ["rotating-frame", "spectrometer"])
def test_axes_of_both_senses_show_the_amplitudes_as_they_are(tomogram, axis):
    keys = {} if axis == "rotating-frame" else {"channels": {"1H": {"axis": "spectrometer"}}}
    found = tomogram({"rho": RHO}, ("XX",), **keys)
    f = found.files[0]
    order = 1 if axis == "rotating-frame" else -1
    np.testing.assert_allclose(f.shown.amplitudes[::order], f.amplitudes, rtol=1e-9)
