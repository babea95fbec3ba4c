"""`rtfs models pull`: fetch a file of a model, verified."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rtfs_framework.api.units import size
from rtfs_framework.cli.faults import Interrupted
from rtfs_framework.cli.options import environment, json_option
from rtfs_framework.cli.problems import OUTPUT, problem
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.shown.progress import Progress, wanted
from rtfs_framework.cli.terminal import say

if TYPE_CHECKING:
    from rtfs_framework.cli.pulling import Pull, Pulled

_BYTES = re.compile(r"[0-9]{1,18}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}")


def _digest(context: click.Context, parameter: click.Parameter, given: str | None) -> str:
    text = (given or "").lower().removeprefix("sha256:")
    if not text:
        message = "a file is taken only with its digest: --sha256 HEX, from where the file is published"
        raise click.UsageError(message, context)
    if not _DIGEST.fullmatch(text):
        raise click.BadParameter("a SHA-256 has 64 hexadecimal digits", context, parameter)
    return text


def _size(context: click.Context, parameter: click.Parameter, given: str | None) -> int | None:
    if given is None:
        return None
    found = int(given) if _BYTES.fullmatch(given) else size(given)
    if found is None or found < 1:
        raise click.BadParameter(f"{given!r:.40} is no size (1048576, 512M, 2G)", context, parameter)
    return int(found)


@click.command("pull")
@click.argument("url")
@click.option("--sha256", metavar="HEX", callback=_digest, help="What the whole file's digest must be. Never left out.")
@click.option("--out", metavar="FILE", help="Where it goes (default: `models` in your data folder).")
@click.option("--max-size", metavar="SIZE", callback=_size, help="Refuse what is larger (default: 64G).")
@click.option("--progress/--no-progress", default=None, help="Show how far it is (default: on a terminal).")
@json_option
def pull_command(
    *, url: str, sha256: str, out: str | None, max_size: int | None, progress: bool | None, as_json: bool
) -> None:
    """Fetch a file of a model by https, go on from what was fetched before, and verify it.

    The file has its name only once it is whole and its digest is right. Ctrl-C keeps what has arrived; the same command
    goes on from there. Plain http is for this machine alone.

    \b
    rtfs models pull https://models.example/phi.gguf --sha256 6f3b...
    rtfs models pull https://models.example/phi.gguf --sha256 6f3b... --out phi.gguf --max-size 4G
    """  # noqa: D301 - click's \b is a backspace
    from time import sleep

    from rtfs_framework.cli.pulling import USUAL_MOST, Pull, file_name
    from rtfs_framework.orchestrator.config.folders import data_dir

    path = data_dir(environment()) / "models" / file_name(url) if out is None else Path(out)
    shown = _Bar(wanted(progress) and not as_json)
    try:
        if path.is_dir():
            path /= file_name(url)
        pull = Pull(url=url, sha256=sha256, path=path, most=max_size or USUAL_MOST, tell=shown.tell, pause=sleep)
        with shown:
            found = _pulled(pull)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror or error}"
        raise problem(OUTPUT, message, "name another place: --out FILE") from error
    if as_json:
        plain: dict[str, Any] = {"path": str(found.path), "size": found.size, "sha256": sha256}
        put_json({**plain, "resumed": found.resumed, "was_there": found.was_there})
        return
    say(f"{found.path}: {'there already' if found.was_there else f'{found.size:,} bytes'}, verified")
    say(f"try it: RTFS_LOCAL_MODEL_PATH={found.path} rtfs models list")


def _pulled(pull: Pull) -> Pulled:
    try:
        return pull.run()
    except KeyboardInterrupt:
        kept = pull.part.stat().st_size if pull.part.exists() else 0
        message = f"({kept:,} bytes are kept in {pull.part}; the same command goes on from there)"
        raise Interrupted(message) from None


class _Bar:
    """A bar that begins when the size is known."""

    def __init__(self, shown: bool) -> None:
        self._shown = shown
        self._done = 0
        self._bar: Progress | None = None

    def __enter__(self) -> None:
        return None

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.__exit__(*error)

    def tell(self, done: int, total: int | None) -> None:
        """Show that so many bytes have arrived."""
        self._done = done
        if self._bar is None:
            self._bar = Progress(self._shown, total, lambda: self._done, "KiB")
            self._bar.__enter__()
        self._bar.update(done >> 10)
