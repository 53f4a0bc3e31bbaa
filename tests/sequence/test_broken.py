"""A corpus of broken files: every fault is told, where it stands, with what would be right."""

import re
from pathlib import Path

import pytest

from nmrqb.cli.shipped import faults_of

FOLDER = Path(__file__).parent / "broken"


def expectations():
    """Read ``expected.txt``: file to its faults as (place, beginning of the message)."""
    found, file = {}, ""
    for line in (FOLDER / "expected.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("  "):
            place, _, message = line.strip().partition(" ")
            found[file].append((place, message))
        elif line and not line.startswith("#"):
            file = line
            found[file] = []
    return found


EXPECTED = expectations()


def test_the_corpus_is_whole():
    assert len(EXPECTED) >= 80
    assert sorted(EXPECTED) == sorted(file.name for file in FOLDER.glob("*.yaml"))
    assert all(EXPECTED.values())
    assert sum(len(faults) >= 3 for faults in EXPECTED.values()) >= 10


def told(file, fault):
    at = fault.at
    place = f"{at.line}:{at.column}"
    return place if at.file == file else f"{at.file}:{place}"


@pytest.mark.parametrize("file", EXPECTED)
def test_every_fault_is_told_in_its_place(file, monkeypatch):
    monkeypatch.chdir(FOLDER)
    faults = faults_of(file)
    assert sorted(told(file, fault) for fault in faults) == sorted(p for p, _ in EXPECTED[file])
    left = list(EXPECTED[file])
    for fault in faults:
        text = str(fault).removeprefix(f"{fault.at}: ")
        matching = [e for e in left if e[0] == told(file, fault) and text.startswith(e[1])]
        assert matching, (told(file, fault), text)
        left.remove(matching[0])
    assert not left


@pytest.mark.parametrize("file", EXPECTED)
def test_messages_are_plain_lines_for_people(file, monkeypatch):
    monkeypatch.chdir(FOLDER)
    for fault in faults_of(file):
        assert "\n" not in str(fault)
        assert not re.search("Traceback|Error\\(|pydantic|Input should|type=", fault.message)
        assert len(fault.message) > 15


@pytest.mark.parametrize("file", ["many_mixed.yaml", "yaml_tab.yaml", "include_faulty.yaml"])
def test_check_prints_them_and_ends_with_2(file, monkeypatch, capsys):
    from nmrqb.cli import main

    monkeypatch.chdir(FOLDER)
    monkeypatch.setattr("sys.argv", ["nmrqb", "check", file])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(EXPECTED[file])
    assert all(re.match(r"[\w./]+:\d+:\d+: ", line) for line in lines)
