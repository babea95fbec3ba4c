"""Tell tox what it cannot read from tox.ini: which plugins there are, and which interpreters.

In comes the tree (`plugins/<kind>/<name>/pyproject.toml`), out go the plugins' distributions for tox.ini,
`{[tox]plugin_names}`. A new plugin folder is tested without an edit to any shared file.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tox.plugin import impl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tox.config.sets import ConfigSet
    from tox.session.state import State

ROOT = Path(__file__).resolve().parent


@impl
def tox_extend_envs() -> Iterable[str]:
    """Name no env, but see to it in time that all interpreters are found."""
    _offer_interpreters()
    return ()


@impl
def tox_add_core_config(core_conf: ConfigSet, state: State) -> None:
    """Give tox.ini the plugins' distributions: `plugins/engines/static` is `rtfs-engine-static`, a house rule says."""
    del state
    folders = sorted(found.parent for found in ROOT.glob("plugins/*/*/pyproject.toml"))
    names = " ".join(
        f"rtfs-{folder.parent.name.replace('ies', 'ys').removesuffix('s')}-{folder.name}" for folder in folders
    )
    core_conf.add_constant("plugin_names", "all plugins' distributions", names)


def _offer_interpreters() -> None:
    """Let tox see every interpreter that is here, and only those.

    pyenv's shims answer only for the versions that `pyenv global` names; the others are there all the same, so their
    folders go to the end of PATH. uv would try to download what it does not find; a missing interpreter is skipped.
    """
    os.environ.setdefault("UV_PYTHON_DOWNLOADS", "never")
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [f for f in versions.glob("3.*/bin") if re.fullmatch(r"3\.\d+\.\d+", f.parent.name)]
    newest_first = sorted(found, key=lambda f: [int(part) for part in f.parent.name.split(".")], reverse=True)
    os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", os.defpath), *map(str, newest_first)])
