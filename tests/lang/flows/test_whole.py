"""Which sources are at a place only as they were given: a rule of redaction can find in them what it looks for."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.lang.codegen.stored import dump_artifact, load_artifact
from rtfs_framework.lang.flows.model import SHAPE, Input, Parameter
from rtfs_framework.lang.source import Source

SENDS = '(defn ^:delegation :remote "m" send "Says." [t] nil)\n'


def told(flows, text):
    """Return the columns that are whole where `send` is called, and all that may be seen there."""
    (place,) = (each for each in flows.masks if _word_at(SENDS + text, each) in ("send", "map", "mapv"))
    flow = flows.of(place)
    return {_named(each) for each in flow.whole} - {None}, {_named(each) for each in flow.sources} - {None}


def _named(source):
    if isinstance(source, Input) and source.path[-1] != SHAPE:
        return ".".join(source.path)
    return "all" if isinstance(source, Parameter) else None


def _word_at(text, place):
    _, line, column = place.split(":")
    return text.split("\n")[int(line) - 1][int(column) :].split(" ")[0].strip("()")


def compiled(text):
    return compile_source(Source("p", SENDS + text), flows=True)


WHOLE = [
    ("(defn main [r] (send (:email r)))", {"email"}),
    ("(defn main [r] (send {:who (:email r) :text [(:text r)]}))", {"email", "text"}),
    ("(defn main [{:keys [email]}] (send email))", {"email"}),
    ("(defn main [r] (let [e (:email r)] (send e)))", {"email"}),
    ("(defn main [r] (send r))", {"all"}),
    ("(defn pass [x] x) (defn main [r] (send (pass (:email r))))", {"email"}),
]


@pytest.mark.parametrize(("text", "expected"), WHOLE)
def test_what_is_only_passed_on_is_whole(text, expected):
    assert told(compiled(text).flows, text)[0] == expected


CHANGED = [
    "(defn main [r] (send (reverse-string (:email r))))",
    "(defn main [r] (send (str (:email r))))",
    "(defn main [r] (send [(:email r) (string-length (:email r))]))",
    "(defn main [r] (send (first (:email r))))",
    "(defn main [r] (mapv send (:email r)))",
    "(defn main [r] (when (:email r) (send (:email r))))",
    '(defn main [r] (if (= (:email r) "a") (send "x") nil))',
    "(defn main [r] (send (chars (:email r))))",
    "(defn main [r] (send {(:email r) 1}))",
    "(defn main [r] (let [e (:email r)] (send (fn [] e))))",
    "(defn main [r] (do (/ 1 (:email r)) (send (:email r))))",
    "(defn main [r] (do ^{:runtime.note (:email r)} (send (:email r))))",
    "(defn main [r] (send (get [1 2] (:email r))))",
    "(defn main [rs] (mapv (fn [r] (send (:email r))) rs))",  # how one was answered tells whether the next is asked
]


@pytest.mark.parametrize("text", CHANGED)
def test_what_is_changed_or_decides_is_not(text):
    whole, seen = told(compiled(text).flows, text)
    assert "email" in seen
    assert "email" not in whole


def test_a_stored_program_knows_it_too():
    text, _ = WHOLE[0]
    stored = load_artifact(dump_artifact(compiled(text)))
    assert told(stored.flows, text)[0] == {"email"}
