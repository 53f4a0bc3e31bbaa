"""The benchmarks run, and both sides of each come to the same result.  Nothing is timed here."""

import json
import subprocess
import sys
from pathlib import Path


def test_the_benchmarks_run_and_agree():
    script = Path(__file__).parent / "run.py"
    done = subprocess.run(
        [sys.executable, str(script), "--quick", "--json"], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    rows = json.loads(done.stdout)
    peers = {"nested commutators", "quadrature", "a loop through QuTiP", "their YAML alone"}
    assert {row["peer"] for row in rows} == peers
    assert all(row["agree"] and row["ratio"] > 0 for row in rows)
