"""From a kind and a name to the files of a distribution."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from string import Template

import rtfs_framework
from rtfs_framework import __version__
from rtfs_framework.api import API_VERSION
from rtfs_framework.cli.kit.kinds import KINDS, Made
from rtfs_framework.cli.kit.names import distribution_of

_TEMPLATES = Path(__file__).parent / "templates"
_END = ".tmpl"
_HIDDEN = {"github": ".github", "gitignore": ".gitignore"}
"""What begins with a dot has a plain name among the templates, or a build might leave it out."""
_HEADING = re.compile(r'\A"""(?s:.*?)"""\n')


def rendered(kind: str, name: str, *, author: str, license_: str, today: date) -> dict[str, str]:
    """Return the texts of all files by their path below the distribution's folder."""
    made = KINDS[kind]
    words = _words(kind, name, author, license_, today)
    found = {}
    for part in ("common", kind):
        for path, template in _templates(_TEMPLATES / part):
            found[_placed(path, words["package"])] = Template(template).substitute(words)
    found["LICENSE"] = _license(_TEMPLATES / "licenses" / f"{license_}.txt", words)
    if made.copied:
        found[f"{words['package']}/{words['module']}.py"] = _copied(made)
    return dict(sorted(found.items()))


def _words(kind: str, name: str, author: str, license_: str, today: date) -> Mapping[str, str]:
    made = KINDS[kind]
    distribution = distribution_of(kind, name)
    major, minor = __version__.split(".")[:2]
    usage = Template(made.usage).substitute(name=name)
    return {
        "name": name,
        "Name": "".join(part.capitalize() for part in (name.removesuffix(f"-{kind}")).split("-")),
        "kind": kind,
        "distribution": distribution,
        "package": distribution.replace("-", "_"),
        "module": made.module or kind,
        "summary": made.summary,
        "permission": made.permission,
        "dependencies": "".join(f'  "{each}",\n' for each in made.dependencies),
        "usage": f"```{made.language}\n{usage}\n```",
        "framework_range": f">={major}.{minor},<{major}.{int(minor) + 1}",
        "api_range": f">={API_VERSION},<{API_VERSION + 1}",
        "author": author,
        "author_toml": json.dumps(author, ensure_ascii=False),
        "license": license_,
        "year": str(today.year),
    }


def _templates(folder: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(folder.rglob(f"*{_END}")):
        yield file.relative_to(folder).as_posix().removesuffix(_END), file.read_text(encoding="utf-8")


def _placed(path: str, package: str) -> str:
    first, slash, rest = path.partition("/")
    return (package if first == "package" else _HIDDEN.get(first, first)) + slash + rest


def _license(file: Path, words: Mapping[str, str]) -> str:
    text = file.read_text(encoding="utf-8")
    return text if file.name.startswith("Apache") else Template(text).substitute(words)


def _copied(made: Made) -> str:
    text = Path(rtfs_framework.__file__).with_name("testing").joinpath(f"{made.copied}.py").read_text(encoding="utf-8")
    text = text.replace("import attrs\n\nfrom rtfs_framework", "import attrs\nfrom rtfs_framework")
    return _HEADING.sub(lambda _: f'"""{made.heading}"""\n', text)
