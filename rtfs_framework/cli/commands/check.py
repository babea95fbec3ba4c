"""`rtfs check FILE...`: everything that is wrong with programs, without running them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs
import click

from rtfs_framework.cli.faults import FAILED, FINE
from rtfs_framework.cli.limits import nesting_limit, nesting_option
from rtfs_framework.cli.notices import problems_json
from rtfs_framework.cli.options import config_option, json_option, open_session
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.shown.findings import findings_text, in_order, numbers
from rtfs_framework.cli.shown.purity import program_json
from rtfs_framework.cli.sources import read_program
from rtfs_framework.cli.terminal import tell

if TYPE_CHECKING:
    from rtfs_framework.lang.diagnostics import Diagnostic
    from rtfs_framework.lang.source import Source
    from rtfs_framework.orchestrator.explaining.checked import Checked
    from rtfs_framework.orchestrator.explaining.explain import ExplainedSite
    from rtfs_framework.orchestrator.explaining.seen import SeenSite
    from rtfs_framework.orchestrator.session import Session


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@click.option(
    "--labels", is_flag=True, help="Tell what may be seen at each call, which marks that has, and who takes it."
)
@nesting_option()
@json_option
@config_option
def command(
    files: tuple[str, ...], *, strict: bool, labels: bool, nesting: int | None, as_json: bool, config: str | None
) -> int:
    r"""Find mistakes in programs without running them: each with its code, its place and a way out.

    Errors keep a program from running. Warnings are parts that can never run, and calls that this host cannot serve now
    (a key that is not set, a capability that is not granted). Hints are names that nothing uses. Of every program that
    would run, the purity of its functions and the calls that leave it are told. The exit code is 1 when there are
    errors.

    With --labels, every place that asks the host is told with the columns, answers and context values on which its
    arguments, and whether it is reached, depend; the marks that these have here; the places by which they come; and the
    targets that accept such a call.

    \b
    Examples:
      rtfs check plan.rtfs helpers.rtfs
      rtfs check --labels --config delegation.toml plan.rtfs
      rtfs check --labels --json plan.rtfs
    """
    sessions: list[Session] = []
    checked = [(file, _check(file, config, nesting, sessions.append, labels=labels)) for file in files]
    found = [each for _, one in checked for each in one.diagnostics]
    count = numbers(found)
    code = FAILED if count["error"] or (strict and count["warning"]) else FINE
    if as_json:
        data: dict[str, Any] = {"diagnostics": [each.to_json() for each in found], "files": len(files)}
        data["problems"] = problems_json()
        data |= {f"{word}s": number for word, number in count.items()}
        put_json({**data, "programs": [program_json(file, one) for file, one in checked]})
        return code
    shown = {colour: findings_text(checked, colour=colour) for colour in (False, True)}
    tell(shown.__getitem__)
    if len(files) == 1 and files != ("-",) and not (strict or labels or nesting or config):
        from rtfs_framework.cli.remember import remember_check

        remember_check(sessions[0], checked[0][1], (code, shown[False], shown[True]))
    return code


def _check(
    file: str, config: str | None, nesting: int | None, opened: Callable[[Session], object], *, labels: bool
) -> Checked:
    source = read_program(file)
    with open_session(file, config, journal=False, limits=nesting_limit(nesting)) as session:
        opened(session)
        checked = session.examine(source)
        if labels:
            checked = attrs.evolve(checked, seen=_seen(session, source))
    found = [*checked.diagnostics, *(unusable_sites(checked) if checked.accepted else ())]
    return attrs.evolve(checked, diagnostics=in_order(found))


def _seen(session: Session, source: Source) -> tuple[SeenSite, ...]:
    """Return what may be seen at each place of a program; nothing of one that is refused."""
    from rtfs_framework.lang.errors import LanguageError
    from rtfs_framework.orchestrator.explaining.seen import seen

    try:
        return session.portal.call(lambda _: seen(session.host, source, session.limits))
    except LanguageError:
        return ()


def unusable_sites(checked: Checked) -> list[Diagnostic]:
    """Return a warning for every call that would fail here and now, an error where the engine cannot be asked."""
    found = [_warning(site, checked) for site in checked.sites if not site.usable]
    return [*found, *(_unasked(site, checked) for site in checked.sites if site.fault)]


def _unasked(site: ExplainedSite, checked: Checked) -> Diagnostic:
    found = _warning(site, checked)
    message = f"nobody knows where calls of {site.name} go: the engine could not be asked; {site.fault}"
    return attrs.evolve(found, code="E0801", message=message, help="`rtfs plugins` names the plugin", severity="error")


def _warning(site: ExplainedSite, checked: Checked) -> Diagnostic:
    from rtfs_framework.lang.diagnostics import Diagnostic
    from rtfs_framework.lang.source import Span

    source = checked.source(site.place.source)
    start = sum(len(each) + 1 for each in source.text.split("\n")[: site.place.line - 1]) + site.place.column - 1
    problem, _, way_out = site.problem.partition("; ")
    return Diagnostic(
        code=_code(site),
        message=f"the call of {site.name} would fail: {problem}",
        source=source,
        span=Span(start, start + max(1, len(site.name)), checked.sources.index(source)),
        help=way_out or None,
        kind="HostError",
        severity="warning",
    )


def _code(site: ExplainedSite) -> str:
    """Return the code that the call's error would carry."""
    if site.kind == "function":
        return {"policy": "E0710", "hint": "E0604" if site.provider else "E0712"}.get(site.source, "E0604")
    return "E0710" if site.target == "denied" else "E0711"
