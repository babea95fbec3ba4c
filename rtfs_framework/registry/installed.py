"""Entry points of installed distributions, read from the folders of Python's search path.

In: names of groups. Out: their entry points, as `importlib.metadata` finds them, whose import takes four times as
long as Python's own start. It is asked only where something else than a folder may hold distributions, and to load an
entry point that is written in an unusual way.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from functools import partial, reduce
from importlib import import_module
from importlib.machinery import PathFinder
from typing import Any, NamedTuple

_METADATA = {".dist-info": "METADATA", ".egg-info": "PKG-INFO"}


class Point(NamedTuple):
    """An entry point: its name, what it names, how that is loaded, and who offers it."""

    name: str
    value: str
    load: Callable[[], Any]
    distribution: str
    """Empty where its metadata does not say."""
    version: str
    group: str


def entry_points(*groups: str) -> list[Point]:
    """Return the entry points of groups; of distributions of one name, those of the first on the search path."""
    if all(map(_is_plain, sys.path)) and not any(map(_finds_more, sys.meta_path)):
        return [point for folder in _distributions() for point in _points(folder, groups)]
    from importlib.metadata import entry_points as found

    return [
        Point(each.name, each.value, each.load, *_identity(each.dist), group)
        for group in groups
        for each in found(group=group)
    ]


def _is_plain(place: str) -> bool:
    """Tell whether a place of the search path can be listed like a folder, or holds nothing."""
    return not place.lower().endswith(".egg") and (os.path.isdir(place or ".") or not os.path.exists(place))  # noqa: PTH110, PTH112


def _finds_more(finder: Any) -> bool:
    """Tell whether a finder knows distributions that lie in no folder of the search path."""
    return finder is not PathFinder and hasattr(finder, "find_distributions")


def _distributions() -> Iterator[str]:
    """Yield the folders of distributions."""
    met = set()
    for place in sys.path:
        try:
            children = os.listdir(place or ".")  # noqa: PTH208 - as text
        except OSError:
            continue
        for child in children:
            stem, ending = os.path.splitext(child.lower())  # noqa: PTH122
            name = stem.partition("-")[0].replace("_", "-").replace(".", "-")
            if ending in _METADATA and name not in met:
                met.add(name)
                yield os.path.join(place, child)  # noqa: PTH118


def _points(folder: str, groups: tuple[str, ...]) -> Iterator[Point]:
    section = ""
    identity: tuple[str, str] | None = None
    for line in map(str.strip, _text(folder, "entry_points.txt").splitlines()):
        if line.startswith("[") and line.endswith("]"):
            section = line.strip("[]")
        elif section in groups and line and not line.startswith("#"):
            name, _, value = map(str.strip, line.partition("="))
            identity = identity or _named(folder)
            yield Point(name, value, partial(_load, name, value, section), *identity, section)


def _load(name: str, value: str, group: str) -> Any:
    module, _, path = map(str.strip, value.partition(":"))
    attributes = path.split(".") if path else []
    if all(map(str.isidentifier, (*module.split("."), *attributes))):
        return reduce(getattr, attributes, import_module(module))
    from importlib.metadata import EntryPoint

    return EntryPoint(name, value, group).load()


def _named(folder: str) -> tuple[str, str]:
    """Return a distribution's name and version, by its metadata."""
    head = _text(folder, _METADATA[os.path.splitext(folder.lower())[1]]).partition("\n\n")[0]  # noqa: PTH122
    fields = {key.lower(): value.strip() for key, colon, value in map(_parted, head.splitlines()) if colon}
    return fields.get("name", ""), fields.get("version", "")


def _parted(line: str) -> tuple[str, str, str]:
    return line.partition(":")


def _text(folder: str, name: str) -> str:
    """Return a distribution's file; nothing where there is none, or no text."""
    try:
        with open(os.path.join(folder, name), encoding="utf-8") as file:  # noqa: PTH118, PTH123
            return file.read()
    except (OSError, UnicodeDecodeError):
        return ""


def _identity(distribution: Any) -> tuple[str, str]:
    """Return what a distribution of `importlib.metadata` says of itself."""
    try:
        return distribution.metadata["Name"] or "", distribution.metadata["Version"] or ""
    except Exception:  # noqa: BLE001 - metadata that cannot be read must not keep the other plugins from loading
        return "", ""
