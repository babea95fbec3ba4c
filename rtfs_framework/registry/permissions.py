"""What plugins say they need beside computing, and what a host lets them have.

A distribution declares in its metadata, which is read before anything of it is imported:

    [project.entry-points.rtfs_framework_permissions]
    network = "acme_search.plugin"

Such a declaration is a contract and no sandbox: a plugin is Python code of the same process, and could do whatever the
process may. What is shown is what its authors say; what is refused is not imported at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import attrs

from rtfs_framework.lang.diagnostics import did_you_mean
from rtfs_framework.registry.problems import HOST, NO_PERMISSION, NOT_ALLOWED, PluginProblem, Provenance, without

GROUP = "rtfs_framework_permissions"
PERMISSIONS: Mapping[str, str] = MappingProxyType(
    {
        "network": "opens connections or listens on the network",
        "files": "reads or writes files other than its own package's",
        "models": "loads models into memory, here or in a process of its own",
        "subprocess": "starts other programs or processes",
    }
)
"""What a distribution may declare, and what that means."""
NONE = "none"
"""Declared by a distribution that needs nothing of these."""

EVERYTHING = frozenset(PERMISSIONS)


@attrs.frozen(slots=True)
class Allowed:
    """What a configuration lets plugins have: `[plugins] allow`, and `[plugins.grant]` by distribution."""

    everybody: frozenset[str] = EVERYTHING
    grants: Mapping[str, frozenset[str]] = attrs.field(factory=dict)
    """By the normal name of the distribution; such a grant counts in place of what everybody has."""
    said: bool = False
    """Whether a configuration says anything of it: then what declares nothing is loaded only by name."""

    def of(self, distribution: str) -> frozenset[str]:
        """Return what a distribution may have."""
        return self.grants.get(normal(distribution), self.everybody)

    def refuses_silent(self, distribution: str) -> bool:
        """Tell whether a distribution is refused that declares nothing: it may need anything, and no grant names it."""
        return self.said and not self.grants.get(normal(distribution))


ALL_ALLOWED = Allowed()


def normal(name: str) -> str:
    """Return a name as it is compared: case and `-_.` do not matter, as in pip."""
    return name.lower().replace("_", "-").replace(".", "-")


def refusal(provenance: Provenance, declared: Iterable[str] | None, allowed: Allowed) -> PluginProblem | None:
    """Return why a plugin is not loaded, None when it may be; `declared` is None where it says nothing."""
    who = provenance.distribution
    if declared is None and who != HOST and allowed.refuses_silent(who):
        message = f"{provenance}: declares nothing, so it may need anything. It is not loaded"
        everything = ", ".join(f'"{word}"' for word in PERMISSIONS)
        way_out = f"if you trust it, write `{normal(who)} = [{everything}]` under [plugins.grant]; else uninstall it"
        return PluginProblem(code=NOT_ALLOWED, message=message, distributions=(who,), help=way_out)
    words = [word for word in declared or () if word != NONE]
    unknown = next((word for word in words if word not in PERMISSIONS), None)
    if unknown is not None:
        hint = did_you_mean(unknown, PERMISSIONS) or f"they are {', '.join(PERMISSIONS)}"
        message = f"{provenance}: declares the permission `{unknown}`, which is none; {hint}"
        return PluginProblem(
            code=NO_PERMISSION,
            message=f"{message}. It is not loaded",
            distributions=(who,),
            help=without(provenance, "upgrade rtfs-framework or tell its authors"),
        )
    lacking = sorted({*words} - allowed.of(who))
    if not lacking:
        return None
    named = ", ".join(lacking)
    wanted = ", ".join(f'"{word}"' for word in sorted({*words}))
    return PluginProblem(
        code=NOT_ALLOWED,
        message=f"{provenance}: needs {named}, which the configuration does not allow it. It is not loaded",
        distributions=(who,),
        help=f"if you trust it with that, write `{normal(who)} = [{wanted}]` under [plugins.grant]; else uninstall it",
    )
