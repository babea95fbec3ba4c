"""Where a call may run. A closed union of frozen records; never a string to be parsed back."""

from __future__ import annotations

import attrs
from typing_extensions import assert_never


@attrs.frozen(slots=True)
class LocalPure:
    """The function's own body, in the kernel."""


@attrs.frozen(slots=True)
class LocalModel:
    """A model on this device; `id` names a provider instance of the configuration."""

    id: str


@attrs.frozen(slots=True)
class RemoteModel:
    """A model elsewhere; `id` names a provider instance of the configuration."""

    id: str


@attrs.frozen(slots=True)
class L4CacheHit:
    """Signed bytecode that already answers the call."""

    pointer: str
    signature: str


@attrs.frozen(slots=True)
class Capability:
    """An effect that the host grants by name."""

    id: str


@attrs.frozen(slots=True)
class Deny:
    """The call is refused."""

    reason: str


@attrs.frozen(slots=True)
class Ask:
    """The call waits for an approver."""

    approver: str


ExecTarget = LocalPure | LocalModel | RemoteModel | L4CacheHit | Capability | Deny | Ask


class TargetText(str):
    """A target as `delegation.toml` writes it: `local-pure`, `local-<model>`, `remote-<provider>`.

    Field type of a plug-in's settings: the host refuses a text that names no target, with its place, and hands the
    targets over in `EngineSettings.targets`.
    """

    __slots__ = ()


def show_target(target: ExecTarget) -> str:
    """Return a target as people read it in tables and logs. For display only: nothing parses it back."""
    match target:
        case LocalPure():
            return "local-pure"
        case LocalModel(id=name):
            return f"local-model {name}"
        case RemoteModel(id=name):
            return f"remote {name}"
        case L4CacheHit(pointer=pointer):
            return f"l4 {pointer[:12]}"
        case Capability(id=name):
            return f"capability {name}"
        case Deny():
            return "denied"
        case Ask(approver=name):
            return f"ask {name}"
        case _ as never:
            assert_never(never)
