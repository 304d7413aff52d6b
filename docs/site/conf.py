"""Sphinx's settings for either language's tree; `build.py` names the language."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent))

import docstrings
from korean_search import KoreanSearch

import kobert_hf_emotion

_KOREAN = tags.has("ko")  # type: ignore[name-defined] # noqa: F821 - Sphinx puts `tags` here

project = "kobert_hf_emotion"
version = release = kobert_hf_emotion.__version__
language = "ko" if _KOREAN else "en"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]

myst_heading_anchors = 4
nb_execution_mode = "off"  # notebooks carry their outputs
nb_merge_streams = True

default_role = "code"  # docstrings put names between single backticks
napoleon_numpy_docstring = False
napoleon_use_ivar = True
autodoc_member_order = "bysource"
# "alias of", which Sphinx says of it, is no valid markup in its Korean.
autodoc_default_options = {"exclude-members": "config_class"}
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 88
# No object inventories: they come over the network. Names of other packages and of our private modules are not linked.
nitpick_ignore_regex = [("py:.*", r"(?!kobert_hf_emotion\.[A-Z]\w+$).*")]

html_theme = "pydata_sphinx_theme"
html_title = "kobert_hf_emotion"
html_permalinks_icon = "#"
html_show_sourcelink = False
html_copy_source = False
html_static_path = ["static"]
html_css_files = ["site.css"]
templates_path = ["templates"]
html_sidebars = {"**": ["pages"]}
html_theme_options = {
    "navbar_start": ["navbar-logo"],
    "navbar_center": [],
    "navbar_end": ["theme-switcher"],
    "navbar_persistent": ["search-button", "languages"],
    "footer_start": [],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": True,
    "navigation_with_keys": False,
    "search_bar_text": "문서에서 찾기" if _KOREAN else "Search the documentation",
}
html_context = {
    "languages": [("ko", "한국어"), ("en", "English")],
    "on_this_page": "이 쪽에서" if _KOREAN else "On this page",
    "pages_title": "문서의 쪽" if _KOREAN else "Pages of the documentation",
}


def setup(app: Sphinx) -> dict[str, Any]:
    """Adds what Sphinx lacks: Korean search, and docstrings as ours are."""
    app.add_search_language(KoreanSearch)
    app.connect("autodoc-process-docstring", docstrings.process_docstring)
    app.connect("autodoc-process-signature", docstrings.process_signature)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
