"""Streaming forms, lowered to `call` and, where functions of the program are called for each item, to ordinary loops.

So a callback is a call of the program like any other: never re-entered, metered, recorded, and made again by a resume.
"""

from __future__ import annotations

from functools import lru_cache

from rtfs_framework.lang.analyzer.base import AnalyzerBase, Special
from rtfs_framework.lang.analyzer.scope import Scope, Tail
from rtfs_framework.lang.analyzer.specials.record import malformed, special
from rtfs_framework.lang.expander.core import OWN_WORD, call
from rtfs_framework.lang.forms import Atom, Form, ListForm, MapForm, Name, VectorForm, text_of
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.source import Source, Span
from rtfs_framework.lang.values import Keyword

_STREAM = "(mcp-stream endpoint processor initial-state?)"


@special(
    "mcp-stream", grammar=_STREAM, doc="Start a stream: lowered to (call :mcp.stream.start {...}).", reserved=False
)
def _mcp_stream(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:
    return analyzer.analyze(lower_mcp_stream(analyzer, form), scope, tail)


STREAMS = {
    "stream-source": "marketplace.stream.start",
    "stream-next": "marketplace.stream.next",
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
    return analyzer.analyze(call(form.span, "call", capability, *operands), scope, tail)


for _name, _capability in STREAMS.items():
    special(_name, grammar=f"({_name} operand...)", doc=f"Lowered to (call :{_capability} ...).", reserved=False)(
        _stream
    )

_RUN = """
(loop [batch (call :mcp.stream.next base {}) state (get batch :state)]
  (let [items (get batch :items) size (count items)
        done (loop [i 0 state state outputs [] action :continue]
               (if (or (= i size) (not (or (= action :continue) (= action :resume))))
                 {:seq (+ (get batch :seq) i) :state state :outputs outputs :action action}
                 (let [kept (reduce (fn [items stage] (if (= (nth stage 0) :map)
                                                        (map (nth stage 1) items)
                                                        (filter (nth stage 1) items)))
                                    [(nth items i)] stages)]
                   (if (= (count kept) 0)
                     (recur (+ i 1) state outputs action)
                     (let [made (processor state (nth kept 0) {:stream (get base :stream) :seq (+ (get batch :seq) i)})]
                       (recur (+ i 1) (get made :state)
                              (if (nil? (get made :output)) outputs (conj outputs (get made :output)))
                              (get made :action :continue)))))))
        told (assoc done :epoch (get batch :epoch))
        action (get done :action)]
    (if (and (= (get done :seq) (+ (get batch :seq) size)) (> size 0) (not (get batch :done))
             (or (= action :continue) (= action :resume)))
      (recur (call :mcp.stream.next base told) (get done :state))
      (call :mcp.stream.commit base told))))
"""
_PROCESS = """
(let [base (call :mcp.stream.attach (if (map? source) (dissoc source :stages) source))
      stages (if (map? source) (get source :stages []) [])]
  BODY)
"""
_EACH = """
(let [told (call :marketplace.stream.register-callbacks
                 (if (map? source) (dissoc source :stages) source) (vec (keys callbacks)))
      on-item (get callbacks :on-item (get callbacks :handler))
      on-error (get callbacks :on-error)
      processor (fn [state item metadata]
                  (do (if (nil? on-error) (on-item item) (try (on-item item) (catch error (on-error error item))))
                      {:state (if (nil? state) 1 (if (number? state) (+ state 1) state))}))
      ended BODY]
  (do (if (and (= (get ended :status) :completed) (not (nil? (get callbacks :on-end))))
        ((get callbacks :on-end) ended)
        nil)
      ended))
"""
_STAGE = """
(let [source (if (map? source) source (call :mcp.stream.attach source))]
  (assoc source :stages (conj (get source :stages []) [KIND stage]) OF))
"""
_LOCAL = frozenset(
    {"action", "base", "batch", "callbacks", "done", "ended", "error", "i", "item", "items", "kept", "made", "metadata"}
    | {"on-error", "on-item", "outputs", "processor", "size", "source", "stage", "stages", "state", "told"}
)


@lru_cache(maxsize=1)
def _templates() -> tuple[Form, ...]:
    """Return what each form that calls functions stands for; what it works on is bound around it."""
    from rtfs_framework.lang.reader.read import read_one

    process = _PROCESS.replace("BODY", _RUN)
    mapped = _STAGE.replace("KIND", ":map").replace("OF", ':of ":any"')
    filtered = _STAGE.replace("KIND", ":filter").replace("OF", "")
    texts = (process, _EACH.replace("BODY", process), mapped, filtered)
    return tuple([read_one(Source("<streams>", text)) for text in texts])


def _placed(form: Form, span: Span) -> Form:
    """Return a form of a template at a place of the program: its names are the language's words, or nobody else's."""
    match form:
        case Name(name):
            return Name(name if name == "catch" else f"stream#{name}" if name in _LOCAL else f"{OWN_WORD}{name}", span)
        case ListForm(items):
            return ListForm(tuple([_placed(each, span) for each in items]), span)
        case VectorForm(items):
            return VectorForm(tuple([_placed(each, span) for each in items]), span)
        case MapForm(items):
            return MapForm(tuple([_placed(each, span) for each in items]), span)
        case Atom(value):
            return Atom(value, span)
        case _:
            raise AssertionError(form)


def _of_template(which: int, first: str, second: str) -> Special:
    """Return the handler of a form with two operands, which are bound to these names around a template."""

    def handle(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:
        head, span = form.items[0], form.span
        if len(form.items) != 3 or not isinstance(head, Name):
            raise malformed(analyzer, form, head.name if isinstance(head, Name) else "stream-run")
        names = (Name(f"stream#{first}", span), form.items[1], Name(f"stream#{second}", span), form.items[2])
        body = _placed(_templates()[which], span)
        return analyzer.analyze(call(span, "let", VectorForm(names, span), body), scope, tail)

    return handle


special(
    "stream-run",
    grammar="(stream-run stream processor)",
    doc="Call (processor state item metadata) for each item that is there; the map it gives says :state, :action"
    " (:continue, :pause, :cancel, :complete) and :output, and position and state are kept together.",
    reserved=False,
)(_of_template(0, "source", "processor"))
special(
    "stream-consume",
    grammar="(stream-consume stream {:on-item f})",
    doc="Call :on-item for each item that is there, :on-error with what it throws and the item, :on-end at the end.",
    reserved=False,
)(_of_template(1, "source", "callbacks"))
special(
    "stream-map",
    grammar="(stream-map f stream)",
    doc="The stream whose items are what f gives of each, for stream-run and stream-consume.",
    reserved=False,
)(_of_template(2, "stage", "source"))
special(
    "stream-filter",
    grammar="(stream-filter f stream)",
    doc="The stream of the items for which f is true, for stream-run and stream-consume.",
    reserved=False,
)(_of_template(3, "stage", "source"))


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
