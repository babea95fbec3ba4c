"""An artifact is the same after it was bytes: every table, every constant, every program of the examples."""

from __future__ import annotations

import marshal
from pathlib import Path

import attrs
import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.codegen.artifact import Artifact
from rtfs_framework.lang.codegen.stored import dump_artifact, load_artifact
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.source import Source

PROGRAMS = (
    '[nil true -7 123456789012345678901234567890 -0.0 ##Inf ##NaN "é\\n" :a/b]',
    '\'(a [b {:k 1.0 "s" #{1 true}}] 2020-01-01T00:00:00Z 123e4567-e89b-12d3-a456-426614174000)',
    "(defn f [x :[:and :int [:> 0]] & r :[:map-of :string [:optional :float]]] :[:union :int :nil] x) (f 3)",
    "(deftype Point [:map [:x :int] [:y :int ?] [:* :any]]) (def p :Point {:x 1}) p",
    '(defn ^:delegation :local-model "m" g "Doc." [t :string] [:enum "a" "b"] "a") (call :cap {:a 1}) unknown',
    "(defmacro twice [x] `(+ ~x ~x)) (twice 4)",
    "(match [1 {:a 2}] [x {:a y}] (+ x y) _ 0)",
    "(let [unused 1] 2)",
)


def told(artifact, name):
    """Return a field so that it can be compared: sources are equal by their texts."""
    value = getattr(artifact, name)
    if name == "sources":
        return [(source.name, source.text) for source in value]
    if name == "code":
        return marshal.dumps(value, 2)  # code is not equal to itself where a constant is NaN
    if name == "diagnostics":
        return [each.render() for each in value]
    if name == "constants":
        return [(value.__class__, write(each)) for each in value]
    return tuple(value) if name == "spans" else value


@pytest.mark.parametrize("text", PROGRAMS)
def test_every_field_comes_back(text):
    try:
        artifact = compile_source(Source("p", text))
    except Exception as error:
        raise AssertionError(text) from error
    again = load_artifact(dump_artifact(artifact))
    for field in attrs.fields(Artifact):
        assert told(again, field.name) == told(artifact, field.name), field.name
    assert again.place(1) == artifact.place(1)
    assert again.spans[-1:] == tuple(artifact.spans[-1:])


@pytest.mark.parametrize("text", [p for p in PROGRAMS if "call" not in p])
def test_its_value_is_the_same(text):
    artifact = compile_source(Source("p", text))
    first, second = (
        PureHost().finish(Instance(each).start()) for each in (artifact, load_artifact(dump_artifact(artifact)))
    )
    assert write(first) == write(second)


def test_every_example_can_be_kept():
    files = sorted(Path(__file__).parents[3].glob("examples/**/*.rtfs"))
    assert files
    for file in files:
        artifact = compile_source(Source(str(file), file.read_text(encoding="utf-8")), prelude=True)
        assert told(load_artifact(dump_artifact(artifact)), "code") == told(artifact, "code")


def test_what_has_no_place_is_refused():
    artifact = attrs.evolve(compile_source("1"), constants=(object(),))
    with pytest.raises(TypeError, match="object has no place in a stored artifact"):
        dump_artifact(artifact)


def test_tables_are_plain_data():
    _, spans, parts = marshal.loads(dump_artifact(compile_source(PROGRAMS[2])))
    allowed = {type(None), bool, int, float, str, tuple, list}
    todo = [spans, parts]
    while todo:
        item = todo.pop()
        assert item.__class__ in allowed
        todo += item if isinstance(item, tuple | list) else ()
