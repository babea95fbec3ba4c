"""Tell tox what it cannot read from tox.ini: which plugins there are, and which interpreters.

In comes the tree (`plugins/<kind>/<name>/pyproject.toml`), out go one env per plugin (`plugin-<kind>-<name>`, the
plugin alone with the core) and their distributions' names for tox.ini, `{[tox]plugin_names}`. A new plugin folder is
tested without an edit to any shared file.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tox.config.loader.memory import MemoryLoader
from tox.config.types import Command
from tox.plugin import impl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tox.config.sets import ConfigSet
    from tox.session.state import State

ROOT = Path(__file__).resolve().parent


@impl
def tox_extend_envs() -> Iterable[str]:
    """Name an env for every plugin."""
    _offer_interpreters()
    return tuple(map(_env_name, _plugin_folders()))


@impl
def tox_add_core_config(core_conf: ConfigSet, state: State) -> None:
    """Put the plugins' envs on the default list, say what they do, and give tox.ini the plugins' names."""
    folders = _plugin_folders()
    core_conf.add_constant("plugin_names", "all plugins' distributions", " ".join(map(_distribution, folders)))
    core_conf["env_list"].envs.extend(map(_env_name, folders))
    for folder in folders:
        state.conf.memory_seed_loaders[_env_name(folder)].append(_plugin_env(folder, state))


def _plugin_env(folder: Path, state: State) -> MemoryLoader:
    name = _env_name(folder)
    junit = f"--junit-xml={state.conf.core['work_dir'] / 'junit' / name}.xml"
    return MemoryLoader(
        description=f"{_distribution(folder)} alone with the core",
        set_env={"EXPECT_DISTRIBUTIONS": f"rtfs-framework {_distribution(folder)}"},
        commands_pre=[Command(["uv", "pip", "install", "--quiet", "-e", str(ROOT), "-e", str(folder)])],
        commands=[Command(["pytest", junit, str(folder / "tests"), str(ROOT / "tests" / "packaging")])],
    )


def _plugin_folders() -> list[Path]:
    return sorted(found.parent for found in ROOT.glob("plugins/*/*/pyproject.toml"))


def _env_name(folder: Path) -> str:
    return f"plugin-{folder.parent.name}-{folder.name}"


def _distribution(folder: Path) -> str:
    """`plugins/engines/static` is `rtfs-engine-static`; a house rule compares it with the name in pyproject.toml."""
    return f"rtfs-{folder.parent.name.removesuffix('s')}-{folder.name}"


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
