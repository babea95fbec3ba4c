"""What `rtfs check` tells of a program that would run: the purity of its functions, and the calls that leave it."""

from __future__ import annotations

from rtfs_framework.cli.style import Part, bold, yellow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from rtfs_framework.lang.signature import FunctionEffect
    from rtfs_framework.lang.source import Place
    from rtfs_framework.orchestrator.explaining.checked import Checked
    from rtfs_framework.orchestrator.explaining.explain import ExplainedSite
    from rtfs_framework.orchestrator.explaining.market.needs import Need


def purity_lines(file: str, checked: Checked) -> Iterator[list[Part]]:
    """Yield a program's section: a line per function that is not pure, the pure ones in one, then the calls."""
    pure = [each.name for each in checked.effects if each.purity.value == "pure"]
    if pure:
        alone = len(pure) == len(checked.effects)
        verb = "is" if len(pure) == 1 else "are"
        yield [f"{file}: ", *_listed(pure), f" {verb} pure{_all(pure) if alone else ''}"]
    for each in checked.effects:
        if each.purity.value != "pure":
            yield [f"{file}: ", bold(each.name), f" is {each.purity.value}: {_reasons(each)}"]
    kept = [each.name for each in checked.effects if each.memoised]
    if kept:
        yield [f"{file}: the values of ", *_listed(kept), " are kept across runs (^:memo)"]
    for site in checked.sites:
        yield [f"{site.place}: {site.name} leaves the kernel: ", _answer(site)]
    for need in checked.needs:
        yield [f"{file}: ", *need_parts(need)]


def need_parts(need: Need) -> Iterator[Part]:
    """Yield one line about a capability that a program needs: what it does, whether it may, and what to do else."""
    yield "needs "
    yield bold(need.id or "capabilities whose names it computes")
    if need.effects:
        yield f" ({', '.join(need.effects)})"
    if need.lacking:
        yield ": "
        yield yellow(need.state if need.why == need.state else f"{need.state}: {need.why}")
        yield f"; {need.way_out}"
        if need.keys:
            yield f"; a grant may say {', '.join(map(str, need.keys))}"
    else:
        yield f": {need.why}" + (f", offered by {need.provider}" if need.provider else "")


def _listed(names: list[str]) -> Iterator[Part]:
    shown = list(dict.fromkeys(names))
    for number, name in enumerate(shown, 1):
        if number > 1:
            yield " and " if number == len(shown) else ", "
        yield bold(name)


def _all(pure: list[str]) -> str:
    return "" if len(pure) == 1 else " (all functions)"


def _reasons(effect: FunctionEffect) -> str:
    return "; ".join(f"{each.text} (line {each.place.line})" for each in effect.because) or "its calls may go elsewhere"


def _answer(site: ExplainedSite) -> Part:
    if not site.usable:
        return yellow(f"nothing provides it now ({site.problem.partition('; ')[0]})")
    if site.fault:
        return yellow(f"the engine could not be asked ({site.fault})")
    if site.may_go_to:
        return f"{site.target} (may go to {', '.join(site.may_go_to)})"
    second = "" if site.hedge is None else f", {site.hedge}"
    return f"{site.target}, answered by {site.provider}{second}" if site.provider else site.target


def program_json(file: str, checked: Checked) -> dict[str, Any]:
    """Return a program's section as JSON-ready data."""
    functions = [
        {
            "name": each.name,
            "purity": each.purity.value,
            **_place(each.place),
            "because": [{"text": reason.text, **_place(reason.place)} for reason in each.because],
            **({"memoised": True} if each.memoised else {}),
        }
        for each in checked.effects
    ]
    sites = [
        {"name": each.name, "kind": each.kind, "inside": each.inside, **_place(each.place), "target": each.target}
        | {"provider": each.provider or None, "usable": each.usable, "problem": each.problem or None}
        | {"hedge": None if each.hedge is None else each.hedge.to_json()}
        | {"depends_on": list(each.depends_on), "may_go_to": list(each.may_go_to), "fault": each.fault or None}
        for each in checked.sites
    ]
    needs = [each.to_json() for each in checked.needs]
    labels = {} if checked.seen is None else {"labels": [each.to_json() for each in checked.seen]}
    return {
        "file": file,
        "accepted": checked.accepted,
        "functions": functions,
        "calls": sites,
        "needs": needs,
        **labels,
    }


def _place(place: Place) -> dict[str, Any]:
    return {"file": place.source, "line": place.line, "column": place.column}
