"""The benchmarks run, both sides of each come to the same result, and plots are drawn.

Nothing is timed here.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parent
RUN = [sys.executable, str(FOLDER / "run.py"), "--quick"]
PEERS = (
    "their YAML alone", "nested commutators", "quadrature", "Qobj.expm and logm", "mesolve",
    "mcsolve", "sesolve for every segment", "SESolver kept", "the same caching",
    "Qobj.expm of every step", "expm_multiply of a Liouvillian", "expm_multiply for every segment",
    "levels by numpy", "Qobj loop over points and times", "mesolve by diagonalisation, spectra",
)  # fmt: skip


def test_the_benchmarks_run_and_agree():
    done = subprocess.run([*RUN, "--json"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    document = json.loads(done.stdout)
    assert "one thread" in document["machine"]
    rows = document["rows"]
    for peer in PEERS:
        assert any(row["peer"].startswith(peer) or peer in row["peer"] for row in rows), peer
    tomography = [row for row in rows if "refits" in row["name"] or "bootstrap" in row["name"]]
    assert len(tomography) >= 2
    assert all(bool(row["peer"]) != bool(row["missing"]) for row in tomography)
    for row in rows:
        assert row["ours_error"] <= row["bound"], row
        assert not row["wrong"], row
        assert row["ours_s"] > 0
        assert not row["peer"] or (row["ratio"] > 0 and row["peer_error"] >= 0)


def test_the_table_can_be_read_as_markdown():
    done = subprocess.run([*RUN, "delays", "star"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    lines = done.stdout.decode().splitlines()[2:]
    assert len(lines) == 2 + 3  # head, rule, one batch, two stars
    assert {line.count("|") for line in lines} == {9}
    assert len({len(line) for line in lines}) == 1


def test_the_plots_are_drawn(tmp_path):
    done = subprocess.run([*RUN, "--plots", str(tmp_path)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert {file.name for file in tmp_path.iterdir()} == {"scaling_spins.png", "scaling_work.png"}
    assert all(file.stat().st_size > 20_000 for file in tmp_path.iterdir())


@pytest.fixture
def modules(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    import harness
    import scaling

    yield harness, scaling
    for name in ("harness", "scaling", "registers", "reference"):
        sys.modules.pop(name, None)


def case(harness, ours, theirs, **more):
    return harness.Case(
        "a", "b", lambda: None, lambda: None, lambda *_: (ours, theirs), bound=1e-6, **more
    )


@pytest.mark.parametrize(
    ("ours", "theirs", "wrong"),
    [
        (1e-7, 2e-8, ""),
        (2e-6, 1e-6, "ERROR ABOVE 1e-06"),
        (float("nan"), 1e-6, "ERROR ABOVE 1e-06"),
        (1e-7, 1e-9, "NOT MATCHED"),  # its error is a hundredth of ours
        (1e-12, 1e-15, ""),  # both exact
        (1e-7, 0.1, "PEER DIFFERS"),
        (1e-7, float("nan"), "PEER DIFFERS"),
    ],
)
def test_wrong_results_are_called_wrong(modules, ours, theirs, wrong):
    harness, _ = modules
    assert harness.measure(case(harness, ours, theirs), 1, 0.0).wrong == wrong
    share = harness.measure(case(harness, ours, theirs, share=0.25, exact_peer=True), 1, 0.0)
    assert share.wrong == wrong.replace("NOT MATCHED", "")
    assert share.met is None


def test_a_peer_that_is_not_installed_is_named(modules):
    harness, _ = modules
    alone = harness.Case("a", "b", lambda: None, None, lambda *_: (0, 0), 1e-6, missing="no b")
    row = harness.measure(alone, 1, 0.0)
    assert (row.peer, row.ratio, row.wrong, row.missing) == ("", None, "", "no b")
    assert "no b" in harness.line(harness._cells(row))


def test_the_best_state_of_the_benchmarks_by_hand(modules):
    from reference import most_likely

    # one spin, unequal weights: (1.2, 0, 0.5) goes to the unit sphere along the stronger row
    best = most_likely(np.diag([1.0, 1.0, 100.0]), np.array([1.2, 0.0, 50.0]))
    assert np.linalg.norm(best) == pytest.approx(1, abs=1e-12)
    assert best[2] == pytest.approx(0.5, abs=1e-4)
    inside = most_likely(np.eye(3), np.array([0.3, 0.2, -0.1]))
    assert np.allclose(inside, [0.3, 0.2, -0.1])


def test_a_missed_target_is_no_error(modules):
    harness, _ = modules
    row = harness.measure(case(harness, 0.0, 0.0, target=1e12), 1, 0.0)
    assert (row.met, row.wrong) == (False, "")
    assert "1e+12 MISSED" in harness.line(harness._cells(row))


def test_exponents_and_crossings(modules):
    _, scaling = modules
    N = [1, 10, 100, 1000, 10_000]
    assert scaling.exponent(N, [9, 1, 1e2, 1e4, 1e6]) == pytest.approx(2)  # the large end counts
    slow = scaling.Curve("slow", [1, 2, 3, 4], [1.0, 2.0, 4.0, 8.0], [1] * 4)
    quick = scaling.Curve("quick", [2, 3, 4, 5], [3.0, 3.0, 3.0, 3.0], [1] * 4)
    assert scaling.crossing(slow, quick) == 3
    assert scaling.crossing(quick, slow) is None


def test_figures_mark_where_the_choice_switches(modules):
    _, scaling = modules
    n = list(range(1, 13))
    curves = [
        scaling.Curve(label, n, [unit * base**k for k in n], [16 * 4**k for k in n])
        for label, unit, base in (("unitary", 1e-5, 8.0), ("chebyshev", 5e-2, 2.0))
    ]
    choosers = lambda n: "ab"[n > 6], scaling.chosen_for_open
    panels = [(title, choose, curves) for title, choose in zip("ab", choosers, strict=True)]
    figure = scaling.spins_figure(panels)
    closed, opened = figure.axes[:2]
    marks = [line.get_xdata()[0] for line in closed.lines if line.get_linestyle() == "--"]
    assert marks == [6.5]
    marks = [line.get_xdata()[0] for line in opened.lines if line.get_linestyle() == "--"]
    assert marks == [3.5, 10.5]
    assert [scaling.chosen_for_vector(n) for n in (3, 9)] == ["unitary", "chebyshev"]
    texts = [text.get_text() for text in closed.get_legend().get_texts()]
    assert "d^{3.0}" in texts[0]
    assert "d^{1.0}" in texts[1]
    assert any("quicker\nfrom 7 spins" in text.get_text() for text in closed.texts)
    assert np.allclose(figure.axes[2].lines[0].get_ydata()[-1], 16 * 4**12 / 2**20)
    scaling.plt.close(figure)


def test_references_are_better_than_double_precision(modules):
    from reference import acted, exponential
    from scipy.sparse import csr_array

    angle = np.linspace(0, 40, 7)
    A = angle[:, None, None] * np.array([[0, -1], [1, 0]])
    turned = exponential(A)
    exact = np.cos(angle.astype(np.longdouble))
    assert np.abs(turned[:, 0, 0] - exact).max() < 1e3 * np.finfo(np.longdouble).eps
    x = acted(csr_array(A[-1]), np.array([[1.0], [0.0]]))
    assert abs(x[0, 0] - exact[-1]) < 1e3 * np.finfo(np.longdouble).eps
