"""Amplitudes of files as data of a state: responses, gains from a reference, sums, errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from nmrqb.errors import Fault, InputError
from nmrqb.experiment.recorded.amplitudes import FittedFile, Quadratures, rotation, stacked
from nmrqb.experiment.recorded.model import RecordedData
from nmrqb.operators import Complex, Real
from nmrqb.tomography import measurement_chain, response_matrix
from nmrqb.tomography.response import Response

Key: TypeAlias = tuple[str, str]  # readout, channel

_STEP = 1e-4  # of an amplitude, for slopes of what is nearly linear in them
_DARK = 1e-12  # of what its channel could show: a reference that shows nothing
_VISIBLE = 5.0  # standard errors that a gain must be above zero
_COMMON = 0.9  # of the power of a reference that must have one phase


@dataclass(frozen=True, eq=False)
class Gain:
    """What turns a channel's amplitudes into expectation values.

    Attributes
    ----------
    factor
        G: amplitudes are G times those of the state.
    error
        Relative standard deviation of |G|.
    """

    factor: complex
    error: float


@dataclass(frozen=True, eq=False)
class ResponseModel:
    """What unit Paulis show in every readout and channel, and what the reference is.

    Attributes
    ----------
    rows
        Amplitudes of unit Paulis by readout and channel, shape (lines, 4ⁿ − 1).
    offsets
        Amplitudes that the identity leads to, shape (lines,).
    paulis
        Names of the columns.
    reference
        Expectation values of the known state, shape (4ⁿ − 1,), or None.
    experiment
        Name of the experiment that shows it, or None.
    """

    rows: Mapping[Key, Complex]
    offsets: Mapping[Key, Complex]
    paulis: tuple[str, ...]
    reference: Real | None
    experiment: str | None

    @classmethod
    def of(cls, data: RecordedData) -> ResponseModel:
        """Return the model of the readouts and channels that a data set has files of."""
        rows, offsets = dict[Key, Complex](), dict[Key, Complex]()
        for readout in data.readouts:
            response = _response(readout, data)
            keys = [(readout, channel) for channel in _channels(readout, data)]
            offset = response.offset if data.kind == "full" else 0 * response.offset
            rows |= zip(keys, _pieces(response.matrix, response), strict=True)
            offsets |= zip(keys, _pieces(offset, response), strict=True)
        reference = data.reference
        known = None
        if reference is not None:
            known = np.array([reference.paulis.get(p, 0.0) for p in response.paulis])
        return cls(
            rows,
            offsets,
            response.paulis,
            known,
            None if reference is None else reference.experiment,
        )

    def gains(self, fitted: Sequence[FittedFile]) -> Mapping[str, Gain]:
        """Return gains of the channels by weighted least squares of a reference.

        G = m†C⁻¹y / m†C⁻¹m where files show both quadratures.  Where some file of a channel shows
        one only, the data do not tell the phase of G: the spectra were phased so that the lines of
        the reference are absorptive, and |G| and its sign alone are fitted.

        Raises
        ------
        InputError
            If the reference of a channel shows nothing, or cannot be phased so.
        """
        if self.reference is None:
            return {}
        found: dict[str, Gain] = {}
        for channel in dict.fromkeys(f.file.channel for f in fitted):
            files = [f for f in fitted if f.file.channel == channel]
            own = [f for f in files if f.file.experiment == self.experiment]
            phased = not all(f.known.complete for f in files)
            found[channel] = self._gain(own, files[0], phased=phased)
        return found

    def _gain(self, own: Sequence[FittedFile], at: FittedFile, *, phased: bool) -> Gain:
        """Return the gain that files of the reference show; faults are told at a file."""
        direction = self._absorptive(own, at) if phased else None
        normal: Real = np.zeros((2, 2)) if direction is None else np.zeros((1, 1))
        top, most = np.zeros(len(normal)), 0.0
        for f in own:
            A = self._slopes(f) if direction is None else self._slopes(f) @ direction
            normal = normal + (A.T * f.weights) @ A
            top = top + (A.T * f.weights) @ f.known.parts
            rows = f.known.seen @ stacked(self.rows[f.file.readout, at.file.channel])
            most += float(np.sum(f.weights[:, None] * rows**2))
        bottom = float(np.trace(normal)) / len(normal)
        size = float(np.linalg.norm(top))
        if not bottom > _DARK * most or size < _VISIBLE * np.sqrt(bottom):
            raise InputError([Fault(at.file.data.at, self._dark(at.file.channel))])
        solved = np.linalg.solve(normal, top)
        factor = complex(*(solved if direction is None else direction @ solved))
        return Gain(factor, float(1 / np.sqrt(bottom) / abs(factor)))

    def _known_lines(self, f: FittedFile) -> Complex:
        """Return the amplitudes of the reference in a file of it, shape (lines,)."""
        assert self.reference is not None  # `gains` asks for nothing otherwise
        return np.asarray(self.rows[f.file.readout, f.file.channel] @ self.reference)

    def _slopes(self, f: FittedFile) -> Real:
        """Return what the parts of a gain add to a file of the reference, shape (rows, 2)."""
        m = self._known_lines(f)
        return np.asarray(f.known.seen @ np.stack([stacked(m), stacked(1j * m)], axis=-1))

    def _absorptive(self, own: Sequence[FittedFile], at: FittedFile) -> Real:
        """Return parts of the phase factor that makes the lines of the reference real, (2, 1)."""
        lines = [np.exp(1j * f.known.phase_rad) * self._known_lines(f) for f in own]
        square = complex(sum(np.sum(m**2) for m in lines))
        if abs(square) < _COMMON * sum(np.sum(np.abs(m) ** 2) for m in lines):
            channel = at.file.channel
            message = (
                f"the lines of experiment `{self.experiment}` on {channel} cannot all be "
                "absorptive in spectra of one phase: keep those of its readouts that are, or say "
                "the `phase` by which others were phased differently"
            )
            raise InputError([Fault(at.file.data.at, message)])
        factor = np.exp(-0.5j * np.angle(square))
        return np.array([[factor.real], [factor.imag]])

    def _dark(self, channel: str) -> str:
        return (
            f"experiment `{self.experiment}` shows nothing of its known state on {channel}, so "
            "that the gain of this channel is not known"
        )

    def calibrated(
        self, fitted: Sequence[FittedFile], weights: Mapping[str, float]
    ) -> dict[Key, Quadratures]:
        """Return sums of calibrated parts of all readouts and channels that are complete."""
        gains = self.gains(fitted)
        sums: dict[Key, Quadratures] = {}
        for key in complete_keys(fitted, weights)[0]:
            files = _summed(fitted, weights, key)
            seen = _common(files)
            gain = gains[key[1]].factor if gains else 1.0
            turned = seen @ rotation(gain / abs(gain), seen.shape[1] // 2)
            offset = turned @ stacked(self.offsets[key])
            parts = sum(
                weights[f.file.experiment] * (f.known.reduced(seen).parts / abs(gain) - offset)
                for f in files
            )
            known = Quadratures(np.asarray(parts), turned)
            sums[key] = known.upright() if known.complete else known
        return sums

    def matrix(self, sums: Mapping[Key, Quadratures]) -> Real:
        """Return rows of the response for the parts of sums, one after the other."""
        return np.concatenate([q.seen @ stacked(self.rows[key]) for key, q in sums.items()])


def _summed(
    fitted: Sequence[FittedFile], weights: Mapping[str, float], key: Key
) -> list[FittedFile]:
    return [
        f
        for f in fitted
        if (f.file.readout, f.file.channel) == key and weights.get(f.file.experiment)
    ]


def _common(files: Sequence[FittedFile]) -> Real:
    """Return the quadratures that all of some files show; empty where there are none."""
    partial = [f.known for f in files if not f.known.complete]
    first = partial[0] if partial else files[0].known
    return first.seen if all(first.agrees(q) for q in partial) else first.seen[:0]


def _channels(readout: str, data: RecordedData) -> tuple[str, ...]:
    seen = {file.channel for file in data.files if file.readout == readout}
    return tuple(channel for channel in data.channels if channel in seen)


def _response(readout: str, data: RecordedData) -> Response:
    """Return the response of one readout on the channels of which it has a file."""
    chain = measurement_chain(
        data.sample,
        [readout],
        pulses=data.pulses,
        relaxation=data.lines == "known",
        observed=_channels(readout, data),
    )
    return response_matrix(chain)


def _pieces(stacked: Real, response: Response) -> list[Complex]:
    """Return complex rows of a response, readout by readout, channel by channel."""
    real, imaginary = np.split(stacked, 2)
    rows = real + 1j * imaginary
    sizes = [len(fit) for fit in response.fits] * response.readouts
    return np.split(rows, np.cumsum(sizes)[:-1])


def complete_keys(
    fitted: Sequence[FittedFile], weights: Mapping[str, float]
) -> tuple[list[Key], list[str]]:
    """Return readouts and channels of which every experiment has a file, and names of the rest."""
    wanted = {name for name, weight in weights.items() if weight}
    have: dict[Key, set[str]] = {}
    for f in fitted:
        have.setdefault((f.file.readout, f.file.channel), set()).add(f.file.experiment)
    whole = [key for key, names in have.items() if wanted <= names]
    partly = {key: sorted(wanted - names) for key, names in have.items() if wanted & names}
    lost = [f"{r} on {c} (no file of {', '.join(n)})" for (r, c), n in partly.items() if n]
    apart = [key for key in whole if not len(_common(_summed(fitted, weights, key)))]
    lost += [f"{r} on {c} (its tables show parts of different phases)" for r, c in apart]
    return [key for key in whole if key not in apart], lost


def all_parts(sums: Mapping[Key, Quadratures]) -> Real:
    """Return the parts of sums as one vector."""
    return np.concatenate([known.parts for known in sums.values()])


def propagated(
    function: Callable[[Sequence[FittedFile]], Real], fitted: Sequence[FittedFile]
) -> Real:
    """Return D C Dᵀ of a function of all amplitudes, D by central differences.

    Parameters
    ----------
    function
        Files → real numbers, shape (rows,).
    fitted
        Files with the covariance C of their amplitudes; those of different files are independent.

    Returns
    -------
    array of shape (rows, rows)
    """
    total: Real = np.zeros((1, 1))
    for number, f in enumerate(fitted):
        sizes = np.sqrt(np.diagonal(f.covariance))
        columns = []
        for k, unit in enumerate(np.eye(len(sizes))):
            step = max(float(sizes[k]), _STEP * float(np.abs(f.known.parts).max()))
            moved = [
                function([*fitted[:number], f.moved(sign * step * unit), *fitted[number + 1 :]])
                for sign in (1, -1)
            ]
            columns.append((moved[0] - moved[1]) / (2 * step))
        D = np.stack(columns, axis=-1)
        total = total + D @ f.covariance @ D.T
    return total
