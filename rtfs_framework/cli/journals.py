"""Where the journal of a configuration lies, and the key that proves it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rtfs_framework.cli.notices import notices
from rtfs_framework.cli.options import config_path, environment

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.config.model import Config
    from rtfs_framework.orchestrator.recording.journal.writer import Journal


def journal(config: str | None) -> Path:
    """Return the journal's file, as the configuration says.

    Raises:
        ConfigError: The configuration has mistakes.
    """
    from rtfs_framework.orchestrator.config.folders import journal_path

    return journal_path(os.environ, _config(config).journal.path)


def writer(config: str | None) -> Journal:
    """Return what writes to the configuration's journal without a host; it must be closed.

    Raises:
        ConfigError: The configuration has mistakes.
        SealError: Its texts are to be encrypted, and there is no key.
    """
    from rtfs_framework.api.secrets import blotter
    from rtfs_framework.orchestrator.concurrency.clock import SystemClock
    from rtfs_framework.orchestrator.config.folders import journal_path
    from rtfs_framework.orchestrator.config.key_binding import secrets_of
    from rtfs_framework.orchestrator.recording.journal.sealing import seals_of
    from rtfs_framework.orchestrator.recording.journal.writer import Journal

    found = _config(config)
    spec = found.journal
    path = journal_path(os.environ, spec.path)
    seal = next(iter(seals_of(spec.encrypt, environment(), path)), None)
    blot = blotter(secrets_of(found, environment()))
    return Journal(path, home(), SystemClock(), keep_args=spec.keep == "replies", blot=blot, seal=seal)


def _config(config: str | None) -> Config:
    """Return a configuration; keys of its journal's texts that are there are known from now on."""
    from rtfs_framework.orchestrator.config.folders import journal_path
    from rtfs_framework.orchestrator.config.load import load_config
    from rtfs_framework.orchestrator.config.permitted import installed

    environ, asked = environment(), config_path(config)
    found = load_config(asked, None, environ, installed(environ, asked), lambda _fault: None)
    notices().tell_findings(found.notices)
    if found.journal.encrypt:
        from rtfs_framework.orchestrator.recording.journal.sealing import SealError, seals_of

        with suppress(SealError):  # who reads is told which texts cannot be read
            seals_of(found.journal.encrypt, environ, journal_path(os.environ, found.journal.path))
    return found


def home() -> Path:
    """Return the folder of the key that proves the user's journals."""
    from rtfs_framework.orchestrator.config.folders import data_dir

    return data_dir(os.environ)
