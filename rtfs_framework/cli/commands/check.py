"""`rtfs check FILE...`: everything that is wrong with programs, without running them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from rtfs_framework.cli.faults import FAILED, FINE
from rtfs_framework.cli.options import config_option, json_option, open_session
from rtfs_framework.cli.shown.data import line
from rtfs_framework.cli.sources import read_program
from rtfs_framework.cli.style import coloured

if TYPE_CHECKING:
    from rtfs_framework.lang.diagnostics import Diagnostic
    from rtfs_framework.lang.source import Source
    from rtfs_framework.orchestrator.explain import ExplainedSite
    from rtfs_framework.orchestrator.session import Session


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@json_option
@config_option
def command(files: tuple[str, ...], *, strict: bool, as_json: bool, config: str | None) -> int:
    """Find mistakes in programs without running them: each with its code, its place and a way out.

    Errors keep a program from running. Warnings are calls that this host cannot serve now (a key that is not set, a
    capability that is not granted). The exit code is 1 when there are errors.
    """
    found = [diagnostic for file in files for diagnostic in _check(file, config)]
    errors = sum(each.severity == "error" for each in found)
    warnings = len(found) - errors
    failed = bool(errors or (strict and warnings))
    if as_json:
        data = [each.to_json() for each in found]
        click.echo(line({"diagnostics": data, "files": len(files), "errors": errors, "warnings": warnings}))
    else:
        _show(found, len(files), errors, warnings)
    return FAILED if failed else FINE


def _check(file: str, config: str | None) -> list[Diagnostic]:
    source = read_program(file)
    with open_session(file, config, journal=False) as session:
        found = session.check(source)
        if not any(each.severity == "error" for each in found):
            found += unusable_sites(session, source)
    return sorted(found, key=lambda each: each.span.start if each.span else 0)


def unusable_sites(session: Session, source: Source) -> list[Diagnostic]:
    """Return a warning for every call that would fail here and now."""
    return [_warning(site, source) for site in session.explain(source) if not site.usable]


def _warning(site: ExplainedSite, source: Source) -> Diagnostic:
    from rtfs_framework.lang.diagnostics import Diagnostic
    from rtfs_framework.lang.source import Span

    start = sum(len(each) + 1 for each in source.text.split("\n")[: site.place.line - 1]) + site.place.column - 1
    problem, _, way_out = site.problem.partition("; ")
    return Diagnostic(
        code=_code(site),
        message=f"the call of {site.name} would fail: {problem}",
        source=source,
        span=Span(start, start + max(1, len(site.name))),
        help=way_out or None,
        kind="HostError",
        severity="warning",
    )


def _code(site: ExplainedSite) -> str:
    """Return the code that the call's error would carry."""
    if site.kind == "function":
        return {"policy": "E0710", "hint": "E0604" if site.provider else "E0712"}.get(site.source, "E0604")
    return "E0710" if site.target == "denied" else "E0711"


def _show(found: Sequence[Diagnostic], files: int, errors: int, warnings: int) -> None:
    for each in found:
        click.echo(coloured(each.render()))
    count = f"{files} file{'' if files == 1 else 's'}"
    if not found:
        click.echo(f"{count} checked, nothing found")
        return
    click.echo(f"{count} checked, {errors} error{_s(errors)}, {warnings} warning{_s(warnings)}")


def _s(count: int) -> str:
    return "" if count == 1 else "s"
