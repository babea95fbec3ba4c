"""Whose turn it is, as one process sees it. Where each worker shares its turns by weight, all together do.

Start-time fair queueing (P. Goyal, H. M. Vin and H. Cheng, SIGCOMM 1996): a turn starts at max(virtual time, finish of
the tenant's last turn), the earliest start goes next, the virtual time is the start of the last turn, and a turn lasts
1/weight. Who was away gets no arrears.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

import attrs

Tenant = TypeVar("Tenant", bound=str)


@attrs.define(slots=True)
class Turns:
    """The turns of one topic."""

    weights: Mapping[str, float]
    virtual: float = 0.0
    finish: dict[str, float] = attrs.field(factory=dict)

    def order(self, tenants: Iterable[str]) -> list[str]:
        """Return tenants in the order of their turns."""
        return sorted(tenants, key=lambda each: (self._start(each), self.finish.get(each, 0.0), each))

    def took(self, tenant: str) -> None:
        """Note that a tenant had a turn."""
        start = self._start(tenant)
        self.virtual, self.finish[tenant] = start, start + 1 / self.weights.get(tenant, 1.0)

    def keep(self, tenants: Iterable[str]) -> None:
        """Forget those who are away, so that their number is bounded."""
        here = set(tenants)
        self.finish = {each: end for each, end in self.finish.items() if each in here or end > self.virtual}

    def _start(self, tenant: str) -> float:
        return max(self.virtual, self.finish.get(tenant, 0.0))
