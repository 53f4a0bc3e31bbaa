"""What all tests share."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Small matrices: one thread is fastest, and two test processes do not fight for the cores.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ["MPLBACKEND"] = "Agg"

# The same examples in every run, so that a failure is a change's; new ones on request.
settings.register_profile("repeatable", derandomize=True)
settings.register_profile("explore", derandomize=False, print_blob=True)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def recorded_folder():
    """Return the folder of real data that ``$NMRQB_TEST_DATA`` names."""
    folder = os.environ.get("NMRQB_TEST_DATA")
    if not folder:
        pytest.skip("$NMRQB_TEST_DATA is not set, so there are no recordings of spectrometers")
    return Path(folder)
