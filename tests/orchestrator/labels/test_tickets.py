"""Labels and tickets: the marks of an answer count from where it is awaited, for all that comes later."""

from __future__ import annotations

import pytest

from rtfs_framework.api import CapabilityError
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.values import Keyword

F = '(defn ^:delegation :remote "far" f "Say." [x] : :string "own")\n'
BOB = Map.of([(Keyword("text"), "hi")])


@pytest.fixture(params=["floating", "with flows"])
def run(request, desk):
    """Return a function that runs a program, whatever is known of its flows."""
    if request.param == "floating":
        request.getfixturevalue("floats")
    return desk.run


@pytest.mark.parametrize(
    ("body", "value"),
    [
        # not before it is awaited, and then for what depends on it
        ("(let [t (ticket (call :crm.get)) a (f 1)] [a (f (str (await t)))])", ("far", "own")),
        ("(let [t (ticket (call :crm.get)) a (f 1)] [a (f (str t))])", ("far", "own")),
        ("(let [t (ticket (call :crm.get))] [(f (str (await-all [t]))) (f (str (mapv await [t])))])", ("own", "own")),
        # whoever awaits it has seen it, wherever it was started
        ("(let [t (ticket (call :crm.get))] (pmap (fn [i] (if (= i 0) (f (str (await t))) (f i))) [0 1]))",
         ("own", "far")),
        ("(let [ts (pmap (fn [i] (ticket (call :crm.get i))) [1 2]) a (f 1)] [a (f (str (await (first ts))))])",
         ("far", "own")),
        # a ticket of what is marked is no way out
        ("(let [x (call :crm.get) t (ticket (f (str x)))] [(await t)])", ("own",)),
    ],
)  # fmt: skip
def test_what_is_awaited_counts_from_then_on(run, body, value):
    assert run(F + f"(defn main [_] {body})", BOB).value == value


def test_an_error_of_a_marked_source_counts_where_it_is_awaited(run, desk):
    def fails(_request):
        raise CapabilityError("no such person: alice")

    desk.crm = fails
    text = "(defn main [_] (let [t (ticket (call :crm.get)) a (f 1)] [a (f (try (await t) (catch e (str e))))]))"
    assert run(F + text, BOB).value == ("far", "own")


def test_what_a_body_was_given_counts_for_whoever_awaits_it(run):
    text = F + "(defn g [i] (do (call :crm.get) i)) (defn main [_] (let [t (ticket (g 1)) a (f 1)] [a (f (+ 1 t))]))"
    assert run(text, BOB).value == ("far", "own")


def test_what_nobody_awaited_is_in_the_result(run):
    result = run(F + "(defn main [_] (do (ticket (call :crm.get)) (f 1)))", BOB)
    assert (result.value, sorted(result.marks)) == ("far", ["pii"])
