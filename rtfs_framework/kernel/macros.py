"""Macros of a program: their bodies are compiled like any function and run, pure and limited, at expansion."""

from __future__ import annotations

from rtfs_framework.kernel.compiling import current_watch
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.lang.analyzer.base import AnalyzerBase
from rtfs_framework.lang.analyzer.data import Origins, to_data, to_form
from rtfs_framework.lang.analyzer.quasi import MacroAnalyzer
from rtfs_framework.lang.annotations import TYPE_CHECKING, Callable
from rtfs_framework.lang.codegen.artifact import Artifact
from rtfs_framework.lang.codegen.program import emit_program
from rtfs_framework.lang.codegen.unit import Unit
from rtfs_framework.lang.errors import LanguageError, LimitError, ProgramError
from rtfs_framework.lang.forms import Form, ListForm
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.pipeline import to_code

if TYPE_CHECKING:
    from rtfs_framework.kernel.instance import Instance

_NAME = "%macro"
LIMITS = Limits(steps=2_000_000, memory=1 << 28, items=1_000_000, output=2_000_000)
"""Of one expansion: a fraction of a second, for a compiler must not hang."""

ALL_STEPS = 20_000_000
"""Of all expansions of one program."""


def compile_macro(analyzer: AnalyzerBase, name: str, function: ListForm) -> Callable[[AnalyzerBase, ListForm], Form]:
    """Return what expands a call of the macro: arguments go in as data, a form comes out."""
    instance = _load(analyzer, name, function)

    def expand(user: AnalyzerBase, form: ListForm) -> Form:
        from rtfs_framework.kernel.purehost import PureHost

        origins = Origins()
        args = tuple(to_data(part, origins) for part in form.items[1:])
        run = instance.call(_NAME, args)
        run.symbols = user.gensyms
        try:
            made = to_form(PureHost().finish(run), form.span, origins)
            _count(user, run.steps)
        except (ProgramError, LimitError) as error:
            if isinstance(error, LimitError) and error.dimension == "seconds":
                raise
            kind = error.kind if isinstance(error, ProgramError) else "Generic"
            found = user.finding(form.span, "E0210", f"the macro {name} failed: {error}", kind=kind)
            raise LanguageError([found]) from error
        user.gensyms = run.symbols
        return made

    return expand


def _count(user: AnalyzerBase, steps: int) -> None:
    user.macro_steps += steps
    if user.macro_steps > ALL_STEPS:
        raise LimitError("steps", ALL_STEPS, f"all macros together took more than {ALL_STEPS} steps")


def _load(analyzer: AnalyzerBase, name: str, function: ListForm) -> Instance:
    from rtfs_framework.kernel.instance import Instance
    from rtfs_framework.kernel.purehost import PureHost

    inner = MacroAnalyzer(analyzer)
    unit = Unit()
    node = inner.function(function)
    program = ir.Program((ir.SetGlobal(_NAME, node, function.span),), frozenset({_NAME}), frozenset({_NAME}), ())
    code = to_code(emit_program(program, unit), analyzer.source)
    artifact = Artifact(
        sources=tuple(analyzer.sources),
        digest="",
        code=code,
        constants=tuple(unit.constants),
        checked=tuple(unit.checked),
        types=dict(analyzer.types),
        builtins=tuple(unit.builtins.items()),
        helpers=tuple(unit.helpers),
        spans=tuple(unit.spans),
        globals=dict(unit.globals),
        functions={**unit.functions, _NAME: name},
        links=(),
    )
    instance = Instance(artifact, limits=LIMITS, watches=current_watch)
    PureHost().finish(instance.start())
    return instance
