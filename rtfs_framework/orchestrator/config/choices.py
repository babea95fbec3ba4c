"""Which targets a configuration that nobody trusts may choose, and for which functions.

Any target that the user's own configuration or the defaults define may be chosen; where the user has chosen already (a
route that may fit the same function; a default, where none of their routes fits), only one of those, or one that is
less remote. The user's own word is all that was not found: their file, `--config` and variables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from rtfs_framework.api.targets import ExecTarget, LocalModel, RemoteModel
from rtfs_framework.orchestrator.config.globs import Patterns
from rtfs_framework.orchestrator.config.routes import Unknown, parse_target

_MOST_WORK = 1_000_000
"""Pairs of characters that are compared for one file; of patterns beyond that it is taken that they overlap."""


@attrs.frozen(slots=True, kw_only=True)
class Choices:
    """What may be chosen from."""

    local: frozenset[str]
    remote: frozenset[str]
    mentioned: frozenset[str]
    """Targets, as texts, that the file itself defines and that are ignored."""
    routes: Mapping[str, tuple[ExecTarget, ...]]
    """The user's own."""
    default: ExecTarget | None
    """The user's own, None when they have not said."""
    of_tenants: tuple[Mapping[str, tuple[ExecTarget, ...]], ...] = ()
    """The user's own routes for single tenants."""
    _left: list[int] = attrs.field(factory=lambda: [_MOST_WORK], init=False)

    def allowed(self, text: str, own: Iterable[ExecTarget] | None) -> bool:
        """Tell whether a target may be chosen where the user's own choices, if any, are `own`.

        A text that names nothing at all is allowed: it is a mistake, and told as one.
        """
        target = parse_target(text, self.local, self.remote)
        if isinstance(target, Unknown):
            return text not in self.mentioned
        chosen = None if own is None else list(own)
        return chosen is None or target in chosen or _distance(target) < max(map(_distance, chosen), default=0)

    def default_allowed(self, text: str) -> bool:
        """Tell whether a default may be chosen."""
        return self.allowed(text, None if self.default is None else (self.default,))

    def route(self, pattern: str, texts: Iterable[str]) -> list[str]:
        """Return the targets of a route that may be chosen."""
        # What a tenant's pattern fits as a whole never counts for that tenant (`of_tenant`).
        tenants = [each for each in self.of_tenants if Patterns(tuple(each)).match(pattern) is None]
        standing = [pair for routes in (self.routes, *tenants) for pair in routes.items()]
        chosen = [targets for other, targets in standing if self._meets(pattern, other)]
        if self.default is not None and not Patterns(tuple(self.routes)).match(pattern):
            chosen.append((self.default,))  # no route is known to fit all that this one does
        return [text for text in texts if all(self.allowed(text, targets) for targets in chosen or (None,))]

    def _meets(self, one: str, other: str) -> bool:
        self._left[0] -= (len(one) + 1) * (len(other) + 1)
        return self._left[0] < 0 or overlap(one, other)


def _distance(target: ExecTarget) -> int:
    """Return how far data travels."""
    return 2 if isinstance(target, RemoteModel) else 1 if isinstance(target, LocalModel) else 0


def overlap(one: str, other: str) -> bool:
    """Tell whether two patterns can fit the same name."""
    # row[j]: what `one` has so far and other[:j] can fit the same text
    row = [True] + [False] * len(other)
    for place, char in enumerate(other, 1):
        row[place] = row[place - 1] and char == "*"
    for char in one:
        above, row = row, [row[0] and char == "*"]
        for place, known in enumerate(other, 1):
            if char == "*" or known == "*":
                row.append(above[place] or row[place - 1])
            else:
                row.append(above[place - 1] and char == known)
    return row[-1]
