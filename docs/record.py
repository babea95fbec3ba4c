"""Record a terminal session for the README and the site: `python docs/record.py [FOLDER]`.

Out: `session.cast` (asciicast v2, which asciinema plays) and `session.svg` (what the terminal shows at the end), in
`docs/images` or the folder that is named. The commands are really run, on the shipped example, and what they remember
goes afterwards; times are those of the machine, with pauses for who watches.
"""

from __future__ import annotations

import io
import json
import os
import pty
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
WIDTH, HEIGHT = 118, 40
PAUSE = 1.2
"""Seconds between a command's output and the next prompt."""
COMMANDS = (
    "rtfs check triage.rtfs",
    "rtfs explain triage.rtfs",
    "rtfs run triage.rtfs --input messages.jsonl --limit 6 --no-progress",
    "rtfs run triage.rtfs --input messages.jsonl --limit 6 --no-progress | tail -n 4",
    "rtfs runs verify last",
)


def record() -> list[tuple[float, str]]:
    """Run the commands in a terminal of their own; return what it showed, with seconds from the start."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(shutil.copytree(ROOT / "examples/triage", Path(scratch) / "triage"))
        shown, now = list[tuple[float, str]](), 0.5
        for command in COMMANDS:
            shown += [
                (now, "\x1b[1;32m$\x1b[0m "),
                *((now + 0.03 * place, key) for place, key in enumerate(command, 1)),
            ]
            now += 0.03 * len(command) + 0.3
            shown.append((now, "\r\n"))
            began = time.monotonic()
            text = _run(command, folder, Path(scratch) / "home")
            now += time.monotonic() - began
            shown.append((now, text))
            now += PAUSE
        return shown


def _run(command: str, folder: Path, home: Path) -> str:
    """Run one command in a pseudo-terminal; return what it wrote."""
    above, below = pty.openpty()
    environ = {key: text for key, text in os.environ.items() if not key.startswith(("RTFS_", "OPENAI_", "NO_COLOR"))}
    places = os.pathsep.join([str(Path(sys.executable).parent), environ["PATH"]])
    environ |= {
        "RTFS_HOME": str(home),
        "COLUMNS": str(WIDTH),
        "LINES": str(HEIGHT),
        "TERM": "xterm-256color",
        "PATH": places,
    }
    with subprocess.Popen(
        ["bash", "-o", "pipefail", "-c", command], cwd=folder, env=environ, stdin=below, stdout=below, stderr=below
    ) as process:
        os.close(below)
        written = io.BytesIO()
        while True:
            try:
                piece = os.read(above, 65536)
            except OSError:  # how Linux says that the last writer has gone
                break
            if not piece:
                break
            written.write(piece)
    os.close(above)
    if process.returncode:
        sys.exit(f"`{command}` exited with {process.returncode}:\n{written.getvalue().decode()}")
    return written.getvalue().decode()


def main(target: Path) -> None:
    """Write both files."""
    target.mkdir(parents=True, exist_ok=True)
    shown = record()
    head = {"version": 2, "width": WIDTH, "height": HEIGHT, "title": "rtfs", "env": {"TERM": "xterm-256color"}}
    lines = [head, *([round(at, 3), "o", text] for at, text in shown)]
    cast = "".join(f"{json.dumps(line)}\n" for line in lines)
    (target / "session.cast").write_text(cast, encoding="utf-8")
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    for line in "".join(text for _, text in shown).replace("\r\n", "\n").split("\n"):
        console.print(Text.from_ansi(line.rpartition("\r")[2]), crop=False, no_wrap=False)
    # Fonts of the reader's machine: the usual template fetches one.
    svg = console.export_svg(title="rtfs")
    (target / "session.svg").write_text(_without_fonts(svg), encoding="utf-8")


def _without_fonts(svg: str) -> str:
    """Return an image without the rules that fetch a font."""
    while "@font-face" in svg:
        start = svg.index("@font-face")
        svg = svg[:start] + svg[svg.index("}", start) + 1 :]
    return svg.replace("Fira Code", "ui-monospace, Menlo, Consolas")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else ROOT / "docs/images")
