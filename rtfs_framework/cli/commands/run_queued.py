"""`rtfs run --queued`: a run is ordered, and a worker does it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rtfs_framework.cli.options import environment
from rtfs_framework.cli.queues import placed
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.terminal import say

if TYPE_CHECKING:
    from rtfs_framework.lang.source import Source
    from rtfs_framework.orchestrator.session import Session


def run_queued(session: Session, source: Source, texts: Sequence[Any], options: dict[str, Any]) -> None:
    """Put a run into the queue, and print its id.

    Raises:
        InputError: E0617, the queue cannot be used; E0618, it is full; E0908, the arguments do not fit.
        JobError: E0927, its key or the whole order is too large.
        LanguageError: The program was refused.
    """
    from rtfs_framework.cli.commands.run_once import check_main, linked_with_notices
    from rtfs_framework.orchestrator.working.jobs import order

    linked = linked_with_notices(session, source)
    main = linked.instance.function("main")
    if main is not None or texts:
        check_main(main, linked.artifact.source, len(texts), f"{len(texts)} given on the command line")
    item = order(session, source, tuple(texts), priority=options["priority"] or 0, key=options["key"] or "")
    found = placed(session, item, environment())
    if options["as_json"]:
        put_json({"id": found.id, "new": found.new})
    else:
        say(found.id)
