"""The documentation as pages: conventions, papers, and a reference made from docstrings.

``python -m nmrqb.docs`` writes it into ``build/docs``; it needs the extra ``docs`` (pdoc).  A page
of a paper is what ``nmrqb reproduce`` computes when the pages are made, so that it is never older
than the code.
"""

from nmrqb.docs.pages import conventions_page, index_page, paper_page
from nmrqb.docs.site import build_docs, documented_modules

__all__ = ["build_docs", "conventions_page", "documented_modules", "index_page", "paper_page"]
