"""`rtfs ui`: a local page about runs, their calls, and what this host holds."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import click

from rtfs_framework.cli.faults import FINE, CommandLineError
from rtfs_framework.cli.journals import journal
from rtfs_framework.cli.options import config_option, json_option
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.sources import read_program
from rtfs_framework.cli.terminal import complain, say

if TYPE_CHECKING:
    import socket

MISSING, NO_ADDRESS = "E0991", "E0924"
_PORT = 8643
_HOST = "127.0.0.1"


@click.command()
@click.argument("file", required=False, metavar="[FILE]")
@click.option("--port", default=_PORT, show_default=True, type=click.IntRange(0, 65535), metavar="N",
              help="The port; 0 for any that is free.")  # fmt: skip
@click.option("--open", "browser", is_flag=True, help="Open the page in the browser.")
@click.option("--read-only", is_flag=True, help="Nothing can be run or approved from the page.")
@json_option
@config_option
def command(file: str | None, *, port: int, browser: bool, read_only: bool, as_json: bool, config: str | None) -> int:
    """Show runs, decisions, caches, breakers, budgets, tickets and approvals as a page of this machine; edit FILE.

    It listens on 127.0.0.1 alone. The address that is printed lets one browser in, once: then the terminal shows the
    next one. A program runs there as `rtfs run` runs it. Ctrl-C ends it. It needs `pip install 'rtfs-framework[ui]'`.

    \b
    rtfs ui --open
    rtfs ui triage.rtfs --port 9000
    rtfs ui --read-only --json
    """  # noqa: D301 - click's \b is a backspace
    require_extra("the page", ("jinja2", "starlette", "uvicorn"))
    from rtfs_framework.cli.ui.app import Pages, make_app
    from rtfs_framework.cli.ui.door import Door
    from rtfs_framework.cli.ui.editor import EXAMPLE, Editor
    from rtfs_framework.cli.ui.serving import serve

    program = EXAMPLE if file is None else read_program(file).text
    path = journal(config)
    listener = _listener(port)
    door = Door(listener.getsockname()[1], read_only, _next_link)
    editor = Editor(config, file)
    app = make_app(Pages(door, path, config, editor, program), click.get_current_context())

    def ready() -> None:
        if as_json:
            put_json({"url": door.link, "origin": door.origin, "read_only": read_only, "journal": str(path)})
        else:
            say(f"open {door.link}")
            say("it works once; Ctrl-C ends the server")
        if browser:
            click.launch(door.link)

    serve(app, listener, ready, editor.stop)
    return FINE


def require_extra(what: str, modules: tuple[str, ...]) -> None:
    """Refuse a command whose libraries are not installed.

    Raises:
        CommandLineError: E0991.
    """
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        message = f"{what} needs {' and '.join(missing)}, which is not installed"
        raise CommandLineError(MISSING, message, "pip install 'rtfs-framework[ui]'")


def _next_link(link: str) -> None:
    complain(f"opened; for another browser: {link}")


def _listener(port: int) -> socket.socket:
    from rtfs_framework.server.sockets import listen

    try:
        return listen(_HOST, port)
    except OSError as error:
        message = f"cannot listen on {_HOST}, port {port}: {error.strerror or error}"
        raise CommandLineError(NO_ADDRESS, message, "choose another --port (0 is any that is free)") from None
