"""`rtfs prompt`: what a model must know to write programs for this host."""

from __future__ import annotations

import click

from rtfs_framework.cli.faults import CommandLineError
from rtfs_framework.cli.options import config_option, json_option, open_session
from rtfs_framework.cli.problems import BAD_CHOICE
from rtfs_framework.cli.prompt_pack import DEFAULT_TOKENS, make_pack
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.terminal import put


@click.command()
@json_option
@config_option
@click.option("--max-tokens", type=click.IntRange(min=1), default=DEFAULT_TOKENS, show_default=True, help="The budget.")
@click.option("--no-host", is_flag=True, help="Describe the language alone, without what this host grants.")
def command(*, as_json: bool, config: str | None, max_tokens: int, no_host: bool) -> None:
    """Print a compact description of the language, and of the capabilities and models that this host grants.

    It is made to stand before a request for a program. Tokens are estimated at four characters each. What does not fit
    is left out, least used first, and counted at the end.

    \b
    rtfs prompt
    rtfs prompt --config delegation.toml --max-tokens 1200
    rtfs prompt --json | jq -r .prompt
    """  # noqa: D301 - click's \b is a backspace
    if no_host:
        pack = make_pack(None, max_tokens)
    else:
        with open_session(None, config, journal=False) as session:
            pack = make_pack(session.host, max_tokens)
    if pack is None:
        message = f"{max_tokens} tokens do not hold the rules, the examples and what the host grants"
        raise CommandLineError(
            BAD_CHOICE, message, "allow more with --max-tokens, or leave the host out with --no-host"
        )
    if as_json:
        put_json(pack.to_json())
    else:
        put(pack.text, end="")
