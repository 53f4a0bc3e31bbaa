"""``python -m nmrqb`` is the command ``nmrqb``."""

from nmrqb.cli import main

if __name__ == "__main__":
    main()
