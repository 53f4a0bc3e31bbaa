"""YAML with positions, the library, overrides and atomic writes."""

import math
import os
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nmrqb import files
from nmrqb.errors import ArgumentError, InputError, OutputError, Position
from nmrqb.files import (
    documents,
    library,
    override_texts,
    parse_document,
    plain_scalar,
    read_document,
    with_overrides,
    yaml_text,
)
from nmrqb.files.texts import MAX_BYTES

BASIC = b"""\
format: nmrqb-sample/1
spins:
  - {label: 1H, T1: 5}
  - label: "x"
    T1:
battery: {D: 1 Hz}
"""


def test_tree_and_positions():
    document = parse_document(BASIC, "a.yaml")
    assert document.tree == {
        "format": "nmrqb-sample/1",
        "spins": [{"label": "1H", "T1": 5}, {"label": "x", "T1": None}],
        "battery": {"D": "1 Hz"},
    }
    assert document.position(("spins", 0, "T1")) == Position("a.yaml", 3, 21)
    assert document.key_position(("spins", 0, "T1")) == Position("a.yaml", 3, 17)
    assert document.position(("spins", 1)) == Position("a.yaml", 4, 5)
    assert document.position(("spins", 1, "nowhere", "deeper")) == Position("a.yaml", 4, 5)
    assert document.key_position(("battery",)) == Position("a.yaml", 6, 1)
    assert document.get(("spins", 1, "label")) == "x"
    assert document.get(("spins", 7, "label"), "none") == "none"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("1:30", "1:30"), ("010", "010"),
        ("00", "00"), ("1H", "1H"), ("1_000", "1_000"), ("2001-01-01", "2001-01-01"),
        (".inf", ".inf"), ("nan", "nan"), (".nan", ".nan"), ("1e999", "1e999"),
        ("", None), ("~", None), ("null", None), ("true", True), ("FALSE", False),
        ("5", 5), ("-5", -5), ("0", 0), ("0x1f", 31), ("0o17", 15), ("1.5", 1.5),
        ("1e-5", 1e-5), (".5", 0.5), ("+3.", 3.0), ("9" * 5000, "9" * 5000),
    ],
)  # fmt: skip
def test_scalars_are_those_of_yaml_1_2(text, value):
    read = parse_document(f"key: {text}\n".encode(), "a").tree["key"]
    assert read == value == plain_scalar(text)
    assert type(read) is type(value)
    assert parse_document(f"key: '{text}'\n".encode(), "a").tree["key"] == text


BROKEN = {
    "empty": (b"", "1:1", "is empty"),
    "only a comment": (b"# nothing\n", "1:1", "is empty"),
    "empty document": (b"---\n", "1:4|2:1", "is empty"),
    "a list": (b"- 1\n", "1:1", "but holds a list"),
    "a text": (b"hello\n", "1:1", "but holds the text `hello`"),
    "duplicate key": (b"a: 1\nb: 2\na: 3\n", "3:1", "key `a` stands twice; the first is in line 1"),
    "duplicate in flow": (b"x: {a: 1, a: 2}\n", "1:11", "key `a` stands twice"),
    "anchor": (b"a: &x 1\n", "1:4", "anchor `&x` is not supported"),
    "alias": (b"a: *x\n", "1:4", "alias `\\*x` is not supported"),
    "alias as key": (b"*x : 1\n", "1:1", "alias `\\*x`"),
    "merge key": (b"a: {<<: 3}\n", "1:5", "merge key `<<` is not supported"),
    "tag": (b"a: !!python/object:os.system x\n", "1:4", "tag `.*` is not supported"),
    "local tag": (b"a: !thing [1]\n", "1:4", "tag `!thing` is not supported"),
    "second document": (b"a: 1\n---\nb: 1\n", "2:1", "a second document starts here"),
    "list as key": (b"[1, 2]: 3\n", "1:1", "a key must be one word"),
    "missing key": (b'a: 1\n"": 3\n', "2:1", "a key is missing before `:`"),
    "tab": (b"a:\n\tb: 1\n", "2:1", "a tab cannot indent"),
    "open bracket": (b"a: [1, 2\n", "2:1", "this is not YAML"),
    "bad indent": (b"a: 1\n  b: 2\n", "2:4", "this is not YAML: mapping values"),
    "not UTF-8": (b"a: 1\nb: \xe9\n", "2:4", "byte 0xe9 is not UTF-8"),
    "not UTF-8 after a mark": (b"\xef\xbb\xbf\xc3\xa9: \xff\n", "1:4", "byte 0xff is not UTF-8"),
    "UTF-16": ("a: 1".encode("utf-16"), "1:1", "is not UTF-8"),
    "control character": (b"a: 1\nb: x\x07\n", "2:5", "U\\+0007 may not stand in YAML"),
}


@pytest.mark.parametrize(("data", "place", "message"), BROKEN.values(), ids=BROKEN)
def test_broken_files_tell_where_and_what(data, place, message):
    with pytest.raises(InputError, match=rf"^bad\.yaml:(?:{place}): .*{message}") as caught:
        parse_document(data, "bad.yaml")
    assert len(str(caught.value).splitlines()) == len(caught.value.faults)


@pytest.mark.parametrize(
    "data",
    [
        b"a: " + b"[" * 200_000,
        b"a: " + b"{x: " * 200_000,
        b"- " * 200_000,
        b"a:\n" + b"".join(b" " * n + b"k:\n" for n in range(1, 500)),
    ],
)
def test_deep_nesting_is_refused(data):
    with pytest.raises(InputError, match=r"deeper than 50 levels|holds a list"):
        parse_document(data, "deep.yaml")


def test_fifty_levels_are_read():
    inside = 49
    data = b"a: " + b"[" * inside + b"]" * inside
    assert parse_document(data, "a").tree["a"] is not None
    with pytest.raises(InputError, match="1:53: this is nested deeper than 50 levels"):
        parse_document(b"a: " + b"[" * 50 + b"]" * 50, "a")


def test_bomb_of_anchors_is_refused_at_once():
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 200)]
    with pytest.raises(InputError, match="anchor `&a0` is not supported") as caught:
        parse_document("\n".join(lines).encode(), "bomb.yaml")
    assert len(caught.value.faults) == documents.MAX_FAULTS


def test_several_faults_are_told_together():
    with pytest.raises(InputError, match="twice") as caught:
        parse_document(b"a: 1\na: 2\nb: &x 1\nc: *x\n", "a.yaml")
    assert [fault.at.line for fault in caught.value.faults] == [2, 3, 4]


def test_size_is_bounded(tmp_path):
    big = tmp_path / "big.yaml"
    big.write_bytes(b"a: 1\n" + b"#" * MAX_BYTES)
    with pytest.raises(InputError, match=r"big\.yaml:1:1: .* larger than 5 MB"):
        read_document(big)


def test_unreadable_files(tmp_path):
    with pytest.raises(InputError, match=r"^no/such\.yaml:1:1: there is no file `no/such\.yaml`"):
        read_document("no/such.yaml")
    with pytest.raises(InputError, match=r":1:1: .* is a folder, but a YAML file is needed"):
        read_document(tmp_path)
    with pytest.raises(InputError, match="cannot be read: embedded null byte"):
        read_document("a\0.yaml")


def test_byte_order_mark_is_skipped():
    assert parse_document(b"\xef\xbb\xbfa: 1\n", "a").position(("a",)) == Position("a", 1, 4)


class _Writer(yaml.SafeDumper):
    def ignore_aliases(self, data):
        return True


texts = st.text(min_size=1, max_size=6)
trees = st.dictionaries(
    texts,
    st.recursive(texts, lambda t: st.lists(t, max_size=3) | st.dictionaries(texts, t, max_size=3)),
    min_size=1,
    max_size=4,
)


@given(trees, st.booleans())
def test_whatever_a_yaml_writer_makes_is_read_back(tree, flow):
    text = yaml.dump(tree, Dumper=_Writer, default_style='"', default_flow_style=flow)
    document = parse_document(text.encode(), "a")
    assert document.tree == tree
    for key in tree:
        line = text.splitlines()[document.key_position((key,)).line - 1]
        assert document.key_position((key,)).column <= len(line) + 1


several_lines = st.lists(st.text(max_size=8), max_size=5).map("\n".join)


@given(st.dictionaries(st.sampled_from(["a", "b", "1H"]), several_lines, min_size=1))
def test_trees_that_are_written_are_read_back(tree):
    """Whatever looks like a number, a key word or a comment, and whatever blanks there are."""
    assert parse_document(yaml_text(tree).encode(), "a").tree == tree


def test_texts_of_several_lines_are_blocks_and_numbers_stay_numbers():
    tree = {"notes": "a: b\n  c\n", "like": "1e3", "number": 1000.0, "list": [1, True]}
    assert yaml_text(tree) == (
        "notes: |\n  a: b\n    c\nlike: '1e3'\nnumber: 1000.0\nlist:\n- 1\n- true\n"
    )


@pytest.mark.parametrize("loader", [yaml.SafeLoader, documents._LOADER])
def test_both_readers_agree(monkeypatch, loader):
    monkeypatch.setattr(documents, "_LOADER", loader)
    assert parse_document(BASIC, "a").position(("spins", 0, "T1")) == Position("a", 3, 21)
    for data, place, _ in BROKEN.values():
        with pytest.raises(InputError, match=rf"^bad\.yaml:(?:{place}): "):
            parse_document(data, "bad.yaml")


@given(st.binary(max_size=200) | st.text("[]{}:-&*!|>'\"%@`# \n\tab1", max_size=60))
def test_any_input_is_read_or_refused(data):
    data = data.encode() if isinstance(data, str) else data
    try:
        document = parse_document(data, "a")
    except InputError as error:
        assert all(re.match(r"a:\d+:\d+: .", str(fault)) for fault in error.faults)  # noqa: PT017
    else:
        assert isinstance(document.tree, dict)


# ------------------------------------------------------------------------------------ overrides
def test_overrides():
    document = parse_document(BASIC, "a.yaml")
    changed = with_overrides(
        document, {"battery.D": "100 Hz", "spins.1.T1": "7", "new.deep.key": "yes"}
    )
    assert changed.tree["battery"] == {"D": "100 Hz"}
    assert changed.tree["spins"][1]["T1"] == 7
    assert changed.tree["new"] == {"deep": {"key": "yes"}}
    assert changed.position(("battery", "D")) == Position("--set battery.D", 1, 1)
    assert changed.position(("new", "deep")) == Position("--set new.deep.key", 1, 1)
    assert document.tree["battery"] == {"D": "1 Hz"}
    assert document.position(("battery", "D")).file == "a.yaml"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("battery.D.x", "`battery.D` is '1 Hz' and holds no keys"),
        ("spins.2.T1", "`2` must be the number of a list item, 0 to 1"),
        ("spins.-1.T1", "`-1` must be the number of a list item"),
        ("spins.first.T1", "`first` must be the number of a list item"),
        ("battery..D", "a key is missing"),
        ("", "a key is missing"),
    ],
)
def test_bad_overrides(path, message):
    with pytest.raises(InputError, match=rf"^--set {re.escape(path)}:1:1: .*{message}"):
        with_overrides(parse_document(BASIC, "a.yaml"), {path: "1"})


@pytest.mark.parametrize(
    ("value", "text"),
    [("5 Hz", "5 Hz"), (8, "8"), (np.int64(8), "8"), (np.float64(0.1), "0.1"), (True, "true")],
)
def test_numbers_of_python_are_texts_of_a_file(value, text):
    assert override_texts({"a": value}) == {"a": text}


@pytest.mark.parametrize("value", [None, math.inf, np.nan, [1], b"5 Hz"])
def test_other_overrides_are_refused_by_name(value):
    with pytest.raises(ArgumentError, match=r"`overrides` must give `a\.b` a text such as"):
        override_texts({"a.b": value})


def test_an_override_of_a_mapping_forgets_what_was_inside():
    changed = with_overrides(parse_document(BASIC, "a.yaml"), {"battery": "none"})
    assert changed.position(("battery", "D")) == Position("--set battery", 1, 1)


# --------------------------------------------------------------------------------------- format
@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("name: x", "1:1: missing key `format`; write `format: nmrqb-sample/1`"),
        ("format: nmrqb-sample/9", "1:9: format .* the newest understood one is nmrqb-sample/1"),
        ("format: nmrqb-sequence/1", "1:9: this is a `nmrqb-sequence/1` file, but a `nmrqb-sample"),
        ("format: 7", "1:9: format `7` is not known; write `format: nmrqb-sample/1`"),
    ],
)
def test_wrong_format(head, message):
    with pytest.raises(InputError, match=f"^a:{message}"):
        files.check_format(parse_document(head.encode(), "a"), "nmrqb-sample/1")


def test_right_format():
    files.check_format(parse_document(BASIC, "a"), "nmrqb-sample/1")


# -------------------------------------------------------------------------------------- library
def test_library_holds_every_kind_once():
    assert "chloroform" in library("sample")
    assert "dm" in library("sequence")
    assert not set(library("sequence")) & set(library("sample"))
    root = Path(__file__).parents[1] / "sequences"
    shipped = [file.name for file in root.glob("*/*.yaml")]
    assert len(set(shipped)) == len(shipped)


def test_a_name_is_never_shadowed_by_a_local_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("dm").write_text("mine", encoding="utf-8")
    Path("dm.yaml").write_text("mine", encoding="utf-8")
    assert files.find("sequence", "dm") == library("sequence")["dm"]
    assert files.find("sequence", "dm.yaml") == Path("dm.yaml")
    assert files.find("sequence", f".{os.sep}dm") == Path("dm")


def test_unknown_name(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"^chlorofrm:1:1: .* did you mean `chloroform`\?"):
        files.find("sample", "chlorofrm")
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text("a: 1", encoding="utf-8")
    with pytest.raises(InputError, match=r"write mine\.yaml; Valid"):
        files.find("sample", "mine")


def test_messages_name_the_file_as_it_was_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text("a: 1\na: 2\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"^\./a\.yaml:2:1: "):
        files.open_document("sample", "./a.yaml")


# --------------------------------------------------------------------------------------- writes
def test_write_replaces_whole(tmp_path):
    target = tmp_path / "out.txt"
    files.write_text_atomically(target, "one Δ\n")
    files.write_text_atomically(target, "two\n")
    assert target.read_bytes() == b"two\n"
    assert [file.name for file in tmp_path.iterdir()] == ["out.txt"]


def test_write_through_a_link(tmp_path):
    (tmp_path / "real.txt").write_text("old", encoding="utf-8")
    (tmp_path / "link.txt").symlink_to("real.txt")
    files.write_text_atomically(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text(encoding="utf-8") == "new"


@pytest.mark.parametrize("name", [".", "a\0b", "x" * 400, "a/b/" + "x" * 400])
def test_failed_writes_leave_nothing(tmp_path, name):
    with pytest.raises(OutputError, match="cannot be written: "):
        files.write_text_atomically(tmp_path / name, "text")
    assert list(tmp_path.iterdir()) == []


def test_missing_folders_are_made(tmp_path):
    files.write_text_atomically(tmp_path / "a" / "b" / "out.txt", "text")
    assert (tmp_path / "a" / "b" / "out.txt").read_text(encoding="utf-8") == "text"
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    for name in ("file/out.txt", "file/a/out.txt"):
        with pytest.raises(OutputError, match="cannot be written: Not a directory") as caught:
            files.write_text_atomically(tmp_path / name, "text")
        assert caught.value.path == str(tmp_path / name)


def test_a_folder_that_fails_leaves_no_folders_above_it(tmp_path):
    def fail():
        with files.folder_atomically(tmp_path / "a" / "b", KIND) as folder:
            (folder / "a.json").write_text("ours", encoding="utf-8")
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="No space left on device"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_write_keeps_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "out.txt"
    target.write_text("old", encoding="utf-8")

    def fail(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError, match="No space left on device"):
        files.write_text_atomically(target, "new")
    assert target.read_text(encoding="utf-8") == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["out.txt"]


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="needs a device file")
def test_a_device_is_not_replaced():
    with pytest.raises(OutputError, match="not an ordinary file"):
        files.write_text_atomically("/dev/null", "text")


# ------------------------------------------------------------------------------- result folders
KIND = files.FolderKind("a.json", "ours", frozenset({"a.json", "b.png"}))
LITTER = (".DS_Store", "Thumbs.db", "desktop.ini", "._a.json")


@pytest.mark.parametrize("litter", LITTER)
@pytest.mark.parametrize("held", [(), ("a.json", "b.png")])
def test_what_systems_leave_in_a_folder_is_not_foreign(tmp_path, litter, held):
    target = tmp_path / "made"
    target.mkdir()
    for name in (*held, litter):
        (target / name).write_text("ours", encoding="utf-8")
    with files.folder_atomically(target, KIND) as folder:
        (folder / "a.json").write_text("ours, new", encoding="utf-8")
    assert [entry.name for entry in target.iterdir()] == ["a.json"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["made"]


@pytest.mark.parametrize("name", ["notes.txt", ".DS_Store.txt", ".hidden", "thesis._a"])
def test_what_people_leave_in_a_folder_is_kept(tmp_path, name):
    for held in ("a.json", ".DS_Store", name):
        (tmp_path / held).write_text("ours", encoding="utf-8")
    with pytest.raises(OutputError, match=f"also holds `{re.escape(name)}`"):
        files.check_folder(tmp_path, KIND)
    (tmp_path / "a.json").unlink()
    with pytest.raises(OutputError, match=r"is not empty and holds no `a\.json`"):
        files.check_folder(tmp_path, KIND)
