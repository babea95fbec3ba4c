"""Manifests that are kept with a run, whole: whoever goes on with it is held to them as whoever began it.

In: a host under the rules of then and of today, and the texts that the run's job keeps. What these rules cannot narrow
(which model a target is, settings of sets, effects, marks, caches, observers, budgets, values of the context) is
compared with what was signed off, and refused where it goes beyond.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtfs_framework.api.errors import ConfigError, config_error
from rtfs_framework.api.toml_places import Places, structure
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.config.signed import this_machine
from rtfs_framework.orchestrator.recording.journal.chain import canonical_json
from rtfs_framework.orchestrator.running.exceeding import beyond
from rtfs_framework.orchestrator.running.manifests import Manifest
from rtfs_framework.orchestrator.running.signing import BEYOND, in_force

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.config.signed import Signed
    from rtfs_framework.orchestrator.host import Host


def kept(manifest: Manifest, folder: Path) -> str:
    """Return the text of a manifest that stays with a run; `folder` is where its relative paths start."""
    said = {"machine": this_machine(), "folder": str(folder), "manifest": manifest.to_json()}
    return canonical_json(said)


def check_kept(host: Host, signed: Signed) -> None:
    """Refuse a host that allows a run more than the manifests with which it began.

    Raises:
        ConfigError: E0731, what is in force goes beyond one of them, with each thing that does.
    """
    found = [message for text in signed.whole for message in _more(host, json.loads(text))]
    if found:
        way_out = "go on under a configuration that was signed off, or begin a new run with a manifest of today"
        wrong = [config_error(BEYOND, f"{signed.name}: {each}", help=way_out) for each in dict.fromkeys(found)]
        raise ConfigError([each for error in wrong for each in error.diagnostics])


def _more(host: Host, said: dict[str, Any]) -> Iterable[str]:
    """Yield what a host allows beyond one manifest. Another machine has its own folders, so they are not compared."""
    signed = _read(said["manifest"])
    here = said["machine"] == this_machine()
    config = host.config.path
    folder = Path(said["folder"]) if here else (Path.cwd() if config is None else Path(config).absolute().parent)
    ids = [each.id for each in signed.capability]
    now = in_force(host, signed.program, folder, ids, list(signed.targets))
    if not here:
        signed, now = (_read(_unplaced(each.to_json())) for each in (signed, now))
    return (message for _, message in beyond(signed, now))


def _read(data: dict[str, Any]) -> Manifest:
    return structure(Manifest, data, Places(Source("manifest", "")))


def _unplaced(data: dict[str, Any]) -> dict[str, Any]:
    """Return a manifest's data without the folders where its relative paths start."""
    for each in data["capability"]:
        each["grant"] = [{"allows": grant["allows"]} for grant in each["grant"]]
    for each in (*data["sets"].values(), *data["targets"].values()):
        _unplace(each)
    return data


def _unplace(said: dict[str, Any]) -> None:
    said.pop("base", None)
    for each in said.get("asks", {}).values():
        _unplace(each)
