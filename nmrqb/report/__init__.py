"""Results for people and programs: text, JSON, pictures, the result folder."""

from nmrqb.report.documents import check_document, compile_document, dump, result_document
from nmrqb.report.folder import check_result_folder, write_result
from nmrqb.report.pictures import picture_bytes, sequence_figure
from nmrqb.report.text import compile_text, result_text, table

__all__ = [
    "check_document",
    "check_result_folder",
    "compile_document",
    "compile_text",
    "dump",
    "picture_bytes",
    "result_document",
    "result_text",
    "sequence_figure",
    "table",
    "write_result",
]
