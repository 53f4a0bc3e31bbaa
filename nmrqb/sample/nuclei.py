"""The isotopes of spin 1/2 that nmrqb knows, and those with a larger spin that it must refuse.

Signs
-----
In the laboratory H = −γB·I, with the field B₀ along +z.  What the sign of γ does:

- **Free precession.**  The Larmor frequency −γB₀ is negative where γ > 0: I_x goes to −I_y,
  clockwise about the field.  Where γ < 0 (15N, 29Si) I_x goes to +I_y.
- **Offsets.**  The rotating frame of a channel turns in the sense of its nucleus, at
  −sign(γ)ω for a carrier ω > 0, and H/2π = ν I_z with 2πν = −γB₀ + sign(γ)ω.  A positive ν is a
  Larmor frequency |γ|B₀ below the carrier where γ > 0, above it where γ < 0.  Offsets are taken
  as given in this sense; nothing is made of ppm.
- **Pulses.**  θ_φ turns by +θ, θ = |γ|B₁T, about the axis at φ of the rotating frame whatever the
  sign.  A linear field 2B₁ cos(ωt + β) along x of the laboratory makes the pulse of phase
  φ = π − β where γ > 0, and φ = β where γ < 0: steps of the phase go opposite ways.
- **Equilibrium.**  The deviation is Σ_k (γ_k/γ(1H)) I_zk: spins of negative γ are mostly down,
  their moments γI along the field all the same.
- **Gradients.**  A gradient of strength s and place z in the sample (−½ to ½) acts as
  H/2π = s z Σ_k (γ_k/γ(1H)) I_zk, signs included: it selects S⁺ → I⁻ of 1H and 15N in the ratio
  −9.86 : 1 of the two strengths, and their double-quantum coherence dephases more slowly than
  their zero-quantum coherence.
- **Transfer.**  INEPT gains the signed γ_I/γ_S, −9.86 from 1H to 15N; that J is negative for a
  directly bound 1H–15N pair turns the sign of the antiphase term once more.
"""

from __future__ import annotations

from nmrqb.errors import ArgumentError, nearest

SPIN_HALF = (
    "1H", "3H", "3He", "13C", "15N", "19F", "29Si", "31P", "57Fe", "77Se", "89Y", "103Rh",
    "107Ag", "109Ag", "111Cd", "113Cd", "115Sn", "117Sn", "119Sn", "123Te", "125Te", "129Xe",
    "169Tm", "171Yb", "183W", "187Os", "195Pt", "199Hg", "203Tl", "205Tl", "207Pb",
)  # fmt: skip

GYROMAGNETIC = {  # 10⁷ rad/(s T), signed: Harris et al., Pure Appl. Chem. 73, 1795 (2001)
    "1H": 26.7522128, "3H": 28.5349779, "3He": -20.3801587, "13C": 6.728284, "15N": -2.71261804,
    "19F": 25.18148, "29Si": -5.3190, "31P": 10.8394, "57Fe": 0.8680624, "77Se": 5.1253857,
    "89Y": -1.3162791, "103Rh": -0.8468, "107Ag": -1.0889181, "109Ag": -1.2518634,
    "111Cd": -5.6983131, "113Cd": -5.9609155, "115Sn": -8.8013, "117Sn": -9.58879,
    "119Sn": -10.0317, "123Te": -7.059098, "125Te": -8.5108404, "129Xe": -7.452103,
    "169Tm": -2.218, "171Yb": 4.7288, "183W": 1.1282403, "187Os": 0.6192895, "195Pt": 5.8385,
    "199Hg": 4.8457916, "203Tl": 15.5393338, "205Tl": 15.6921808, "207Pb": 5.58046,
}  # fmt: skip

LARGER_SPIN = {
    "2H": "1", "6Li": "1", "14N": "1", "10B": "3", "7Li": "3/2", "9Be": "3/2", "11B": "3/2",
    "23Na": "3/2", "33S": "3/2", "35Cl": "3/2", "37Cl": "3/2", "39K": "3/2", "63Cu": "3/2",
    "65Cu": "3/2", "71Ga": "3/2", "79Br": "3/2", "81Br": "3/2", "87Rb": "3/2", "131Xe": "3/2",
    "17O": "5/2", "25Mg": "5/2", "27Al": "5/2", "55Mn": "5/2", "127I": "5/2", "43Ca": "7/2",
    "45Sc": "7/2", "51V": "7/2", "59Co": "7/2", "133Cs": "7/2", "93Nb": "9/2",
}  # fmt: skip

SPINLESS = ("4He", "12C", "16O", "28Si", "32S")


def relative_gyromagnetic_ratio(nucleus: str) -> float:
    """Return γ/γ(1H), signed, of a spin-1/2 isotope: 0.2515 for 13C.

    Raises
    ------
    ArgumentError
        If it is no spin-1/2 isotope; the message names the nearest one.
    """
    try:
        checked_nucleus(nucleus)
    except ValueError as error:
        raise ArgumentError(f"Argument `nucleus` {error}") from None
    return GYROMAGNETIC[nucleus] / GYROMAGNETIC["1H"]


def checked_nucleus(name: str) -> str:
    """Return the name of a spin-1/2 isotope unchanged.

    Raises
    ------
    ValueError
        If it is no spin-1/2 isotope; the message names the nearest one.
    """
    if name in SPIN_HALF:
        return name
    if name in SPINLESS:
        raise ValueError(f"must be a nucleus of spin 1/2, but {name} has no spin")
    if name in LARGER_SPIN:
        spin = LARGER_SPIN[name]
        raise ValueError(f"must be a nucleus of spin 1/2, but {name} has spin {spin}")
    raise ValueError(f"must be a nucleus of spin 1/2, but is {name!r}; {nearest(name, SPIN_HALF)}")
