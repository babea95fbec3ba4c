"""The codes: each that is used is explained, each that is explained is used, and every example is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rtfs_framework
from rtfs_framework.cli.program_errors import KINDS
from rtfs_framework.kernel.loader import compile_source, run_pure
from rtfs_framework.lang.codes import CODES, Code, read_codes
from rtfs_framework.lang.errors import LanguageError, ProgramError
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.config.load import load_config
from rtfs_framework.registry.load import load_catalog

PACKAGE = Path(rtfs_framework.__file__).parent
PLUGINS = PACKAGE.parent / "plugins"
MODULES = {
    "shapes": "(module shapes (:exports [area]) (defn area [r] (* r r)))",
    "ring": "(module ring (import ring))",
    "loose": "(def x 1)",
    "waste": "(module waste (:exports [f]) (defn f [] 1) (defn g [] 2))",
}
RUNS = {code: kind for kind, (code, _) in KINDS.items()}
PROGRAMS = [code for code in CODES.values() if code.language == "rtfs" and code.wrong]
COMPILED = [code for code in PROGRAMS if code.code not in RUNS]
CONFIGS = [code for code in CODES.values() if code.language == "toml" and code.wrong]


def used(folders: list[Path]) -> set[str]:
    files = [path for folder in folders for path in folder.rglob("*.py") if "tests" not in path.parts]
    return {code for path in files for code in re.findall(r'"(E0\d{3})"', path.read_text(encoding="utf-8"))}


def found_in(text: str) -> set[str]:
    """Return the codes of all findings about a program."""
    sources = {name: Source(f"{name}.rtfs", module) for name, module in MODULES.items()}
    try:
        return {finding.code for finding in compile_source(text, find_module=sources.get).diagnostics}
    except LanguageError as error:
        return {finding.code for finding in error.diagnostics}


def test_every_code_that_is_used_is_explained() -> None:
    assert sorted(used([PACKAGE, PLUGINS]) - set(CODES)) == []


@pytest.mark.skipif(not PLUGINS.is_dir(), reason="an installed package has no folder of plugins")
def test_every_code_that_is_explained_is_used() -> None:
    assert sorted(set(CODES) - used([PACKAGE, PLUGINS])) == []


def test_language_codes_have_examples() -> None:
    without = sorted(code.code for code in CODES.values() if code.code < "E0400" and not code.wrong)
    assert without == ["E0107", "E0211", "E0299", "E0309"]  # these would fill a page
    assert all(bool(code.right) >= bool(code.wrong) for code in CODES.values())


@pytest.mark.parametrize("code", COMPILED, ids=lambda code: code.code)
def test_a_wrong_program_gets_its_code(code: Code) -> None:
    assert code.code in found_in(code.wrong)


@pytest.mark.parametrize("code", COMPILED, ids=lambda code: code.code)
def test_a_right_program_compiles(code: Code) -> None:
    assert found_in(code.right) == set()


@pytest.mark.parametrize("code", [code for code in PROGRAMS if code.code in RUNS], ids=lambda code: code.code)
def test_a_wrong_run_ends_with_its_kind_and_a_right_one_ends_well(code: Code) -> None:
    with pytest.raises(ProgramError) as caught:
        run_pure(code.wrong)
    assert caught.value.kind == RUNS[code.code]
    run_pure(code.right)


@pytest.mark.parametrize("code", CONFIGS, ids=lambda code: code.code)
def test_a_wrong_configuration_gets_its_code_and_a_right_one_is_taken(code: Code, tmp_path: Path) -> None:
    path = tmp_path / "delegation.toml"
    catalog = load_catalog({"RTFS_PLUGINS": ""})

    def load(text: str) -> None:
        path.write_text(text, encoding="utf-8")
        load_config(path, None, {}, catalog, lambda *_: None)

    with pytest.raises(LanguageError) as caught:
        load(code.wrong)
    assert code.code in {finding.code for finding in caught.value.diagnostics}
    load(code.right)


def test_what_has_no_short_example_exists() -> None:
    assert "E0107" in found_in("(" * 201 + ")" * 201)
    assert "E0309" in found_in("(def x : " + "[:vector " * 61 + ":int" + "]" * 61 + " 1)")
    endless = "(defmacro twice [n] (if (= n 0) 1 `(do (twice ~(dec n)) (twice ~(dec n))))) (twice 14)"
    assert "E0211" in found_in(endless)


def test_a_code_is_explained_once() -> None:
    with pytest.raises(ValueError, match="E0101 is explained twice"):
        read_codes("## E0101 once\n\nOnce.\n\n## E0101 again\n\nAgain.\n")
