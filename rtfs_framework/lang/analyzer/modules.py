"""Modules: loading what a program imports. Each module is read once; its definitions run before what imports it.

In: a module's name and a function that finds its text. Out: the IR of its definitions. A module's names are kept apart
by full names (`module/name`); only exports can be reached from outside.
"""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.analyzer.arities import laid_out
from rtfs_framework.lang.analyzer.base import AnalyzerBase
from rtfs_framework.lang.analyzer.globals import collect_definitions, collect_described, collect_types
from rtfs_framework.lang.analyzer.namespaces import Namespace
from rtfs_framework.lang.analyzer.refusals import Refusals
from rtfs_framework.lang.analyzer.scope import Scope
from rtfs_framework.lang.annotations import Container, Mapping, TypeGuard
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.forms import Form, ListForm, Name, VectorForm, head_of, keyword_of
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.library import FindModule
from rtfs_framework.lang.meter import NESTING
from rtfs_framework.lang.reader.read import read_program
from rtfs_framework.lang.source import Source, Span

MODULE = "(module name (:exports [name ...])? (import ...)... definition...)"
IMPORT = "(import name), (import name :as alias), (import name :only [name ...])"
_DEFINITIONS = frozenset({"def", "defn", "defstruct", "deftype", "defmacro", "import"})


class Modules:
    """The modules of one program."""

    def __init__(self, find: FindModule, nesting: int = NESTING) -> None:
        self._find = find
        self.nesting = nesting
        """Levels of brackets that their texts may have."""
        self._namespaces: dict[str, Namespace] = {}
        self._loading: list[str] = []

    @property
    def namespaces(self) -> Mapping[str, Namespace]:
        """The modules loaded so far, by name."""
        return self._namespaces

    def copy(self) -> Modules:
        """Return the same modules, for a text that follows."""
        made = Modules(self._find, self.nesting)
        made._namespaces = dict(self._namespaces)
        return made

    def forget(self, lost: Container[str]) -> None:
        """Forget modules of whose definitions one got no value: they will be read again."""
        for name, namespace in list(self._namespaces.items()):
            if any(namespace.mine(own) in lost for own in namespace.own):
                del self._namespaces[name]

    def load(self, analyzer: AnalyzerBase, name: str, span: Span) -> tuple[Namespace, tuple[ir.Node, ...]]:
        """Return a module's namespace and the nodes that define it (none when it was loaded before).

        Raises:
            LanguageError: ModuleNotFound; ModuleError for a cycle, a broken file or one without a module form.
        """
        if name in self._loading:
            shown = " -> ".join([*self._loading[self._loading.index(name) :], name])
            raise _refuse(analyzer, span, "E0220", f"import cycle: {shown}", "move what both need into a third module")
        known = self._namespaces.get(name)
        if known is not None:
            return known, ()
        source = self._find(name)
        if source is None:
            way_out = f"expected the file {name.replace('.', '/')}.rtfs on the module path"
            raise _refuse(analyzer, span, "E0221", f"module {name} not found", way_out, "ModuleNotFound")
        self._loading.append(name)
        try:
            return self._read(analyzer, name, source, span)
        finally:
            self._loading.pop()

    def _read(
        self, analyzer: AnalyzerBase, name: str, source: Source, span: Span
    ) -> tuple[Namespace, tuple[ir.Node, ...]]:
        analyzer.sources.append(source)
        namespace, before = Namespace(name, len(analyzer.sources) - 1), analyzer.namespace
        analyzer.namespace = namespace
        try:
            forms = read_program(source, namespace.source, self.nesting)
            parts = next((p for p in map(module_parts, forms) if p is not None), None)
            if parts is None:
                for form in filter(is_module, forms):
                    wrong = wrong_part(form)
                    if wrong is not None:
                        raise _refuse(analyzer, wrong[0].span, "E0201", wrong[1], f"as in {MODULE}")
                message = f"{source.name} holds no module form"
                raise _refuse(analyzer, span, "E0222", message, f"as in {MODULE}")
            nodes = self._define(analyzer, namespace, parts[1], parts[2])
        except LanguageError as error:
            raise LanguageError([_as_module_error(d) for d in error.diagnostics]) from error
        finally:
            analyzer.namespace = before
        self._namespaces[name] = namespace
        return namespace, nodes

    @staticmethod
    def _define(
        analyzer: AnalyzerBase, namespace: Namespace, exports: tuple[str, ...], body: tuple[Form, ...]
    ) -> tuple[ir.Node, ...]:
        found = collect_definitions(body)
        namespace.own.update(found)
        namespace.types.update(collect_types(body))
        analyzer.defined.update({namespace.mine(name): count for name, count in found.items()})
        analyzer.described.update(map(namespace.mine, collect_described(body)))
        top = Scope(None, ir.FunctionFrame(None), is_top=True)
        nodes, refused = list[ir.Node](), Refusals()
        for form in body:
            analyzer.outermost = form
            try:
                nodes += laid_out(analyzer.analyze(form, top))
            except LanguageError as error:
                refused.take(error)
        refused.settle()
        namespace.exports = tuple(name for name in exports if name in namespace.own or name in namespace.types)
        return tuple(nodes)


def module_parts(form: Form) -> tuple[str, tuple[str, ...], tuple[Form, ...]] | None:
    """Return a module form's name, exports and body, or None when a form is no well-formed module."""
    if not is_module(form) or wrong_part(form) is not None:
        return None
    head, *body = form.items[1:]
    if body and _is_exports(body[0]):
        return _word(head), tuple(map(_word, _exported(body[0]) or ())), tuple(body[1:])
    return _word(head), (), tuple(body)


def is_module(form: Form) -> TypeGuard[ListForm]:
    """Tell whether a form says that it is a module, well-formed or not."""
    return head_of(form) == "module"


def wrong_part(form: ListForm) -> tuple[Form, str] | None:
    """Return the first part of a module form that is not as it should be, and words for it."""
    parts = form.items[1:]
    if not parts or not isinstance(parts[0], Name):
        return (parts[0] if parts else form), "a module's name is a symbol"
    body = parts[1:]
    if body and _is_exports(body[0]):
        names = _exported(body[0])
        if names is None:
            return body[0], "a module's exports stand in one vector"
        for name in names:
            if not isinstance(name, Name):
                return name, "what a module exports is named by symbols"
        body = body[1:]
    for part in body:
        head = part.items[0] if isinstance(part, ListForm) and part.items else part
        if _is_exports(part):
            return part, "a module's exports stand once, after its name"
        if not isinstance(part, ListForm) or not (isinstance(head, Name) and head.name in _DEFINITIONS):
            shown = f"not ({_word(head)} ...)" if head is not part and _word(head) else "and nothing else"
            return head, f"a module holds definitions and imports, {shown}"
    return None


def _is_exports(form: Form) -> bool:
    return isinstance(form, ListForm) and bool(form.items) and keyword_of(form.items[0]) == "exports"


def _exported(form: Form) -> tuple[Form, ...] | None:
    listed = form.items[1] if isinstance(form, ListForm) and len(form.items) == 2 else None
    return listed.items if isinstance(listed, VectorForm) else None


def _word(form: Form) -> str:
    """Return the name that a symbol or keyword spells, "" for other forms."""
    if isinstance(form, Name):
        return form.name
    return "" if keyword_of(form) is None else f":{keyword_of(form)}"


def import_into(namespace: Namespace, module: Namespace, alias: str | None, only: tuple[str, ...] | None) -> str | None:
    """Make a module's exports visible in a namespace; returns a name that is not exported, if one was asked for."""
    for name in only or ():
        if name not in module.exports:
            return name
        namespace.visible[name] = module.mine(name)
    if only is None:
        namespace.visible.update({f"{alias or module.name}/{name}": module.mine(name) for name in module.exports})
    return None


def _as_module_error(found: Diagnostic) -> Diagnostic:
    """A mistake inside a module is a ModuleError to the program that imports it; place and code stay."""
    if found.kind in ("ModuleNotFound", "ModuleError"):
        return found
    return records.evolve(found, kind="ModuleError")


def _refuse(
    analyzer: AnalyzerBase, span: Span, code: str, message: str, way_out: str, kind: str = "ModuleError"
) -> LanguageError:
    return LanguageError([analyzer.finding(span, code, message, way_out, kind=kind)])
