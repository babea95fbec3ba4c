"""Reaching the host: `(get :key)` as context access, `(resource:ref "x")`, streaming forms lowered to `call`."""

from __future__ import annotations

from rtfs_framework.lang.analyzer.base import AnalyzerBase
from rtfs_framework.lang.analyzer.scope import Scope, Tail
from rtfs_framework.lang.analyzer.specials.record import malformed, special
from rtfs_framework.lang.forms import Atom, Form, ListForm, MapForm, Name, keyword_of, text_of
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.signature import SiteKind
from rtfs_framework.lang.values import Keyword


@special("get", grammar="(get coll key default?) or (get :context-key)", doc="Look up a key.", reserved=False)
def _get(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:
    if len(form.items) != 2:
        return analyzer.call(form, scope, tail)
    if keyword_of(form.items[1]) is not None:
        head = Name("context/get", form.items[0].span)
        return analyzer.call(ListForm((head, form.items[1]), form.span), scope, tail)
    message = "Invalid arguments: expected a keyword or (get coll key default?), got one other argument"
    return analyzer.fails(form.span, "E0204", "InvalidArguments", message)


_LLM = '(llm-execute "model" "prompt") or (llm-execute :model "m" :prompt "p" :system "s")'


@special("llm-execute", grammar=_LLM, doc="Ask a model by name, as a step; the text of its answer.", reserved=False)
def _llm_execute(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:  # noqa: ARG001
    parts = form.items[1:]
    names = [keyword_of(part) for part in parts[::2]]
    if names and all(names) and len(parts) % 2 == 0:
        given = dict(zip(names, parts[1::2], strict=True))
        wanted = [given.get("model"), given.get("prompt"), *([given["system"]] if "system" in given else [])]
    else:
        wanted = list(parts) if len(parts) == 2 else []
    operands = [part for part in wanted if part is not None]
    odd = [p for p in operands if isinstance(p, Atom) and not isinstance(p.value, str)]
    if len(operands) != len(wanted) or len(operands) < 2 or odd:
        message = f"Invalid arguments: expected {_LLM}, got {len(parts)} arguments"
        return analyzer.fails(form.span, "E0201", "InvalidArguments", message)
    args = tuple(analyzer.analyze(part, scope) for part in operands)
    analyzer.asks(SiteKind.CAPABILITY, "ccos.ai.llm-execute", form.span, scope)
    return ir.Call(ir.Builtin("%llm-execute", form.span), args, form.span)


_STREAM = "(mcp-stream endpoint processor initial-state?)"


@special(
    "mcp-stream", grammar=_STREAM, doc="Start a stream: lowered to (call :mcp.stream.start {...}).", reserved=False
)
def _mcp_stream(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:
    return analyzer.analyze(lower_mcp_stream(analyzer, form), scope, tail)


STREAMS = {
    "stream-source": "marketplace.stream.start",
    "stream-next": "marketplace.stream.next",
    "stream-consume": "marketplace.stream.register-callbacks",
    "stream-sink": "marketplace.stream.open-sink",
    "stream-produce": "marketplace.stream.send",
}
"""Streaming forms, and the capability that each asks for."""


def _stream(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:
    """A streaming form: `(call :marketplace.stream... operands)`."""
    head, operands = form.items[0], form.items[1:]
    if not operands or not isinstance(head, Name):
        raise malformed(analyzer, form, head.name if isinstance(head, Name) else "stream-source")
    capability = Atom(Keyword(STREAMS[head.name]), head.span)
    return analyzer.analyze(ListForm((Name("call", head.span), capability, *operands), form.span), scope, tail)


for _name, _capability in STREAMS.items():
    special(_name, grammar=f"({_name} operand...)", doc=f"Lowered to (call :{_capability} ...).", reserved=False)(
        _stream
    )


def lower_mcp_stream(analyzer: AnalyzerBase, form: ListForm) -> ListForm:
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
        if isinstance(part, Atom) and text_of(part) is not None:
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
