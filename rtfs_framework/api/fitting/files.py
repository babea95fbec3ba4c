"""Model files on their way to the disk, and how far the fitting is."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rtfs_framework.api.fitting.errors import UNREADABLE, FileError

Told = Callable[[int], None]
"""Told how many steps are done."""


def write_model(path: Path, data: bytes) -> None:
    """Write a model file whole or not at all; what is no ordinary file (a device, a pipe) is written to.

    Raises:
        FileError: It cannot be written.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
        else:
            _replace(path.resolve(), data)  # a link stays, and what it names is written
    except OSError as error:
        raise FileError(
            UNREADABLE, f"it cannot be written: {error}", "name a file in a folder of yours", str(path)
        ) from error


def _replace(path: Path, data: bytes) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def progress(wanted: bool | None, steps: int, label: str) -> Iterator[Told]:
    """Give what is told how many steps are done, and shows it on stderr."""
    import click

    if not (sys.stderr.isatty() if wanted is None else wanted):
        yield lambda _: None
        return
    if not sys.stderr.isatty():
        yield lambda now: click.echo(f"{now:,} of {steps:,}", err=True)
        return
    with click.progressbar(length=steps, label=label, file=sys.stderr) as bar:
        done = 0

        def told(now: int) -> None:
            nonlocal done
            bar.update(now - done)
            done = now

        yield told
