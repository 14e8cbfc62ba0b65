"""Draws the pictures of README.md: runs its commands on its mymodule.py, in a terminal, and keeps what that shows.

python .github/pictures/make.py
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from rich.console import Console
from rich.text import Text

HERE = Path(__file__).parent
README = HERE.parents[1] / "README.md"
PICTURES = {
    "report_pass": "gradcheck mymodule:f --grad mymodule:g --dim 100 --top 3",
    "report_fail": "gradcheck mymodule:f --grad mymodule:wrong --dim 100 --top 3",
}
WIDTH = 88


def main() -> None:
    """Draw them all."""
    (module,) = re.findall(r"^```python\n(# mymodule\.py\n.*?)^```$", README.read_text(encoding="utf-8"), re.M | re.S)
    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as nowhere:
        (Path(folder) / "mymodule.py").write_text(module, encoding="utf-8")
        for name, command in PICTURES.items():
            console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True)
            console.print(Text.from_ansi(shown([sys.executable, "-m", *command.split()], folder)))
            console.save_svg(str(HERE / f"{name}.svg"), title=command)


def shown(words: list[str], folder: str) -> str:
    """What a command writes to a terminal."""
    reader, writer = pty.openpty()
    fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", 50, WIDTH, 0, 0))
    process = subprocess.Popen(words, cwd=folder, stdout=writer, env={**os.environ, "TERM": "xterm-256color"})
    os.close(writer)
    written = b""
    try:
        while part := os.read(reader, 65536):
            written += part
    except OSError:  # Linux says so at the end
        pass
    os.close(reader)
    if process.wait() not in (0, 1):
        sys.exit(process.returncode)
    return written.decode().replace("\r\n", "\n")


if __name__ == "__main__":
    main()
