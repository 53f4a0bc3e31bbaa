"""What a user must know about a compiled sequence."""

from __future__ import annotations

from nmrqb.average.convergence import Convergence
from nmrqb.average.model import Diagnosis
from nmrqb.average.played import Played
from nmrqb.average.symmetry import exchange_symmetric_pairs
from nmrqb.sample import Sample


def diagnose(played: Played, sample: Sample, unsafe: Convergence | None) -> list[Diagnosis]:
    """Return what a user must know.

    Parameters
    ----------
    played, sample
        What was compiled.
    unsafe
        How the Magnus series converges, where the logarithm cannot be trusted; None where it can.
    """
    found = []
    if played.control.passes != 1:
        found.append(Diagnosis("not-cyclic", _not_cyclic(played)))
    for i, j in exchange_symmetric_pairs(played.segments, played.drift):
        text = _forbidden(sample.labels[i], sample.labels[j])
        found.append(Diagnosis("dm-forbidden-by-exchange-symmetry", text))
    if unsafe is not None:
        found.append(Diagnosis("branch-unsafe", _wraps(played, unsafe)))
    return found


def _not_cyclic(played: Played) -> str:
    passes = played.control.passes
    if passes is None:
        return (
            "The pulses of one pass do not multiply to 1, nor do those of up to 24 passes: the "
            "Hamiltonian given is that of one pass, in a frame that the pulses keep turning."
        )
    return (
        f"The pulses of one pass do not multiply to 1; {passes} passes do. The Hamiltonian "
        f"given is the average over these {passes} passes."
    )


def _forbidden(first: str, second: str) -> str:
    return (
        f"At every instant {first} and {second} feel the same rotation and the same offset, so "
        "controls and drift commute with an exchange of the two. DM changes sign under it and "
        "cannot appear at any order. A pulse on one of them alone lifts this."
    )


def _wraps(played: Played, series: Convergence) -> str:
    text = (
        f"The period of {played.period:.6g} s is too long for the logarithm of the propagator: a "
        "phase reaches π and may wrap. The named terms are those of the truncated Magnus series."
    )
    if series.ratio > 1 / 2:
        text += " The series does not converge either: do not trust them, shorten the period."
    return text
