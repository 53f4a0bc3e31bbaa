"""Average Liouvillians: what a sequence makes of a sample that relaxes, and what that costs.

In the toggling frame of the pulses the state obeys ρ̇ = λ 𝓤_rf⁻¹(−i[H, ·] + 𝓓)𝓤_rf ρ.  Over a
period T its map is 𝓤_rf⁻¹(T) 𝓤(T) = exp(𝓛T), 𝓛 = 𝓛⁽⁰⁾ + 𝓛⁽¹⁾ + …, the Magnus series in λ.  𝓛⁽⁰⁾ is
the time average and always a Lindblad generator.  Neither the truncations at higher orders nor
the exact logarithm have to be: their smallest Kossakowski eigenvalue tells.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.linalg import logm

from nmrqb.arguments import checked
from nmrqb.average.effective import turned_on
from nmrqb.average.lindblad import (
    from_pauli_transfer,
    kossakowski_form,
    on_spins,
    pauli_transfer,
    smallest_rate,
    spins_of,
)
from nmrqb.average.magnus import checked_period, logarithm_series, product_series
from nmrqb.dynamics import (
    Segment,
    commutator_superoperator,
    superoperator,
    unitary,
    unitary_superoperator,
)
from nmrqb.dynamics.segments import check_segments
from nmrqb.errors import ArgumentError
from nmrqb.operators import (
    Complex,
    Real,
    as_matrix,
    dagger,
    from_named,
    named_terms,
    pair_part,
    pauli_strings,
    spin_count,
)

MAX_BLOCK = 1024  # side of the largest block exponential, (order + 2)·d²
DEFAULT_ORDER = 2
_HZ = 2 * np.pi
_PHYSICAL = 1e-9  # of its largest entry: how far a dissipator may miss Hermiticity and trace
_ALIKE = 1e-6  # of the spread: level spacings that count as one
_SMALL = 1e-3  # of the Hamiltonian of a pair: named terms below are not priced
_NOTHING = 1e-9  # of the whole Hamiltonian: that of a pair is rounding
_ROUNDING = 1e-11  # of ‖𝓛‖ or 1/T: a rate below is zero


@dataclass(frozen=True)
class TermCost:
    """What an engineered term costs: how often it turns before relaxation ends it.

    The term alone is A = 2π·value·(its operator), with levels E_a.  Its fastest oscillation is
    that of the operators |a⟩⟨b| with the largest spacing E_a − E_b = ±2πf.  Under the effective
    generator 𝓛 of the pair (the other spins untouched, see `lindblad.on_spins`) they decay at

        γ = −tr(Π𝓛)/tr Π = −Re mean_ab ⟨a|𝓛(|a⟩⟨b|)|b⟩,

    Π the projector on these operators: the mean of the decay rates of the eigenmodes of 𝓛,
    weighted by how much of each turns with the term.  The coherent part of 𝓛 drops out of it, a
    degeneracy does no harm, and where the term is the largest of its pair and dominates the
    dissipation it is the decay rate of the oscillation itself, to first order in γ/2πf.

    With T1 and T2 of single spins and 𝓛 = 𝓛⁽⁰⁾, the exchange that DM, KSEA and ε make decays at
    γ = ¼Σ_k(1/T1_k + 2/T2_k) along any axes and whatever the pulses: it passes through operators
    of all three directions of both spins.  What a sequence costs there is a smaller f.

    Attributes
    ----------
    spins
        Tensor positions of the pair.
    term
        Name of the term, or ``all`` for the pair's whole effective Hamiltonian.
    value_hz
        Its coefficient in Hz; for ``all`` the frequency.
    frequency_hz
        f, the frequency of its fastest oscillation (4|D| for DM: the exchange of two spins).
    rate_per_s
        γ under the sequence.
    native_rate_per_s
        γ if the sample had the term by itself: the same operators under the plain T1 and T2.
    """

    spins: tuple[int, int]
    term: str
    value_hz: float
    frequency_hz: float
    rate_per_s: float
    native_rate_per_s: float

    @property
    def turns(self) -> float:
        """Full turns within one decay time, f/γ; infinite without decay."""
        return self.frequency_hz / self.rate_per_s if self.rate_per_s > 0 else np.inf

    @property
    def native_turns(self) -> float:
        """Full turns within one decay time if no pulses were needed."""
        rate = self.native_rate_per_s
        return self.frequency_hz / rate if rate > 0 else np.inf


@dataclass(frozen=True, eq=False)
class OpenAverage:
    """What a sequence makes of a sample with relaxation, over the closing period.

    Superoperators act on row-flattened states in the toggling frame, have shape (d², d²) and are
    in 1/s; Hamiltonians are H/2π in Hz.

    Attributes
    ----------
    period_s
        T in s.
    orders
        𝓛⁽⁰⁾, 𝓛⁽¹⁾, ….
    exact
        (1/T) log[𝓤_rf⁻¹(T) 𝓤(T)], the principal logarithm, or None where `principal_branch` does
        not prove that it is the generator that acted.
    generator, generator_from
        The generator that what follows describes: the ``exact`` one, or the sum of the ``series``.
    eigenvalues
        (1/T) log v of the eigenvalues v of the exact map, slowest decay first, shape (d²,).  The
        real parts are minus the decay rates of its modes, whatever the branch; the imaginary parts
        are 2π times their frequencies, known only modulo 1/T.
    hamiltonian_hz
        Coherent part, shape (d, d).
    kossakowski
        a in 1/s over the normalised Pauli strings without 1, shape (d² − 1, d² − 1).
    kossakowski_min
        Its smallest eigenvalue in 1/s: negative if no Lindblad equation makes this evolution.
    kossakowski_min_by_order
        The same for the sums of the orders up to each one.
    lindblad
        Whether the smallest eigenvalue is not negative, but for rounding.
    pauli_rates
        −d ln⟨P⟩/dt in 1/s of every Pauli string P, from the dissipative part's diagonal (1 aside).
    native_pauli_rates
        The same under the plain T1 and T2.
    costs
        Named terms of every pair with what they cost, largest first, and the pair's whole.
    free_costs
        The same of the sample's own Hamiltonian, without pulses.
    """

    period_s: float
    orders: tuple[Complex, ...]
    exact: Complex | None
    generator: Complex
    generator_from: Literal["exact", "series"]
    eigenvalues: Complex
    hamiltonian_hz: Complex
    kossakowski: Complex
    kossakowski_min: float
    kossakowski_min_by_order: tuple[float, ...]
    lindblad: bool
    pauli_rates: Mapping[str, float]
    native_pauli_rates: Mapping[str, float]
    costs: tuple[TermCost, ...]
    free_costs: tuple[TermCost, ...]

    def cost(self, spins: tuple[int, int], term: str) -> TermCost:
        """Return what a term of a pair costs.

        Raises
        ------
        ArgumentError
            If the sequence does not make the term.
        """
        found = {(cost.spins, cost.term): cost for cost in self.costs}
        if (spins, term) not in found:
            made = ", ".join(name for pair, name in found if pair == spins) or "nothing"
            raise ArgumentError(
                f"Argument `term` must be made by the sequence, but is {term!r}; spins {spins} "
                f"have {made}"
            )
        return found[spins, term]


# ---------------------------------------------------------------------------- the Magnus series
@checked
def average_liouvillian(
    segments: Sequence[Segment],
    drift: Complex,
    dissipation: Complex,
    *,
    order: int = DEFAULT_ORDER,
    cycles: int = 1,
) -> list[Complex]:
    """Return the Magnus terms 𝓛⁽⁰⁾ … 𝓛⁽ⁿ⁾ of ``cycles`` passes in the toggling frame.

    𝓤_rf⁻¹(T) 𝓤(T) = exp[(𝓛⁽⁰⁾ + 𝓛⁽¹⁾ + …)T], 𝓛⁽ᵏ⁾ of degree k + 1 in drift and dissipator together;
    relaxation acts during finite pulses as during delays.

    Parameters
    ----------
    segments
        One pass of the sequence, in the order of time.
    drift
        H in rad/s, shape (..., d, d).
    dissipation
        Dissipator 𝓓 in 1/s, shape (d², d²), as of `nmrqb.dynamics.dissipator`.
    order
        Highest order n, ≥ 0.
    cycles
        Number of passes that make the period T.

    Returns
    -------
    list of arrays of shape (..., d², d²), 1/s, on row-flattened states

    Raises
    ------
    ArgumentError
        If the sequence takes no time, the order is negative, (order + 2)·d² is above 1024 (order
        14 for three spins, 2 for four), or the dissipator has a wrong shape or is no generator of
        Hermitian states.
    """
    drift = as_matrix(drift, "drift")
    d = drift.shape[-1]
    check_segments(segments, d)
    period = checked_period(segments, order=order, cycles=cycles)
    _check_size(d, order)
    _check_dissipation(dissipation, d)
    series = _toggled_series(segments, drift, dissipation, order + 2, cycles)
    # real throughout: maps of Hermitian operators in the Pauli basis
    terms = logarithm_series(series)[1:]
    return [from_pauli_transfer(term / period[..., None, None]) for term in terms]


def _toggled_series(
    segments: Sequence[Segment], drift: Complex, dissipation: Complex, size: int, cycles: int
) -> list[Complex]:
    """Return 𝓤_rf⁻¹𝓤 as a series in λ, in the Pauli basis."""
    batch, m = drift.shape[:-2], drift.shape[-1] ** 2
    like = np.zeros((*batch, m, m))
    steps = (_pauli_step(segment, drift, dissipation) for segment in segments)
    whole = product_series(steps, size, like=like, cycles=cycles)
    undo = whole[0].swapaxes(-1, -2)  # a rotation of the Pauli strings
    return [undo @ coefficient for coefficient in whole]


def _pauli_step(segment: Segment, drift: Complex, dissipation: Complex) -> tuple[Real, Real]:
    """Return control and interaction of a segment as real matrices in the Pauli basis."""
    loss = np.asarray(segment.duration)[..., None, None] * dissipation
    control = commutator_superoperator(segment.rotation)
    interaction = commutator_superoperator(segment.drifted(drift)) + loss
    return pauli_transfer(control).real, pauli_transfer(interaction).real


def _check_size(d: int, order: int) -> None:
    largest = MAX_BLOCK // d**2 - 2
    if largest < 0:
        raise ArgumentError(
            f"Argument `drift` must have dimension ≤ 16 (four spins) when relaxation acts, but has "
            f"dimension {d}; switch relaxation off for larger samples"
        )
    if order > largest:
        raise ArgumentError(
            f"Argument `order` must be ≤ {largest} for {d.bit_length() - 1} spins with relaxation, "
            f"but is {order}"
        )


def _check_dissipation(dissipation: Complex, d: int) -> None:
    if dissipation.shape != (d * d, d * d):
        raise ArgumentError(
            f"Argument `dissipation` must have shape {(d * d, d * d)}, but has shape "
            f"{dissipation.shape}"
        )
    transfer = pauli_transfer(dissipation)
    small = _PHYSICAL * float(np.abs(transfer).max())
    if not np.abs(transfer.imag).max() <= small or not np.abs(transfer[0]).max() <= small:
        raise ArgumentError(
            "Argument `dissipation` must keep Hermitian matrices Hermitian and their trace, but "
            f"its Pauli transfer matrix has imaginary parts up to {np.abs(transfer.imag).max():.3g}"
            f" and a first row up to {np.abs(transfer[0]).max():.3g}, in 1/s"
        )


# -------------------------------------------------------------------------------- the exact map
def toggling_map(
    segments: Sequence[Segment], drift: Complex, dissipation: Complex, *, cycles: int = 1
) -> Complex:
    """Return the exact 𝓤_rf⁻¹(T) 𝓤(T) of ``cycles`` passes, shape (d², d²), on flattened states.

    Its powers are the states every T, seen in the frame of the pulses.
    """
    control = [replace(segment, evolution=None) for segment in segments]
    U_rf = np.linalg.matrix_power(unitary(control, np.zeros_like(drift)), cycles)
    one_pass = superoperator(segments, drift, dissipation)
    undo = unitary_superoperator(dagger(U_rf))
    return np.asarray(undo @ np.linalg.matrix_power(one_pass, cycles))


def principal_branch(
    segments: Sequence[Segment],
    drift: Complex,
    dissipation: Complex,
    *,
    cycles: int = 1,
) -> bool:
    """Tell whether the principal logarithm of `toggling_map` is the generator that acted.

    With drift and dissipator scaled by λ from 0 to 1, no eigenvalue of the map may cross the
    negative real axis.  Without dissipation they are exp[−i(φ_a − φ_b)], φ the eigenphases of
    U_rf†U: the *differences* must stay below π, which is more than a Hamiltonian's own logarithm
    asks for.  They move by at most T(E_max − E_min)dλ, so that a grid of λ proves it; relaxation
    moves eigenvalues of that unitary map by at most δ = exp(T‖𝓓‖₂) − 1 (Bauer and Fike), hence
    phases by arcsin δ.

    Returns
    -------
    bool
        False also where δ ≥ 1 or the grid would need more than 2000 steps.
    """
    period = float(checked_period(segments, order=0, cycles=cycles))
    moved = np.expm1(min(period * float(np.linalg.norm(dissipation, 2)), 1.0))
    if moved >= 1:
        return False
    room = np.pi - float(np.arcsin(moved))
    reach = period * _spread(drift) + cycles * sum(
        _spread(s.evolution) for s in segments if s.evolution is not None
    )
    if reach < room:
        return True
    toggled = turned_on(segments, drift, reach, cycles)
    return toggled is not None and (
        _largest_difference(toggled) + reach / (2 * len(toggled) - 2) < room
    )


def _spread(H: Complex) -> float:
    levels = np.linalg.eigvalsh(H)
    return float(levels[-1] - levels[0])


def _largest_difference(toggled: Complex) -> float:
    """Return the largest |φ_a − φ_b| modulo 2π of the eigenphases of a stack of unitaries."""
    v = np.linalg.eigvals(toggled)
    return float(np.abs(np.angle(v[:, :, None] * v[:, None, :].conj())).max())


def _exact_generator(toggled: Complex, period: float) -> Complex:
    return from_pauli_transfer(np.asarray(logm(pauli_transfer(toggled).real)).real / period)


def _mode_eigenvalues(toggled: Complex, period: float) -> Complex:
    values = np.log(np.linalg.eigvals(pauli_transfer(toggled).real).astype(complex)) / period
    return np.asarray(values[np.lexsort((values.imag, -values.real))])


# ------------------------------------------------------------------------------------ the cost
def turning_rate(generator: Complex, hamiltonian: Complex) -> tuple[float, float]:
    """Return f and γ of the fastest oscillation that a Hamiltonian makes; see `TermCost`.

    Parameters
    ----------
    generator
        𝓛 in 1/s on row-flattened states, shape (d², d²).
    hamiltonian
        A/2π in Hz, shape (d, d).

    Returns
    -------
    (float, float)
        f = (E_max − E_min)/2π in Hz, and γ in 1/s.
    """
    levels, V = np.linalg.eigh(hamiltonian)
    d = len(levels)
    spacing = np.abs(levels[:, None] - levels[None, :])
    fastest = spacing >= spacing.max() * (1 - _ALIKE)
    L = generator.reshape(d, d, d, d)
    kept = np.einsum("ia,jb,ijkl,ka,lb->ab", V.conj(), V, L, V, V.conj(), optimize=True)
    return float(spacing.max()), -float(kept[fastest].real.mean())


def _costs(
    generator: Complex, native: Complex, hamiltonian_hz: Complex, rounding: float
) -> Iterator[TermCost]:
    nothing = _NOTHING * float(np.linalg.norm(hamiltonian_hz, 2))
    for pair in itertools.combinations(range(spin_count(hamiltonian_hz)), 2):
        of_pair = pair_part(hamiltonian_hz, *pair)
        if float(np.linalg.norm(of_pair, 2)) <= nothing:
            continue
        under, plain = on_spins(generator, pair), on_spins(native, pair)
        for term, value, operator in _made_terms(of_pair):
            frequency, rate = turning_rate(under, operator)
            rates = (_no_rounding(r, rounding) for r in (rate, turning_rate(plain, operator)[1]))
            yield TermCost(pair, term, frequency if value is None else value, frequency, *rates)


def _made_terms(pair_hz: Complex) -> list[tuple[str, float | None, Complex]]:
    """Return name, value and Hamiltonian in Hz of the terms of a pair that are worth a price."""
    values = {name: v for name, v in named_terms(pair_hz).items() if name != "other"}
    least = _SMALL * float(np.linalg.norm(pair_hz, 2))
    made = sorted(values, key=lambda name: -abs(values[name]))
    terms = [(name, values[name], from_named({name: values[name]}))
             for name in made if abs(values[name]) > least]  # fmt: skip
    return [*terms, ("all", None, pair_hz)]


def _no_rounding(rate: float, rounding: float) -> float:
    return rate if abs(rate) > rounding else 0.0


def _pauli_rates(generator: Complex, rounding: float) -> dict[str, float]:
    diagonal = -np.diag(pauli_transfer(generator)).real
    names = pauli_strings(spins_of(generator))
    return {
        name: _no_rounding(float(rate), rounding)
        for name, rate in zip(names[1:], diagonal[1:], strict=True)
    }


@checked
def average_open(
    segments: Sequence[Segment],
    drift: Complex,
    dissipation: Complex,
    *,
    cycles: int = 1,
    order: int = DEFAULT_ORDER,
) -> OpenAverage:
    """Return what a sequence makes of a sample with relaxation, and what its terms cost.

    Parameters
    ----------
    segments, drift, dissipation, cycles, order
        As for `average_liouvillian`, without batch axes.

    Raises
    ------
    ArgumentError
        As for `average_liouvillian`.
    """
    terms = average_liouvillian(segments, drift, dissipation, order=order, cycles=cycles)
    period = float(checked_period(segments, order=order, cycles=cycles))
    toggled = toggling_map(segments, drift, dissipation, cycles=cycles)
    safe = principal_branch(segments, drift, dissipation, cycles=cycles)
    exact = _exact_generator(toggled, period) if safe else None
    sums = np.cumsum(terms, axis=0)
    generator = np.asarray(sums[-1]) if exact is None else exact
    H, kossakowski = kossakowski_form(generator)
    smallest = float(smallest_rate(kossakowski))
    rounding = _ROUNDING * max(float(np.linalg.norm(generator, 2)), 1 / period)
    return OpenAverage(
        period_s=period,
        orders=tuple(terms),
        exact=exact,
        generator=generator,
        generator_from="series" if exact is None else "exact",
        eigenvalues=_mode_eigenvalues(toggled, period),
        hamiltonian_hz=H / _HZ,
        kossakowski=kossakowski,
        kossakowski_min=smallest,
        kossakowski_min_by_order=tuple(smallest_rate(kossakowski_form(sums)[1]).tolist()),
        lindblad=smallest >= -rounding,
        pauli_rates=_pauli_rates(generator, rounding),
        native_pauli_rates=_pauli_rates(dissipation, rounding),
        costs=tuple(_costs(generator, dissipation, H / _HZ, rounding)),
        free_costs=tuple(_costs(dissipation, dissipation, drift / _HZ, rounding)),
    )
