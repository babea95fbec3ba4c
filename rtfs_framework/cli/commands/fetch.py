"""`rtfs fetch`: gets published programs from stores, once their signatures, digests and interfaces are verified."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rtfs_framework.cli.commands.publish import pointer_json
from rtfs_framework.cli.options import config_option, environment, json_option, open_session
from rtfs_framework.cli.problems import problem
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.terminal import complain, say

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.remembering.published.pointers import Pointer
    from rtfs_framework.orchestrator.remembering.published.stores import Finding
    from rtfs_framework.orchestrator.session import Session

NOTHING_FOUND = "E0771"
_Offer = tuple[str, "Pointer", bytes]


@click.command()
@click.argument("name", metavar="NAME|DIGEST", required=False)
@click.option("--store", metavar="NAME", multiple=True, help="Where from (default: [publishing] read, else all).")
@click.option("--list", "only", is_flag=True, help="Show what there is, and fetch nothing.")
@json_option
@config_option
def command(name: str | None, store: tuple[str, ...], *, only: bool, as_json: bool, config: str | None) -> None:
    """Get published programs whose keys are trusted: by the function's name, or by the digest or the beginning of it.

    Each is verified and compiled here before it is kept; then the target l4 may stand for it.

    \b
    rtfs fetch --list
    rtfs fetch score
    """  # noqa: D301 - click's \b is a backspace
    if name is None and not only:
        raise click.UsageError("say which (NAME or DIGEST), or --list")
    with open_session(None, config, journal=False) as session:
        refused: list[Finding] = []
        offers = [each for each in _offers(session, store, refused) if name is None or _fits(each[1], name)]
        kept = offers if only else _kept(session, offers, refused)
    if as_json:
        told = [{"name": each.name, "kind": each.kind, "reason": each.reason} for each in refused]
        put_json({"programs": [{**pointer_json(p), "store": s} for s, p, _ in kept], "refused": told})
    else:
        for found_in, pointer, _ in kept:
            say(f"{'' if only else 'fetched '}{pointer.name}  l4-{pointer.artifact}@{pointer.key}  from {found_in}")
            if not only:
                say(f"  {_use_of(pointer)}")
        for each in refused:
            complain(f"refused {each.name}: {each.reason}")
    if not kept and not only:
        way_out = "rtfs fetch --list shows what there is; rtfs keys trust says whose count"
        raise problem(NOTHING_FOUND, f"no program that is trusted fits '{(name or '')[:80]}'", way_out)


def _offers(session: Session, names: tuple[str, ...], refused: list[Finding]) -> list[_Offer]:
    from rtfs_framework.orchestrator.performing.stores import opened_store, reading, spec_of
    from rtfs_framework.orchestrator.remembering.published.stores import offered

    host, shelf = session.host, session.host.dispatcher.shelf.shelf
    found: list[_Offer] = []
    for spec in [spec_of(host.config, each) for each in names] if names else reading(host.config):
        with opened_store(spec, host.catalog, environment()) as store:
            found += [(spec.name, *each) for each in offered(store, shelf.salt, shelf.ring.listed(), refused)]
    return found


def _kept(session: Session, offers: list[_Offer], refused: list[Finding]) -> list[_Offer]:
    """Fetch what is offered; what is not what was signed is refused, and the others go on."""
    from rtfs_framework.lang.errors import LimitError
    from rtfs_framework.lang.published.rows import PublishedError
    from rtfs_framework.orchestrator.performing.stores import opened_store, spec_of
    from rtfs_framework.orchestrator.remembering.published.stores import Finding, checked

    host = session.host
    kept: list[_Offer] = []
    for offer in offers:
        name, pointer, record = offer
        with opened_store(spec_of(host.config, name), host.catalog, environment()) as store:
            try:
                blob = checked(store, pointer)
            except (PublishedError, LimitError) as error:
                refused.append(Finding(name=pointer.place, kind="broken", reason=str(error)))
                continue
        host.dispatcher.shelf.shelf.put(pointer, record, blob)
        kept.append(offer)
    return kept


def _use_of(pointer: Pointer) -> str:
    """Return how a program is run that is here now."""
    if pointer.whole:
        return f"run it: rtfs run l4-{pointer.artifact[:12]}"
    return f'run it in place of a function of its interface: {pointer.name} = ["l4"] in [delegation.static_routes]'


def _fits(pointer: Pointer, name: str) -> bool:
    digest = name.removeprefix("l4-").partition("@")[0]
    return pointer.name == name or (len(digest) >= 8 and pointer.artifact.startswith(digest))
