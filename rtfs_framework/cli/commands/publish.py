"""`rtfs publish`: signs a program, or one function of it, and sends it to a store."""

from __future__ import annotations

import time
from hashlib import sha256
from pathlib import PurePath
from typing import TYPE_CHECKING

import click

from rtfs_framework.cli.options import config_option, environment, json_option, open_session
from rtfs_framework.cli.problems import FAILED, problem
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.sources import read_program
from rtfs_framework.cli.terminal import say

if TYPE_CHECKING:
    from rtfs_framework.kernel.publishing import Published
    from rtfs_framework.lang.source import Source
    from rtfs_framework.orchestrator.remembering.published.pointers import Pointer

NOT_PUBLISHABLE = "E0770"


@click.command()
@click.argument("file")
@click.option("--function", metavar="NAME", help="Only this function, with all that it needs.")
@click.option("--store", metavar="NAME", required=True, help="Where to: a store of the configuration.")
@click.option("--key", metavar="NAME", required=True, help="Signed by which of your keys.")
@json_option
@config_option
def command(file: str, function: str | None, store: str, key: str, *, as_json: bool, config: str | None) -> None:
    """Publish a program that asks nothing of its host: its IR, found by its digest and signed.

    Others who trust the key may run it in place of a function of the same name, types and documentation.

    \b
    rtfs publish score.rtfs --function score --store team --key release
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework import __version__
    from rtfs_framework.kernel.publishing import NotPublishableError, publish
    from rtfs_framework.lang.published.rows import PublishedError
    from rtfs_framework.orchestrator.performing.published import ring_of
    from rtfs_framework.orchestrator.performing.stores import opened_store, spec_of
    from rtfs_framework.orchestrator.remembering.published.pointers import signed
    from rtfs_framework.orchestrator.remembering.published.stores import send
    from rtfs_framework.orchestrator.running.module_path import finder

    source = read_program(file)
    with open_session(file, config, journal=False) as session:
        spec, found = session.host.config, finder(source, session.host.config.module_path)
        try:
            made = publish(source, function, __version__, find_module=found)
        except NotPublishableError as error:
            where = f"{error.place}: " if error.place is not None else ""
            way_out = "publish a function that asks nothing of its host: --function NAME"
            raise problem(NOT_PUBLISHABLE, f"{where}{error.reason}", way_out, exit_code=FAILED) from None
        signer = ring_of(spec.publishing, environment()).signer(key, environment().get)
        try:
            pointer, record = signed(_pointer(made, source, spec.publishing.salt, __version__), signer)
        except PublishedError as error:
            way_out = "shorten the documentation, or give the file a plain name"
            raise problem(NOT_PUBLISHABLE, error.reason, way_out, exit_code=FAILED) from None
        with opened_store(spec_of(spec, store), session.host.catalog, environment()) as opened:
            new = send(opened, pointer, record, made.blob)
    if as_json:
        put_json({**pointer_json(pointer), "store": store, "sent": new})
    else:
        say(f"published {pointer.signature.splitlines()[0]}")
        say(f"  l4-{pointer.artifact}@{pointer.key}")
        say(f"  {pointer.size:,} bytes in {store}{'' if new else ', which had them'}; signed by {key}")


def _pointer(made: Published, source: Source, salt: str, version: str) -> Pointer:
    from rtfs_framework.lang.published.face import face_digest, face_text
    from rtfs_framework.orchestrator.remembering.published.pointers import Pointer

    digest, signature = sha256(made.blob).hexdigest(), made.signature
    whole = signature is None
    name = PurePath(source.name).name if signature is None else signature.name
    return Pointer(
        face=digest if signature is None else face_digest(signature, made.types.get),
        artifact=digest,
        name=name,
        signature=name if signature is None else face_text(signature),
        whole=whole,
        size=len(made.blob),
        compiler=version,
        salt=salt,
        time=int(time.time()),
    )


def pointer_json(pointer: Pointer) -> dict[str, object]:
    """Return a pointer as JSON-ready data."""
    return {
        "target": f"l4-{pointer.artifact}@{pointer.key}",
        "name": pointer.name,
        "interface": pointer.signature,
        "face": pointer.face,
        "artifact": pointer.artifact,
        "whole": pointer.whole,
        "bytes": pointer.size,
        "format": pointer.format,
        "compiler": pointer.compiler,
        "signed_at": pointer.time,
        "key": pointer.key,
    }
