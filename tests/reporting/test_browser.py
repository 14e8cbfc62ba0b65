"""The page in a real browser: it fits a phone, its script works, and axe-core finds nothing that keeps people out.

Chromium is driven without a network, where it is installed.  axe-core is `AXE_CORE`, the path of its axe.min.js (`npm
install axe-core` brings it); its findings are looked at where that is given.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from gradcheck.reporting.html import render
from tests.reports import EVERY, mapped, passing

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")

QUIET = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-extensions --hide-scrollbars --virtual-time-budget=20000"
)
# The page is loaded into frames of several widths; what a probe returns of each is left where --dump-dom shows it.
HARNESS = """\
<!doctype html><meta charset="utf-8"><pre id="found"></pre><script>
const page = __PAGE__, axe = __AXE__;
const probe = async (window, document) => { __PROBE__ };
const look = async (width, scheme) => {
  const frame = document.createElement('iframe');
  frame.style = `width: ${width}px; height: 3000px; border: 0; color-scheme: ${scheme}`;
  frame.srcdoc = page;
  const loaded = new Promise(done => frame.onload = done);
  document.body.append(frame);
  await loaded;
  if (axe) { const script = frame.contentDocument.createElement('script'); script.textContent = axe;
    frame.contentDocument.head.append(script); }
  return probe(frame.contentWindow, frame.contentDocument);
};
(async () => {
  const found = {};
  for (const [width, scheme] of __VIEWS__) {
    try { found[`${width} ${scheme}`] = await look(width, scheme); } catch (error) { found.error = String(error); }
  }
  document.getElementById('found').textContent = JSON.stringify(found);
})();
</script>
"""

Look = Callable[..., dict[str, Any]]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Load a page at several widths, and return what a probe, the body of a JavaScript function, returns of each."""

    def run(page: str, probe: str, views: list[tuple[int, str]], axe: str = "") -> dict[str, Any]:
        text = HARNESS
        for name, value in (("PAGE", page), ("AXE", axe), ("VIEWS", views)):
            text = text.replace(f"__{name}__", json.dumps(value).replace("</", "<\\/").replace("<!--", "<\\!--"))
        (tmp_path / "harness.html").write_text(text.replace("__PROBE__", probe), encoding="utf-8")
        profile = f"--user-data-dir={tmp_path / 'profile'}"
        command = [str(CHROMIUM), *QUIET.split(), profile, "--dump-dom", (tmp_path / "harness.html").as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
        told = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
        assert told is not None
        found = json.loads(unescape(told[1]))
        assert "error" not in found, found
        assert len(found) == len(views)
        return dict(found)

    return run


def everything() -> str:
    return render([*(make() for make in EVERY.values()), *(passing(name=f"more:f{k}") for k in range(20))])


def test_nothing_runs_over_the_edge(look: Look) -> None:
    probe = """
    return {
      page: document.documentElement.scrollWidth - window.innerWidth,
      pictures: [...document.querySelectorAll('svg')].filter(s => s.getBoundingClientRect().right > window.innerWidth).length,
      verdicts: [...document.querySelectorAll('.entries td:nth-child(2)')].filter(
        cell => cell.getBoundingClientRect().right > window.innerWidth).length,
    };"""
    found = look(everything(), probe, [(1100, "light"), (420, "light"), (380, "light")])
    for width, measured in found.items():
        assert measured == {"page": 0, "pictures": 0, "verdicts": 0}, width


def test_rows_are_sorted_and_filtered(look: Look) -> None:
    """By the number that a cell shows, verdicts by their gravity; whatever does not match a word is hidden."""
    probe = """
    const table = document.querySelector('.entries'), column = k => [...table.tBodies[0].rows].map(r => r.cells[k].textContent);
    const click = k => table.tHead.rows[0].cells[k].querySelector('button').click();
    const found = {};
    click(1); found.gravest = column(1); found.sort = table.tHead.rows[0].cells[1].getAttribute('aria-sort');
    click(2); found.largest = column(2); click(2); found.smallest = column(2);
    const input = [...document.querySelectorAll('label')].find(l => l.textContent.includes('only checks')).querySelector('input');
    input.value = 'MDS'; input.dispatchEvent(new Event('input'));
    found.shown = [...document.querySelectorAll('.check')].filter(c => !c.hidden).map(c => c.querySelector('h2').textContent);
    return found;"""
    page = render([mapped(), *(passing(name=f"other:f{k}") for k in range(9))])
    (found,) = look(page, probe, [(1100, "light")]).values()
    assert found["gravest"] == ["FAIL"] * 3 + ["INCONCLUSIVE"] + ["PASS"] * 4
    assert found["sort"] == "descending"
    numbers = [float(text) for text in found["largest"]]
    assert numbers == sorted(numbers, reverse=True)
    assert [float(text) for text in found["smallest"]] == sorted(numbers)
    assert found["shown"] == ["gradient of mds:f"]


def test_a_link_of_the_summary_opens_what_is_folded(look: Look) -> None:
    probe = """
    const links = [...document.querySelectorAll('.summary a')], last = links[links.length - 1];
    const target = document.getElementById(last.getAttribute('href').slice(1));
    const before = target.closest('details').open;
    last.click();
    return [before, target.closest('details').open];"""
    (found,) = look(render([mapped(), passing()]), probe, [(1100, "light")]).values()
    assert found == [False, True]


def test_axe_finds_nothing(look: Look) -> None:
    axe = os.environ.get("AXE_CORE")
    if axe is None:
        pytest.skip("AXE_CORE names no axe.min.js")
    probe = """
    const found = await window.axe.run(document);
    return {violations: found.violations.map(v => [v.id, v.nodes[0].html]), passes: found.passes.length,
      dark: window.matchMedia('(prefers-color-scheme: dark)').matches};"""
    views = [(1100, "light"), (1100, "dark"), (380, "light"), (380, "dark")]
    found = look(everything(), probe, views, Path(axe).read_text(encoding="utf-8"))
    for view, told in found.items():
        assert told["violations"] == [], view
        assert told["passes"] > 20
        assert told["dark"] is view.endswith("dark")
