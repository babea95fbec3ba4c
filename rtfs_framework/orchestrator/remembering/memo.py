"""Values of memoised functions (`^:memo`), kept across runs and processes in the L2 layer.

A key holds all that a value rests on: the digest of the function's definition and of all that it mentions (`lang/check/
memo.py`), the bounds under which it was computed, the arguments exactly as a program sees them (`exact.py`), the build
of the library and of Python, the tenant, and the marks that the run carries. So what is found is what would be
computed. What is not plain data, or too large, is computed each time.

A run's marks float: they cover all that any of its values may hold. A value is found again only under the same marks,
so what is given back carries none that the run had not.

A record says which replies its run had been given, so that it goes with them (`rtfs cache invalidate --reply`). A value
that is found counts as none of them: it is what would have been computed from arguments that this run has, and rests on
what those rest on.
"""

from __future__ import annotations

from typing import Any

import attrs

from rtfs_framework.api.cache import CacheInfo, CacheKey
from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.memo import Unknown
from rtfs_framework.kernel.outcome import HostCall
from rtfs_framework.lang.digest import digest
from rtfs_framework.orchestrator.boundary.answers import Answer, Locally, reply
from rtfs_framework.orchestrator.boundary.exact import from_text, to_text
from rtfs_framework.orchestrator.recording.run_scope import RunScope
from rtfs_framework.orchestrator.remembering.artifacts.build import build
from rtfs_framework.orchestrator.remembering.keys import key_of
from rtfs_framework.orchestrator.remembering.reuse import Reuse

NAMESPACE = "memo"

_LOCALLY = Locally()


@attrs.frozen(slots=True, eq=False)
class Memos:
    """What a host keeps of memoised functions."""

    reuse: Reuse
    """Knows the layer, how long what is kept there counts, and which marks it may carry."""

    def answer(self, call: HostCall, scope: RunScope) -> Answer:
        """Return a value that is kept, or say what is to be done; or keep a value."""
        if call.kind is CallKind.MEMO:
            return self._look_up(call, scope)
        key, value = call.args
        text, layer = to_text(value), self.reuse.layer
        if text is not None and layer is not None:
            layer.put(key, text, None, self._info(call, scope))
        return reply(None)

    def key(self, call: HostCall, scope: RunScope) -> CacheKey | None:
        """Return the key of a call; None where its value is not kept."""
        marks = scope.floating.label if scope.floating is not None else frozenset()
        if self.reuse.accepts is not None and not marks <= self.reuse.accepts:
            return None
        arguments = to_text(call.args)
        if arguments is None:
            return None
        parts: tuple[tuple[str, str], ...] = (
            ("function", call.capability),
            ("arguments", digest(arguments)),
            ("library", digest(repr(build()))),
        )
        if scope.tenant:
            parts = (*parts, ("tenant", scope.tenant))
        if marks:
            parts = (*parts, ("labels", " ".join(sorted(marks))))
        return CacheKey(NAMESPACE, key_of(*(text for part in parts for text in part)), parts)

    def _look_up(self, call: HostCall, scope: RunScope) -> Answer:
        key, layer = self.key(call, scope), self.reuse.layer
        if key is None or layer is None:
            return _LOCALLY
        record = layer.get(key)
        if record is None:
            return reply(Unknown(key))
        try:
            found: Any = from_text(record.value)
        except (ValueError, TypeError):  # damaged: computed anew
            layer.invalidate(key)
            return reply(Unknown(key))
        return reply(found)

    @staticmethod
    def _info(call: HostCall, scope: RunScope) -> CacheInfo:
        marks = scope.floating.label if scope.floating is not None else frozenset()
        name = "" if call.function is None else call.function.name
        sources = () if scope.lineage is None else scope.lineage.sources
        return CacheInfo(symbol=name, tenant=scope.tenant, labels=tuple(sorted(marks)), sources=sources, cost=0)
