"""Judging one case: run it and say None (it holds) or what is different."""

from __future__ import annotations

from typing import Any

from rtfs_framework.kernel.host_table import HOST
from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source, run_pure
from rtfs_framework.kernel.macros import compile_macro
from rtfs_framework.kernel.outcome import RequiresHost, value_of
from rtfs_framework.lang.analyzer.analyze import Analyzer
from rtfs_framework.lang.analyzer.data import to_data
from rtfs_framework.lang.analyzer.modules import Modules
from rtfs_framework.lang.analyzer.specials.streams import lower_mcp_stream
from rtfs_framework.lang.canonical import canonical_print
from rtfs_framework.lang.diagnostics import refusals
from rtfs_framework.lang.errors import LanguageError, LimitError, ProgramError
from rtfs_framework.lang.expander.macros import MacroTable
from rtfs_framework.lang.forms import ListForm
from rtfs_framework.lang.library import no_modules, nothing_delegatable
from rtfs_framework.lang.reader.read import read_one
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.types.read import read_type
from rtfs_framework.lang.types.show import show_type
from rtfs_framework.stdlib.library import BUILTINS
from rtfs_framework.testing.cases.host import Mismatch, ScriptedHost, Suspended
from rtfs_framework.testing.cases.model import Case

LIMITS = Limits(steps=1_000_000, depth=5_000)
"""Enough for every case that ends, little enough for those that never would."""


def judge(case: Case) -> str | None:
    """Return None if the case holds, else what is different.

    Exceptions other than RTFS errors are bugs and are returned as such, so that one case cannot stop a run.
    """
    try:
        outcome = _run(case)
    except Mismatch as difference:
        return str(difference)
    except Exception as error:  # noqa: BLE001 - reported as the failure that it is
        return f"{type(error).__name__}: {error}"
    if case.outcome is not None:
        return None if outcome == f"outcome {case.outcome}" else f"expected {case.outcome}, got {outcome}"
    if case.lowers_to is not None:
        wanted = f"value {canonical_print(_data(case.lowers_to))}"
        return None if wanted == outcome else f"expected {wanted}, got {outcome}"
    expected = f"error {case.error}" if case.error is not None else f"value {case.expect}"
    return None if expected == outcome else f"expected {expected}, got {outcome}"


def _run(case: Case) -> str:
    if case.entry == "type-expression":
        return _type_expression(case.source.removeprefix("#type "))
    if case.lowers_to is not None:
        return f"value {_lowered(case.source)}"
    host = ScriptedHost(case)
    try:
        value = _drive(case, host)
    except Suspended:
        host.finish()
        return "outcome requires-host"
    except LanguageError as error:
        return f"error {error.kind}"
    except ProgramError as error:
        host.finish()
        return f"error {error.kind}"
    except LimitError:
        return "error Generic"
    host.finish()
    return f"value {value}"


def _drive(case: Case, host: ScriptedHost) -> str:
    files = {name.removesuffix(".rtfs").replace("/", "."): Source(name, text) for name, text in case.files.items()}
    source = Source(case.id, case.source)
    artifact = compile_source(source, find_module=files.get, preloaded=case.load, prelude=case.layer == "ccos-prelude")
    refused = [each for each in refusals(artifact.diagnostics) if not host.knows(each)]
    if refused:
        raise LanguageError(refused)
    run = Instance(artifact, limits=LIMITS).start()
    outcome = run.step()
    while isinstance(outcome, RequiresHost):
        outcome = host.answer(run, outcome.call)
    return canonical_print(value_of(outcome))


def _data(text: str) -> Any:
    return run_pure(f"(quote {text})")


def _lowered(text: str) -> str:
    """Return the `call` form that a streaming form becomes."""
    source = Source("<case>", text)
    library = {**BUILTINS, **HOST}
    analyzer = Analyzer(source, library, nothing_delegatable, MacroTable(compile_macro), Modules(no_modules))
    form = read_one(source)
    if not isinstance(form, ListForm):
        raise Mismatch("the source is no list")
    return canonical_print(to_data(lower_mcp_stream(analyzer, form)))


def _type_expression(text: str) -> str:
    source = Source("<type>", text)
    try:
        return f"value {show_type(read_type(read_one(source), source))}"
    except LanguageError as error:
        return f"error {error.kind}"
