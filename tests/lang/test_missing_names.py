"""Names known from Clojure that are missing on purpose: each is refused with what to write instead."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel import effects
from rtfs_framework.kernel.host_table import HOST
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.prelude import PRELUDE
from rtfs_framework.lang.analyzer import suggestions
from rtfs_framework.lang.analyzer.specials.table import SPECIALS
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.expander.core import CORE
from rtfs_framework.stdlib.library import BUILTINS

LIBRARY = {**BUILTINS, **HOST}

assert effects.call  # its import enters the host's names
MISSING = {
    "nothing can be changed in RTFS: bind new values with let, loop/recur or reduce": """
        atom swap! reset! deref ref ref-set alter commute compare-and-set! add-watch send send-off volatile! vswap!
        vreset! var-set set! dosync setq with-local-vars io! locking
    """,
    "use let, and pass the value as an argument": "binding with-redefs with-bindings",
    "a function is a value, named as it is": "var",
    "use (def name value)": "defonce declare",
    "collections do not change: use conj": "transient persistent! conj! assoc! dissoc! disj! pop! aset",
    "values carry no metadata": "with-meta vary-meta meta alter-meta!",
    "nothing is lazy in RTFS: leave it out": "lazy-seq lazy-cat doall dorun delay force realized? trampoline",
    "use pmap or (step-parallel branch ...)": "future promise deliver async go thread",
    "use ->> with map, filter and reduce": "transduce eduction sequence completing",
    "use a map or set, and sort its keys": "sorted-map sorted-set array-map",
    "use a vector": "make-array into-array to-array int-array array",
    "(repeat n value)": "repeatedly",
    "use (import module.name :as alias)": "ns require use in-ns refer alias",
    "use (defstruct Name :field type) or a map": "defrecord definterface gen-class proxy reify defclass",
    "a function that asks for the kind of its argument": "defprotocol extend-type extend-protocol extend",
    "use match, case or cond": "defmulti defmethod switch",
    "use (loop [i 0]": "while until do-while dolist foreach for-each",
    "RTFS has no output of its own": "println print pr prn printf pprint newline",
    "RTFS has no files": "slurp spit with-open read-line",
    "RTFS has neither clock nor chance": "rand rand-int rand-nth shuffle time now",
    "programs do not evaluate text": "eval read-string load-string",
    "RTFS has no classes": "new",
    "use when-let or if-let": "when-some if-some when-first",
    "write (fn [x] body)": "lambda function",
}


def refused(text):
    return [each for each in compile_source(text).diagnostics if each.severity == "error"]


@pytest.mark.parametrize(("name", "words"), [(name, words) for words in MISSING for name in MISSING[words].split()])
def test_a_missing_name_is_told_with_what_to_write(name, words):
    for text in (f"({name} x 1)", f"(map {name} [1])"):
        found = [each for each in refused(text) if each.message == f"unknown symbol '{name}'"]
        assert [each.code for each in found] == ["E0203"]
        assert words in found[0].help
        assert text[found[0].span.start : found[0].span.end] == name


def test_no_name_that_exists_is_said_to_be_missing():
    told = suggestions._FORMS.keys() | suggestions._NAMES.keys()
    granted = {"println"}  # by some hosts
    assert not told & (LIBRARY.keys() | CORE.keys())
    assert told & PRELUDE.keys() == granted
    assert told & {name for name in SPECIALS if name not in {"catch", "finally"}} == set()


def test_println_is_there_where_a_host_grants_it():
    assert compile_source('(println "x")', prelude=True).diagnostics == ()


@pytest.mark.parametrize("text", ["(agent)", "(agent {:x 1})"])
def test_agent_is_an_object_and_no_function_with_state(text):
    with pytest.raises(LanguageError, match=r"E0201.*malformed agent"):
        refused(text)
