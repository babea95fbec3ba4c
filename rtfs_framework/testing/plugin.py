"""The command that `rtfs_framework.testing` adds to `rtfs`, through the hook that plugins use."""

from __future__ import annotations

from typing import Any

from rtfs_framework.api import CommandEntry, hookimpl

rtfs_api_version = 2


@hookimpl
def rtfs_commands() -> list[CommandEntry]:
    """Offer `rtfs conformance`."""
    return [
        CommandEntry(
            name="conformance",
            summary="Check the language against case files.",
            example="rtfs conformance tests/conformance",
            load=_load,
        )
    ]


def _load() -> Any:
    from rtfs_framework.testing.conformance_command import command

    return command
