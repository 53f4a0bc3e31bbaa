"""``python -m nmrqb.docs [FOLDER]`` writes the documentation, into ``build/docs`` by default."""

from __future__ import annotations

import sys

from nmrqb.docs.site import build_docs
from nmrqb.errors import NmrqbError

_USAGE = "usage: python -m nmrqb.docs [FOLDER]\n"
_BAD_INPUT = 2


def main(arguments: list[str]) -> int:
    """Build the documentation and return the exit status: 0 done, 2 bad input."""
    if len(arguments) > 1 or any(word.startswith("-") for word in arguments):
        sys.stderr.write(_USAGE)
        return 0 if arguments == ["--help"] else _BAD_INPUT
    try:
        index = build_docs(*arguments)
    except NmrqbError as error:
        sys.stderr.write(f"{error}\n")
        return _BAD_INPUT
    sys.stdout.write(f"wrote {index}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
