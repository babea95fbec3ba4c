"""Functions of several arities: the same with every set of passes, stacks, depth, places, views, stored artifacts."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source, run_pure
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.codegen.stored import dump_artifact, load_artifact
from rtfs_framework.lang.errors import LimitError, ProgramError
from rtfs_framework.lang.passes.table import ALL

DEEP = """
(defn build ([n] (build n :odd)) ([n word] (if (= n 0) [] (conj (build (dec n)) word))))
(count (build %d))
"""


def value(artifact, limits=None):
    return PureHost().finish(Instance(artifact, limits=limits).start())


def failure(text, passes=ALL):
    with pytest.raises(ProgramError) as caught:
        value(compile_source(text, passes=passes, verified=True))
    return caught.value.value


@pytest.mark.parametrize("passes", [ALL, frozenset(), ALL - {"arities"}, ALL - {"inline"}])
def test_a_stack_shows_the_function_for_each_arity_and_nothing_between(passes):
    text = '(defn f ([x] (inc (f x 1)))\n ([x y] (inc (f x y 1)))\n ([x y z] (inc "a")))\n(f 1)'
    found = failure(text, passes)
    assert found.span == "<string>:3:11"
    places = ["f at <string>:3:11", "f at <string>:2:14", "f at <string>:1:19", "top level at <string>:4:1"]
    assert list(found.stack) == places


@pytest.mark.parametrize("passes", [ALL, ALL - {"arities"}])
def test_depth_is_that_of_the_program(passes):
    deepest = Limits(depth=2_000)
    assert value(compile_source(DEEP % 990, passes=passes), deepest) == 990
    with pytest.raises(LimitError, match="depth"):
        value(compile_source(DEEP % 1_001, passes=passes), deepest)


def test_a_stored_artifact_means_the_same():
    artifact = compile_source(
        '(defn ^:delegation :local f "d" ([a] (f a 2)) ([a b : int & c] [a b c])) [(f 1) (map f [3])]'
    )
    kept = load_artifact(dump_artifact(artifact))
    assert kept.signatures == artifact.signatures
    assert kept.signatures[0].shapes == ((1, 1), (2, None))
    assert value(kept) == value(artifact) == ((1, 2, ()), ((3, 2, ()),))


def test_every_arity_has_the_digest_of_the_whole_form():
    one, other = (
        compile_source(f"(defn f ([a] {body}) ([a b] b))", delegatable=lambda _: True).signatures[0]
        for body in ("a", "1")
    )
    assert {each.body_digest for each in one.arities} == {one.body_digest}
    assert one.body_digest != other.body_digest


def test_modules_export_them_and_hide_their_arities():
    modules = {"m": "(module m (:exports [f]) (defn f ([a] (f a 10)) ([a b] (+ a b))) (defn g [] (f 1)))"}
    from rtfs_framework.lang.source import Source

    found = {name: Source(f"{name}.rtfs", text) for name, text in modules.items()}.get
    artifact = compile_source("(import m) [(m/f 1) (m/f 1 2) (map m/f [1])]", find_module=found)
    assert value(artifact) == (11, 3, (11,))


def test_calls_of_a_local_function_say_what_is_never_used():
    found = compile_source("(let [f (fn ([x] x) ([x y] (+ x y)))] 1)").diagnostics
    assert [(each.code, each.message) for each in found] == [("E0230", "'f' is bound and never used")]
    assert compile_source("(let [f (fn ([x] x) ([x y] (+ x y)))] (f 1))").diagnostics == ()
    assert compile_source("(let [f (fn ([x] x) ([x y] (+ x y)))] (map f [1]))").diagnostics == ()


def test_types_of_parameters_are_checked_per_arity():
    found = compile_source('(defn f ([x : int] x) ([x : string y] [x y])) (f "a") (f 1 2) (f 1) (f "a" 2)').diagnostics
    assert [(each.code, each.span.start) for each in found] == [("E0320", 49), ("E0320", 57)]


def test_one_list_alone_is_a_plain_function():
    assert run_pure("(defn f ([x] (inc x))) (f 1)") == 2
    (only,) = compile_source("(defn f ([x] (inc x))) (f 1)").signatures
    assert only.arities == ()
