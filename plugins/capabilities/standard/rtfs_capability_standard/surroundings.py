"""What a machine says that no program can know: its clock, chance, its variables; and a pause.

What comes back is kept in the journal, so a run that is gone on with sees what it saw.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from random import SystemRandom
from typing import TYPE_CHECKING, Any
from uuid import UUID

from rtfs_capability_standard.arguments import counted, named, text_of, wrong
from rtfs_framework.api import CapabilityRequest, Value, library, not_granted

if TYPE_CHECKING:
    from random import Random

_MOST_LEFT = 1.0
"""Seconds of a call's time that a pause leaves for all else."""
_MOST_MS = 86_400_000
"""Milliseconds of a pause, whatever time a call has."""


class Surroundings:
    """Reads a clock (seconds since the epoch), draws from a source of chance."""

    def __init__(self, now: Callable[[], float] = time.time, chance: Random | None = None) -> None:
        self._now = now
        self._chance = SystemRandom() if chance is None else chance

    def milliseconds(self, request: CapabilityRequest) -> Value:
        """Return milliseconds since the epoch."""
        counted(request, 0, 0, f"(call :{request.id})")
        return int(self._now() * 1000)

    def seconds(self, request: CapabilityRequest) -> Value:
        """Return seconds since the epoch."""
        counted(request, 0, 0, f"(call :{request.id})")
        return int(self._now())

    def timestamp(self, request: CapabilityRequest) -> Value:
        """Return a timestamp in UTC, to the millisecond."""
        counted(request, 0, 0, f"(call :{request.id})")
        found: Value = library("timestamp-from-ms")(int(self._now() * 1000))
        return found

    def uuid(self, request: CapabilityRequest) -> Value:
        """Return the text of a random UUID (version 4, RFC 9562)."""
        counted(request, 0, 0, f"(call :{request.id})")
        return str(UUID(int=self._chance.getrandbits(128), version=4))

    def random(self, request: CapabilityRequest) -> Value:
        """Return a number in [0, 1); of one integer n, an integer in [0, n); of two, one in [low, high).

        Raises:
            ProgramError: The bounds are no integers, or hold nothing between them.
        """
        usage = "(call :ccos.random), (call :ccos.random 6) or (call :ccos.random 1 7)"
        given = counted(request, 0, 2, usage)
        if not given:
            return self._chance.random()
        low, high = (0, given[0]) if len(given) == 1 else given
        if low.__class__ is not int or high.__class__ is not int or low >= high:
            raise wrong(request, "draws integers from the first bound up to below the second", usage)
        return self._chance.randrange(low, high)

    async def sleep(self, request: CapabilityRequest) -> None:
        """Wait for some milliseconds, within the time that a call has.

        Raises:
            ProgramError: That is no such number, or more time than there is.
        """
        import anyio

        (given,) = counted(request, 1, 1, f"(call :{request.id} 250)")
        if given.__class__ not in (int, float) or not given >= 0:
            raise wrong(request, "takes milliseconds, 0 or more", f"(call :{request.id} 250)")
        if given > _MOST_MS:  # compared before it is divided: an integer may be larger than any float
            raise wrong(request, "cannot wait for more than a day in one call", '(host/sleep "48h")')
        seconds = given / 1000
        if request.deadline is not None and seconds > request.deadline - _MOST_LEFT:
            problem = f"cannot wait {seconds:g} s in one call"
            raise wrong(request, problem, f'(host/sleep "{seconds:g}s"), which may outlive this process')
        await anyio.sleep(seconds)


def variable(environ: Callable[[str], str | None], request: CapabilityRequest) -> Value:
    """Return a variable of the host's environment, None where it is not set.

    Raises:
        CapabilityError: No grant names it.
    """
    usage = '(call :ccos.system.get-env "LANG")'
    (given,) = counted(request, 1, 1, usage)
    inner: Any = named(given, "name")
    name = text_of(request, given if inner is None else inner, usage)
    if not any(name in each.own.names for each in request.grants):
        raise not_granted(f"the variable {name!r}", f'add {{ id = "{request.id}", names = ["{name}"] }} to `grant`')
    return environ(name)
