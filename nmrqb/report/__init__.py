"""Results for people and programs: text, JSON, pictures, the result folder."""

from nmrqb.report.average_document import compile_document
from nmrqb.report.average_pictures import (
    average_figures,
    check_average_folder,
    write_average,
)
from nmrqb.report.average_text import compile_text
from nmrqb.report.coverage import (
    check_coverage_folder,
    coverage_document,
    coverage_figure,
    coverage_text,
    write_coverage,
)
from nmrqb.report.designs import design_document, design_text
from nmrqb.report.documents import check_document, dump, result_document
from nmrqb.report.exporting import Export, export_document, export_sequence, write_export
from nmrqb.report.folder import check_result_folder, write_result
from nmrqb.report.pictures import picture_bytes, sequence_figure
from nmrqb.report.readouts import ReadoutReport, readouts_document, readouts_text
from nmrqb.report.text import result_text, table

__all__ = [
    "Export",
    "ReadoutReport",
    "average_figures",
    "check_average_folder",
    "check_coverage_folder",
    "check_document",
    "check_result_folder",
    "compile_document",
    "compile_text",
    "coverage_document",
    "coverage_figure",
    "coverage_text",
    "design_document",
    "design_text",
    "dump",
    "export_document",
    "export_sequence",
    "picture_bytes",
    "readouts_document",
    "readouts_text",
    "result_document",
    "result_text",
    "sequence_figure",
    "table",
    "write_average",
    "write_coverage",
    "write_export",
    "write_result",
]
