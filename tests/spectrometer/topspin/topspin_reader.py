"""Reads a TopSpin program and plays it: shares no code with what writes one.

From the text, the values typed at the console, and the shape files to events, and from events to a
propagator with matrices of its own.  Times are rounded as the hardware rounds them.
"""

import itertools
import re

import numpy as np
from scipy.linalg import expm

UNITS = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "s": 1.0}
SIGMA = {
    "x": np.array([[0, 1], [1, 0]]) / 2,
    "y": np.array([[0, -1j], [1j, 0]]) / 2,
    "z": np.diag([1.0, -1.0]) / 2,
}


class Reader:
    def __init__(self, text, console, shapes=None, raster=12.5e-9):
        self.console, self.shapes, self.raster = dict(console), shapes or {}, raster
        self.phases, self.lines, self.labels = {}, [], {}
        for raw in text.split("\n"):
            line = raw.split(";")[0].strip()
            if not line or line.startswith(("#", "define")):
                continue
            if line.startswith('"'):
                name, expression = line.strip('"').split("=", 1)
                self.console[name.strip()] = self.value(expression)
            elif re.match(r"ph\d+=", line):
                self.read_phases(line)
            else:
                self.lines.append(line)

    def value(self, expression):
        text = re.sub(r"(?<![\w.])([\d.]+)([nums])\b", self.seconds, expression)
        text = re.sub(r"[A-Za-z]\w*", lambda m: f"({self.console[m[0]]!r})", text)
        assert re.fullmatch(r"[\d.+\-*/() e]+", text), text
        return eval(text)

    @staticmethod
    def seconds(found):
        return f"({float(found[1]) * UNITS[found[2]]!r})"

    def read_phases(self, line):
        name, values = line.split("=")
        turn = re.match(r"\s*\((\d+)\)", values)
        numbers = re.sub(r"\(\d+\)", "", values).split()
        unit = 2 * np.pi / (int(turn[1]) if turn else 4)
        self.phases[name.strip()] = [int(n) * unit for n in numbers]

    def whole(self, time):
        return round(time / self.raster) * self.raster

    def events(self, scan=0):
        """Return what is played between the power setting and the receiver."""
        found, at, passes = [], 0, {}
        self.used = {}
        if scan:  # lists that step on are where the scans before have left them
            self.events(scan - 1)
        where = {}
        for k, line in enumerate(self.lines):
            label = re.match(r"(\d+)\s+", line)
            if label:
                where[label[1]] = k
        while at < len(self.lines):
            line = re.sub(r"^\d+\s+", "", self.lines[at])
            if line.startswith("go="):
                return found, self.phase(line.split()[-1], scan)
            loop = re.fullmatch(r"lo to (\d+) times (\w+)", line)
            if loop:
                passes[at] = passes.get(at, 1) + 1
                times = int(loop[2]) if loop[2].isdigit() else int(self.console[loop[2]])
                if passes[at] <= times:
                    at = where[loop[1]]
                    continue
                del passes[at]
            else:
                found += self.event(line, scan)
            at += 1
        raise AssertionError("no go")

    def phase(self, name, scan):
        values = self.phases[name.rstrip("^")]
        if name.endswith("^"):
            self.used[name] = self.used.get(name, -1) + 1
            return values[self.used[name] % len(values)]
        return values[scan % len(values)]

    def event(self, line, scan):
        if line.startswith("("):
            return [("pulse", [self.pulse(m, scan) for m in self.pulses(line)])]
        word, *more = line.split()
        for pointer in more:
            if pointer.startswith("rpp"):
                self.used.pop(f"ph{pointer[3:]}^", None)
        if ":gp" in word:
            return [("gradient", self.whole(self.console[word.split(":")[0]]))]
        if word in {"ze", "exit", "30m", "d1", "4u", "50u"}:  # before the pulses
            return []
        return [("delay", self.whole(self.console[word]))]

    @staticmethod
    def pulses(line):
        return re.findall(r"\((\w+)(?::sp(\d+))?\s+(ph\d+\^?)\):f(\d)", line)

    def pulse(self, parts, scan):
        length, shape, phase, channel = parts
        time = self.whole(self.console[length])
        quarter = self.console[f"p{2 * int(channel) - 1}"]
        if not shape:
            steps = np.array([2 * np.pi / (4 * quarter)])
        else:
            below = self.console[f"spdb{shape}"]  # dB more than those of the hard pulse: weaker
            peak = 2 * np.pi / (4 * quarter) * 10 ** (-below / 20)
            steps = peak * self.shape(self.console[f"spnam{shape}"])
        return int(channel), time, steps * np.exp(1j * self.phase(phase, scan))

    def shape(self, name):
        rows = self.shapes[name].split("##XYPOINTS= (XY..XY)\n")[1].split("\n##END")[0]
        table = np.array([[float(x) for x in row.split(",")] for row in rows.split("\n")])
        return table[:, 0] / 100 * np.exp(1j * np.deg2rad(table[:, 1]))


def embed(matrix, spin, n):
    return np.kron(np.kron(np.eye(2**spin), matrix), np.eye(2 ** (n - spin - 1)))


def pulse_propagator(pulses, nuclei, spins, drift):
    """Centred pulses of piecewise constant fields, each channel on all its spins."""
    n = len(spins)
    longest = max(time for _, time, _ in pulses)
    cuts = {0.0, longest}
    for _, time, steps in pulses:
        start = (longest - time) / 2
        cuts |= {start + time * k / len(steps) for k in range(len(steps) + 1)}
    edges = sorted(cuts)
    U = np.eye(2**n)
    for a, b in itertools.pairwise(edges):
        middle, H = (a + b) / 2, drift.astype(complex)
        for channel, time, steps in pulses:
            place = (middle - (longest - time) / 2) / time
            if 0 < place < 1:
                field = steps[int(place * len(steps))]
                for k, nucleus in enumerate(spins):
                    if nucleus == nuclei[channel - 1]:
                        H = H + field.real * embed(SIGMA["x"], k, n)
                        H = H + field.imag * embed(SIGMA["y"], k, n)
        U = expm(-1j * H * (b - a)) @ U
    return U


def console_values(program):
    """Read what is typed at the console; units as a person reads them."""
    values = {}
    for parameter in program.parameters:
        number = re.match(r"[-\d.e]+", parameter.value)
        if parameter.name.startswith("spnam"):
            values[parameter.name] = parameter.value
        elif parameter.name.startswith("spdb"):
            values[parameter.name] = float(re.fullmatch(r"pldb\d \+ (\S+) dB", parameter.value)[1])
        elif number:
            unit = parameter.value[number.end() :].strip().split(" ")[0]
            values[parameter.name] = float(number[0]) * {"us": 1e-6}.get(unit, 1.0)
    return values
