"""What the analysis says: the sources that may be seen at a call which leaves the program, and a way from each."""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Callable, Mapping
from rtfs_framework.lang.source import Place

SHAPE = "#"
"""The last word of a path that means no content: what kind of value stands there, and how many items it has."""


@records.frozen()
class Input:
    """What stands under constant keys of a parameter that the host fills (or of the items of it).

    `path` is the keys: ("text",) of a record, or of each of many records. It means all that is below, too.
    """

    path: tuple[str, ...]
    function: str = ""
    """The function that the host calls with it; "" for any that has a parameter of the name."""
    parameter: str = ""

    def __str__(self) -> str:
        keys = [f":{key}" for key in self.path if key != SHAPE]
        told = " ".join((self.parameter, *keys))
        return f"the shape of {told}" if self.path[-1:] == (SHAPE,) else told


@records.frozen()
class Parameter:
    """A whole argument with which the host calls a function: main's, or a record. Nothing unless the host does."""

    function: str
    name: str

    def __str__(self) -> str:
        return self.name


@records.frozen()
class ReplyOf:
    """What the host answered at a place, errors included: of a call, of a read of its context, or of a free name."""

    site: str

    def __str__(self) -> str:
        return f"the reply at {self.site}"


@records.frozen()
class Context:
    """A value of the host's context; "" for one whose name is computed."""

    name: str

    def __str__(self) -> str:
        return f"the context's {self.name}" if self.name else "the context"


Source = Input | Parameter | ReplyOf | Context
"""Where marks may come from."""


@records.frozen(eq=False)
class Flow:
    """What may be seen at one place that asks the host."""

    site: str
    """The place as `file:line:column`, which is that of the `HostCall`."""
    sources: frozenset[Source] | None
    """What its arguments, the hints in force and whether it is reached depend on; None: all that the run has seen."""
    why: Mapping[Source, tuple[str, ...]]
    """For each source the places that it comes by, the call itself last; empty where nobody asked for them."""
    whole: frozenset[Source] = frozenset()
    """Those whose data is in the arguments as the host gave it, or a column of it, and which tell nothing otherwise."""


@records.frozen(eq=False)
class Flows:
    """The flows of a program, by place. Plain data: sets of sources are bits of integers."""

    sources: tuple[Source, ...]
    masks: Mapping[str, int]
    """The sources of each place that may ask the host."""
    entries: tuple[str, ...] = ()
    """The functions that the host may call by name; when it calls another one, nothing here holds: all floats."""
    explain: Callable[[str, int], tuple[str, ...]] | None = None
    """By which way a source, by its number, comes to a place."""
    changed: Mapping[str, int] = records.field(factory=dict)
    """Of the sources of each place those that are there in another way than as the host gave them."""
    remembers: bool = True
    """Whether functions may keep what they were given for other calls into the program, and for other branches."""
    _known: dict[str, Flow] = records.field(factory=dict, init=False, repr=False)

    def of(self, place: Place | str | None) -> Flow | None:
        """Return what may be seen at a place; None where nothing is known of it, so that all may be."""
        site = str(place)
        found = self._known.get(site)
        if found is None and site in self.masks:
            found = self._known[site] = self._flow(site)
        return found

    def _flow(self, site: str) -> Flow:
        mask = self.masks[site]
        numbers, whole = _numbers(mask), _numbers(mask & ~self.changed.get(site, mask))
        way = self.explain
        why = {} if way is None else {self.sources[number]: way(site, number) for number in reversed(numbers)}
        named = self.sources.__getitem__
        return Flow(site, frozenset(map(named, numbers)), why, frozenset(map(named, whole)))


def _numbers(mask: int) -> list[int]:
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found
