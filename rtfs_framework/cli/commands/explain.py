"""`rtfs explain FILE`: which calls can leave the kernel, where each would go now, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rtfs_framework.cli.code_page import is_code, show_code
from rtfs_framework.cli.faults import FAILED, FINE
from rtfs_framework.cli.limits import nesting_limit, nesting_option
from rtfs_framework.cli.notices import problems_json
from rtfs_framework.cli.options import caller_options, config_option, json_option, open_session, plan_option
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.sources import read_program, remember
from rtfs_framework.cli.style import Part, bold, yellow
from rtfs_framework.cli.terminal import say
from rtfs_framework.lang.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rtfs_framework.orchestrator.explaining.explain import ExplainedSite
    from rtfs_framework.orchestrator.explaining.whole_way import Way

_KINDS = {"function": "function", "capability": "capability", "host-name": "capability", "context": "host context"}


@click.command()
@click.argument("file", metavar="FILE")
@click.option("--call", "calls", multiple=True, metavar="CALL", help="Ask where this call goes, such as '(f \"x\" 1)'.")
@plan_option
@nesting_option()
@json_option
@config_option
@caller_options
def command(file: str, *, calls: tuple[str, ...], plan: str | None, nesting: int | None, **options: Any) -> int:
    """Show every call of a program that can leave the kernel: each step of the decision, the target, and why.

    Nothing runs. The steps are, in order: deny rules, the author's hint, a pinned plan, static routes, plans of the
    cache L1 (not looked at here), the engine, the default.

    Where the engine looks at arguments, that is said, with what it answers to some; --call asks with given ones, and
    shows the whole way: what is read, candidates, what excludes the others, guards, and what would follow a failure.
    The exit code is 1 when the engine cannot be asked.

    A code instead of a file, such as E0203, is explained with an example.
    """
    as_json = bool(options["as_json"])
    if is_code(file):
        show_code(file, as_json=as_json)
        return FINE
    source = read_program(file)
    asked = [remember(Source(f"<call {number}>", text)) for number, text in enumerate(calls, 1)]
    limits = nesting_limit(nesting)
    with open_session(file, options["config"], journal=False, limits=limits, plan=plan) as session:
        sites = [session.explain_call(source, each) for each in asked] if asked else session.explain(source)
        policy = session.host.policy_hash
    if as_json:
        found = [site.to_json() for site in sites]
        put_json({"file": file, "policy": policy, "sites": found, "problems": problems_json()})
    else:
        for site in sites:
            for parts in _lines(site):
                say(*parts)
            say()
        if not asked:
            say(_closing(sites))
    return FAILED if any(site.fault for site in sites) else FINE


def _lines(site: ExplainedSite) -> Iterator[tuple[Part, ...]]:
    inside = f", inside {site.inside}" if site.inside else ""
    yield f"{site.place}: ", bold(site.name), f" ({_KINDS.get(site.kind, site.kind)}{inside})"
    width = max((len(step) for step, _ in site.steps), default=0)
    for step, verdict in site.steps:
        yield (f"    {step:<{width}}  {verdict}",)
    for name, text in site.context:
        yield (f"    {name:<{width}}  {text}",)
    why = f", because of {site.reasoning}" if site.reasoning and site.usable else ""
    yield "  -> ", bold(site.target), why
    if site.hedge is not None:
        yield "     ", bold(str(site.hedge))
    for part in _unknown(site):
        yield (part,)
    for name, said in site.hints:
        yield (f"     hint {name} {said}",)
    for label, becomes in site.labels:
        yield (f"     where it carries {label}: {becomes}",)
    if site.way is not None:
        yield from _way(site.way)
    if site.provider:
        reuse = "; replies are reused" if site.reuse else ""
        yield (f"     answered by {site.provider}{reuse}",)
    if site.effects:
        yield (f"     effects: {', '.join(site.effects)}",)
    if not site.usable:
        yield (yellow(f"     not usable now: {site.problem}"),)


def _way(way: Way) -> Iterator[tuple[Part, ...]]:
    """Yield what is known of the whole way of one call."""
    lines = [("read", ": ".join(each)) for each in way.reads]
    lines += [("engines", " > ".join(way.path))] if way.path else []
    lines += [("candidate", ", ".join(filter(None, each))) for each in way.candidates]
    lines += [("excluded", ": ".join(each)) for each in way.excluded]
    lines += [("guards", ", ".join(way.guards))] if way.guards else []
    lines += [("memory", ": ".join(each)) for each in way.similar]
    lines += [("then", ": ".join(each)) for each in way.follows]
    for name, text in lines:
        yield (f"     {name:<10} {text}",)


def _unknown(site: ExplainedSite) -> Iterator[Part]:
    """Yield what is known of a call whose target is not."""
    if site.may_go_to:
        yield f"     may go to {', '.join(site.may_go_to)}"
    for args, target in site.examples:
        yield f"     for example {args}: {target}"
    if site.depends_on == ("arguments",):
        yield f"     ask with your own arguments: --call '({site.name} ...)'"
    if site.fault:
        yield yellow(f"     the engine could not be asked: {site.fault}")


def _closing(sites: list[ExplainedSite]) -> str:
    if not sites:
        return "no call of this program can leave the kernel"
    text = "1 call can leave the kernel" if len(sites) == 1 else f"{len(sites)} calls can leave the kernel"
    unusable, unasked = sum(not site.usable for site in sites), sum(bool(site.fault) for site in sites)
    text += f", {unusable} of them would fail now" if unusable else ""
    return text + (f"; of {unasked} the engine could not be asked" if unasked else "")
