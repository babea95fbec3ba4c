"""`declassify`: a call that is freed of marks. In: the form. Out: the IR of `ir/declassified.py`.

What is freed is the call that the program shows, and nothing that the function calls in turn.
"""

from __future__ import annotations

from rtfs_framework.lang.analyzer.base import AnalyzerBase
from rtfs_framework.lang.analyzer.scope import Scope, Tail
from rtfs_framework.lang.analyzer.specials.record import malformed, special
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.forms import Form, ListForm, VectorForm, keyword_of, text_of
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.declassified import declassified, is_declassified

_WORD = "declassify"
_ASKING = frozenset({"%llm-execute"})
"""The analyzer's own functions that ask the host once, as a call does."""


@special(
    _WORD,
    grammar='(declassify [:mark ...] "reason" (f x ...))',
    doc="The call (f x ...); its host may let it go where the marks of what it sends forbid it, for the reason told.",
)
def _declassify(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:  # noqa: ARG001
    if len(form.items) != 4:
        message = f"declassify takes marks, a reason and one call, got {len(form.items) - 1} forms"
        raise malformed(analyzer, form, _WORD, message)
    marks, reason, body = form.items[1:]
    freed, told = _marks(analyzer, form, marks), _reason(analyzer, form, reason)
    if not isinstance(body, ListForm) or not body.items:
        raise malformed(analyzer, form, _WORD, "declassify stands around one call", at=body)
    node = analyzer.analyze(body, scope)
    if isinstance(node, ir.Fail) or (isinstance(node, ir.Do) and isinstance(node.items[-1], ir.Fail)):
        return node  # a call that cannot succeed, which has been told
    if not isinstance(node, ir.Call):
        message = "declassify stands around one call, not around other forms; put it inside, around the call that sends"
        raise malformed(analyzer, form, _WORD, message, at=body)
    _refuse_what_asks_nobody(analyzer, node, body)
    return declassified(node, ir.Const(freed, marks.span), ir.Const(told, reason.span))


def _marks(analyzer: AnalyzerBase, form: ListForm, marks: Form) -> tuple[str, ...]:
    if not isinstance(marks, VectorForm):
        raise malformed(analyzer, form, _WORD, "the marks of declassify are a vector of keywords", at=marks)
    if not marks.items:
        raise malformed(analyzer, form, _WORD, "declassify names no mark: it would free the call of nothing", at=marks)
    for each in marks.items:
        if keyword_of(each) is None:
            message = "a mark is a keyword written here, so that a reader sees what is freed"
            raise malformed(analyzer, form, _WORD, message, at=each)
    return tuple(sorted({name for each in marks.items if (name := keyword_of(each)) is not None}))


def _reason(analyzer: AnalyzerBase, form: ListForm, reason: Form) -> str:
    told = text_of(reason)
    if told is None:
        message = "the reason of declassify is a string written here, so that a reader sees it"
        raise malformed(analyzer, form, _WORD, message, at=reason)
    if not told.strip():
        raise malformed(analyzer, form, _WORD, "the reason of declassify is empty", at=reason)
    return told


def _refuse_what_asks_nobody(analyzer: AnalyzerBase, call: ir.Call, body: ListForm) -> None:
    """Refuse a call of the library that sends nothing itself: freeing it would do nothing, silently.

    Raises:
        LanguageError: E0246
    """
    function = call.function
    if not isinstance(function, ir.Builtin | ir.Const):
        return
    name = function.name if isinstance(function, ir.Builtin) else ""
    if is_declassified(call):
        raise _refusal(analyzer, body, "a declassify inside another", "write one, with the marks of both")
    if name in _ASKING or (isinstance(function, ir.Builtin) and function.entry and function.entry.effect is not None):
        return
    called = analyzer.sources[body.items[0].span.source].text[body.items[0].span.start : body.items[0].span.end]
    message = f"{called} sends nothing itself, so declassify would free nothing"
    way_out = (
        'put declassify around the call that leaves the program, as in (map (fn [x] (declassify [:m] "why" (f x))) xs)'
    )
    raise _refusal(analyzer, body, message, way_out)


def _refusal(analyzer: AnalyzerBase, body: ListForm, message: str, way_out: str) -> LanguageError:
    return analyzer.refuse(body, "E0246", message, way_out)
