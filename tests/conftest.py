"""What all tests share."""

import os
from pathlib import Path

import pytest

# Small matrices: one thread is fastest, and two test processes do not fight for the cores.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ["MPLBACKEND"] = "Agg"


@pytest.fixture(scope="session")
def recorded_folder():
    """Return the folder of real data that ``$NMRQB_TEST_DATA`` names."""
    folder = os.environ.get("NMRQB_TEST_DATA")
    if not folder:
        pytest.skip("$NMRQB_TEST_DATA is not set, so there are no recordings of spectrometers")
    return Path(folder)
