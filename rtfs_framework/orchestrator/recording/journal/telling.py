"""Before a value or an error is told, what its calls did is on disk, as far as the configuration says (`forcing`)."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from rtfs_framework.orchestrator.recording.journal.fault import JournalError

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.recording.journal.run import Chain


def force(chain: Chain | None) -> None:
    """Force what a run's journal owes.

    Raises:
        JournalError: The journal cannot be written, and calls are refused then.
    """
    if chain is not None and chain.journal.owes:
        chain.journal.commit()


@contextmanager
def telling(chain: Chain | None) -> Iterator[None]:
    """Force what is owed when the block is over, also by an error: that one is told, whatever the journal says.

    Raises:
        JournalError: The journal cannot be written, and calls are refused then.
    """
    try:
        yield
    except Exception:
        with suppress(JournalError):
            force(chain)
        raise
    force(chain)


async def told(chain: Chain | None, value: Awaitable[Any]) -> Any:
    """Await the value of a run, and the same; the event loop goes on meanwhile."""
    try:
        found = await value
    except Exception:
        with suppress(JournalError):
            await _forced(chain)
        raise
    await _forced(chain)
    return found


async def _forced(chain: Chain | None) -> None:
    if chain is not None and chain.journal.owes:
        await chain.journal.written()
