"""Rules about which files there are. In: the root of a tree. Out: one complaint per breach, none when it holds."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from house import tree

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

INSTALL = "pip install tox tox-uv"
KINDS = (
    "engines", "providers", "caches", "guards", "embedders", "stores", "queues", "executors", "observers", "data",
    "capabilities",
)  # fmt: skip
GROUP = "rtfs_framework"
DATA_GROUP = "rtfs_framework_data"
PERMISSIONS = "rtfs_framework_permissions"


def packaged_tests(root: Path) -> list[str]:
    """With pytest's import mode `importlib`, an __init__.py would give two plugins' tests one module name."""
    folders = {parent for test in tree.tests(root) for parent in test.parents}
    return [
        f"{path}: a folder of tests is not a package"
        for path in tree.files(root, ".py")
        if path.name == "__init__.py" and path.parent in folders
    ]


def plugin_folders(root: Path) -> list[str]:
    """Every plugin has the same rooms, so whoever has seen one knows them all."""
    return [f"{folder}: {complaint}" for folder in tree.plugins(root) for complaint in _plugin(root / folder)]


def _plugin(folder: Path) -> list[str]:
    kind, name = folder.parent.name, folder.name
    if kind not in KINDS:
        return [f"{kind} is none of {', '.join(KINDS)}"]
    distribution = f"rtfs-{kind.replace('ies', 'ys').removesuffix('s')}-{name}"
    package = distribution.replace("-", "_")
    wanted = ["pyproject.toml", "README.md", f"{package}/__init__.py", f"{package}/plugin.py", f"{package}/py.typed"]
    complaints = [f"{file} is missing" for file in wanted if not (folder / file).is_file()]
    if not list(folder.glob("tests/**/test_*.py")):
        complaints.append("tests/ holds no test file")
    if (folder / "pyproject.toml").is_file():
        complaints += _project(folder, distribution, f"{package}.plugin")
    return complaints


def _project(folder: Path, distribution: str, module: str) -> list[str]:
    project: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    group = DATA_GROUP if folder.parent.name == "data" else GROUP
    entries = project.get("entry-points", {}).get(group, {})
    namesakes = len(list(folder.parent.parent.glob(f"*/{folder.name}/pyproject.toml"))) > 1
    named = next(iter(entries), "")  # of two kinds with one name, one needs another in the list of plug-ins
    name = named if namesakes and named.startswith(f"{folder.name}-") else folder.name
    checks = {
        f"its distribution is not called {distribution}": project["name"] == distribution,
        f"its entry point is not `{name} = {module!r}`": entries == {name: module},
        "it does not depend on rtfs-framework": any(d.startswith("rtfs-framework") for d in project["dependencies"]),
        "it declares no permissions, not even `none`": bool(project.get("entry-points", {}).get(PERMISSIONS)),
        "it does not support Python 3.10": project["requires-python"] == ">=3.10",
    }
    return [complaint for complaint, holds in checks.items() if not holds]


def hooks(root: Path) -> list[str]:
    """Every hook is in the reference and has a test of its own."""
    specs = root / "rtfs_framework/api/hookspecs.py"
    names = _hook_names(ast.parse(specs.read_text(encoding="utf-8"))) if specs.is_file() else []
    if not names:
        return [f"{specs.relative_to(root)} declares no hook"]
    page = root / "docs/reference/hooks.md"
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    complaints = [f"{name} is not in docs/reference/hooks.md" for name in names if not re.search(rf"\b{name}\b", text)]
    for name in names:
        short = name.removeprefix("rtfs_")
        if not any((root / f"tests/api/test_hook_{spelling}.py").is_file() for spelling in (name, short)):
            complaints.append(f"{name} has no tests/api/test_hook_{name}.py")
    return complaints


def _hook_names(module: ast.Module) -> list[str]:
    return [
        node.name
        for node in ast.walk(module)
        if isinstance(node, ast.FunctionDef) and any("hookspec" in ast.unparse(d) for d in node.decorator_list)
    ]


def readme_commands(root: Path) -> list[str]:
    """README promises two commands, one for the main job and one for all tests; tox knows what they name."""
    text = (root / "README.md").read_text(encoding="utf-8")
    found = [line.strip() for line in text.splitlines() if line.strip().startswith(INSTALL)]
    wanted = [f"{INSTALL} && tox run -e demo", f"{INSTALL} && tox"]
    complaints = [] if found == wanted else [f"README.md gives the commands {found}, not {wanted}"]
    default, additional = tox_envs(root)
    if "demo" not in additional:
        complaints.append("tox knows no env `demo` beside its default ones")
    if not default:
        complaints.append("`tox` alone runs nothing")
    return complaints


def tox_envs(root: Path) -> tuple[list[str], list[str]]:
    """Return the names of the envs that `tox` alone runs, and of the others."""
    default, _, additional = _tox(root, "list").partition("additional environments:")
    return _ARROW.findall(default), _ARROW.findall(additional)


def tox_config(root: Path, env: str, key: str) -> str:
    """Return what tox says of one key of an env."""
    return _tox(root, "config", "-e", env, "-k", key)


def _tox(root: Path, *arguments: str) -> str:
    # A folder of its own for work: the tox that runs this test holds the tree's.
    workdir = root / ".tox" / "listing"
    command = [sys.executable, "-m", "tox", "--root", str(root), "--workdir", str(workdir), *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout


_ARROW = re.compile(r"^(\S+) +-> ", re.MULTILINE)
