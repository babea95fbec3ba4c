"""Reaching the host: `(get :key)` as context access, `llm-execute`."""

from __future__ import annotations

from rtfs_framework.lang.analyzer.base import AnalyzerBase
from rtfs_framework.lang.analyzer.scope import Scope, Tail
from rtfs_framework.lang.analyzer.specials.record import special
from rtfs_framework.lang.forms import Atom, ListForm, Name, keyword_of
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.signature import SiteKind


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
