"""Options that several commands share, and opening the session that they name."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rtfs_framework.cli.limits import with_chosen
from rtfs_framework.cli.notices import notices
from rtfs_framework.cli.person import terminal_here
from rtfs_framework.cli.problems import require_file
from rtfs_framework.cli.terminal import complain
from rtfs_framework.lang.visible import visible_message

if TYPE_CHECKING:
    from rtfs_framework.api.approval import ApprovalRequest
    from rtfs_framework.orchestrator.session import Session

F = TypeVar("F", bound=Callable[..., Any])
_TRUST = "rtfs.trust"
_TENANT = "rtfs.tenant"
_SAID = "rtfs.said"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
"""Of a constraint that an option says: it becomes a part of a variable's name."""
_MOST_SHOWN = 400
"""Characters of arguments."""


def json_option(function: F) -> F:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs to read.")(function)


def quiet_option(function: F) -> F:
    """`--quiet`: hints are not printed."""

    def note(_context: click.Context, _: click.Parameter, given: bool) -> None:
        if given:
            notices().quiet = True

    text = "Print no hints, such as where calls go without a configuration."
    return click.option("--quiet", is_flag=True, expose_value=False, callback=note, help=text)(function)


def config_option(function: F) -> F:
    """`--config FILE`, `--trust` and `--tenant`."""
    text = "A configuration, laid over yours and the delegation.toml found beside the program or here."
    return click.option("--config", metavar="FILE", help=text)(trust_option(tenant_option(function)))


def trust_option(function: F) -> F:
    """`--trust`; whether it was given, `environment` tells."""

    def note(context: click.Context, _: click.Parameter, given: bool) -> None:
        if given:
            context.find_root().meta[_TRUST] = True

    text = "Take a delegation.toml that is found as trusted, this time (for CI; see `rtfs config trust`)."
    return click.option("--trust", is_flag=True, expose_value=False, callback=note, help=text)(function)


def tenant_option(function: F) -> F:
    """`--tenant ID`; what was given, `environment` tells."""

    def note(context: click.Context, _: click.Parameter, given: str | None) -> None:
        if given is not None:
            context.find_root().meta[_TENANT] = given

    text = "For whom: whose rules, routes and budgets count (default: RTFS_TENANT)."
    return click.option("--tenant", metavar="ID", expose_value=False, callback=note, help=text)(function)


def caller_options(function: F) -> F:
    """`--agent NAME` and `--constraint NAME=VALUE`; what was given, `environment` tells."""

    def agent(context: click.Context, _: click.Parameter, given: str | None) -> None:
        if given is not None:
            _say(context, "AGENT", given)

    def constraint(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> None:
        for each in given:
            name, found, value = each.partition("=")
            if not found or not _NAME.fullmatch(name):
                message = f"'{each}' is no constraint: write NAME=VALUE, such as --constraint latency=low"
                raise click.BadParameter(message, context, parameter)
            _say(context, f"CONSTRAINTS__{name.upper()}", value)

    of_agent = click.option(
        "--agent",
        metavar="NAME",
        expose_value=False,
        callback=agent,
        help="Who the host works for: engines may read it.",
    )
    of_constraint = click.option(
        "--constraint",
        metavar="NAME=VALUE",
        multiple=True,
        expose_value=False,
        callback=constraint,
        help="What is to be kept to, such as latency=low: engines may read it. Several times for several.",
    )
    return of_agent(of_constraint(function))


def caller_said() -> list[str]:
    """Return which of `caller_options` were given to this command, without their dashes."""
    keys = click.get_current_context().find_root().meta.get(_SAID, {})
    return sorted({"agent" if key.endswith("__AGENT") else "constraint" for key in keys})


def _say(context: click.Context, key: str, value: str) -> None:
    """Note a setting of `[security]` for this command, as its variable: a TOML text."""
    context.find_root().meta.setdefault(_SAID, {})[f"RTFS_SECURITY__{key}"] = json.dumps(value)


def environment() -> Mapping[str, str]:
    """Return the environment of this command: what its options say goes before its variables."""
    context = click.get_current_context(silent=True)
    said = {} if context is None else context.find_root().meta
    given = {"RTFS_TRUST": "1"} if said.get(_TRUST) else {}
    if _TENANT in said:
        given["RTFS_TENANT"] = said[_TENANT]
    given.update(said.get(_SAID, {}))
    return {**os.environ, **given} if given else os.environ


def plan_option(function: F) -> F:
    """`--plan FILE`."""
    return click.option("--plan", metavar="FILE", help="Go by a plan of this program that `rtfs plan` wrote.")(function)


def manifest_option(function: F) -> F:
    """`--manifest FILE`."""
    text = "Allow nothing beyond a manifest that `rtfs manifest` wrote and somebody signed off."
    return click.option("--manifest", metavar="FILE", help=text)(function)


def park_option(function: F) -> F:
    """`--park`."""
    text = "Do not wait with a run that must wait: end, and say how it is gone on with (exit code 75)."
    return click.option("--park", is_flag=True, help=text)(function)


def journal_option(function: F) -> F:
    """`--no-journal`."""
    return click.option(
        "--no-journal", "journal", is_flag=True, flag_value=False, default=True, help="Do not record what happens."
    )(function)


def open_session(
    program: str | None,
    config: str | None,
    *,
    journal: bool = True,
    parallel: int | None = None,
    limits: dict[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    plan: str | None = None,
    manifest: str | None = None,
) -> Session:
    """Open a session for a program's file; say which plugins have problems. `environ` is this command's when None.

    Raises:
        InputError: There is no such configuration, plan or manifest.
        ConfigError: The configuration, plan or manifest has mistakes, or goes beyond the manifest.
    """
    from rtfs_framework.orchestrator.config.permitted import installed
    from rtfs_framework.orchestrator.session import Session

    catalog = installed(os.environ, config_path(config))
    notices().tell_all(catalog.problems)
    session = Session.open(
        config_path=config_path(config),
        program_dir=None if program in {None, "-"} else Path(str(program)).parent,
        catalog=catalog,
        journal=journal,
        parallel=parallel,
        environ=environment() if environ is None else environ,
        plan=asked_path(plan, "plan"),
        manifest=asked_path(manifest, "manifest"),
    )
    session.limits = with_chosen(session.limits, limits or {})
    notices().tell_findings(session.host.config.notices)
    notices().watch(session.host.events.faults)
    session.host.dispatcher.approvals.listeners.append(_say_what_waits)
    session.host.people.begin = terminal_here()
    session.host.people.listeners.append(_say_what_is_asked)
    return session


def _say_what_is_asked(question: str, run: str, name: str) -> None:
    """Say on stderr that a run waits for an answer, and how to give it. The question is shown on a terminal alone."""
    from rtfs_framework.lang.visible import visible_line
    from rtfs_framework.orchestrator.config.colour import is_terminal

    asked = visible_line(question[:_MOST_SHOWN]) if is_terminal(sys.stderr) else "..."
    complain(f"waiting for an answer: {asked}\n  help: rtfs runs signal {run[:12]} {name} TEXT")


def _say_what_waits(request: ApprovalRequest) -> None:
    """Say on stderr that a call waits for a person, and how to answer it. Arguments are shown on a terminal alone."""
    from rtfs_framework.lang.printer import write
    from rtfs_framework.lang.visible import visible_line
    from rtfs_framework.orchestrator.config.colour import is_terminal

    args = write(request.args)[1:-1] if is_terminal(sys.stderr) else "..."
    args = args if len(args) <= _MOST_SHOWN else f"{args[:_MOST_SHOWN]}..."
    who = f" for '{request.approver}'" if request.approver else ""
    call = f"({request.symbol} {args})".replace(" )", ")")
    complain(
        visible_line(f"waiting{who}: {call} -> {request.target}; no answer within {request.seconds:g} s means no")
        + f"\n  help: rtfs approve yes {request.id}   or   rtfs approve no {request.id}"
    )


def config_path(config: str | None) -> Path | None:
    """Return the path of a configuration that was asked for; raises as `asked_path` does."""
    return asked_path(config, "configuration")


def asked_path(text: str | None, what: str) -> Path | None:
    """Return the path of a file that was asked for.

    Raises:
        InputError: E0901, there is no such file.
    """
    if text is None:
        return None
    require_file(Path(text), what)
    return Path(text)


def warn(text: str) -> None:
    """Print a warning on stderr."""
    complain(f"warning: {visible_message(text)}")
