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
class Capability:
    """An effect that the host grants by name."""

    id: str


@attrs.frozen(slots=True)
class Deny:
    """The call is refused."""

    reason: str


@attrs.frozen(slots=True)
class L4CacheHit:
    """A published program of the function's interface, run here in place of its own body; nothing leaves the machine.

    It runs only if a trusted key has signed it and nothing was changed since: whoever performs it looks again.
    """

    pointer: str = ""
    """The SHA-256 of its IR, 64 hexadecimal digits; "" is the newest one that is trusted."""
    signature: str = ""
    """The id of the key that must have signed it; "" is any trusted key."""


_OWN = LocalPure()


@attrs.frozen(slots=True)
class Ask:
    """The call waits until a person says yes, and then goes on to a target. No, and no answer in time, refuse it."""

    approver: str
    """Who is asked: a name or a role, for people."""
    then: LocalPure | LocalModel | RemoteModel | Capability | L4CacheHit = _OWN


ExecTarget = LocalPure | LocalModel | RemoteModel | Capability | L4CacheHit | Deny | Ask


class TargetText(str):
    """A target as `delegation.toml` writes it: `local-pure`, `local-<model>`, `remote-<provider>`, `l4`.

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
        case Capability(id=name):
            return f"capability {name}"
        case L4CacheHit(pointer=pointer, signature=key):
            return f"l4 {pointer or 'any'}{f'@{key}' if key else ''}"
        case Deny():
            return "denied"
        case Ask(approver=name, then=then):
            return f"{show_target(then)}, if {name or 'somebody'} says yes"
        case _ as never:
            assert_never(never)
