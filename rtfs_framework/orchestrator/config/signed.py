"""What a manifest that somebody has signed off allows: a host that is held to it goes nowhere else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import attrs

from rtfs_framework.api.targets import Ask, ExecTarget, L4CacheHit, LocalModel, RemoteModel
from rtfs_framework.orchestrator.config.routes import PUBLISHED, target_text


def this_machine() -> str:
    """Return the name of this machine, "" where the system does not say."""
    return os.uname().nodename if hasattr(os, "uname") else ""


@attrs.frozen(slots=True, kw_only=True)
class Signed:
    """The bounds of a manifest. `running.signing` reads one, `deciding.security` judges by it."""

    name: str
    """Its file, for messages."""
    digest: str
    """SHA-256 of what it says, however it is laid out."""
    program: str = ""
    """Digest of the program and its modules that it is for; "" for any."""
    capabilities: tuple[str, ...] = ()
    """Their own ids."""
    targets: tuple[str, ...] = ()
    """As the configuration writes them."""
    whole: tuple[str, ...] = ()
    """The texts of the manifests, for whoever goes on with a run: `running.kept_manifests`."""

    @property
    def way_out(self) -> str:
        """What would allow more."""
        return f"look at it and have it signed off anew: rtfs manifest FILE --out {self.name}"

    def way_out_for(self, capability: str) -> str:
        """What would allow a capability: it is named, for a program that computes its name does not list it."""
        return f"look at it and have it signed off anew: rtfs manifest FILE --allow {capability} --out {self.name}"

    def allows(self, target: ExecTarget) -> bool:
        """Tell whether calls of functions may go to a target; their own bodies need no word."""
        if isinstance(target, Ask):
            return self.allows(target.then)
        if isinstance(target, L4CacheHit) and PUBLISHED in self.targets:
            return True
        is_elsewhere = isinstance(target, LocalModel | RemoteModel | L4CacheHit)
        return not is_elsewhere or target_text(target) in self.targets

    def both(self, other: Signed) -> Signed:
        """Return what two manifests allow: of different programs, nothing."""
        same = not (self.program and other.program) or self.program == other.program
        return attrs.evolve(
            self,
            program=self.program or other.program,
            capabilities=tuple(each for each in self.capabilities if same and each in other.capabilities),
            targets=tuple(each for each in self.targets if same and each in other.targets),
            whole=tuple(dict.fromkeys((*self.whole, *other.whole))),
        )

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {name: list(said) if isinstance(said, tuple) else said for name, said in attrs.asdict(self).items()}

    def policy(self) -> dict[str, Any]:
        """Return what decisions rest on, as JSON-ready data: the same on every machine."""
        return {name: said for name, said in self.to_json().items() if name != "whole"}

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> Signed:
        """Return the one of such data."""
        lists = {name: tuple(data.get(name, ())) for name in ("capabilities", "targets", "whole")}
        return cls(name=data["name"], digest=data["digest"], program=data["program"], **lists)
