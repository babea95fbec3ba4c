"""A plan as the file that people review, and what differs between two.

In: a plan. Out: TOML with a comment for each entry, or lines that begin with - and +.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rtfs_framework.api.targets import ExecTarget
from rtfs_framework.lang.visible import visible_line
from rtfs_framework.orchestrator.config.routes import target_text
from rtfs_framework.orchestrator.running.pinning import VERSION

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.deciding.pinned import Pinned
    from rtfs_framework.orchestrator.explaining.planning.planning import PlannedSite, ProgramPlan

_MOST_WHY = 300


def plan_text(plan: ProgramPlan) -> str:
    """Return the file of a plan."""
    name = visible_line(plan.program)
    lines = [
        f"# Where the calls of {name} go. To go by it: rtfs run {name} --plan THIS_FILE",
        "# A `target` may be changed by hand, to any that the policy allows. The digests say what it was made for:",
        "# where a function, the policy or a target has changed since, it is refused (`rtfs plan FILE --update`).",
        f"version = {VERSION}",
        f"program = {_text(plan.program)}",
        "",
        "[policy]",
        *(f"{_text(name)} = {_text(digest)}" for name, digest in plan.policy.items()),
        "",
        "[candidates]",
        *(f"{_text(name)} = {_text(digest)}" for name, digest in plan.candidates.items()),
    ]
    for site in plan.sites:
        lines += ["", *_site(site)]
    return "\n".join(lines) + "\n"


def _site(site: PlannedSite) -> Iterator[str]:
    inside = f", inside {visible_line(site.inside)}" if site.inside else ""
    mark = "" if site.target is not None else "# "
    if site.source and site.target is None:
        yield f"# {visible_line(site.symbol)} at {visible_line(site.at)}{inside}: {_short(site.why)}"
        return
    if site.target is None:
        yield f"# Left to each call{inside}: {_short(site.why)}"
    else:
        yield f"# {site.source}{inside}: {_short(site.why)}"
    if site.looked_at:
        yield f"# looked at: {', '.join(site.looked_at)}"
    yield f"{mark}[[site]]"
    yield f"{mark}function = {_text(site.symbol)}"
    yield f"{mark}at = {_text(site.at)}"
    yield f"{mark}target = {_text('local-pure' if site.target is None else target_text(site.target))}"
    yield f"{mark}digest = {_text(site.function)}"


def difference(before: Pinned, now: ProgramPlan) -> list[str]:
    """Return what a new plan says otherwise than the one before, as lines that begin with - and +."""
    then = {(each.symbol, each.place): each.target for each in before.pins}
    found = {(each.symbol, each.at): each.target for each in now.sites if each.target is not None}
    lines: list[str] = []
    for symbol, place in dict.fromkeys((*then, *found)):
        old, new = _shown(then, symbol, place), _shown(found, symbol, place)
        if old != new:
            at = f" at {visible_line(place)}" if place else ""
            lines += [f"- {visible_line(symbol)}{at}: {old}"] if old else []
            lines += [f"+ {visible_line(symbol)}{at}: {new}"] if new else []
    return lines


def _shown(targets: Mapping[tuple[str, str], ExecTarget], symbol: str, place: str) -> str:
    target = targets.get((symbol, place))
    return "" if target is None else target_text(target)


def _short(text: str) -> str:
    shown = visible_line(text)
    return shown if len(shown) <= _MOST_WHY else f"{shown[:_MOST_WHY]}..."


def _text(text: str) -> str:
    """Return a text as TOML writes it: what JSON escapes, TOML reads, and DEL must be escaped, too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
