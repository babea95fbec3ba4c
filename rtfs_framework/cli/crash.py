"""What is kept of a bug of ours: one file with the versions and the traceback, no values and no environment.

Control characters are escapes, for somebody will look at it in a terminal.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
import traceback
from pathlib import Path

from rtfs_framework.api.private import private_file
from rtfs_framework.lang.visible import visible


def write_crash_file(error: BaseException) -> Path | None:
    """Write the details of an unforeseen error; return where, None when nothing can be written."""
    from rtfs_framework import __version__

    text = "\n".join(
        [
            f"rtfs {__version__}, Python {platform.python_version()}, {platform.platform()}",
            f"command: {' '.join(['rtfs', *sys.argv[1:2]])}",
            "",
            *traceback.format_exception(type(error), error, error.__traceback__),
        ]
    )
    name = f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    for folder in _folders():
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            private_file(folder / name)
            (folder / name).write_text(visible(text), encoding="utf-8")
        except OSError:
            continue
        return folder / name
    return None


def _folders() -> list[Path]:
    from rtfs_framework.orchestrator.config.folders import data_dir

    return [data_dir(os.environ) / "crashes", Path(tempfile.gettempdir())]
