"""The HTML page of a run: what it holds, and what a real browser makes of it."""

import base64
import re
import shutil
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from nmrqb.errors import ArgumentError
from nmrqb.experiment import load_experiment, run
from nmrqb.report import page, page_average, page_parts, page_pictures, result_page
from nmrqb.report.pictures import new_figure
from nmrqb.sequence import TimedPulse

VOID = {"meta", "link", "img", "input", "br", "hr"}
SECTIONS = ["brief", "asked", "sequence", "average", "signal", "state", "figures", "provenance"]


class Outline(HTMLParser):
    """Reads a page: its tags in balance, its texts, its links and what they point at."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.ids, self.links, self.sources = [], [], [], [], []
        self.words, self.names, self.targets, self.code = [], set(), [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags.append(tag)
        self.names |= set(values)
        self.ids += [values["id"]] if "id" in values else []
        self.links += [values["href"]] if "href" in values else []
        self.targets += [values["popovertarget"]] if "popovertarget" in values else []
        self.sources += [(values["src"], values.get("alt"))] if "src" in values else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)
        self.code += [data] if self.open[-1:] == ["code"] else []

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def driven():
    overrides = {"charge.times.points": "5", "measure.points": "512"}
    return run(load_experiment("charge_dm_ksea", overrides=overrides), seed=1)


@pytest.fixture(scope="module")
def cycled():
    overrides = {"charge.cycles.stop": "2", "measure.points": "64", "measure.replicas": "50"}
    return run(load_experiment("charger_battery_dm", overrides=overrides), seed=1)


@pytest.fixture(scope="module")
def html(driven):
    return result_page(driven)


@pytest.fixture
def drawn_small(monkeypatch):
    """Make every picture a tiny one: what is asked here is not how long matplotlib takes."""
    small = new_figure(1, 1)
    once = {most: page_parts.encoded(small, most) for most in (1, 10**6)}
    monkeypatch.setattr(page, "encoded", lambda _, most: once[10**6 if most else 1])


def test_the_page_needs_nothing_else(html):
    outline = Outline(html)
    assert "script" not in outline.tags
    assert not [name for name in outline.names if name.startswith("on")]
    assert all(source.startswith("data:image/") for source, _ in outline.sources)
    assert all(link.startswith(("#", "data:")) for link in outline.links)
    assert {link[1:] for link in outline.links if link.startswith("#")} == set(SECTIONS)
    assert not re.search(r"(https?:)?//\w", re.sub(r'"data:[^"]*"', "", html))
    assert len(html.encode()) < 5e6


def test_every_part_is_there_in_order_with_a_name_of_its_own(html):
    outline = Outline(html)
    assert [name for name in outline.ids if name in SECTIONS] == SECTIONS
    assert max(Counter(outline.ids).values()) == 1
    headings = [tag for tag in outline.tags if re.fullmatch(r"h\d", tag)]
    assert headings == ["h1", *["h2"] * len(SECTIONS)]
    # every picture can be enlarged and closed again
    assert len(outline.sources) >= 14
    assert len(outline.targets) == 2 * len(outline.sources)
    assert set(outline.targets) <= set(outline.ids)


def test_who_sees_no_picture_is_told_what_it_shows(driven, html):
    alts = [alt for _, alt in Outline(html).sources]
    assert len(set(alts)) == len(alts)
    assert min(map(len, alts)) > 40
    data = driven.data
    peak = int(np.argmax(data["ergotropy"].values))
    told = next(alt for alt in alts if alt.startswith("Plot of ergotropy"))
    assert (
        f"{float(data['ergotropy'][peak]):.2f} Hz at {1e3 * float(data['time'][peak]):.4g}" in told
    )
    spectrum = next(alt for alt in alts if alt.startswith("Line plot of the spectrum of 13C"))
    assert "107.6 Hz" in spectrum  # J/2, beside the carrier


def test_the_page_tells_what_was_asked_and_what_came_out(driven, html):
    outline = Outline(html)
    words = outline.text
    assert driven.experiment.title in words
    assert "D = 20 Hz, G = 5 Hz" in words
    assert "Charging is one hard pulse for each time" in words
    at = driven.data.isel(time=int(driven.data["shown"]))
    value, low, high, true = (
        float(at[key]) for key in ("ergotropy", "ergotropy_low", "ergotropy_high", "true_ergotropy")
    )
    assert f"ergotropy {value:.1f} Hz 95 % interval {low:.1f} to {high:.1f} Hz" in words
    assert f"simulated {true:.1f} Hz" in words
    assert f"fidelity {float(at['fidelity_to_true']):.4f}" in words
    assert all(note in words for note in driven.notes)
    for low, high in driven.data[["ergotropy_low", "ergotropy_high"]].to_array().values.T:
        assert f"[{low + 0:.2f}, {high + 0:.2f}]" in words
    assert f"{float(at['pauli_mean'][0]):.4f}".replace("-", "−") in words


def test_the_page_tells_how_to_run_it_again(driven, html):
    outline = Outline(html)
    told, again, *hashes = outline.code[-2 - len(driven.provenance["inputs_sha256"]) :]
    assert told == "--set noise.b1_inhomogeneity=5%"  # of the notes, where it stands in backticks
    assert again == (
        "nmrqb run charge_dm_ksea --seed 1 --set charge.times.points=5 --set measure.points=512"
    )
    assert hashes == list(driven.provenance["inputs_sha256"].values())
    assert "`" not in outline.text


@pytest.mark.usefixtures("drawn_small")
def test_a_file_of_ones_own_is_run_again_as_a_file(driven):
    named = replace(driven.experiment, name="my file", overrides={})
    again = replace(driven, experiment=named, provenance={"overrides": {}})
    assert Outline(result_page(again)).code[-1] == "nmrqb run 'my file.yaml' --seed 1"


def test_words_in_backticks_are_code_and_quantities_stay_in_a_line():
    assert page_parts.pieces("with `--set a=1 s` it is 5 ms") == [
        ("with ", False), ("--set a=1 s", True), (" it is 5\u00a0ms", False)
    ]  # fmt: skip
    assert page_parts.pieces("a ` alone") == [("a ` alone", False)]
    told = page_parts.pieces("D = 20 Hz, k_B T/h = 4 kHz; 3 spins at 95 % and 3 seconds")
    kept = "D~=~20~Hz, k_B~T/h~=~4~kHz; 3 spins at 95~% and 3 seconds"
    assert told == [(kept.replace("~", "\u00a0"), False)]


@pytest.mark.usefixtures("drawn_small")
def test_of_one_point_of_time_nothing_is_said_of_the_others(driven):
    one = replace(driven, data=driven.data.isel(time=[2]).assign(shown=0))
    words = Outline(result_page(one)).text
    assert (
        "At 5 ms of protocol time (0 ms on the spectrometer) the simulated state is the only one"
        in words
    )
    assert "The interval holds the simulated value" in words
    assert "straight lines" not in words
    assert "5 times that straight lines join" in Outline(result_page(driven)).text


@pytest.mark.usefixtures("drawn_small")
def test_an_ensemble_is_told_in_words_where_there_is_one(driven):
    told = {"members": 9, "error": 1e-4, "missing_weight": 0.0123, "note": None}
    words = Outline(
        result_page(replace(driven, provenance={**driven.provenance, "ensemble": told}))
    ).text
    assert (
        "members of the ensemble 9 error of its means 0.0001 weight left out of it 0.0123" in words
    )
    assert "of the ensemble 1" not in Outline(result_page(driven)).text  # of one member


@pytest.mark.usefixtures("drawn_small")
def test_extracted_work_has_a_tile_and_a_table_of_its_own(driven):
    data = driven.data.copy()
    for end in ("", "_low", "_high"):
        data[f"extracted_work{end}"] = data[f"ergotropy{end}"] + 1
    data["true_extracted_work"] = data["true_ergotropy"] + 1
    html = result_page(replace(driven, data=data))
    at = data.isel(time=int(data["shown"]))
    assert f"extracted work {float(at['extracted_work']):.1f} Hz" in Outline(html).text
    first = html.index("<summary>Figures of merit in numbers</summary>")
    second = html.index("<summary>Extracted work in numbers</summary>")
    assert "extracted work" not in html[first:second]
    assert f"<td>{float(data['extracted_work'][1]):.2f}</td>" in html[second:]


def test_of_many_lines_the_caption_tells_how_many():
    few, many = np.array([-107.6, 107.6]), np.linspace(-50, 60, 9)
    assert page_pictures._places_text(few) == "lines at −107.6, 107.6 Hz"
    assert page_pictures._places_text(many) == "9 lines between −50.0 and 60.0 Hz"


@pytest.mark.usefixtures("drawn_small")
def test_text_of_a_file_is_never_markup(driven):
    hostile = "<b>bold</b> & <script>alert(1)</script>"
    named = replace(driven.experiment, title=hostile, notes=f"{hostile}\n\nsecond {hostile}")
    html = result_page(replace(driven, experiment=named))
    assert "script" not in Outline(html).tags
    assert html.count("&lt;b&gt;bold&lt;/b&gt; &amp;") >= 3
    assert "<p>second &lt;b&gt;" in html


# ------------------------------------------------------------------ numbers
@pytest.mark.parametrize(
    ("half", "digits", "places"),
    [(1.8, 2, 1), (12.0, 2, 0), (0.0044, 2, 4), (130.0, 2, 0), (1.8, 3, 2), (1e-30, 2, 9),
     (0.0, 2, 3), (np.nan, 2, 3)],
)  # fmt: skip
def test_as_many_places_as_the_error_has(half, digits, places):
    assert page_parts.places_of(half, digits) == places


def test_numbers_have_a_minus_sign_and_no_negative_zero():
    assert page_parts.number(-1.26, 1) == "−1.3"
    assert page_parts.number(-1e-9, 2) == "0.00"
    assert page_parts.brief(-1e-9, 2) == "0"
    assert page_parts.brief(0.004, 3) == "0.004"


@pytest.mark.usefixtures("drawn_small")
def test_an_interval_that_misses_the_truth_is_marked_and_counted(driven):
    data = driven.data.copy(deep=True)
    shown = int(data["shown"])
    for name in driven.experiment.report:  # all hold, but one
        data[f"{name}_low"][:] = data[f"true_{name}"] - 1
        data[f"{name}_high"][:] = data[f"true_{name}"] + 1
    assert page_pictures.holding_text(data, "capacity") == (
        "5 of 5 intervals hold the simulated value"
    )
    data["capacity_low"][shown] = data["true_capacity"][shown] + 0.5
    assert page_pictures.holding_text(data, "capacity").startswith("4 of 5 intervals")
    data["ergotropy_high"][0] = data["true_ergotropy"][0] - 0.5
    assert page_pictures.holding(data, "ergotropy").tolist() == [False, True, True, True, True]
    data["ergotropy_high"][0] += 1
    words = Outline(result_page(replace(driven, data=data))).text
    assert "19 of 20 intervals" in words
    marked = f"{float(data['capacity'][shown]):.2f} †"
    assert marked in words
    assert words.count("†") == 2  # where it is, and what it means
    assert words.count("outside of it") == 1


def test_rounding_puts_no_value_out_of_its_interval(driven):
    data = driven.data.copy(deep=True)
    data["coherence_l1_low"][:] = data["coherence_l1_high"][:] = data["true_coherence_l1"]
    data["true_coherence_l1"][:] += 2e-15
    assert page_pictures.holding(data, "coherence_l1").all()


# --------------------------------------------------------------------- size
@pytest.mark.usefixtures("drawn_small")
def test_of_very_many_points_the_table_shows_some_and_says_so(driven, monkeypatch):
    monkeypatch.setattr(page, "MOST_ROWS", 2)
    html = result_page(driven)
    assert "3 of 5 points, evenly spaced; all are in result.nc." in html
    table = html[html.index("<summary>Figures of merit in numbers, some points of time") :]
    times = re.findall(r'<tr><th scope="row">([^<]*)</th>', table)
    assert times == ["0", "5", "10"]  # both ends, and the state of all pictures


def test_no_number_of_points_makes_the_table_long():
    for points in (1, 2, 199, 200, 201, 10**6):
        kept = page._kept(points, points // 3)
        assert {0, points // 3, points - 1} <= set(kept)
        assert len(kept) <= min(points, page.MOST_ROWS + 1)
        assert kept == sorted(set(kept))


def tangle():
    """Return a figure whose drawing is larger than its dots."""
    figure = new_figure(3, 2)
    figure.add_subplot().plot(*np.random.default_rng(1).random((2, 20_000)), linewidth=0.1)
    return figure


def test_a_large_drawing_becomes_dots_of_the_same_size():
    figure = tangle()
    drawing, dots = page_parts.encoded(figure, 10**6), page_parts.encoded(figure, 10_000)
    assert drawing.source.startswith("data:image/svg+xml;base64,")
    assert dots.source.startswith("data:image/png;base64,")
    assert len(dots.source) < len(drawing.source) / 2
    sizes = [(found.width, found.height) for found in (drawing, dots)]
    np.testing.assert_allclose(*sizes, atol=8)
    # a CSS inch has 96 pixels; white edges are cut off
    assert drawing.width == pytest.approx(3 * 96, rel=0.1)


def test_paths_have_no_more_places_than_anybody_sees():
    figure = new_figure(3, 2)
    figure.add_subplot().plot(np.random.default_rng(1).normal(size=100))
    content = page_parts.encoded(figure, 10**6).source.partition(",")[2]
    drawing = base64.b64decode(content).decode()
    numbers = [n for d in re.findall(r' d="([^"]*)"', drawing) for n in re.findall(r"\.(\d+)", d)]
    assert len(numbers) > 100
    assert max(map(len, numbers)) == 2


def test_a_page_that_would_be_too_large_has_dots_instead_of_drawings(driven, monkeypatch):
    figures = [tangle(), new_figure(3, 2)]
    pictures = tuple(
        page_parts.Picture(f"p{k}", figure, "", "", "") for k, figure in enumerate(figures)
    )
    section = page_parts.Section("state", "", "", pictures=pictures)
    monkeypatch.setattr(page, "_sections", lambda _: [section])
    large = result_page(driven)
    assert [large.count("image/svg"), large.count("image/png")] == [2, 0]
    monkeypatch.setattr(page, "MAX_BYTES", len(large.encode()) - 1)
    smaller = result_page(driven)
    assert len(smaller.encode()) < page.MAX_BYTES
    # the other is smaller as a drawing than as dots
    assert [smaller.count("image/svg"), smaller.count("image/png")] == [1, 1]


@pytest.mark.usefixtures("drawn_small")
def test_a_page_that_grows_too_large_is_refused(driven, monkeypatch):
    monkeypatch.setattr(page, "MAX_BYTES", 1000)
    with pytest.raises(ArgumentError, match=r"must make a page of at most 0.001 MB, but makes"):
        result_page(driven)


# ------------------------------------------------------------------ average
@pytest.mark.usefixtures("drawn_small")
def test_a_charging_sequence_is_drawn_and_averaged(cycled):
    html = result_page(cycled)
    outline = Outline(html)
    assert {"frames", "orders", "robustness"} <= set(outline.ids)
    assert "after one pass" in outline.text
    assert "met; infidelity of one period below 1e-12" in outline.text
    # open tables, J/8 as the zeroth order, the exact term and the target
    terms, budget = html.index("Named terms of 1H–13C in Hz"), html.index("Error budget</summary>")
    assert html.rindex("<details", 0, terms) == html.rindex("<details open>", 0, terms)
    assert html.rindex("<details", 0, budget) == html.rindex("<details open>", 0, budget)
    row = re.search(r'<tr><th scope="row">DM_z</th>(.*?)</tr>', html[terms:])[1]
    cells = [float(cell) for cell in re.findall(r"<td>([^<]*)</td>", row)]
    assert cells == pytest.approx([215.13 / 8, 0, 0, 215.13 / 8, 215.13 / 8], rel=1e-5)
    assert '<th scope="row">relaxation</th>' in html[budget:]


def test_terms_have_as_many_places_as_the_largest_needs():
    rows = [["DM_z", "24.16996", "-0.04305339"], ["B", "0", "1e-5"]]
    assert page_average._rounded(rows) == (("DM_z", "24.1700", "−0.0431"), ("B", "0", "0"))
    assert page_average._rounded([["B", "0", "0"]]) == (("B", "0", "0"),)


def test_a_sequence_that_has_no_average_does_not_spoil_the_page(cycled):
    charge = cycled.experiment.charge
    pulses = tuple(e for e in charge.timeline.events if isinstance(e, TimedPulse))
    timeline = replace(charge.timeline, events=pulses)
    experiment = replace(cycled.experiment, charge=replace(charge, timeline=timeline))
    section = page_average.average_section(replace(cycled, experiment=experiment))
    assert "must take time, but 'dm' has only ideal pulses" in section.paragraphs[-1]
    assert not section.pictures


@pytest.mark.slow
@pytest.mark.usefixtures("drawn_small")
def test_of_a_sequence_for_each_time_that_of_the_most_charged_state_is_told():
    overrides = {"charge.times.points": "3", "measure.points": "64", "measure.replicas": "50"}
    result = run(load_experiment("full_cycle", overrides=overrides), seed=1)
    assert int(result.data["shown"]) == 1  # neither the first nor the last
    outline = Outline(result_page(result))
    assert "the one of the most charged state, at protocol time 5 ms" in outline.text
    assert "not-cyclic: " in outline.text
    assert f"{1e3 * float(result.data['laboratory_time'][1]):.4g} ms, of which" in outline.text
    assert "ideal average H true estimate interval" in outline.text  # of the extracted work
    protocol = page_pictures.sequence_picture(result).figure
    shown = [text.get_text() for ax in protocol.axes for text in ax.texts]
    assert "charge, here for 5 ms" in shown
    assert not any(ax.get_title(loc="left") for ax in protocol.axes)  # it is the page's


# ------------------------------------------------------------------ in a browser
@pytest.fixture(scope="module")
def browser():
    """Return a headless Chromium of the distribution; skips where there is none."""
    selenium = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    paths = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if None in paths:
        pytest.skip("the distribution's chromium and chromedriver are not installed")
    options = selenium.ChromeOptions()
    options.binary_location = paths[0]
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = selenium.Chrome(options=options, service=selenium.ChromeService(paths[1]))
    yield driver
    driver.quit()


@pytest.fixture(params=[True, False], ids=["scripts", "no-scripts"])
def opened(browser, html, tmp_path, request):
    """Return the browser and how to open the page in it at a width, with scripts on or off."""
    file = tmp_path / "report.html"
    file.write_text(html, encoding="utf-8")
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not request.param})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})

    def at(width, widest=None):
        if widest is not None:  # a picture that is as wide as a long sequence
            wide = re.sub(r"--w: \d+", f"--w: {widest}", html, count=1)
            file.write_text(wide, encoding="utf-8")
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.get(file.as_uri())
        return browser

    return at


def rectangles(driver, selector):
    """Return x, y, width and height of all elements that a selector finds."""
    found = driver.find_elements("css selector", selector)
    assert found
    return np.array([[e.rect[key] for key in ("x", "y", "width", "height")] for e in found])


@pytest.mark.slow
@pytest.mark.parametrize("width", [1400, 400])
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_in_a_browser_nothing_overflows_and_the_console_is_empty(opened, width):
    driver = opened(width)
    assert driver.get_log("browser") == []
    assert driver.find_element("css selector", "h1").text.startswith("Charging a DM + KSEA")
    assert len(driver.find_elements("css selector", "section")) == len(SECTIONS)
    root = driver.find_element("css selector", "html")
    assert int(root.get_property("scrollWidth")) <= width
    for image in driver.find_elements("css selector", "img"):
        assert int(image.get_property("naturalWidth")) > 0
    for selector in ("figure", ".scroll", ".tile", "dl", "p"):
        x, _, wide, _ = rectangles(driver, selector).T
        assert np.all((x >= 0) & (x + wide <= width + 0.5))
    # panels are as large as the screen lets them be; on a laptop two beside each other
    panels = rectangles(driver, "figure:not(.wide)")
    assert panels[:, 2].min() > (500 if width == 1400 else 360)
    assert (panels[0, 1] == panels[1, 1]) == (width == 1400)


@pytest.mark.slow
@pytest.mark.parametrize("width", [1400, 400])
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_picture_is_enlarged_and_closed_without_scripts(opened, width):
    from selenium.webdriver.common.keys import Keys

    driver = opened(width)
    button = driver.find_element("css selector", "button.enlarge[popovertarget=spectrum-0]")
    picture = driver.find_element("css selector", "#spectrum-0")
    image = picture.find_element("css selector", "img")
    close = picture.find_element("css selector", "button.close")
    before = image.rect["width"]
    assert not close.is_displayed()
    button.click()
    assert image.rect["width"] > 1.8 * before
    assert picture.rect["width"] == width
    close.click()
    assert image.rect["width"] == before
    button.send_keys(Keys.ENTER)
    assert image.rect["width"] > 1.8 * before
    driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert image.rect["width"] == before


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_on_paper_all_fits_and_buttons_are_gone(opened):
    paper = 688  # A4 less margins of 14 mm, in CSS pixels
    driver = opened(paper, widest=3000)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    x, _, wide, high = rectangles(driver, "img").T
    assert np.all((x >= 0) & (x + wide <= paper + 0.5))
    assert high.max() < 22.1 * 96 / 2.54
    x, _, wide, _ = rectangles(driver, "table").T
    assert np.all((wide == 0) | (x + wide <= paper + 0.5))
    for selector in ("nav", "button", "footer"):
        assert not any(e.is_displayed() for e in driver.find_elements("css selector", selector))
    pdf = driver.execute_cdp_cmd("Page.printToPDF", {"paperWidth": 8.27, "paperHeight": 11.69})
    pages = re.findall(rb"/Type\s*/Page\b", base64.b64decode(pdf["data"]))
    assert 3 <= len(pages) <= 8
