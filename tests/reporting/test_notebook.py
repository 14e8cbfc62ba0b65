"""A report at the end of a cell of a notebook."""

from __future__ import annotations

import pytest

CELL = "import gradcheck\ngradcheck.check_gradient(lambda x: float(x @ x), lambda x: 3 * x, [1.0, 2.0], throw=False)"


@pytest.mark.filterwarnings("ignore")  # of Jupyter's own
def test_an_executed_notebook_shows_the_report_as_a_page_and_as_text() -> None:
    for needed in ("nbclient", "ipykernel"):
        pytest.importorskip(needed, reason=f"{needed} is not installed: pip install gradcheck[docs]")
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    (output,) = notebook.cells[0].outputs
    assert output.output_type == "execute_result"
    assert output.data["text/html"].startswith('<div class="gradcheck">')
    assert "The gradient is wrong" in output.data["text/html"]
    assert output.data["text/plain"] == "<Report: FAIL, gradient of <lambda>, 2 entries compared>"
