"""Nesting of source text: a bound of the host's, told with a code, the place and the way out."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source, run_pure
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.format.check import format_source
from rtfs_framework.lang.meter import MOST_NESTING, NESTING
from rtfs_framework.lang.reader.read import read_program
from rtfs_framework.lang.source import Source


def _nested(levels):
    return "(do " * levels + "1" + ")" * levels


def _read(text, nesting):
    return read_program(Source("p", text), nesting=nesting)


def _format(text, nesting):
    return format_source(Source("p", text), nesting=nesting)


def _import(text, nesting):
    module = Source("m", f"(module m (:exports [f]) (def f {text}))")
    return compile_source("(import m)", find_module={"m": module}.get, nesting=nesting + 2)


WAYS = {
    "reading": _read,
    "compiling": lambda text, nesting: compile_source(text, nesting=nesting),
    "running": lambda text, nesting: run_pure(text, limits=Limits(nesting=nesting)),
    "formatting": _format,
    "a module": _import,
}


@pytest.mark.parametrize("nesting", [1, 50, NESTING, 300])
@pytest.mark.parametrize("way", WAYS)
def test_it_stops_at_the_bound_and_not_before(way, nesting):
    assert WAYS[way](_nested(nesting), nesting) is not None
    with pytest.raises(LanguageError) as refused:
        WAYS[way](_nested(nesting + 1), nesting)
    (found,) = refused.value.diagnostics
    assert found.code == "E0107"
    assert "nested deeper than" in found.message
    assert found.span is not None
    assert "--max-nesting, or nesting in [limits]" in found.help


def test_the_deepest_text_that_a_host_may_allow_runs_or_is_refused():
    assert run_pure(_nested(MOST_NESTING), limits=Limits(nesting=MOST_NESTING)) == 1
    deep = "(fn [x] " * (MOST_NESTING // 2) + "1" + ")" * (MOST_NESTING // 2)
    try:
        assert callable(run_pure(deep, limits=Limits(nesting=MOST_NESTING, output=None)))
    except LanguageError as refused:  # Python's compiler goes deeper on some versions than on others
        assert refused.diagnostics[0].message == "nested too deeply to compile"  # noqa: PT017


@pytest.mark.parametrize(("value", "said"), [(0, "at least 1"), (1_001, "at most 1000"), (True, "at least 1")])
def test_a_bound_that_is_not_safe_is_refused(value, said):
    with pytest.raises(ValueError, match=f"nesting must be {said}"):
        Limits(nesting=value)


def test_prefixes_nest_as_well():
    assert len(_read("'" * 10 + "x", 5)) == 1
    with pytest.raises(LanguageError, match="nested too deeply to read"):
        _read("'" * 11 + "x", 5)
