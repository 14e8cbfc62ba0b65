"""A file is written whole or not at all."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gradcheck.errors import OutputError
from gradcheck.reporting.files import write_file


def test_a_link_stays_a_link_and_a_mode_a_mode(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("old")
    (tmp_path / "real.json").chmod(0o640)
    (tmp_path / "link.json").symlink_to("real.json")
    write_file(str(tmp_path / "link.json"), "new")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "real.json").read_text() == "new"
    assert stat.S_IMODE((tmp_path / "real.json").stat().st_mode) == 0o640


def test_a_dangling_link_leads_to_the_new_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")
    write_file(str(tmp_path / "link"), "new")
    assert (tmp_path / "target").read_text() == "new"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_a_fifo_gets_the_text(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / "fifo").read_text()))
    reader.start()
    write_file(str(tmp_path / "fifo"), "new" * 100_000)
    reader.join()
    assert got == ["new" * 100_000]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_a_fifo_that_nobody_reads_is_not_waited_for_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "fifo")
    monkeypatch.setattr("gradcheck.reporting.files.PATIENCE", 0.1)
    with pytest.raises(OutputError, match="nobody reads this FIFO"):
        write_file(str(tmp_path / "fifo"), "new")


@pytest.mark.parametrize("name", ["no/such/folder", ".", "nul\0l", "x" * 300, "file/below", ""])
def test_what_cannot_be_written_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"^cannot write [^\n]*$"):
        write_file(name, "text")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_ctrl_c_leaves_the_old_file_whole_and_no_litter(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("old")
    program = (
        "import os, sys\nfrom gradcheck.reporting import files\n"
        "def stop(*_): raise KeyboardInterrupt\nos.replace = stop\n"
        "try: files.write_file('r.json', 'new')\nexcept KeyboardInterrupt: sys.exit(130)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=False, timeout=60)
    assert done.returncode == 130
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]
    assert (tmp_path / "r.json").read_text() == "old"
