"""Run the benchmarks: ``python tests/benchmarks/run.py [--quick] [--json] [WORD...]``.

Every row has the errors of both results against a reference that neither made, and what is wrong
with them, if anything.  A word selects the cases whose name holds it; ``--quick`` measures each
case once, on less work; ``--plots FOLDER`` draws how time and memory grow, instead of the table.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[threads] = "1"  # before numpy is loaded
sys.path.insert(0, str(Path(__file__).parent))


def main() -> int:
    """Run what the command line asks for; 1 if a result is wrong, whatever the times are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="only cases whose name holds one of these")
    parser.add_argument("--quick", action="store_true", help="once, on less work")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="draw how costs grow")
    options = parser.parse_args()
    if options.plots:
        import scaling

        scaling.draw(options.plots, quick=options.quick)
        return 0
    return _table(options)


def _table(options: argparse.Namespace) -> int:
    import average_cases
    import coherent_cases
    import design_cases
    import map_cases
    import open_cases
    import sequence_cases
    import signal_cases
    import tomography_cases
    from harness import report

    modules = (
        sequence_cases,
        average_cases,
        open_cases,
        coherent_cases,
        signal_cases,
        tomography_cases,
        design_cases,
        map_cases,
    )
    cases = (
        case
        for module in modules
        for case in module.cases(quick=options.quick)
        if not options.words or any(word in case.name for word in options.words)
    )
    rows = report(cases, quick=options.quick, as_json=options.json)
    return 1 if any(row.wrong for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
