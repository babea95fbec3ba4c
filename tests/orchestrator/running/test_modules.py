"""Modules from files: where they are looked for, what is said when they are not there, and where findings point."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rtfs_framework.api import LanguageError
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.running.module_path import find_module, finder
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.load import load_catalog

SHAPES = "(module lib.shapes (:exports [area]) (defn area [r] (* r r)))"


@pytest.fixture
def tree(tmp_path, monkeypatch) -> Path:
    """Programs in `work`, the current folder beside it, and a configured folder."""
    for name, text in {
        "work/lib/shapes.rtfs": SHAPES,
        "work/wrong.rtfs": "(module wrong (:exports [f]) (defn f [] (nobody 1)))",
        "work/ring.rtfs": "(module ring (:exports []) (import chain))",
        "work/chain.rtfs": "(module chain (:exports []) (import ring))",
        "here/near.rtfs": "(module near (:exports [n]) (def n 2))",
        "here/wrong.rtfs": "(module wrong (:exports [f]) (defn f [] 0))",
        "here/delegation.toml": '[modules]\npath = ["../more"]\n',
        "more/far.rtfs": "(module far (:exports [n]) (def n 3))",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


@pytest.fixture
def session(tree):
    environ = {"RTFS_PLUGINS": "", "RTFS_HOME": str(tree / "home"), "RTFS_TRUST": "1"}
    with Session.open(environ=environ, catalog=load_catalog(environ), journal=False) as opened:
        yield opened


@pytest.fixture
def program(tree):
    def write(text: str) -> Source:
        path = tree / "work" / "main.rtfs"
        path.write_text(text, encoding="utf-8")
        return Source(str(path), text)

    return write


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(import lib.shapes) (lib.shapes/area 2)", 4),
        ("(import lib.shapes :as s) (s/area 3)", 9),
        ("(import lib.shapes :only [area]) (area 4)", 16),
        ("(import near) near/n", 2),
        ("(import far) far/n", 3),
    ],
    ids=["beside the program", "alias", "only", "in the current folder", "configured"],
)
def test_a_module_is_found(session, program, text, value):
    assert session.run(program(text)).value == value


def test_a_text_without_a_file_has_the_modules_of_the_current_folder(session):
    assert session.run(Source("<stdin>", "(import near) near/n")).value == 2


def refusal(session, source):
    with pytest.raises(LanguageError) as caught:
        session.run(source)
    return caught.value.diagnostics[0]


def test_a_module_that_is_not_there(session, program):
    found = refusal(session, program("(import lib.shape)"))
    assert (found.code, found.kind) == ("E0221", "ModuleNotFound")
    assert "lib/shape.rtfs" in found.help


def test_a_cycle_is_shown(session, program):
    found = refusal(session, program("(import ring)"))
    assert found.code == "E0220"
    assert "ring -> chain -> ring" in found.message


def test_an_unknown_name_in_a_module_is_shown_in_the_module(session, program):
    found = refusal(session, program("(import wrong) (wrong/f)"))
    assert (found.code, found.message) == ("E0203", "unknown symbol 'nobody'")
    assert Path(found.source.name).name == "wrong.rtfs"


def test_a_hint_in_a_module_is_shown_in_the_module(session, program, tree):
    text = '(module asks (:exports [f]) (defn ^:delegation :remote "nowhere" f [q] q))'
    (tree / "work" / "asks.rtfs").write_text(text, encoding="utf-8")
    found = refusal(session, program("(import asks) (asks/f 1)"))
    assert found.code == "E0712"
    assert Path(found.source.name).name == "asks.rtfs"
    assert text[found.span.start : found.span.end] == '"nowhere"'


def test_a_module_that_cannot_be_read(session, program, tree):
    (tree / "work" / "latin.rtfs").write_bytes(b'(module latin (:exports []) (def x "\xe9"))')
    found = refusal(session, program("(import latin)"))
    assert found.code == "E0222"
    assert "not UTF-8" in found.message


@pytest.mark.parametrize("name", ["/etc/passwd", "..", "..work.main", "a/../main", "a..b", ".main", "", "lib/shapes"])
def test_no_name_leads_out_of_the_folders(tree, name):
    assert find_module(name, [tree / "here", tree / "work"]) is None


def test_the_program_s_folder_comes_first(tree, program):
    found = finder(program("1"))("wrong")
    assert found is not None
    assert Path(found.name).parent == tree / "work"
    assert finder(Source("<x>", ""))("lib.shapes") is None


def test_a_digest_covers_modules(session, program, tree):
    source = program("(import lib.shapes) (lib.shapes/area 2)")
    before = session.link(source).digest
    (tree / "work/lib/shapes.rtfs").write_text(SHAPES.replace("(* r r)", "(+ r r)"), encoding="utf-8")
    assert session.link(source).digest != before


def _leads_out(tree: Path, *links: tuple[str, str]) -> None:
    (tree / "secret.txt").write_text("root:x:0:0:secret line\n", encoding="utf-8")
    (tree / "far" / "inner").mkdir(parents=True)
    (tree / "far" / "inner" / "b.rtfs").write_text("secret line", encoding="utf-8")
    for name, target in links:
        (tree / "work" / name).parent.mkdir(exist_ok=True)
        (tree / "work" / name).symlink_to(target)


@pytest.mark.parametrize(
    ("links", "name"),
    [
        ([("a/b.rtfs", "../../secret.txt")], "a.b"),
        ([("a", "../far/inner")], "a.b"),
        ([("one.rtfs", "two.rtfs"), ("two.rtfs", "../secret.txt")], "one"),
        ([("a", "../far"), ("c.rtfs", "a/inner/b.rtfs")], "c"),
    ],
)
def test_a_link_that_leads_out_is_refused_and_nothing_of_its_target_is_shown(session, program, tree, links, name):
    _leads_out(tree, *links)
    with pytest.raises(LanguageError) as caught:
        session.run(program(f"(import {name} :as m)"))
    (found,) = caught.value.diagnostics
    assert found.code == "E0222"
    assert "a link that leads out of" in found.message
    assert "secret line" not in found.render()


def test_a_link_within_the_folder_is_a_module_like_any_other(session, program, tree):
    (tree / "work" / "same.rtfs").symlink_to("real.rtfs")
    (tree / "work" / "real.rtfs").write_text("(module same (:exports [n]) (def n 5))", encoding="utf-8")
    assert session.run(program("(import same :as s) s/n")).value == 5


def test_a_folder_that_is_a_link_itself_is_where_it_leads(tree, monkeypatch):
    (tree / "alias").symlink_to("work")
    found = find_module("lib.shapes", [tree / "alias"])
    assert found is not None
    assert found.text == SHAPES


def test_a_pipe_is_no_module(tree):
    os.mkfifo(tree / "work" / "pipe.rtfs")
    assert find_module("pipe", [tree / "work"]) is None
    (tree / "work" / "lead.rtfs").symlink_to("pipe.rtfs")
    assert find_module("lead", [tree / "work"]) is None
