"""`rtfs stores list|verify|gc`: the stores of published programs."""

from __future__ import annotations

import click

from rtfs_framework.cli.options import config_option, environment, json_option, open_session
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.terminal import say


@click.group()
def command() -> None:
    """Look through stores of published programs, and take out what nothing points to.

    \b
    rtfs stores list
    rtfs stores verify team
    """  # noqa: D301 - click's \b is a backspace


@command.command("list")
@json_option
@config_option
def list_command(*, as_json: bool, config: str | None) -> None:
    """List the stores that are configured.

    \b
    rtfs stores list
    rtfs stores list --json
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.orchestrator.performing.stores import reading

    with open_session(None, config, journal=False) as session:
        spec, read = session.host.config.publishing, {each.name for each in reading(session.host.config)}
        rows = [{"name": each.name, "plugin": each.plugin, "read": each.name in read} for each in spec.stores]
    if as_json:
        put_json({"stores": rows})
        return
    for row in rows:
        say(f"{row['name']}  {row['plugin']}{'' if row['read'] else '  not read by rtfs fetch'}")
    if not rows:
        say('no store is configured: add  [stores.team]  plugin = "directory"')


@command.command()
@click.argument("name")
@json_option
@config_option
def verify(name: str, *, as_json: bool, config: str | None) -> int:
    """Verify every pointer of your trust domain and the program behind it. The exit code is 1 where one is not good.

    \b
    rtfs stores verify team
    rtfs stores verify team --json
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.orchestrator.performing.stores import opened_store, spec_of
    from rtfs_framework.orchestrator.remembering.published.stores import verify as look_through

    with open_session(None, config, journal=False) as session:
        shelf = session.host.dispatcher.shelf.shelf
        with opened_store(spec_of(session.host.config, name), session.host.catalog, environment()) as store:
            good, wrong = look_through(store, shelf.salt, shelf.ring.listed())
    if as_json:
        told = [{"name": each.name, "kind": each.kind, "reason": each.reason} for each in wrong]
        put_json({"store": name, "good": good, "wrong": told})
    else:
        for each in wrong:
            say(f"{each.kind}: {each.name}: {each.reason}")
        say(f"{good:,} good, {len(wrong):,} not")
    return 1 if wrong else 0


@command.command()
@click.argument("name")
@click.option("--revoked", is_flag=True, help="Take out what only revoked keys have signed, too.")
@click.option("--dry-run", is_flag=True, help="Only say what would be taken out.")
@json_option
@config_option
def gc(name: str, *, revoked: bool, dry_run: bool, as_json: bool, config: str | None) -> None:
    """Take out programs that no pointer leads to, of whatever trust domain.

    \b
    rtfs stores gc team --dry-run
    rtfs stores gc team --revoked
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.orchestrator.performing.stores import opened_store, spec_of
    from rtfs_framework.orchestrator.remembering.published.stores import sweep

    with open_session(None, config, journal=False) as session:
        keys = session.host.dispatcher.shelf.shelf.ring.listed()
        with opened_store(spec_of(session.host.config, name), session.host.catalog, environment()) as store:
            swept = sweep(store, keys, revoked=revoked, dry=dry_run)
    if as_json:
        put_json(
            {"store": name, "dry_run": dry_run, "pointers": swept.pointers, "blobs": swept.blobs, "kept": swept.kept}
        )
    else:
        what = "would take out" if dry_run else "took out"
        say(f"{what} {len(swept.pointers):,} pointers and {len(swept.blobs):,} programs; {swept.kept:,} are kept")
