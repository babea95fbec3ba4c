"""Purity: what makes a function impure, how that spreads, and what is told."""

from __future__ import annotations

from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.lang.signature import Purity
from rtfs_framework.lang.source import Source


def effects(text, **around):
    return {each.name: each for each in compile_source(Source("p", text), **around).effects}


def purities(text, **around):
    return {name: each.purity for name, each in effects(text, **around).items()}


def test_what_reaches_the_host_is_effectful():
    text = """
    (defn asks [] (call :net.get "x"))
    (defn computes [n] (call n))
    (defn reads [] (context/get :k))
    (defn at [] @place)
    (defn free [] (somebody 1))
    (defn steps [] (step "one" 1))
    (defn hints [] ^{:runtime.x 1} 2)
    (defn passes [] (map call [:a]))
    (defn pure [x] (let [y (str x)] (map (fn [z] [y z]) [1])))
    """
    found = purities(text)
    assert found.pop("pure") is Purity.PURE
    assert set(found.values()) == {Purity.EFFECTFUL}
    reasons = {name: [reason.text for reason in each.because] for name, each in effects(text).items()}
    assert reasons["asks"] == ["calls the capability net.get"]
    assert reasons["computes"] == ["asks the host for a capability"]
    assert reasons["reads"] == ["reads or writes the host's context"]
    assert reasons["at"] == ["asks the host for place"]
    assert reasons["free"] == ["asks the host for somebody"]
    assert reasons["steps"] == ["tells the host of a step"]


def test_the_default_of_a_parameter_is_a_part_of_its_function():
    text = """
    (defn asks [{:keys [a] :or {a (call :net.get)}}] a)
    (defn outer [n] (letfn [(inner [{:keys [b] :or {b (call :net.get)}}] b)] (inner n)))
    """
    assert set(purities(text).values()) == {Purity.EFFECTFUL}


def test_it_spreads_to_those_that_use_the_function_through_cycles_and_later_definitions():
    text = """
    (defn first-one [n] (second-one n))
    (defn second-one [n] (if (= n 0) (asks) (first-one (dec n))))
    (defn asks [] (call :a))
    (defn apart [n] n)
    """
    found = effects(text)
    assert found["first-one"].purity is found["second-one"].purity is Purity.EFFECTFUL
    assert found["apart"].purity is Purity.PURE
    (because,) = found["first-one"].because
    assert because.text == "uses second-one, which is effectful"
    assert str(because.place) == "p:2:26"


def test_a_hinted_function_is_delegatable_and_so_are_its_users():
    text = '(defn ^:delegation :remote "m" ask [q] q) (defn main [q] (ask q)) (defn both [q] (call :a (ask q)))'
    assert purities(text) == {"ask": Purity.DELEGATABLE, "main": Purity.DELEGATABLE, "both": Purity.EFFECTFUL}


def test_a_local_hint_changes_nothing():
    assert purities("(defn ^:delegation :local f [q] q)") == {"f": Purity.PURE}


def test_what_a_route_may_claim_is_delegatable():
    claims = "ai-guess".__eq__
    assert purities("(defn ai-guess [q] q) (defn main [q] (ai-guess q))", delegatable=claims) == {
        "ai-guess": Purity.DELEGATABLE,
        "main": Purity.DELEGATABLE,
    }


def test_a_parameter_that_is_called_makes_nothing_impure_and_is_told():
    found = effects("(defn twice [f x] (f (f x))) (defn all [g xs] (map g xs))")
    assert {each.purity for each in found.values()} == {Purity.PURE}
    assert [reason.text for reason in found["twice"].because] == ["calls what it is given: f"]
    assert [reason.text for reason in found["all"].because] == ["calls what it is given: g"]


def test_local_functions_are_told_too():
    found = effects("(defn outer [x] (let [inner (fn [y] (call :a y))] (inner x)))")
    assert {name: each.purity for name, each in found.items()} == {
        "outer": Purity.EFFECTFUL,
        "inner": Purity.EFFECTFUL,
    }


def test_functions_of_modules_have_their_full_names():
    module = Source("m.rtfs", "(module m (:exports [get-it]) (defn get-it [] (call :a)))")
    found = effects("(import m) (defn f [] (m/get-it))", find_module={"m": module}.get)
    assert found["m/get-it"].purity is found["f"].purity is Purity.EFFECTFUL
    assert found["m/get-it"].place.source == "m.rtfs"
