"""Which handlers can run in a child process, and what calls them there."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from rtfs_framework.api.capability import CapabilityEntry, CapabilityRequest
from rtfs_framework.orchestrator.config.isolation import Isolation
from rtfs_framework.orchestrator.config.security import RuntimeContext
from rtfs_framework.orchestrator.deciding.security import Refusal
from rtfs_framework.orchestrator.performing.isolation.syscalls import ARCHITECTURES
from rtfs_framework.registry.faults import Part


def isolated(
    entry: CapabilityEntry, rules: RuntimeContext, part: Part, environ: Mapping[str, str]
) -> Callable[[CapabilityRequest], Any] | Refusal:
    """Return what calls a capability in a process of its own, or why that cannot be."""
    level = rules.isolation.value
    if sys.platform != "linux" or platform.machine() not in ARCHITECTURES:
        why = f"isolation is '{level}', which needs Linux on {' or '.join(ARCHITECTURES)}"
        return Refusal(why, 'set isolation = "inherit", or run it there')
    place = _place(entry)
    if place is None:
        why = f"isolation is '{level}', and its plug-in does not let it run in a process of its own"
        return Refusal(why, 'set isolation = "inherit", or use a capability that says `isolable`')
    from rtfs_framework.orchestrator.performing.isolation.process import Isolated

    return Isolated(*place, rules.child, rules.isolation is Isolation.SANDBOXED, environ, part)


def _place(entry: CapabilityEntry) -> tuple[str, str] | None:
    """Return the module and name of a handler that another process can import; None where there is none."""
    handler: Any = entry.handler
    module, name = getattr(handler, "__module__", None), getattr(handler, "__qualname__", None)
    if not entry.isolable or not isinstance(module, str) or not isinstance(name, str):
        return None
    found = reduce(lambda near, each: getattr(near, each, None), name.split("."), sys.modules.get(module))
    return (module, name) if found is handler else None
