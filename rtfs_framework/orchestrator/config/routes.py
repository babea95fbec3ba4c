"""Target texts of `delegation.toml` become targets here, and nowhere else.

In: `local-pure`, `local-<model>`, `remote-<provider>`, `l4` (a published program) and the ids that the configuration
knows. Out: an `ExecTarget`, or the reason why there is none with the nearest known text. The id is all that follows
the first dash: `local-phi-mini` is the local model `phi-mini`. An id that begins with its kind (`remote-openai`) is its
own text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

import attrs

from rtfs_framework.api.targets import ExecTarget, L4CacheHit, LocalModel, LocalPure, RemoteModel, show_target
from rtfs_framework.lang.diagnostics import did_you_mean

PURE, PUBLISHED = "local-pure", "l4"
_published = re.compile(r"l4(?:-([0-9a-f]{64}))?(?:@([0-9a-f]{40}))?").fullmatch
_KINDS = ("local", "remote")


@attrs.frozen(slots=True)
class Unknown:
    """A text that names no target."""

    message: str
    help: str


def parse_target(text: str, local: Collection[str], remote: Collection[str]) -> ExecTarget | Unknown:
    """Return the target that a text names among the known ids."""
    if text == PURE:
        return LocalPure()
    published = _published(text)
    if published is not None:
        return L4CacheHit(published[1] or "", published[2] or "")
    kind, _, name = text.partition("-")
    if kind == "local" and text in local:
        return LocalModel(text)
    if kind == "remote" and text in remote:
        return RemoteModel(text)
    if kind == "local" and name in local:
        return LocalModel(name)
    if kind == "remote" and name in remote:
        return RemoteModel(name)
    known = known_texts(local, remote)
    way_out = did_you_mean(text, known) or f"known targets: {', '.join(known)}"
    if kind == "local" and name:
        return Unknown(f"no local model '{name}' is configured", way_out)
    if kind == "remote" and name:
        return Unknown(f"no remote provider '{name}' is configured", way_out)
    if kind == PUBLISHED or kind.startswith(f"{PUBLISHED}@"):
        way_out = "write l4 for the newest one, or l4-<SHA-256, 64 digits>@<key id, 40 digits>: rtfs fetch --list"
        return Unknown(f"'{text}' names no published program", way_out)
    return Unknown(f"'{text}' is no target", way_out + " (local-pure, local-<model>, remote-<provider> or l4)")


def why_no_id(target: LocalModel | RemoteModel, others: Iterable[ExecTarget]) -> str | None:
    """Return why a target may not have its id: its text would be another's, or of another kind; None when it may."""
    text, name = target_text(target), target.id
    kind, other = _KINDS if isinstance(target, LocalModel) else _KINDS[::-1]
    if text == PURE:
        return f"no local model can be called '{name}': {PURE} is the function's own body"
    if name.startswith(f"{other}-"):
        return f"a {kind} target cannot be called '{name}', which says that it is {other}"
    near = next((each for each in others if each != target and target_text(each) == text), None)
    if isinstance(near, LocalModel | RemoteModel):
        return f"'{name}' and '{near.id}' would both be written {text}"
    return None


def known_texts(local: Collection[str], remote: Collection[str]) -> list[str]:
    """Return every target text that a route may use."""
    targets: list[ExecTarget] = [LocalPure(), *map(LocalModel, sorted(local)), *map(RemoteModel, sorted(remote))]
    return list(map(target_text, targets))


def target_text(target: ExecTarget) -> str:
    """Return a target as `delegation.toml` writes it."""
    match target:
        case LocalPure():
            return PURE
        case LocalModel(id=name):
            return _with_kind("local", name)
        case RemoteModel(id=name):
            return _with_kind("remote", name)
        case L4CacheHit(pointer=pointer, signature=key):
            return f"{PUBLISHED}{f'-{pointer}' if pointer else ''}{f'@{key}' if key else ''}"
        case _:
            return show_target(target)


def _with_kind(kind: str, name: str) -> str:
    return name if name.startswith(f"{kind}-") else f"{kind}-{name}"
