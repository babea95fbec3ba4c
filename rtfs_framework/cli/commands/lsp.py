"""`rtfs lsp`: a language server for editors."""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rtfs_framework.cli.faults import CommandLineError
from rtfs_framework.cli.options import config_option, config_path
from rtfs_framework.cli.terminal import complain

if TYPE_CHECKING:
    from rtfs_framework.cli.lsp.server import RtfsServer

MISSING = "E0914"


@click.command()
@click.option("--tcp", type=click.IntRange(1, 65535), metavar="PORT", help="Listen on loopback, to debug an editor.")
@config_option
def command(*, tcp: int | None, config: str | None) -> None:
    """Serve an editor on the standard streams: mistakes, hover, completion, definitions, symbols, layout.

    Editors start it themselves; docs/editors.md shows their settings. It needs `pip install 'rtfs-framework[lsp]'`.

    \b
    rtfs lsp
    rtfs lsp --tcp 2087
    """  # noqa: D301 - click's \b is a backspace
    found = config_path(config)
    server = load_server(found)
    try:
        if tcp is None:
            _serve_streams(server)
        else:
            complain(f"rtfs lsp listens on 127.0.0.1:{tcp}")
            server.start_tcp("127.0.0.1", tcp)
    finally:
        server.stop()


def _serve_streams(server: RtfsServer) -> None:
    """Serve on the standard streams; whatever else is printed goes to stderr, for stdout belongs to the protocol."""
    own = os.fdopen(os.dup(sys.stdout.fileno()), "wb")  # closed by pygls at the end
    with redirect_stdout(sys.stderr):
        server.start_io(sys.stdin.buffer, own)


def load_server(config: Path | None) -> RtfsServer:
    """Return the server.

    Raises:
        CommandLineError: E0914, pygls is not installed.
    """
    if find_spec("pygls") is None:
        way_out = "pip install 'rtfs-framework[lsp]'"
        raise CommandLineError(MISSING, "the language server needs pygls, which is not installed", way_out)
    from rtfs_framework.cli.lsp.server import make_server

    return make_server(config)
