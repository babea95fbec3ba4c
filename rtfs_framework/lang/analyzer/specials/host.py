"""Reaching the host: `(get :key)` as context access, `(resource:ref "x")`, streaming forms lowered to `call`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtfs_framework.lang.analyzer.specials.record import malformed, special
from rtfs_framework.lang.forms import Atom, Form, ListForm, MapForm, Name
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.values import Keyword

if TYPE_CHECKING:
    from rtfs_framework.lang.analyzer.analyze import Analyzer
    from rtfs_framework.lang.analyzer.scope import Scope, Tail


@special("get", grammar="(get coll key default?) or (get :context-key)", doc="Look up a key.", reserved=False)
def analyze_get(analyzer: Analyzer, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:
    """(get :key) reads the host's context; anything else is the library function."""
    if len(form.items) != 2:
        return analyzer.call(form, scope, tail)
    key = form.items[1]
    if isinstance(key, Atom) and isinstance(key.value, Keyword):
        head = Name("context/get", form.items[0].span)
        return analyzer.call(ListForm((head, key), form.span), scope, tail)
    message = "Invalid arguments: expected a keyword or (get coll key default?), got one other argument"
    analyzer.findings.append(analyzer.finding(form.span, "E0204", message, kind="InvalidArguments"))
    return ir.Fail("InvalidArguments", message, form.span)


_STREAM = "(mcp-stream endpoint processor initial-state?)"


@special(
    "mcp-stream", grammar=_STREAM, doc="Start a stream: lowered to (call :mcp.stream.start {...}).", reserved=False
)
def analyze_mcp_stream(analyzer: Analyzer, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:
    """(mcp-stream endpoint processor initial-state?)"""
    return analyzer.analyze(lower_mcp_stream(analyzer, form), scope, tail)


def lower_mcp_stream(analyzer: Analyzer, form: ListForm) -> ListForm:
    """Return the `call` that a streaming form stands for.

    Raises:
        LanguageError: E0201, operands missing or of another kind.
    """
    span = form.span

    def atom(value: object) -> Atom:
        return Atom(value, span)

    def text(part: Form) -> Atom:
        if isinstance(part, Name):
            return atom(part.name)
        if isinstance(part, Atom) and isinstance(part.value, str):
            return part
        raise malformed(analyzer, form, "mcp-stream", "the endpoint and the processor are names or strings")

    parts = form.items[1:]
    if not 2 <= len(parts) <= 3:
        raise malformed(analyzer, form, "mcp-stream")
    state = parts[2] if len(parts) == 3 else MapForm((), span)
    entries = (
        (atom(Keyword("endpoint")), text(parts[0])),
        (atom(Keyword("processor")), text(parts[1])),
        (atom(Keyword("initial-state")), state),
    )
    argument = MapForm(tuple(part for entry in entries for part in entry), span)
    return ListForm((Name("call", span), atom(Keyword("mcp.stream.start")), argument), span)
