"""What is told of a place: the columns that may be seen there, and no others where they can be told apart."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.lang.codegen.stored import dump_artifact, load_artifact
from rtfs_framework.lang.flows.model import SHAPE, Context, Input, Parameter, ReplyOf
from rtfs_framework.lang.source import Source

SENDS = '(defn ^:delegation :remote "m" send "Says." [t] nil)\n'


def flows_of(text, **options):
    return compile_source(Source("p", SENDS + text), flows=True, **options).flows


def sent(text):
    """Return the columns that may be seen where the one call of `send`, or a map of it, stands."""
    flows = flows_of(text)
    places = [place for place in flows.masks if _word_at(SENDS + text, place) in ("send", "map")]
    assert len(places) == 1, flows.masks
    found = set()
    for source in flows.of(places[0]).sources:
        match source:
            case Input(path=path) if path[-1] != SHAPE:
                found.add(".".join(path))
            case Parameter(name=whole):
                found.add(f"all of {whole}")
            case Context(name=key):
                found.add(f"@{key}")
    return found


def _word_at(text, place):
    _, line, column = place.split(":")
    rest = text.split("\n")[int(line) - 1][int(column) :]
    return rest.split(" ")[0].strip("()")


HONEST = [
    ("(defn main [r] (send (:text r)))", {"text"}),
    ('(defn main [r] (send (get r "text")))', {"text"}),
    ("(defn main [rs] (map (fn [r] (send (:text r))) rs))", {"text"}),
    ("(defn main [rs] (map (fn [r] {:mail (:email r) :label (send (:text r))}) rs))", {"text"}),
    ("(defn main [rs] (for [{:keys [text email]} rs] [email (send text)]))", {"text"}),
    ("(defn main [rs] (->> rs (map :text) (map send)))", {"text"}),
    ("(defn main [rs] (map send (map :text rs)))", {"text"}),
    ("(defn main [rs] (pmap (fn [{t :text}] (send t)) rs))", {"text"}),
    ("(defn main [r] (let [{:keys [text email]} r all {:t text :e email}] (send (:t all))))", {"text"}),
    ("(defn clean [s] (string-trim s)) (defn main [r] (let [t (send (clean (:text r)))] [t (clean (:email r))]))",
     {"text"}),
    ("(defn label [r] (send (:text r))) (defn main [rs] (map (fn [r] (assoc r :label (label r))) rs))", {"text"}),
    ('(defn main [r] (let [hi (if (:vip r) "Dear" "Hi")] [hi (send (:text r))]))', {"text"}),
    ("(defn main [rs] (reduce (fn [acc r] (conj acc (send (:text r)))) [] rs))", {"text"}),
    ("(defn main [rs] (loop [i 0 o []] (if (< i 2) (recur (inc i) (conj o (send (:text (nth rs i))))) o)))", {"text"}),
    ("(defn main [r] (send (select-keys r [:text :subject])))", {"text", "subject"}),
    ("(defn main [r] (send (dissoc {:t (:text r) :e (:email r)} :e)))", {"text"}),
    ("(defn main [r] (send (:body (:mail r))))", {"mail.body"}),
    ("(defn main [r] (send (get-in r [:mail :body])))", {"mail.body"}),
    ("(defn main [r] (send (:text (first (:mails r)))))", {"mails.text"}),
    ('(defn main [r] (step "label" (send (:text r))))', {"text"}),
    ("(defn main [r] (match (:kind r) :a (send (:text r)) _ nil))", {"text", "kind"}),
    ("(def limit 3) (defn main [r] (send [limit (:text r)]))", {"text"}),
    ("(deftype Rec [:map [:text :string] [:email :string]]) (defn main [r : Rec] (send (:text r)))", {"text"}),
    ("(defn main [user text] (send text))", {"all of text"}),
    ("(defn main [r] (let [f (fn [] (:text r))] (send (f))))", {"text"}),
    ('(defn main [r] (let [s (str (:email r) "x")] (send (:text r)) s))', {"text"}),
    ("(defn main [r] (send (or (:text r) (:subject r))))", {"text", "subject"}),
    ("(defn main [r] (let [[e t] [(:email r) (:text r)]] (send t)))", {"text"}),
    ("(defn main [r] (send (:t (merge {:t (:text r)} {:e (:email r)}))))", {"text"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "columns"), HONEST)
def test_honest_programs_send_what_they_show(text, columns):
    assert sent(text) == columns


SMUGGLED = [
    "(defn main [r] (send (str (:text r) (:email r))))",
    "(defn main [r] (let [f (fn [] (:email r))] (send f)))",
    '(defn main [r] (if (= (:email r) "a") (send 1) nil))',
    '(defn main [r] (when (not= (:email r) "a") (throw "no")) (send 1))',
    "(defn main [r] (try (parse-json (:email r)) (catch e nil)) (send 1))",
    "(defn main [r] (try (throw (:email r)) (catch e (send (getMessage e)))))",
    "(defn main [r] (try (string-upper (:email r)) (finally (send 1))))",
    "(defn main [r] (loop [i 0] (if (= (str i) (:email r)) nil (recur (inc i)))) (send 1))",
    "(defn main [r] (send (loop [i 0] (if (= (str i) (:email r)) i (recur (inc i))))))",
    '(defn main [r] (send (count (filter (fn [c] (= c "a")) (:email r)))))',
    "(defn main [r] (doseq [c (:email r)] (send 1)))",
    "(defn main [r] (context/set :k (:email r)) (send (context/get :k)))",
    "(defn keep [] (context/set :k 1)) (defn main [r] (if (:email r) (keep) nil) (send (context/get :k)))",
    "(defn main [r] (if (:email r) (gensym) nil) (send (gensym)))",
    "(defn main [r] (send (call :echo (:email r))))",
    "(defn main [r] (call :store (:email r)) (send 1))",
    '(defn main [r] (send (get {"a@b" 1} (:email r))))',
    '(defn main [r] (let [m {"a@b" 1}] (send (m (:email r)))))',
    "(defn main [r] ((if (:email r) send str) 1))",
    "(defn main [r] (send (vals r)))",
    "(defn main [r] (send (first r)))",
    "(defn main [r] (send ((partial str (:email r)) 1)))",
    "(defn main [r] (send ((comp str :email) r)))",
    "(defn main [r] (send (apply str (map :email [r]))))",
    '(defn main [r] (send (reduce (fn [a k] (str a (get r k))) "" [:text :email])))',
    "(defn main [r] (send (sort-by :email [r {:email 1}])))",
    "(defn main [r] ^{:runtime.note (:email r)} (send 1))",
    '(defn main [r] (send (step "s" (:email r))))',
    '(defn main [r] (match r {:email "a"} (send 1) _ nil))',
    "(defn main [r] (and (:email r) (send 1)))",
    "(defn go [n r] (if (= n (:email r)) n (go (inc n) r))) (defn main [r] (go 0 r) (send 1))",
    "(defn main [r] (send (if (:email r) 1 2)))",
    "(defn main [r] (def x 0) (if (:email r) (def x 1) nil) (send x))",
    "(defn a [n e] (if (= n 0) (send e) (b n e))) (defn b [n e] (a (dec n) e)) (defn main [r] (a 3 (:email r)))",
    "(defn main [r] (send (into {} [[:a (:email r)]])))",
    "(defn main [r] (send (:b (:a (into {} [[:a {:b (:email r)}]])))))",
    "(defn main [r] (send (:a (first (conj [] (assoc {} :a (:email r)))))))",
    "(defn main [r] (send (:k (zipmap [:k] [(:email r)]))))",
    "(defn main [r] (send (some (fn [x] (= x (:email r))) [1 2])))",
]


@pytest.mark.parametrize("text", SMUGGLED)
def test_what_is_smuggled_is_seen(text):
    flows = flows_of(text)
    words = {place: _word_at(SENDS + text, place) for place in flows.masks}
    at = [flows.of(place) for place, word in words.items() if word in ("send", "if")]
    columns = {source for flow in at for source in flow.sources if isinstance(source, Input | Parameter)}
    assert any(isinstance(each, Parameter) or "email" in each.path for each in columns)


def test_helpers_of_the_program_are_no_entries():
    flows = flows_of("(defn inner [x] (send x)) (defn main [r] (inner (:text r))) (defn also [q] (inner (:body q)))")
    assert set(flows.entries) == {"main", "also"}


def test_a_declassified_call_depends_on_the_same():
    text = '(defn main [r] (declassify [:pii] "why" (send (:email r))))'
    assert sent(text) == {"email"}


def test_a_reply_is_a_source_by_its_place():
    flows = flows_of("(defn main [] (let [x (call :ask)]\n  (send x)))")
    assert ReplyOf("p:2:23") in flows.of("p:3:3").sources


def test_places_that_are_not_known_float():
    assert flows_of("(defn main [] 1)").of("p:9:9") is None


def test_ways_are_told_where_they_are_asked_for():
    text = "(defn inner [x]\n  (map send x))\n(defn main [r]\n  (+ 1 (:age r))\n  (inner (:texts r)))"
    flows = compile_source(Source("p", SENDS + text), ways=True).flows
    age = next(source for source in flows.of("p:3:3").sources if getattr(source, "path", ()) == ("age",))
    assert flows.of("p:3:3").why[age] == ("p:5:3", "p:3:3")


def test_artifacts_hold_flows_only_where_asked():
    assert compile_source("(call :a 1)").flows is None
    artifact = compile_source(Source("p", "(defn main [r] (call :a (:x r)))"), flows=True)
    again = load_artifact(dump_artifact(artifact))
    assert again.flows.of("p:1:16").sources == artifact.flows.of("p:1:16").sources
    assert again.flows.entries == ("main",)
    assert load_artifact(dump_artifact(compile_source("(call :a 1)"))).flows is None


@pytest.mark.parametrize("count", [1_000])
def test_thousands_of_functions_take_little(count):
    """A chain of functions, each of which calls the one before it: no unit is looked at often."""
    from rtfs_framework.lang.flows import walk

    looked = []
    plain = walk.Walk.value
    lines = [f"(defn f{i} [r] (send (:t r)) (if (:x r) (f{i - 1} r) nil))" for i in range(1, count)]
    text = SENDS + "\n".join(["(defn f0 [r] (send (:t r)))", *lines, f"(defn main [r] (f{count - 1} r))"])
    try:
        walk.Walk.value = lambda self, node: (looked.append(1), plain(self, node))[1]
        flows = compile_source(Source("p", text), flows=True).flows
    finally:
        walk.Walk.value = plain
    assert len(flows.masks) == count
    assert len(looked) < 150 * count
