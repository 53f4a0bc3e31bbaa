"""Run the benchmarks: ``python tests/benchmarks/run.py [--quick] [--json] [WORD...]``.

A word selects the cases whose name holds it; ``--quick`` measures each case once, on less work.
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
    """Run what the command line asks for; 1 if a result differs from its peer's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="only cases whose name holds one of these")
    parser.add_argument("--quick", action="store_true", help="once, on less work")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    import average_cases
    import sequence_cases
    from harness import report

    cases = [
        case
        for module in (sequence_cases, average_cases)
        for case in module.cases(quick=options.quick)
        if not options.words or any(word in case.name for word in options.words)
    ]
    rows = report(cases, repeats=1 if options.quick else 5, as_json=options.json)
    return 0 if all(row.agree for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
