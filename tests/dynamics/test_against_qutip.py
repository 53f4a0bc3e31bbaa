"""Random samples, random sequences and all mechanisms of relaxation against QuTiP's solvers.

The reference knows none of the package's matrices: Hamiltonians, the course of every pulse in
time, frames and collapse operators are stated again in QuTiP's terms, one stretch of constant
fields after the other.  Only the operators of a tumbling pair are taken over; they have tests of
their own.
"""

import itertools
import math
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import qutip

from nmrqb.dynamics import play
from nmrqb.dynamics.relaxing.redfield import redfield_operators
from nmrqb.sample import (
    Coupling,
    Dephasing,
    DipolarCSA,
    LindbladOperator,
    PairCoherences,
    PauliNoise,
    Sample,
    ShieldingAnisotropy,
    Spin,
)
from nmrqb.sequence import Delay, Pulse, Rotation, Sequence, Shape, VirtualZ, expand

OPEN = {"rtol": 1e-10, "atol": 1e-12, "nsteps": 1_000_000, "method": "dop853"}
CLOSED = {"rtol": 1e-11, "atol": 1e-13, "nsteps": 1_000_000, "method": "dop853"}
SOLVED = 1e-9  # what QuTiP's own tolerances leave, in the Frobenius norm
SPINS = (1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5)
WITHOUT_RELAXATION = {2, 9, 15}
WITH_A_CARRIER = {1, 5}
KINDS = ("pauli", "dephasing", "pair_coherences", "dipolar_csa", "lindblad")
LENGTH_90 = {"1H": 9e-6, "13C": 14e-6, "15N": 31e-6}
SIGMA = {"x": qutip.sigmax(), "y": qutip.sigmay(), "z": qutip.sigmaz()}
LETTERS = {
    "I": qutip.qeye(2), "X": SIGMA["x"], "Y": SIGMA["y"], "Z": SIGMA["z"],
    "+": qutip.basis(2, 0) * qutip.basis(2, 1).dag(),
    "-": qutip.basis(2, 1) * qutip.basis(2, 0).dag(),
}  # fmt: skip


def on(operators, n):
    """The product of operators of single spins, by their place."""
    return qutip.tensor([operators.get(k, qutip.qeye(2)) for k in range(n)])


def spin(axis, k, n):
    return on({k: SIGMA[axis] / 2}, n)


# --------------------------------------------------------------------------------- what is drawn
def nucleus_of(rng):
    return str(rng.choice(["1H", "1H", "13C", "15N"]))


def drawn_sample(rng, n):
    spins, polarization = [], {nucleus: rng.uniform(-0.9, 0.9) for nucleus in LENGTH_90}
    for k in range(n):
        nucleus, T1 = nucleus_of(rng), rng.uniform(0.02, 0.08)
        spins.append(
            Spin(
                f"s{k}", nucleus, rng.uniform(-250, 250), T1, T1 * rng.uniform(0.2, 1.9),
                LENGTH_90[nucleus], polarization[nucleus],
            )
        )  # fmt: skip
    couplings = []
    for i, j in itertools.combinations(range(n), 2):
        tensor = None
        if rng.random() < 0.3:
            tensor = tuple(tuple(row) for row in rng.uniform(-80, 80, (3, 3)).tolist())
        couplings.append(
            Coupling((f"s{i}", f"s{j}"), rng.uniform(-150, 150), rng.uniform(-60, 60), tensor)
        )
    return Sample("drawn", tuple(spins), tuple(couplings), field_tesla=9.4)


def hamiltonian(sample):
    """H of a sample: offsets, and of the couplings what the rotating frames leave."""
    n = len(sample.spins)
    H = sum(s.offset_hz * spin("z", k, n) for k, s in enumerate(sample.spins))
    for c in sample.couplings:
        i, j = (int(label[1:]) for label in c.between)
        parallel = spin("z", i, n) * spin("z", j, n)
        flips = spin("x", i, n) * spin("x", j, n) + spin("y", i, n) * spin("y", j, n)
        turns = spin("x", i, n) * spin("y", j, n) - spin("y", i, n) * spin("x", j, n)
        T = np.zeros((3, 3)) if c.tensor_hz is None else np.array(c.tensor_hz)
        H += (c.J_hz + 2 * c.dipolar_hz + T[2, 2]) * parallel
        if sample.spins[i].nucleus == sample.spins[j].nucleus:
            H += (c.J_hz - c.dipolar_hz + (T[0, 0] + T[1, 1]) / 2) * flips
            H += (T[0, 1] - T[1, 0]) / 2 * turns
    return 2 * math.pi * H


def times_of(sample):
    """Collapse operators of T1, T2 and polarisation of every spin."""
    n, found = len(sample.spins), []
    for k, s in enumerate(sample.spins):
        found += [
            math.sqrt((1 + s.polarization) / (2 * s.T1_s)) * on({k: LETTERS["+"]}, n),
            math.sqrt((1 - s.polarization) / (2 * s.T1_s)) * on({k: LETTERS["-"]}, n),
            math.sqrt((1 / s.T2_s - 1 / (2 * s.T1_s)) / 2) * on({k: SIGMA["z"]}, n),
        ]
    return found


def drawn_mechanism(kind, rng, sample):
    """A sample with one more mechanism, and the collapse operators that come with it."""
    n = len(sample.spins)
    pair = sorted(rng.choice(n, 2, replace=False).tolist()) if n > 1 else [0, 0]
    labels = tuple(f"s{k}" for k in pair)
    match kind:
        case "pauli":
            rates = rng.uniform(0, 60, (n, 3))
            mechanism = PauliNoise({f"s{k}": tuple(r) for k, r in enumerate(rates.tolist())})
            operators = [
                math.sqrt(rate) * on({k: SIGMA[axis]}, n)
                for k, row in enumerate(rates)
                for axis, rate in zip("xyz", row, strict=True)
            ]
        case "dephasing":
            rates, root = rng.uniform(5, 60, n), rng.normal(size=(n, n))
            root /= np.linalg.norm(root, axis=1, keepdims=True)
            C = tuple(tuple(row) for row in (root @ root.T).tolist())
            mechanism = Dephasing(sample.labels, tuple(rates.tolist()), C)
            operators = [
                sum(math.sqrt(rates[k]) * column[k] * on({k: SIGMA["z"]}, n) for k in range(n))
                for column in root.T
            ]
        case "dipolar_csa":
            csa = tuple(
                ShieldingAnisotropy(label, rng.uniform(-2e-4, 2e-4), rng.uniform(0, math.pi))
                for label in labels
            )
            distance = rng.uniform(1.0, 1.6) * 1e-10
            mechanism = DipolarCSA(labels, rng.uniform(0.3, 8) * 1e-9, distance, csa=csa)
            operators = [placed(L, pair, n) for L in redfield_operators(mechanism, sample)]
        case "lindblad":
            acting = sorted(rng.choice(n, min(n, 3), replace=False).tolist())
            words = ["".join(word) for word in rng.choice(list("IXYZ+-"), (3, len(acting)))]
            words.append("X" * len(acting))
            terms = dict(zip(words, rng.normal(size=4) + 1j * rng.normal(size=4), strict=True))
            rate = rng.uniform(5, 30)
            mechanism = LindbladOperator(terms, rate, tuple(f"s{k}" for k in acting))
            products = (
                complex(value)
                * on({k: LETTERS[letter] for k, letter in zip(acting, word, strict=True)}, n)
                for word, value in terms.items()
            )
            operators = [math.sqrt(rate) * sum(products)]
    return replace(sample, relaxation=(*sample.relaxation, mechanism)), operators


def placed(L, pair, n):
    """A matrix on two spins, written in products of single-spin matrices of all."""
    i, j = pair
    units = [qutip.basis(2, a) * qutip.basis(2, b).dag() for a in (0, 1) for b in (0, 1)]
    total = 0
    for (p, first), (q, second) in itertools.product(enumerate(units), repeat=2):
        row, column = 2 * (p // 2) + q // 2, 2 * (p % 2) + q % 2
        total = total + complex(L[row, column]) * on({i: first, j: second}, n)
    return total


def with_pair_coherences(rng, sample):
    """Draw diagonal operators of two spins; T2, T_ZQ and T_DQ are what they make."""
    n = len(sample.spins)
    i, j = sorted(rng.choice(n, 2, replace=False).tolist())
    g, h, both, c = rng.uniform(5, 30), rng.uniform(5, 30), rng.uniform(1, 10), rng.uniform(-1, 1)
    spins = list(sample.spins)
    for k, own in ((i, g), (j, h)):
        rate = 1 / (2 * spins[k].T1_s) + 2 * (own + both)
        spins[k] = replace(spins[k], T2_s=1 / rate)
    singles = 1 / (2 * spins[i].T1_s) + 1 / (2 * spins[j].T1_s) + 2 * (g + h)
    cross = 4 * c * math.sqrt(g * h)
    mechanism = PairCoherences((f"s{i}", f"s{j}"), 1 / (singles - cross), 1 / (singles + cross))
    sample = replace(sample, spins=tuple(spins), relaxation=(*sample.relaxation, mechanism))
    along, beside = on({i: SIGMA["z"]}, n), on({j: SIGMA["z"]}, n)
    operators = [
        math.sqrt(g) * along + c * math.sqrt(h) * beside,
        math.sqrt(1 - c**2) * math.sqrt(h) * beside,
        math.sqrt(both) * along * beside,
    ]
    others = replace(sample, spins=tuple(
        replace(s, T2_s=2 * s.T1_s) if k in {i, j} else s for k, s in enumerate(spins)
    ))  # fmt: skip
    return sample, [*times_of(others), *operators]


# ------------------------------------------------------------------------------------- sequences
@dataclass
class Score:
    """A sequence while it is drawn, and beside it what the spins feel."""

    sample: Sample
    rng: np.random.Generator
    events: list = field(default_factory=list)
    stretches: list = field(default_factory=list)  # (duration in s, rf in rad/s by spin)
    frame: dict = field(default_factory=dict)

    def draw(self, kind):
        getattr(self, f"draw_{kind}")()

    def some(self, most=2):
        n = len(self.sample.spins)
        return self.rng.choice(n, min(n, int(self.rng.integers(1, most + 1))), replace=False)

    def add(self, courses):
        """Add simultaneous pulses, each of its own length and course, centred on each other.

        A course is spin, length, and the complex nutation frequencies of its equal steps.
        """
        longest = max(length for _, length, _ in courses)
        edges = {
            round(longest / 2 + length * (k / len(steps) - 0.5), 15)
            for _, length, steps in courses
            for k in range(len(steps) + 1)
        }
        for low, high in itertools.pairwise(sorted(edges)):
            middle, fields = (low + high) / 2, {}
            for k, length, steps in courses:
                place = (middle - (longest - length) / 2) / length
                if 0 < place < 1:
                    turn = np.exp(-1j * self.frame.get(k, 0.0))
                    fields[k] = steps[int(place * len(steps))] * turn
            self.stretches.append((high - low, fields))

    def draw_delay(self):
        time = self.rng.uniform(0.2e-3, 1.5e-3)
        self.events.append(Delay(f"{time!r} s"))
        self.stretches.append((time, {}))

    def draw_hard(self):
        rotations, courses = {}, []
        for k in self.some():
            theta, phi = self.rng.uniform(-270, 270), self.rng.uniform(0, 360)
            rotations[f"R{k}"] = Rotation(f"{theta!r}", f"{phi!r}")
            rate = math.pi / 2 / self.sample.spins[k].pulse_90_s
            length = math.radians(abs(theta)) / rate
            course = [math.copysign(rate, theta) * np.exp(1j * math.radians(phi))]
            courses.append((int(k), length, course))
        self.events.append(Pulse(rotations))
        self.add(courses)

    def draw_shaped(self):
        """A gaussian and a sine-squared pulse at once, one of them by its amplitude."""
        rotations, courses = {}, []
        for k, kind in zip(self.some(), ("gaussian", "sine-squared"), strict=False):
            points = int(self.rng.integers(3, 7))
            phi, T = self.rng.uniform(0, 360), self.rng.uniform(0.3e-3, 1e-3)
            x = (np.arange(points) + 0.5) / points
            course = np.sin(np.pi * x) ** 2 if kind == "sine-squared" else 0.01 ** (2 * x - 1) ** 2
            peak = 2 * math.pi * self.rng.uniform(100, 600)
            course = course * peak
            written = {"amplitude": f"{peak / (2 * math.pi)!r} Hz"}
            if kind == "gaussian":
                written = {"angle": f"{math.degrees(course.mean() * T)!r}"}
            rotations[f"R{k}"] = Rotation(
                written.get("angle"), f"{phi!r}", f"{T!r} s", written.get("amplitude"),
                Shape(kind, points),
            )  # fmt: skip
            courses.append((int(k), T, course * np.exp(1j * math.radians(phi))))
        self.events.append(Pulse(rotations))
        self.add(courses)

    def draw_offset(self):
        """A rectangle with a carrier off its channel, t = 0 in the middle, played in 200 steps.

        A spin on that carrier is to feel the whole angle, although the steps stand still.
        """
        (k,) = self.some(1)
        theta, phi, T = self.rng.uniform(30, 200), self.rng.uniform(0, 360), 0.8e-3
        offset, t = self.rng.uniform(-1500, 1500), (np.arange(200) + 0.5) / 200 * T - T / 2
        written = Rotation(f"{theta!r}", f"{phi!r}", f"{T!r} s", offset=f"{offset!r} Hz")
        self.events.append(Pulse({f"R{k}": written}))
        rate = math.radians(theta) / T / np.sinc(offset * T / 200)
        course = rate * np.exp(1j * (math.radians(phi) + 2 * math.pi * offset * t))
        self.add([(int(k), T, course)])

    def draw_virtual(self):
        for k in self.some():
            angle = self.rng.uniform(-180, 180)
            self.events.append(VirtualZ({f"R{k}": f"{angle!r} deg"}))
            self.frame[int(k)] = self.frame.get(int(k), 0.0) + math.radians(angle)

    def draw_composite(self):
        """BB1: θ_0 π_φ 2π_3φ π_φ with cos φ = −θ/4π."""
        (k,) = self.some(1)
        theta, phase = math.radians(self.rng.uniform(40, 180)), math.radians(35.0)
        self.events.append(
            Pulse({f"R{k}": Rotation(f"{math.degrees(theta)!r}", "35", composite="BB1")})
        )
        rate, phi = math.pi / 2 / self.sample.spins[k].pulse_90_s, math.acos(-theta / (4 * math.pi))
        for angle, shift in ((theta, 0), (math.pi, phi), (2 * math.pi, 3 * phi), (math.pi, phi)):
            self.add([(int(k), angle / rate, [rate * np.exp(1j * (phase + shift))])])


def drawn_score(rng, sample, case):
    score, n = Score(sample, rng), len(sample.spins)
    kinds = ["hard", "delay", "virtual", "shaped", "hard", "composite", "delay", "hard"]
    if case in WITH_A_CARRIER:
        kinds.insert(3, "offset")
    if n > 3:
        kinds = ["hard", "delay", "virtual", "shaped", "delay"][: 9 - n]
    for kind in kinds:
        score.draw(kind)
    roles = {f"R{k}": s.nucleus for k, s in enumerate(sample.spins)}
    # every role is used, and bound to the spin of its number
    for k, s in enumerate(sample.spins):
        score.events.append(Pulse({f"R{k}": Rotation("17", "-y")}))
        rate = math.pi / 2 / s.pulse_90_s
        score.add([(k, math.radians(17) / rate, [-1j * rate])])
    return Sequence("drawn", roles, tuple(score.events)), score


# ------------------------------------------------------------------------------------- reference
def solved(state, drift, operators, score):
    n = len(score.sample.spins)
    for duration, fields in score.stretches:
        rf = (v.real * spin("x", k, n) + v.imag * spin("y", k, n) for k, v in fields.items())
        H, times = drift + sum(rf), [0, duration]
        if operators:
            result = qutip.mesolve(H, state, times, c_ops=operators, options=OPEN)
        else:
            result = qutip.sesolve(H, state, times, options=CLOSED)
        state = result.states[-1]
    for k, angle in score.frame.items():
        turn = (-1j * angle * spin("z", k, n)).expm()
        state = turn * state if state.isket else turn * state * turn.dag()
    return state.full() if state.isoper else state.proj().full()


def drawn(case):
    """A sample, its sequence, the collapse operators and the state of a case."""
    n, rng = SPINS[case], np.random.default_rng(1000 + case)
    sample = drawn_sample(rng, n)
    if case in WITHOUT_RELAXATION:
        return sample, [], rng, qutip.rand_ket([2] * n, seed=case)
    operators = times_of(sample)
    for kind in sorted({KINDS[case % 5], KINDS[(case // 4 + 2 * case) % 5]}, reverse=True):
        if n == 1 and kind in {"pair_coherences", "dipolar_csa"}:
            continue
        if kind == "pair_coherences":
            sample, own = with_pair_coherences(rng, sample)
            operators = [*own, *operators[3 * n :]]
        else:
            sample, own = drawn_mechanism(kind, rng, sample)
            operators = [*operators, *own]
    return sample, operators, rng, qutip.rand_dm([2] * n, rank=1, seed=case)


def test_every_mechanism_is_drawn_at_least_twice():
    words = [m.word for case in range(len(SPINS)) for m in drawn(case)[0].mechanisms]
    assert {word: words.count(word) >= 2 for word in ("T1T2", *KINDS)} == dict.fromkeys(
        ("T1T2", *KINDS), True
    )


@pytest.mark.parametrize(
    "case",
    [pytest.param(k, marks=[pytest.mark.slow] * (n == 5)) for k, n in enumerate(SPINS)],
)
def test_random_sequences_agree_with_qutip(case):
    sample, operators, rng, start = drawn(case)
    sequence, score = drawn_score(rng, sample, case)
    timeline = expand(sequence, sample, pulses="finite")
    expected = solved(start, hamiltonian(sample), operators, score)
    rho = start.proj().full() if start.isket else start.full()
    methods = ["auto"]
    if operators and SPINS[case] in {2, 3}:
        methods.append("splitting")
    for method in methods:
        played = play(timeline, sample, rho, relaxation=bool(operators), method=method)
        np.testing.assert_allclose(played.state, expected, rtol=0, atol=1e-7)
        assert abs(np.trace(played.state) - 1) < 1e-12
        assert np.linalg.eigvalsh(played.state).min() > -max(1e-10, played.error)
        assert np.linalg.norm(played.state - expected) <= played.error + SOLVED
