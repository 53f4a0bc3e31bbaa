"""Which spin of a sample plays which role of a sequence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from nmrqb.errors import Fault, Position, nearest
from nmrqb.sample import Sample
from nmrqb.sequence.model import Sequence


def place(sequence: Sequence, *keys: str) -> Position:
    """Return the place of the first of the keys that the file has, else its beginning."""
    found = (sequence.positions[key] for key in keys if key in sequence.positions)
    files = (position.file for position in sequence.positions.values())
    return next(found, None) or Position(next(files, sequence.name))


def bind(
    sequence: Sequence, sample: Sample, chosen: Mapping[str, str], faults: list[Fault]
) -> dict[str, tuple[int, ...]]:
    """Return the spins of every role; where that is impossible, none and one more fault.

    Roles of one spin are bound first, in sample order; a role ``all`` takes what is left.

    Parameters
    ----------
    sequence, sample
        The roles, and the spins that may play them.
    chosen
        Role to label of a spin; the other roles are bound in sample order.
    faults
        The list to which faults are added.
    """
    bound: dict[str, int] = {}
    refused = []
    for role, label in chosen.items():
        message = _choice_fault(role, label, sequence=sequence, sample=sample, bound=bound)
        if message:
            refused.append(Fault(Position(f"--spins {role}={label}"), message))
        else:
            bound[role] = sample.index(label)
    roles = [role for role in single_roles(sequence) if role not in bound]
    free = [spin for spin in range(len(sample.spins)) if spin not in bound.values()]
    if not refused and (message := _shortage(sequence, sample, roles, free)):
        refused.append(Fault(place(sequence, "spins"), message))
    if refused:
        faults += refused
        return {}
    singles = {
        role: (spin,) for role, spin in (bound | _fill(sequence, sample, roles, free)).items()
    }
    groups = _groups(sequence, sample, [spin for (spin,) in singles.values()])
    faults += [_empty_group(sequence, sample, role) for role, spins in groups.items() if not spins]
    return singles | groups


def single_roles(sequence: Sequence) -> list[str]:
    """Return the roles of one spin, in the order in which they are bound."""
    return [role for role in sequence.roles if not _is_group(sequence, role)]


def _is_group(sequence: Sequence, role: str) -> bool:
    return sequence.roles[role].partition(" ")[0] == "all"


def _groups(sequence: Sequence, sample: Sample, taken: list[int]) -> dict[str, tuple[int, ...]]:
    """Give the spins that are not taken to the roles ``all``, each to the first that wants it."""
    groups: dict[str, tuple[int, ...]] = {}
    for role in filter(lambda role: _is_group(sequence, role), sequence.roles):
        nucleus = sequence.roles[role].partition(" ")[2] or "any"
        spins = (k for k, spin in enumerate(sample.spins) if _suits(nucleus, spin.nucleus))
        groups[role] = tuple(spin for spin in spins if spin not in taken)
        taken = [*taken, *groups[role]]
    return groups


def _empty_group(sequence: Sequence, sample: Sample, role: str) -> Fault:
    message = (
        f"role `{role}` is {sequence.roles[role]}, but sample `{sample.name}` has no such spin left"
    )
    return Fault(place(sequence, f"spins.{role}", "spins"), message)


def _fill(sequence: Sequence, sample: Sample, roles: list[str], free: list[int]) -> dict[str, int]:
    """Bind roles to free spins in sample order, leaving to every role what it needs."""
    if not roles:
        return {}
    role, *rest = roles
    wanted = sequence.roles[role]
    fitting = (spin for spin in free if _suits(wanted, sample.spins[spin].nucleus))
    left = ((spin, [other for other in free if other != spin]) for spin in fitting)
    spin, free = next(
        (s, others) for s, others in left if not _shortage(sequence, sample, rest, others)
    )
    return {role: spin} | _fill(sequence, sample, rest, free)


def _choice_fault(
    role: str, label: str, *, sequence: Sequence, sample: Sample, bound: Mapping[str, int]
) -> str:
    if role not in sequence.roles:
        return f"`{sequence.name}` has no role `{role}`; {nearest(role, sequence.roles)}"
    if label not in sample.labels:
        return f"sample `{sample.name}` has no spin `{label}`; {nearest(label, sample.labels)}"
    if _is_group(sequence, role):
        return f"role `{role}` is {sequence.roles[role]} and takes no label; leave it out"
    spin = sample.index(label)
    if spin in bound.values():
        return f"spin `{label}` already plays another role; every role needs its own spin"
    nucleus, wanted = sample.spins[spin].nucleus, sequence.roles[role]
    if not _suits(wanted, nucleus):
        return f"role `{role}` needs a {wanted} nucleus, but spin `{label}` is {nucleus}"
    return ""


def _suits(wanted: str, nucleus: str) -> bool:
    return wanted in {"any", nucleus}


def _shortage(sequence: Sequence, sample: Sample, roles: list[str], free: list[int]) -> str:
    """Say what is missing to bind all roles; nothing is missing exactly if they can be bound."""
    if len(free) < len(roles):
        single = single_roles(sequence)
        count, spins = len(single), len(sample.spins)
        named = ", ".join(single[:12]) + (", …" if count > 12 else "")
        needs = f"`{sequence.name}` needs {count} spins ({named})"
        return f"{needs}, but sample `{sample.name}` has {spins}"
    there = Counter(sample.spins[spin].nucleus for spin in free)
    for nucleus, count in Counter(sequence.roles[role] for role in roles).items():
        if nucleus != "any" and there[nucleus] < count:
            owned = ", ".join(f"{spin.label} ({spin.nucleus})" for spin in sample.spins)
            needs = f"`{sequence.name}` needs {count} free spin(s) of nucleus {nucleus}"
            return f"{needs}, but sample `{sample.name}` has {owned}"
    return ""
