"""``python -m nmrqb.docs [FOLDER] [--no-tutorials]`` writes the documentation.

It goes into ``build/docs`` by default.  The notebooks in ``tutorials`` of the current folder are
run for it, which takes most of the time; ``--no-tutorials`` leaves their pages out.
"""

from __future__ import annotations

import sys
from pathlib import Path

from nmrqb.docs.site import build_docs
from nmrqb.errors import NmrqbError

_USAGE = "usage: python -m nmrqb.docs [FOLDER] [--no-tutorials]\n"
_TUTORIALS = Path("tutorials")
_SKIP = "--no-tutorials"
_BAD_INPUT = 2


def main(arguments: list[str]) -> int:
    """Build the documentation and return the exit status: 0 done, 2 bad input."""
    folders = [word for word in arguments if word != _SKIP]
    if len(folders) > 1 or any(word.startswith("-") for word in folders):
        sys.stderr.write(_USAGE)
        return 0 if arguments == ["--help"] else _BAD_INPUT
    try:
        index = build_docs(*folders, tutorials=None if _SKIP in arguments else _tutorials())
    except NmrqbError as error:
        sys.stderr.write(f"{error}\n")
        return _BAD_INPUT
    sys.stdout.write(f"wrote {index}\n")
    return 0


def _tutorials() -> Path | None:
    """Return where the notebooks are; None, and say so, outside of a clone."""
    if _TUTORIALS.is_dir():
        return _TUTORIALS
    sys.stderr.write(f"no folder `{_TUTORIALS}` here: the pages of the tutorials are left out\n")
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
