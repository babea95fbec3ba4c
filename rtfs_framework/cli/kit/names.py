"""Which names a plug-in may have: those that are names to package indexes, to Python and to people."""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Collection
from importlib.util import find_spec
from typing import TYPE_CHECKING

from rtfs_framework.cli.kit.kinds import KINDS
from rtfs_framework.cli.problems import USAGE, problem

if TYPE_CHECKING:
    from rtfs_framework.registry.catalog import Catalog

BAD_NAME, TAKEN = "E0993", "E0994"
LONGEST = 32
_DEVICES = frozenset({"aux", "con", "nul", "prn", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))})
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_APART = re.compile(r"[^a-z0-9]+")


def distribution_of(kind: str, name: str) -> str:
    """Return what the distribution is called."""
    return f"rtfs-{kind}-{name}"


def check_name(kind: str, name: str, catalog: Catalog, installed: Collection[str]) -> None:
    """See that a plug-in may have a name; `installed` are the normal names of the distributions that are here.

    Raises:
        InputError: E0993, it is no name; E0994, somebody has it.
    """
    wrong = _flaw(name)
    if wrong is not None:
        way_out = _suggested(name) or "small letters, digits and single dashes, a letter first: my-engine"
        raise problem(BAD_NAME, f"{name[:60]!r} is no name of a plug-in: {wrong}", way_out, exit_code=USAGE)
    distribution = distribution_of(kind, name)
    if distribution in installed:
        raise _taken(f"the distribution {distribution} is installed", kind)
    table = getattr(catalog, KINDS[kind].table)
    if name in table or (kind, name) in catalog.contested:
        who = f" by {table[name][1]}" if name in table else ""
        raise _taken(f"the {kind} `{name}` is offered{who}", kind)


def _flaw(name: str) -> str | None:
    """Return what is wrong with a name, None when nothing is."""
    if not name:
        return "it is empty"
    if len(name) > LONGEST:
        return f"it has {len(name)} characters, and {LONGEST} are the most"
    if not _NAME.fullmatch(name):
        return "names are small letters, digits and single dashes, and begin with a letter"
    if keyword.iskeyword(name) or keyword.iskeyword(name.capitalize()):
        return "it is a word of Python"
    if name in sys.stdlib_module_names or name in {"rtfs", "test", "tests", "rtfs-framework"}:
        return "it is the name of a module that everybody has"
    if name in _DEVICES:
        return "it is the name of a device on Windows, where no folder can have it"
    if _is_module(name.replace("-", "_")):
        return "it is the name of a module that is installed here, which its folder may hide"
    return None


def _is_module(name: str) -> bool:
    """Tell whether Python finds a module of a name. It is not imported; a folder that is no package is none."""
    try:
        found = find_spec(name)
    except ValueError:  # it is there, and was made by hand
        return True
    return found is not None and found.origin is not None


def _suggested(name: str) -> str | None:
    """Return a name that is near a wrong one and may be had."""
    near = _APART.sub("-", name.lower()).strip("-")[:LONGEST].strip("-")
    near = near if _flaw(near) is None else f"my-{near}"
    return f"write {near}" if _flaw(near) is None else None


def _taken(what: str, kind: str) -> Exception:
    way_out = f"choose another name: of two plug-ins that offer one {kind} nobody gets it (E0806)"
    return problem(TAKEN, f"{what}, so the name is taken", way_out, exit_code=USAGE)
