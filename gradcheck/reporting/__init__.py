"""Reports as text, json, junit, github, markdown and html: a module for each, with ``render(reports) -> str``.

All are pure: they return a string and write nothing, but for `github.append_summary`.  `layout` decides what a reader
is told and `lines` sets it in lines of a given width; `numbers` writes numbers; `baseline` compares runs.
"""
