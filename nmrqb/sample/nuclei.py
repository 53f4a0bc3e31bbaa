"""The isotopes of spin 1/2 that nmrqb knows, and those with a larger spin that it must refuse."""

from __future__ import annotations

from nmrqb.errors import nearest

SPIN_HALF = (
    "1H", "3H", "3He", "13C", "15N", "19F", "29Si", "31P", "57Fe", "77Se", "89Y", "103Rh",
    "107Ag", "109Ag", "111Cd", "113Cd", "115Sn", "117Sn", "119Sn", "123Te", "125Te", "129Xe",
    "169Tm", "171Yb", "183W", "187Os", "195Pt", "199Hg", "203Tl", "205Tl", "207Pb",
)  # fmt: skip

LARGER_SPIN = {
    "2H": "1", "6Li": "1", "14N": "1", "10B": "3", "7Li": "3/2", "9Be": "3/2", "11B": "3/2",
    "23Na": "3/2", "33S": "3/2", "35Cl": "3/2", "37Cl": "3/2", "39K": "3/2", "63Cu": "3/2",
    "65Cu": "3/2", "71Ga": "3/2", "79Br": "3/2", "81Br": "3/2", "87Rb": "3/2", "131Xe": "3/2",
    "17O": "5/2", "25Mg": "5/2", "27Al": "5/2", "55Mn": "5/2", "127I": "5/2", "43Ca": "7/2",
    "45Sc": "7/2", "51V": "7/2", "59Co": "7/2", "133Cs": "7/2", "93Nb": "9/2",
}  # fmt: skip

SPINLESS = ("4He", "12C", "16O", "28Si", "32S")


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
