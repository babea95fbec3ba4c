"""The ways out of a command that are no fault of it: named in one place, for the group of all and for groups in it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import click

from rtfs_framework.cli.faults import Interrupted
from rtfs_framework.cli.terminal import PipeClosed, lost
from rtfs_framework.lang.errors import RtfsError
from rtfs_framework.registry.faults import is_theirs

OURS = (RtfsError, click.ClickException, click.exceptions.Exit, click.Abort, PipeClosed, Interrupted, SystemExit)
"""What a command may raise: errors that name their cause, and the ways of click and Python to leave."""


@contextmanager
def out_of_click() -> Iterator[None]:
    """Name two things in a way that click leaves alone: Ctrl-C, and a reader of our output that has gone.

    Raises:
        Interrupted: Ctrl-C.
        PipeClosed: What click or a plugin wrote found no reader.
        StdoutLost: It could not be written.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        if is_theirs(error):
            raise
        raise Interrupted from error
    except OSError as error:
        if error.errno == errno.EPIPE or _wrote(error):
            raise lost(error) from error
        raise


def _wrote(error: OSError) -> bool:
    """Tell whether it was click that failed to write."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return at is not None and at.tb_frame.f_globals.get("__name__") == "click.utils"
