"""Pictures through Matplotlib."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from gradcheck import UsageError
from gradcheck.model import Report
from gradcheck.reporting.formats import FORMATS
from gradcheck.reporting.pictures import Plot, pictures
from tests.reports import EVERY, mapped, passing


@pytest.fixture
def pyplot(monkeypatch: pytest.MonkeyPatch) -> object:
    """pyplot without a screen, without figures left over."""
    matplotlib = pytest.importorskip("matplotlib", reason='Matplotlib is not installed: pip install "gradcheck[plot]"')
    matplotlib.use("Agg")
    from matplotlib import pyplot

    yield pyplot
    pyplot.close("all")


@pytest.mark.parametrize("make", EVERY.values(), ids=list(EVERY))
def test_every_report_can_be_drawn(pyplot: object, make: Callable[[], Report]) -> None:
    report = make()
    drawn = list(pictures(report))
    figure = report.plot()
    figure.canvas.draw()
    assert len(figure.axes) == len(drawn)
    for axes, picture in zip(figure.axes, drawn, strict=True):
        names = {text.get_text() for text in axes.get_legend().get_texts()}
        if isinstance(picture, Plot):
            assert names == {series.name for series in picture.series}
            assert (axes.get_xlabel(), axes.get_xlim()) == (picture.x.label, (picture.x.low, picture.x.high))


def test_a_file_is_one_image_and_leaves_no_figure_behind(pyplot: object) -> None:
    image = FORMATS["png"].render([passing(), mapped()])
    assert isinstance(image, bytes)
    assert image.startswith(b"\x89PNG\r\n")
    width, height = struct.unpack(">II", image[16:24])
    assert width > 1000
    assert height > 600
    assert pyplot.get_fignums() == []  # type: ignore[attr-defined]


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcheck.reporting.formats.find_spec", lambda name: None)
    for attempt in (passing().plot, lambda: FORMATS["png"].render([passing()])):
        with pytest.raises(UsageError, match=r"needs Matplotlib.*gradcheck\[plot\]"):
            attempt()
