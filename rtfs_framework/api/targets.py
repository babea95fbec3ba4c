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


_OWN = LocalPure()


@attrs.frozen(slots=True)
class Ask:
    """The call waits until a person says yes, and then goes on to a target. No, and no answer in time, refuse it."""

    approver: str
    """Who is asked: a name or a role, for people."""
    then: LocalPure | LocalModel | RemoteModel | Capability = _OWN


ExecTarget = LocalPure | LocalModel | RemoteModel | Capability | Deny | Ask


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
        case Capability(id=name):
            return f"capability {name}"
        case Deny():
            return "denied"
        case Ask(approver=name, then=then):
            return f"{show_target(then)}, if {name or 'somebody'} says yes"
        case _ as never:
            assert_never(never)
