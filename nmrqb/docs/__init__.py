"""The documentation as pages: conventions, tutorials, papers, a reference made from docstrings.

``python -m nmrqb.docs`` writes it into ``build/docs``; it needs the extra ``docs`` (pdoc, and
what runs notebooks).  A page of a paper is what ``nmrqb reproduce`` computes when the pages are
made, that of a tutorial shows the notebook as it runs then, so that none is older than the code.
"""

from nmrqb.docs.pages import conventions_page, index_page, paper_page
from nmrqb.docs.site import build_docs, documented_modules

__all__ = ["build_docs", "conventions_page", "documented_modules", "index_page", "paper_page"]
