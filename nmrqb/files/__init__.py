"""Files in and out: YAML with positions, the shipped library, atomic writes."""

from nmrqb.files.documents import (
    Document,
    Keys,
    Tree,
    check_format,
    override_texts,
    parse_document,
    plain_scalar,
    read_document,
    with_overrides,
)
from nmrqb.files.shipped import Kind, find, groups, is_file_argument, library, open_document
from nmrqb.files.texts import read_text
from nmrqb.files.writes import (
    FolderKind,
    check_folder,
    folder_atomically,
    write_bytes_atomically,
    write_text_atomically,
)
from nmrqb.files.yaml_text import yaml_text

__all__ = [
    "Document",
    "FolderKind",
    "Keys",
    "Kind",
    "Tree",
    "check_folder",
    "check_format",
    "find",
    "folder_atomically",
    "groups",
    "is_file_argument",
    "library",
    "open_document",
    "override_texts",
    "parse_document",
    "plain_scalar",
    "read_document",
    "read_text",
    "with_overrides",
    "write_bytes_atomically",
    "write_text_atomically",
    "yaml_text",
]
