"""What this distribution offers to rtfs_framework. Imports nothing heavy: the guard is imported when it is made."""

from __future__ import annotations

from rtfs_framework.api import Guard, GuardEntry, GuardSettings, hookimpl
from rtfs_guard_secrets.settings import SecretsSettings

rtfs_api_version = 2


@hookimpl
def rtfs_guards() -> list[GuardEntry]:
    """Offer the guard `secrets`."""
    summary = "Redacts or refuses keys, tokens and passwords in requests and replies."
    return [GuardEntry(name="secrets", summary=summary, factory=_make, settings=SecretsSettings)]


def _make(settings: GuardSettings) -> Guard:
    from rtfs_guard_secrets.guard import SecretsGuard

    return SecretsGuard(settings.own or SecretsSettings())
