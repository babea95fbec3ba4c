"""Which handlers can run in a child process, and what calls them there."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Mapping
from typing import Any

from rtfs_framework.api.capability import CapabilityEntry, CapabilityRequest
from rtfs_framework.orchestrator.config.isolation import Isolation
from rtfs_framework.orchestrator.config.security import RuntimeContext
from rtfs_framework.orchestrator.deciding.security import Refusal
from rtfs_framework.orchestrator.performing.isolation.places import SetPlace, place_of
from rtfs_framework.orchestrator.performing.isolation.syscalls import ARCHITECTURES
from rtfs_framework.registry.faults import Part

_NETWORK = frozenset({":network", "network"})
"""The effect of what needs one."""


def isolated(
    entry: CapabilityEntry,
    rules: RuntimeContext,
    part: Part,
    environ: Mapping[str, str],
    of_set: SetPlace | None = None,
) -> Callable[[CapabilityRequest], Any] | Refusal:
    """Return what calls a capability in a process of its own, or why that cannot be."""
    level = rules.isolation.value
    if sys.platform != "linux" or platform.machine() not in ARCHITECTURES:
        why = f"isolation is '{level}', which needs Linux on {' or '.join(ARCHITECTURES)}"
        return Refusal(why, 'set isolation = "inherit", or run it there')
    place = place_of(entry, part.provenance, of_set)
    if place is None:
        why = f"isolation is '{level}', and its plug-in does not let it run in a process of its own"
        return Refusal(why, 'set isolation = "inherit", or use a capability that says `isolable`')
    if rules.isolation is Isolation.SANDBOXED and _NETWORK & set(entry.effects):
        return Refusal("isolation is 'sandboxed', and it is of the network", 'set isolation = "isolated"')
    from rtfs_framework.orchestrator.performing.isolation.process import Isolated

    return Isolated(place, rules.child, rules.isolation is Isolation.SANDBOXED, environ, part)
