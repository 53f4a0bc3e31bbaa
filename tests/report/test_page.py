"""The HTML page of a run: what it holds, and what a real browser makes of it."""

import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from nmrqb.errors import ArgumentError
from nmrqb.experiment import load_experiment, run
from nmrqb.report import page, result_page
from nmrqb.report.folder import result_figures

VOID = {"meta", "link", "img", "input", "br", "hr"}


class Outline(HTMLParser):
    """Reads a page: its tags in balance, its texts, its links and what they point at."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.ids, self.links, self.sources = [], [], set(), [], []
        self.words = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags.append(tag)
        self.ids |= {values["id"]} if "id" in values else set()
        self.links += [values["href"]] if "href" in values else []
        self.sources += [(values["src"], values.get("alt"))] if "src" in values else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def driven():
    overrides = {"charge.times.points": "5", "measure.points": "512"}
    return run(load_experiment("charge_dm_ksea", overrides=overrides), seed=1)


@pytest.fixture(scope="module")
def html(driven):
    return result_page(driven, result_figures(driven))


def test_the_page_needs_nothing_else(html):
    outline = Outline(html)
    assert "script" not in outline.tags
    assert all(source.startswith("data:image/") and alt for source, alt in outline.sources)
    assert all(link.startswith(("#", "data:")) for link in outline.links)
    assert {link[1:] for link in outline.links if link.startswith("#")} <= outline.ids
    assert not re.search(r"https?://(?!www\.w3\.org)", re.sub(r'"data:[^"]*"', "", html))
    assert len(html) < 5e6


def test_the_page_tells_what_was_asked_and_what_came_out(driven, html):
    words = " ".join(" ".join(Outline(html).words).split())
    assert driven.experiment.title in words
    assert "D = 20 Hz, G = 5 Hz" in words
    at = driven.data.isel(time=int(driven.data["shown"]))
    assert f"{float(at['ergotropy']):.4g} Hz" in words
    assert all(note in words for note in driven.notes)
    assert all(digest in words for digest in driven.provenance["inputs_sha256"].values())
    for k in range(5):
        assert f"{float(driven.data['ergotropy_high'][k]):.4g}" in words


def test_text_of_a_file_is_never_markup(driven):
    named = replace(driven.experiment, title="<b>bold</b> & <script>alert(1)</script>")
    html = result_page(replace(driven, experiment=named), result_figures(driven))
    assert "script" not in Outline(html).tags
    assert "&lt;b&gt;bold&lt;/b&gt; &amp;" in html


@pytest.mark.slow
def test_a_charging_sequence_is_drawn_and_averaged():
    overrides = {"charge.cycles.stop": "2", "measure.points": "512"}
    result = run(load_experiment("charger_battery_dm", overrides=overrides), seed=1)
    html = result_page(result, result_figures(result))
    words = " ".join(Outline(html).words)
    assert "What the charging sequence makes" in words
    assert "error, alone, over one period" in words
    captions = [alt for _, alt in Outline(html).sources]
    assert "Toggling frames: where z of every spin points" in captions


def test_a_page_that_grows_too_large_is_refused(driven, monkeypatch):
    monkeypatch.setattr(page, "MAX_BYTES", 1000)
    with pytest.raises(ArgumentError, match=r"must make a page of at most 0.001 MB, but makes"):
        result_page(driven, result_figures(driven))


# ------------------------------------------------------------------ in a browser
def browser():
    """Return a headless Chromium of the distribution, or why there is none."""
    selenium = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    paths = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if None in paths:
        pytest.skip("the distribution's chromium and chromedriver are not installed")
    options = selenium.ChromeOptions()
    options.binary_location = paths[0]
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return selenium.Chrome(options=options, service=selenium.ChromeService(paths[1]))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_in_a_browser_nothing_overflows_and_the_console_is_empty(html, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(html, encoding="utf-8")
    driver = browser()
    try:
        for width in (1400, 400):
            size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            driver.get(file.as_uri())
            assert driver.get_log("browser") == []
            root = "document.documentElement"
            assert driver.execute_script(f"return {root}.scrollWidth") <= width
            loaded = "return [...document.images].map(i => i.complete ? i.naturalWidth : 0)"
            assert min(driver.execute_script(loaded)) > 0
            shown = "return [...document.images].map(i => i.getBoundingClientRect().width)"
            assert np.all(np.array(driver.execute_script(shown)) <= width)
        driver.execute_script("document.querySelector('label.zoom input').checked = true")
        large = driver.find_elements("css selector", "label.zoom img")[0].rect["width"]
        assert large > width
    finally:
        driver.quit()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_with_scripts_off_the_page_is_the_same(html, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(html, encoding="utf-8")
    driver = browser()
    try:
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        driver.get(file.as_uri())
        title = driver.find_element("css selector", "h1").text
        assert title == "Charging a DM + KSEA battery in 13C-chloroform"
        assert len(driver.find_elements("css selector", "section")) == 5
    finally:
        driver.quit()
