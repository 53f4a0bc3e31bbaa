"""The command line: a thin shell that parses, calls and prints."""

from __future__ import annotations


def main() -> None:
    """Run the command line on ``sys.argv`` and leave with its exit status.

    0: done; 1: `compile` found the sequence's own target not met; 2: bad input, impossible
    request, unreadable or unwritable file; 130: interrupted.
    """
    try:
        from nmrqb.cli.app import app
        from nmrqb.cli.console import misused

        with misused():
            status = app(prog_name="nmrqb", standalone_mode=False)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    raise SystemExit(status or 0)
