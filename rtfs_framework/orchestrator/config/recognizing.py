"""The recognizers that a plug-in brings, held at arm's length: who offers one, and what it is told apart by.

In: a name of a rule's `recognizer`. Out: what finds; or why nothing of that name does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api import API_VERSION, OLDEST_API_VERSION
from rtfs_framework.lang.diagnostics import did_you_mean
from rtfs_framework.registry.faults import Part, PluginFault, ask

if TYPE_CHECKING:
    from rtfs_framework.api.redaction import Recognizer
    from rtfs_framework.registry.catalog import Catalog

ENTRY = "recognizers"
"""The entry point's name in the group `rtfs_framework_data`."""


class NotHereError(LookupError):
    """There is no such recognizer, or it cannot work here."""

    def __init__(self, problem: str, way_out: str) -> None:
        super().__init__(problem)
        self.problem, self.way_out = problem, way_out


@attrs.frozen(slots=True, eq=False)
class HeldRecognizer:
    """A recognizer, and who offers it."""

    part: Part
    recognizer: Recognizer
    fingerprint: str

    def find(self, text: str) -> list[tuple[int, int]]:
        """Return the places in a text that it finds.

        Raises:
            PluginFault: It broke, or these are no places of the text.
        """
        found: list[Any] = ask(self.part, "`find`", lambda: list(self.recognizer.find(text)))
        last = 0
        for place in found:
            low, high = place if isinstance(place, tuple) and len(place) == 2 else (0, 0)
            if not (isinstance(low, int) and isinstance(high, int) and last <= low < high <= len(text)):
                raise PluginFault(self.part, "`find`", "returned places that are none, or overlap")
            last = high
        return found


def recognizer_of(catalog: Catalog, name: str) -> HeldRecognizer:
    """Return a recognizer by its name.

    Raises:
        NotHereError: There is none, or it cannot work here.
    """
    source = catalog.data.get(ENTRY)
    if source is None:
        way_out = 'install one that has recognizers: pip install "rtfs-engine-security[pii]"'
        raise NotHereError(f"no plug-in offers a recognizer, '{name}' is not here", way_out)
    part = Part("data", source.name, source.provenance)
    try:
        known = _offered(part, ask(part, "its import", source.load))
        found = known.get(name)
        if found is None:
            way_out = did_you_mean(name, known) or f"known: {', '.join(sorted(known)) or 'none'}"
            raise NotHereError(f"no recognizer is called '{name}'", way_out)
        fingerprint = ask(part, "`fingerprint`", found.fingerprint)
    except PluginFault as fault:
        if isinstance(fault.__cause__, ImportError):
            raise NotHereError(f"the recognizer '{name}' cannot work here", str(fault.__cause__)) from None
        raise NotHereError(fault.words, fault.way_out or "tell its authors") from None
    return HeldRecognizer(part, found, str(fingerprint))


def _offered(part: Part, module: Any) -> Mapping[str, Recognizer]:
    version = getattr(module, "rtfs_api_version", None)
    if version.__class__ is not int or not OLDEST_API_VERSION <= version <= API_VERSION:
        raise PluginFault(part, "its module", f"was written for plugin API {version!r}, not {API_VERSION}")
    found = ask(part, "`recognizers`", module.recognizers)
    if not isinstance(found, Mapping):
        raise PluginFault(part, "`recognizers`", f"returned a {type(found).__name__} instead of a table")
    return found
