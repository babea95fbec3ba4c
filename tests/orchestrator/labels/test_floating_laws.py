"""The floating label, held against a model: programs of sources, sinks, branches, errors and context values, at random.

The model walks the same tree and computes the union of all that was given by then; the host must have given each sink
exactly that label, whatever runs at once.
"""

from __future__ import annotations

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtfs_framework.lang.source import Source
from rtfs_framework.lang.values import Keyword
from rtfs_framework.testing.effort import effort

pytestmark = pytest.mark.usefixtures("floats")

MARKS = ("internal", "pii", "secret")
CONFIG = """
[labels.inputs]
email = ["pii"]
[labels.capabilities]
"sink" = []
"get.internal" = ["internal"]
"get.pii" = ["pii"]
"get.secret" = ["secret"]
"fail.secret" = ["secret"]
[labels.accepts]
"capability sink" = ["internal", "pii", "secret"]
"capability get.*" = ["internal", "pii", "secret"]
"capability fail.secret" = ["internal", "pii", "secret"]
[security]
level = "full"
"""


@attrs.frozen
class Sink:
    number: int


@attrs.frozen
class Get:
    mark: str
    fails: bool = False


@attrs.frozen
class Set:
    name: str


@attrs.frozen
class Read:
    name: str


@attrs.frozen
class Branches:
    kind: str
    each: tuple


def programs(depth):
    leaf = st.one_of(
        st.builds(Sink, st.integers(0, 0)),
        st.builds(Get, st.sampled_from(MARKS)),
        st.just(Get("secret", fails=True)),
        st.builds(Set, st.sampled_from("ab")),
        st.builds(Read, st.sampled_from("ab")),
    )
    if depth == 0:
        return st.lists(leaf, min_size=1, max_size=5)
    branches = st.builds(
        Branches, st.sampled_from(("step-parallel", "pmap", "map")),
        st.lists(programs(depth - 1), min_size=1, max_size=3).map(tuple),
    )  # fmt: skip
    return st.lists(leaf | branches, min_size=1, max_size=5)


def numbered(program, count):
    """Give each sink a number of its own."""
    found = []
    for each in program:
        if isinstance(each, Sink):
            found.append(Sink(next(count)))
        elif isinstance(each, Branches):
            found.append(Branches(each.kind, tuple(numbered(branch, count) for branch in each.each)))
        else:
            found.append(each)
    return found


def text(program):
    return "(do " + " ".join(map(_text, program)) + ")"


def _text(each):
    match each:
        case Sink(number=number):
            return f"(call :sink {number})"
        case Get(mark=mark, fails=fails):
            return f"(try (call :fail.{mark}) (catch _ 0))" if fails else f"(call :get.{mark})"
        case Set(name=name):
            return f"(context/set :{name} 1)"
        case Read(name=name):
            return f"(context/get :{name})"
        case Branches(kind="step-parallel", each=branches):
            return f"(step-parallel {' '.join(map(text, branches))})"
        case Branches(kind=kind, each=branches):
            cases = " ".join(f"{place} {text(branch)}" for place, branch in enumerate(branches))
            return f"({kind} (fn [i] (match i {cases} _ 0)) (range {len(branches)}))"


@attrs.define
class Model:
    """Computes the label of every sink."""

    sinks: dict

    def walk(self, program, label, context):
        """Return the label at the end; `context` holds the labels of its values, and changes."""
        for each in program:
            match each:
                case Sink(number=number):
                    self.sinks[number] = label
                case Get(mark=mark):
                    label |= {mark}
                case Set(name=name):
                    context[name] = label
                case Read(name=name):
                    label |= context.get(name, frozenset())
                case Branches(kind=kind, each=branches):
                    label |= self.branches(kind, branches, label, context)
        return label

    def branches(self, kind, branches, label, context):
        ordered = kind == "map"
        start, found, written = dict(context), label, {}
        for branch in branches:
            own = context if ordered else Writes(start)
            found |= self.walk(branch, label, own)
            if not ordered:
                for name, marks in own.written.items():
                    written[name] = written.get(name, frozenset()) | marks
        for name, marks in written.items():
            context[name] = context.get(name, frozenset()) | marks
        return found


class Writes(dict):
    """A branch's own context, which remembers what was written to it."""

    def __init__(self, start):
        super().__init__(start)
        self.written = {}

    def __setitem__(self, name, value):
        super().__setitem__(name, value)
        self.written[name] = self.written.get(name, frozenset()) | value


@pytest.fixture
def labels_of(kit, capability):
    """Return a function that runs a program and returns the label of each sink, by its number."""

    def fails(_request):
        raise ValueError("no")

    def labels(program, record):
        offered = [capability("sink", lambda request: request.args[0]), capability("fail.secret", fails)]
        offered += [capability(f"get.{mark}", lambda _: 1) for mark in MARKS]
        with kit.open(kit.catalog(capabilities=offered), CONFIG, journal=False) as session:
            loaded = session.load(Source("test.rtfs", f"(defn main [r] {text(program)})"))
            calls = loaded.call("main", (record,)).calls
        public = frozenset()
        sinks = [each for each in calls if each.symbol == "sink"]
        return [public if each.labelled is None else each.labelled.label for each in sinks]

    return labels


@settings(max_examples=effort(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(program=programs(2), marked=st.booleans())
def test_every_sink_has_the_label_of_the_model(labels_of, program, marked):
    from itertools import count

    program = numbered(program, count())
    record = {Keyword("email" if marked else "text"): 1}
    model = Model({})
    model.walk(program, frozenset({"pii"}) if marked else frozenset(), {})
    assert labels_of(program, record) == [model.sinks[number] for number in sorted(model.sinks)]
