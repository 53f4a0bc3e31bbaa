"""Amplitudes of files as data of a state: responses, gains from a reference, sums, errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from nmrqb.errors import Fault, InputError
from nmrqb.experiment.recorded.fits import FittedFile
from nmrqb.experiment.recorded.model import RecordedData
from nmrqb.operators import Complex, Real
from nmrqb.tomography import measurement_chain, response_matrix
from nmrqb.tomography.response import Response

Key: TypeAlias = tuple[str, str]  # readout, channel

_STEP = 1e-4  # of an amplitude, for slopes of what is nearly linear in them
_DARK = 1e-12  # of what its channel could show: a reference that shows nothing
_VISIBLE = 5.0  # standard errors that a gain must be above zero


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
        """Return gains of the channels by weighted least squares: G = m†C⁻¹y / m†C⁻¹m.

        Raises
        ------
        InputError
            If the reference of a channel shows nothing.
        """
        if self.reference is None:
            return {}
        found: dict[str, Gain] = {}
        for channel in dict.fromkeys(f.file.channel for f in fitted):
            own = [
                f
                for f in fitted
                if f.file.channel == channel and f.file.experiment == self.experiment
            ]
            found[channel] = self._gain(channel, own, fitted)
        return found

    def _gain(self, channel: str, own: Sequence[FittedFile], fitted: Sequence[FittedFile]) -> Gain:
        assert self.reference is not None  # `gains` asks for nothing otherwise
        top, bottom, most = 0j, 0.0, 0.0
        for f in own:
            rows = self.rows[f.file.readout, channel]
            m = rows @ self.reference
            lines = len(m)
            weights = 1 / (np.diag(f.covariance)[:lines] + np.diag(f.covariance)[lines:])
            top += np.sum(weights * m.conj() * f.amplitudes)
            bottom += float(np.sum(weights * np.abs(m) ** 2))
            most += float(np.sum(weights[:, None] * np.abs(rows) ** 2))
        if not bottom > _DARK * most or abs(top) < _VISIBLE * np.sqrt(bottom / 2):
            at = next(f.file.data.at for f in fitted if f.file.channel == channel)
            raise InputError(
                [
                    Fault(
                        at,
                        f"experiment `{self.experiment}` shows nothing of its known state on "
                        f"{channel}, so that the gain of this channel is not known",
                    )
                ]
            )
        factor = top / bottom
        return Gain(complex(factor), float(1 / np.sqrt(2 * bottom) / abs(factor)))

    def calibrated(
        self, fitted: Sequence[FittedFile], weights: Mapping[str, float]
    ) -> dict[Key, Complex]:
        """Return sums of calibrated amplitudes of all readouts and channels that are complete."""
        gains = self.gains(fitted)
        sums: dict[Key, Complex] = {}
        for key in complete_keys(fitted, weights)[0]:
            gain = gains[key[1]].factor if gains else 1.0
            parts = [
                weights[f.file.experiment] * (f.amplitudes / gain - self.offsets[key])
                for f in fitted
                if (f.file.readout, f.file.channel) == key and weights.get(f.file.experiment)
            ]
            sums[key] = np.sum(parts, axis=0)
        return sums

    def matrix(self, keys: Sequence[Key]) -> Real:
        """Return rows of the response: all real parts, then all imaginary parts."""
        rows = np.concatenate([self.rows[key] for key in keys])
        return np.concatenate([rows.real, rows.imag])


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
    return whole, lost


def stacked(sums: Mapping[Key, Complex]) -> Real:
    """Return sums as one vector: all real parts, then all imaginary parts."""
    flat = np.concatenate(list(sums.values()))
    return np.concatenate([flat.real, flat.imag])


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
        lines = len(f.amplitudes)
        sizes = np.sqrt(np.diagonal(f.covariance))
        columns = []
        for k in range(2 * lines):
            unit = np.eye(lines, dtype=complex)[k % lines] * (1j if k >= lines else 1)
            step = max(float(sizes[k]), _STEP * float(np.abs(f.amplitudes).max()))
            moved = [
                function([*fitted[:number], moved_by(f, sign * step * unit), *fitted[number + 1 :]])
                for sign in (1, -1)
            ]
            columns.append((moved[0] - moved[1]) / (2 * step))
        D = np.stack(columns, axis=-1)
        total = total + D @ f.covariance @ D.T
    return total


def moved_by(f: FittedFile, by: Complex) -> FittedFile:
    """Return a file whose amplitudes are changed by something, shape (lines,)."""
    return replace(f, amplitudes=f.amplitudes + by)
