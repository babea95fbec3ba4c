"""module and import."""

from __future__ import annotations

from rtfs_framework.lang.analyzer.base import AnalyzerBase
from rtfs_framework.lang.analyzer.modules import IMPORT, MODULE, import_into, module_parts, wrong_part
from rtfs_framework.lang.analyzer.namespaces import Imported
from rtfs_framework.lang.analyzer.scope import Scope, Tail
from rtfs_framework.lang.analyzer.specials.record import malformed, special
from rtfs_framework.lang.forms import Form, ListForm, Name, VectorForm, keyword_of
from rtfs_framework.lang.ir import nodes as ir


@special("module", grammar=MODULE, doc="Describe a module; its definitions run when it is imported.", reserved=False)
def _module(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:
    if form is not analyzer.outermost:
        return analyzer.call(form, scope, tail)
    parts = module_parts(form)
    if parts is None:
        part, message = wrong_part(form) or (form, "malformed module")
        raise malformed(analyzer, form, "module", message, at=part)
    name, exports, _ = parts
    span = form.span
    pairs: list[tuple[str, ir.Node]] = [("name", ir.Const(name, span))]
    if exports:
        pairs.append(("exports", ir.Const(exports, span)))
    return ir.MapNode(tuple(pairs), span)


@special("import", grammar=IMPORT, doc="Load a module once and make its exports visible.", reserved=False)
def _import(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:
    if form is not analyzer.outermost:
        return analyzer.call(form, scope, tail)
    name, alias, only = _read_import(analyzer, form)
    module, nodes = analyzer.modules.load(analyzer, name, form.span)
    analyzer.outermost = form
    analyzer.imports.append(Imported(name, form.span))
    missing = import_into(analyzer.namespace, module, alias, only)
    if missing is not None:
        way_out = f"it exports: {' '.join(module.exports) or 'nothing'}"
        message = f"module {name} does not export '{missing}'"
        raise analyzer.refuse(form, "E0223", message, way_out, kind="ModuleError")
    return ir.Do((*nodes, ir.Const(None, form.span)), form.span)


def _read_import(analyzer: AnalyzerBase, form: ListForm) -> tuple[str, str | None, tuple[str, ...] | None]:
    parts = form.items[1:]
    if parts and isinstance(parts[0], VectorForm):
        parts = parts[0].items
    if not parts or not isinstance(parts[0], Name):
        raise malformed(analyzer, form, "import", "a module's name is a symbol", at=parts[0] if parts else form)
    if len(parts) % 2 == 0:
        raise malformed(analyzer, form, "import", "nothing follows this", at=parts[-1])
    alias: str | None = None
    only: tuple[str, ...] | None = None
    for key, value in zip(parts[1::2], parts[2::2], strict=True):
        word = keyword_of(key)
        names = _names(value)
        if word == "as" and isinstance(value, Name) and alias is None:
            alias = value.name
        elif word in ("only", "refer") and names is not None and only is None:
            only = names
        elif word in ("as", "only", "refer"):
            raise malformed(analyzer, form, "import", at=value)
        else:
            raise malformed(analyzer, form, "import", "import takes :as, :only and :refer", at=key)
    if alias is not None and only is not None:
        raise malformed(analyzer, form, "import", "import takes :as or :only, not both")
    return parts[0].name, alias, only


def _names(form: Form) -> tuple[str, ...] | None:
    if not isinstance(form, VectorForm) or not all(isinstance(item, Name) for item in form.items):
        return None
    return tuple(item.name for item in form.items if isinstance(item, Name))
