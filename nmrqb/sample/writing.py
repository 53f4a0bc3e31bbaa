"""From a `Sample` back to its file."""

from __future__ import annotations

import math
from typing import Any

from nmrqb.arguments import checked
from nmrqb.errors import ArgumentError
from nmrqb.files import yaml_text
from nmrqb.sample.model import Coupling, Sample, Spin


@checked
def sample_text(sample: Sample) -> str:
    """Return the YAML text of a sample, every number in full precision.

    Parameters
    ----------
    sample
        The sample; what relaxes it besides T1 and T2 is not written.

    Raises
    ------
    ArgumentError
        If the sample has mechanisms of relaxation besides T1 and T2.
    """
    if sample.relaxation:
        words = [mechanism.word for mechanism in sample.relaxation]
        raise ArgumentError(
            f"Argument `sample` must relax by T1 and T2 alone to be written, but has {words}"
        )
    document: dict[str, Any] = {"format": "nmrqb-sample/1", "name": sample.name}
    document |= {"title": sample.title} if sample.title else {}
    document |= {"field": f"{sample.field_tesla!r} T"} if sample.field_tesla else {}
    document |= {"raster": f"{sample.raster_s!r} s"} if sample.raster_s else {}
    document["spins"] = [_spin(spin) for spin in sample.spins]
    document["couplings"] = [_coupling(coupling) for coupling in sample.couplings]
    return yaml_text(document)


def _spin(spin: Spin) -> dict[str, Any]:
    times = {"T1": spin.T1_s, "T2": spin.T2_s, "pulse_90": spin.pulse_90_s or math.inf}
    return {
        "label": spin.label,
        "nucleus": spin.nucleus,
        "offset": f"{spin.offset_hz!r} Hz",
        **{name: f"{time!r} s" for name, time in times.items() if math.isfinite(time)},
        **({"polarization": spin.polarization} if spin.polarization else {}),
    }


def _coupling(coupling: Coupling) -> dict[str, Any]:
    found: dict[str, Any] = {"between": list(coupling.between)}
    found |= {"J": f"{coupling.J_hz!r} Hz"} if coupling.J_hz else {}
    found |= {"dipolar": f"{coupling.dipolar_hz!r} Hz"} if coupling.dipolar_hz else {}
    if coupling.tensor_hz is not None:
        found["tensor"] = [[f"{value!r} Hz" for value in row] for row in coupling.tensor_hz]
    return found | {"truncation": coupling.truncation}
