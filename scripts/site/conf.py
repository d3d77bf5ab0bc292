"""The documentation site, made by scripts/docs."""

project = "attnlaw"
author = "the authors of attnlaw"
copyright = "the authors of attnlaw, BSD-3-Clause"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "index"
html_theme = "furo"
html_title = "attnlaw"
html_show_sourcelink = False
html_static_path = ["static"]
html_css_files = ["formulas.css"]

# Names of headings as a forge makes them, so that the same links work in both places.
myst_heading_anchors = 4
# The outputs of notebooks are those in the files; a slow test executes them.
nb_execution_mode = "off"

autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_numpy_docstring = True
napoleon_google_docstring = False
# What users of Python call an object, not where it is defined.
add_module_names = False
