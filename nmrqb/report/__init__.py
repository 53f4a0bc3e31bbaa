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
from nmrqb.report.maps import map_document, map_figure, map_text, write_map_report
from nmrqb.report.page import result_page
from nmrqb.report.pictures import picture_bytes, sequence_figure
from nmrqb.report.raw import check_raw, write_raw
from nmrqb.report.readouts import ReadoutReport, readouts_document, readouts_text
from nmrqb.report.state_pictures import city_figure, residual_figure, state_figure
from nmrqb.report.stored import read_result, stored_figure
from nmrqb.report.text import result_text, table

__all__ = [
    "Export",
    "ReadoutReport",
    "average_figures",
    "check_average_folder",
    "check_coverage_folder",
    "check_document",
    "check_raw",
    "check_result_folder",
    "city_figure",
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
    "map_document",
    "map_figure",
    "map_text",
    "picture_bytes",
    "read_result",
    "readouts_document",
    "readouts_text",
    "residual_figure",
    "result_document",
    "result_page",
    "result_text",
    "sequence_figure",
    "state_figure",
    "stored_figure",
    "table",
    "write_average",
    "write_coverage",
    "write_export",
    "write_map_report",
    "write_raw",
    "write_result",
]
