"""Patterns: destructuring in bindings and parameters, and the stricter patterns of `match`."""

from __future__ import annotations

from rtfs_framework.lang.analyzer.base import AnalyzerBase
from rtfs_framework.lang.analyzer.scope import Scope
from rtfs_framework.lang.analyzer.type_names import type_of
from rtfs_framework.lang.forms import Atom, Form, ListForm, MapForm, Name, VectorForm
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.values import Keyword

ACCEPTED = "a name, _, [a b & rest :as whole] or {:keys [a b] :key pattern :or {a 1} :as whole}"
_AS = Keyword("as")
_OR = Keyword("or")
_NAMED = {Keyword("keys"): Keyword, Keyword("strs"): str}


class Patterns:
    """Reads patterns into IR, binding names in `scope`.

    `matching` admits the patterns of `match`. `names_only` leaves defaults out: a refused binding is read a second time
    for its names, and nested ones would be read 2^n times.
    """

    def __init__(
        self, analyzer: AnalyzerBase, scope: Scope, *, matching: bool = False, names_only: bool = False
    ) -> None:
        self.analyzer = analyzer
        self.scope = scope
        self.matching = matching
        self.names_only = names_only

    def read(self, form: Form) -> ir.Pattern:
        """Return the IR of one pattern.

        Raises:
            LanguageError: E0206, the form is no pattern.
        """
        if isinstance(form, Name) and form.name not in ("&", ":"):
            return ir.PIgnore() if form.name == "_" else ir.PVar(self._bind(form))
        if isinstance(form, VectorForm):
            return self._vector(form)
        if isinstance(form, MapForm):
            return self._map(form)
        if self.matching and isinstance(form, Atom):
            return ir.PLiteral(form.value)
        if self.matching and isinstance(form, ListForm):
            return self._call_pattern(form)
        raise self.analyzer.refuse(form, "E0206", "this cannot be bound", f"a pattern is {ACCEPTED}")

    def _bind(self, form: Name) -> ir.Var:
        return self.analyzer.new_var(form.name, self.scope, form.span)

    def _name(self, form: Form, after: str) -> Name:
        if isinstance(form, Name) and form.name not in ("&", ":", "_"):
            return form
        raise self.analyzer.refuse(form, "E0206", f"{after} takes a name", f"a pattern is {ACCEPTED}")

    def _vector(self, form: VectorForm) -> ir.Pattern:
        items: list[ir.Pattern] = []
        rest: ir.Pattern | None = None
        whole: ir.Var | None = None
        left = list(reversed(form.items))
        while left:
            item = left.pop()
            if isinstance(item, Name) and item.name == "&":
                if not left or rest is not None or (isinstance(left[-1], Name) and left[-1].name == "&"):
                    raise self.analyzer.refuse(item, "E0207", "& takes exactly one name", "as in [first & rest]")
                rest = self.read(left.pop())
            elif isinstance(item, Atom) and item.value is _AS and left:
                whole = self._bind(self._name(left.pop(), ":as"))
            elif rest is not None or whole is not None:
                raise self.analyzer.refuse(item, "E0207", "nothing may follow & rest", "as in [first & rest]")
            else:
                items.append(self.read(item))
        return ir.PVector(tuple(items), rest, whole, form.span)

    def _map(self, form: MapForm) -> ir.Pattern:
        entries: list[ir.PMapEntry] = []
        rest: ir.Pattern | None = None
        whole: ir.Var | None = None
        defaults: MapForm | None = None
        for key, value in form.pairs:
            if isinstance(key, Name) and key.name == "&":
                rest = self.read(value)
            elif isinstance(key, Atom) and key.value is _AS and isinstance(value, Name):
                whole = self._bind(self._name(value, ":as"))
            elif isinstance(key, Atom) and key.value is _OR and isinstance(value, MapForm) and not self.matching:
                defaults = value
            elif isinstance(key, Atom) and key.value in _NAMED and isinstance(value, VectorForm):
                made = _NAMED[key.value]
                names = [self._name(item, f":{key.value.name}") for item in value.items]
                entries += [ir.PMapEntry(made(n.name), ir.PVar(self._bind(n))) for n in names]
            else:
                entries.append(self._entry(key, value))
        if defaults is not None and not self.names_only:
            entries = self._with_defaults(entries, defaults)
        return ir.PMap(tuple(entries), rest, whole, form.span)

    def _entry(self, key: Form, value: Form) -> ir.PMapEntry:
        if isinstance(key, Atom) and isinstance(key.value, Keyword | str | int):
            return ir.PMapEntry(key.value, self.read(value))
        if not self.matching and isinstance(value, Atom) and isinstance(value.value, Keyword):
            return ir.PMapEntry(value.value, self.read(key))
        raise self.analyzer.refuse(key, "E0206", "this is no entry of a map pattern", f"a pattern is {ACCEPTED}")

    def _with_defaults(self, entries: list[ir.PMapEntry], defaults: MapForm) -> list[ir.PMapEntry]:
        by_name = {k.name: v for k, v in defaults.pairs if isinstance(k, Name)}
        out = []
        for entry in entries:
            bound = entry.pattern.var.name if isinstance(entry.pattern, ir.PVar) else None
            default = by_name.get(bound) if bound else None
            node = None if default is None else self.analyzer.analyze(default, self.scope)
            out.append(ir.PMapEntry(entry.key, entry.pattern, node))
        return out

    def _call_pattern(self, form: ListForm) -> ir.Pattern:
        head = form.items[0] if form.items else None
        word = head.value if isinstance(head, Atom) else None
        if isinstance(word, Keyword) and word is _AS and len(form.items) == 3:
            var = self._bind(self._name(form.items[1], ":as"))
            return ir.PAs(var, self.read(form.items[2]))
        if isinstance(head, Atom) and isinstance(word, Keyword) and len(form.items) == 2:
            return ir.PType(type_of(self.analyzer, head), self.read(form.items[1]))
        way_out = "as in (:int n) or (:as name pattern); a test is a guard, as in n when (> n 3)"
        raise self.analyzer.refuse(form, "E0206", "this is no pattern", way_out)
