"""The pictures of a run: their axes, titles, and contents."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from nmrqb.errors import ArgumentError
from nmrqb.experiment import load_experiment, run
from nmrqb.plotting.lettering import LABEL
from nmrqb.report import picture_bytes, pictures, sequence_figure
from nmrqb.sample import load_sample
from nmrqb.sequence import load_sequence

QUICK = {"measure.replicas": "50", "measure.points": "256"}


@pytest.fixture(scope="module")
def driven():
    overrides = {**QUICK, "charge.times.points": "5"}
    return run(load_experiment("charge_dm_ksea", overrides=overrides))


@pytest.fixture(scope="module")
def cycled():
    overrides = {**QUICK, "charge.cycles.stop": "8"}
    return run(load_experiment("charger_battery_dm", overrides=overrides))


def texts(figure):
    return [text.get_text() for ax in figure.axes for text in ax.texts]


@pytest.mark.parametrize(
    ("name", "start"), [("a.png", b"\x89PNG"), ("a.PDF", b"%PDF"), ("b/a.svg", b"<?xml")]
)
def test_the_ending_says_the_kind_of_file(name, start):
    assert picture_bytes(pictures.new_figure(1, 1), name).startswith(start)


@pytest.mark.parametrize("name", ["a.gif", "a", "png"])
def test_other_endings_are_refused(name):
    with pytest.raises(ArgumentError, match=rf"must end in png, pdf, svg, but is '{name}'"):
        picture_bytes(pictures.new_figure(1, 1), name)


def test_figures_need_no_screen_and_no_pyplot():
    assert isinstance(pictures.new_figure(1, 1).canvas, FigureCanvasAgg)
    program = (
        "import sys; import nmrqb.report; import nmrqb.plotting; "
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
def test_the_same_diagram_makes_the_same_bytes(ending):
    first, second = (
        picture_bytes(sequence_figure(load_sequence("temporal_averaging")), f"a.{ending}")
        for _ in range(2)
    )
    assert first == second
    assert b"CreationDate" not in first
    assert b"<dc:date>" not in first


def test_a_picture_that_is_too_large_for_a_png_says_so():
    figure = pictures.new_figure(600, 1)
    with pytest.raises(ArgumentError, match=r"must end in pdf or svg.*78000 dots.*'a.png'"):
        picture_bytes(figure, "a.png")
    assert picture_bytes(figure, "a.svg").startswith(b"<?xml")


def test_the_diagram_of_a_sequence():
    sequence = load_sequence("dm")
    figure = sequence_figure(sequence, load_sample("chloroform"), parameters={"t": "2 ms"})
    (ax,) = figure.axes
    assert ax.get_title(loc="left") == sequence.title
    assert sum(isinstance(patch, Rectangle) for patch in ax.patches) == 8
    shown = texts(figure)
    assert shown.count("$t$") == 2
    assert {"$I$ ($^{1}$H)", "$S$ ($^{13}$C)", r"$t = 2\,\mathrm{ms}$"} <= set(shown)


def test_a_diagram_has_letters_of_full_size_and_a_title_within_it():
    sequence = replace(load_sequence("dm"), title="A title with $ signs$, " + "long " * 40)
    figure = sequence_figure(sequence)
    figure.canvas.draw()
    (ax,) = figure.axes
    (size,) = {text.get_fontsize() for text in ax.texts if text.get_text() == "$t$"}
    assert size == pytest.approx(LABEL)
    title = next(t for t in ax.findobj(Text) if t.get_text().startswith("A title"))
    assert title.get_text().count("\n") > 1
    extent, page = title.get_window_extent(), figure.bbox
    assert page.x0 <= extent.x0 <= extent.x1 <= page.x1
    assert ax.get_window_extent().y1 <= extent.y0 <= extent.y1 <= page.y1


def test_a_sequence_without_a_title_is_told_by_its_name():
    figure = sequence_figure(replace(load_sequence("dm"), title=""))
    assert figure.axes[0].get_title(loc="left") == "dm"


def test_the_protocol_of_a_drive(driven):
    figure = pictures.protocol_figure(driven.experiment)
    shown = texts(figure)
    assert shown.count("Gibbs state\n20 Hz") == 2
    assert shown.count(r"$4\pi \cdot 50\,\mathrm{Hz} \cdot t$" + "\n$x$") == 2
    readouts = [text.splitlines()[-1] for text in shown if text.startswith("one readout of")]
    assert readouts == ["II: –   IX: –   IY: –   XX: 90x", "II: –   IX: 90x   IY: 90y   XX: 90x"]
    assert figure.axes[0].get_title(loc="left").split() == driven.experiment.title.split()
    assert (
        sum(
            isinstance(line, Line2D) and len(line.get_xdata()) > 100
            for line in figure.axes[0].lines
        )
        == 2
    )  # an FID of each channel


def test_the_protocol_of_words_and_of_an_extraction():
    overrides = {"measure.readouts": "[II, IX, IY, '1H: 90 x', XX - 2 ms - 45 -y]"}
    shown = texts(pictures.protocol_figure(load_experiment("charge_dm_ksea", overrides=overrides)))
    readouts = [text.splitlines()[1:] for text in shown if text.startswith("one readout of")]
    words = ["1H: 90 x", "XX - 2 ms - 45 -y"]
    letters = ["II: –   IX: –   IY: –", "II: –   IX: 90x   IY: 90y"]  # 1H and 13C
    assert readouts == [[line, *words] for line in letters]
    assert not any("extraction" in text for text in shown)
    for name, spins in (("charge_dm_ksea", 2), ("charger_battery_dm", 1)):
        experiment = load_experiment(name, overrides={"measure.direct_work": "true"})
        shown = texts(pictures.protocol_figure(experiment))
        assert shown.count("first without, then\nwith extraction") == spins


def test_work_measured_directly_is_drawn_even_where_the_ergotropy_is_not_reported():
    overrides = {
        "measure.direct_work": "true", "report": "[capacity]", "charge.times.points": "3",
        "measure.replicas": "50", "measure.points": "64",
    }  # fmt: skip
    figure = pictures.charging_figure(run(load_experiment("charge_dm_ksea", overrides=overrides)))
    labels = [ax.get_ylabel() for ax in figure.axes if ax.get_visible()]
    assert labels == ["ergotropy (Hz)", "capacity (Hz)"]
    (legend,) = figure.legends
    assert "work measured directly" in [text.get_text() for text in legend.get_texts()]


def test_many_readouts_stand_in_lines_of_four():
    overrides = {"measure.readouts": "[II, IX, IY, XX, XI, YI]"}
    shown = texts(pictures.protocol_figure(load_experiment("charge_dm_ksea", overrides=overrides)))
    carbon = [text for text in shown if text.startswith("one readout of")][1]
    assert carbon.splitlines()[1:] == ["II: –   IX: 90x   IY: 90y   XX: 90x", "XI: –   YI: –"]


def test_the_protocol_explains_black_and_white_pulses(cycled):
    assert "Pulses: black 90°." in texts(pictures.protocol_figure(cycled.experiment))


def test_the_protocol_of_a_soft_drive():
    experiment = load_experiment("charge_dm_ksea", overrides={"charge.as": "soft"})
    assert texts(pictures.protocol_figure(experiment)).count("drive x\nfor t") == 2


def test_panels_are_alike_and_nothing_is_cut_off():
    def short(ax):
        ax.plot([0, 1], [0, 1], label="a")
        ax.set(xlabel="x", ylabel="y", title="not on a page")

    def long(ax):
        ax.plot([0, 1], [0, 1e-5], label="b" * 20)
        ax.set(xlabel="x", ylabel="y")
        ax.set_yticks([0], ["a readout with quite a long name"])

    narrow, wide = (pictures.panel_figure(d, 5.2, 3.1, legend=2) for d in (short, long))
    np.testing.assert_array_equal(*(f.axes[0].get_position().bounds for f in (narrow, wide)))
    assert narrow.axes[0].get_title() == ""
    assert pictures._cut(narrow).x0 == 0
    assert pictures._cut(narrow).width == pytest.approx(5.2)
    assert pictures._cut(wide).x0 < -1  # as far as the name of the readout
    for figure in (narrow, wide):
        renderer = figure.canvas.get_renderer()
        legend = figure.legends[0].get_window_extent(renderer)
        label = figure.axes[0].xaxis.label.get_window_extent(renderer)
        assert legend.y1 < label.y0
        assert pictures._cut(figure).y0 < legend.y0 / figure.dpi


def test_a_figure_is_laid_out_once_and_without_its_white_edges():
    figure = pictures.new_figure(4, 4)
    left, right = figure.subplots(1, 2)
    left.set(aspect="equal", xlabel="offset (Hz)", ylabel="a long label of this axis")
    right.set(aspect="equal")
    first = picture_bytes(figure, "a.svg")
    box = pictures._cut(figure)
    assert box.height < 2.6  # of 4 inches
    for ax in (left, right):
        inside = ax.get_tightbbox(figure.canvas.get_renderer()).transformed(
            figure.dpi_scale_trans.inverted()
        )
        assert box.x0 < inside.x0 < inside.x1 < box.x1
        assert box.y0 < inside.y0 < inside.y1 < box.y1
    assert picture_bytes(figure, "a.svg") == first


def test_the_protocol_of_passes_has_a_bracket(cycled):
    shown = texts(pictures.protocol_figure(cycled.experiment))
    assert "× 0 … 8" in shown
    assert {"Gibbs state\n−50 Hz", "Gibbs state\n50 Hz"} <= set(shown)
    assert shown.count("290.5 µs") == 2  # 1/(16 J), both delays of a pass


def test_the_protocol_of_a_long_sequence_is_a_box(cycled):
    charge = cycled.experiment.charge
    events = charge.timeline.events * 40
    timeline = replace(charge.timeline, events=events)
    experiment = replace(cycled.experiment, charge=replace(charge, timeline=timeline))
    shown = texts(pictures.protocol_figure(experiment))
    assert f"{timeline.name}\n{len(events)} events" in shown
    assert "290.5 µs" not in shown
    assert "× 0 … 8" in shown


def test_the_signal_of_both_channels(driven):
    figure = pictures.signal_figure(driven)
    assert len(figure.axes) == 4
    data = driven.data
    strength = np.abs(data["fid"].values[..., 0]).sum(axis=-1)
    name = str(data["readout"].values[np.argmax(strength)])
    titles = [ax.get_title() for ax in figure.axes]
    assert titles[0] == f"Start of the FID of 1H, readout {name}"
    assert titles[3].startswith(f"Spectrum of 13C, readout {name}")
    drawn = figure.axes[0].lines[0].get_ydata()
    fid = data["fid"].sel(readout=name, channel="1H").values
    np.testing.assert_array_equal(drawn, fid.real[: len(drawn)])
    assert "protocol time 5 ms" in figure.get_suptitle()
    # both lines of the doublet, at ±J/2, are within the picture
    left, right = figure.axes[1].get_xlim()
    assert left > 215.13 / 2
    assert right < -215.13 / 2


def test_one_picture_per_figure_of_merit(driven, cycled):
    figure = pictures.charging_figure(driven)
    shown = [ax.get_ylabel() for ax in figure.axes if ax.get_visible()]
    assert shown == [
        "ergotropy (Hz)", "anti-ergotropy (Hz)", "capacity (Hz)",
        "l1 coherence in the\nenergy basis",
    ]  # fmt: skip
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "simulated state", "estimated from FIDs"
    ]  # fmt: skip
    (legend,) = pictures.charging_figure(cycled).legends
    assert any("average Hamiltonian" in text.get_text() for text in legend.get_texts())


def test_an_odd_number_of_figures_leaves_a_gap():
    overrides = {**QUICK, "charge.times.points": "2", "report": "[energy]"}
    result = run(load_experiment("charge_dm_ksea", overrides=overrides))
    figure = pictures.charging_figure(result)
    assert [ax.get_visible() for ax in figure.axes] == [True, False]
    assert figure.axes[0].get_ylabel() == "mean energy (Hz)"
