"""docs/reference/records.md: fields of what plug-ins offer and are made from, and of events, read from the code."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator

import attrs

from making.language import MARK
from rtfs_framework import api
from rtfs_framework.api.events import EVENTS
from rtfs_framework.registry.kinds import KINDS

_TEXT = """What a plug-in hands over (a record for each thing that it offers) and what the host hands to it (settings
that its factory gets, requests and replies), with every field; and the events that observers hear. All are frozen
attrs classes of `rtfs_framework.api`. What each hook means is told in [hooks](hooks.md), how to begin in
[writing a plug-in](../plugins.md)."""
_HANDED = {
    "engine": ("EngineSettings", "Candidate", "DelegationPlan", "Hedge", "Scored", "Attempt"),
    "provider": ("ProviderSettings", "InferenceRequest", "InferenceReply", "Message", "Usage", "ChatRequest"),
    "cache": ("CacheSettings", "CacheKey", "CacheInfo", "CacheRecord", "CacheItem", "CacheStats"),
    "capability": ("CapabilityRequest", "CapabilityGrant"),
    "capability set": ("CapabilitySetSettings",),
    "guard": ("GuardSettings", "GuardedRequest", "Refuse", "RedactArgs", "RedactReply"),
    "embedder": ("EmbedderSettings",),
    "store": ("StoreSettings",),
    "ledger": ("LedgerSettings", "BudgetClaim", "Account", "Amount", "Limit", "Reservation", "Standing", "Typical"),
    "queue": ("QueueSettings", "QueueItem", "Lease", "ItemStatus", "ItemCount", "ItemFilter", "Placed"),
    "executor": ("ExecutorSettings", "Ended"),
    "command": (),
    "observer": ("ObserverSettings", "Event"),
}
"""By kind: what its plug-ins are given or give besides their entry."""


def pages() -> dict[str, str]:
    """Return the page."""
    return {"docs/reference/records.md": "\n".join(_lines())}


def _lines() -> Iterator[str]:
    yield from ("# Records and events", "", MARK, "", _TEXT, "")
    for kind in KINDS:
        yield from (f"## {kind.word[0].upper()}{kind.word[1:]}", "", f"Offered by the hook `{kind.hook}`.", "")
        for name in (kind.record, *_HANDED[kind.word]):
            yield from _record(name)
    yield from ("## Events", "", "| event | when | fields |", "|---|---|---|")
    for name, event in EVENTS.items():
        yield f"| `{name}` | {event.when} | {', '.join(f'`{field}`' for field in event.fields)} |"
    yield from ("", "What the fields are:", "", "| field | of | what it is |", "|---|---|---|")
    for (field, meaning), names in sorted(_fields().items()):
        yield f"| `{field}` | {', '.join(f'`{name}`' for name in names)} | {meaning} |"
    yield ""


def _fields() -> dict[tuple[str, str], list[str]]:
    """Return events by their fields, those with one meaning together."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, event in EVENTS.items():
        for field, meaning in event.fields.items():
            found.setdefault((field, meaning), []).append(name)
    return found


def _record(name: str) -> Iterator[str]:
    class_ = getattr(api, name)
    said = _said(class_)
    yield from (f"### `{name}`", "", _one_line(inspect.getdoc(class_) or ""), "")
    yield from ("| field | type | default | |", "|---|---|---|---|")
    for field in attrs.fields(class_):
        if field.init:
            shown = field.name.lstrip("_")
            type_, doc = said.get(field.name, ("", ""))
            yield f"| `{shown}` | `{type_}` | {_default(field)} | {doc} |".replace("|  |", "| |").rstrip()
    yield ""


def _said(class_: type) -> dict[str, tuple[str, str]]:
    """Return the types and docstrings of a class's fields, as its source spells them."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(class_))).body[0]
    found: dict[str, tuple[str, str]] = {}
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            doc = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else ""
            type_ = ast.unparse(node.annotation).replace("|", "\\|")
            found[node.target.id] = (type_, _one_line(str(doc)))
    return found


def _default(field: attrs.Attribute[object]) -> str:
    if field.default is attrs.NOTHING:
        return "needed"
    if isinstance(field.default, attrs.Factory):  # type: ignore[arg-type]
        made = field.default.factory
        return f"`{made.__name__}()`" if isinstance(made, type) else "made"
    text = repr(field.default)
    if inspect.isroutine(field.default) or " at 0x" in text:
        return "the host's"
    if text.startswith("<"):
        text = str(field.default)
    return f"`{text}`".replace("|", "\\|")


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().replace("|", "\\|")
