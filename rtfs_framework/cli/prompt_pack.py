"""The prompt pack: the language and one host, described for a model that is to write programs, within a budget.

Forms and functions come from the tables, capabilities and models from the host. The rules, the examples and the host
are always there; forms and functions follow in the order of use while they fit. What is left out is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.targets import LocalModel, RemoteModel
from rtfs_framework.cli.reference import FUNCTION, Entry, entries, entry_of
from rtfs_framework.lang.types.show import show_type

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.host import Host

DEFAULT_TOKENS = 1800
CHARACTERS_PER_TOKEN = 4

RULES = """RTFS is a small, pure Lisp. Write one program; its value is the value of the last form.
- Data is immutable. Literals: nil true false 1 1.5 "text" :keyword [vector] {:map "value"} #{set}; ; starts a comment.
- Functions of sequences take vectors, lists, sets, strings (characters), maps ([k v] pairs) and nil (empty).
- Only nil and false are false. Integers are exact; / gives a float unless the result is whole; floats never equal ints.
- Nothing reaches the outside but (call :capability args...) and delegated functions. All is denied that is not granted.
- An unknown name (outside try) and a form of the wrong shape are refused before anything runs.
- A function may have several arities: (defn f ([a] (f a 1)) ([a b & more] ...)).
- Types are optional: [x : :int], (defn f [x : :int] : :string ...). Types: :int :float :number :string :bool :keyword
  [:vector T] [:map [:key T] [:other T ?]] [:enum :a :b] [:union T U] [:optional T] [:and :int [:> 0]].
- Judgement is left to a model by a hint, a doc string and types; the body is what runs without the model:
  (defn ^:delegation :local-model "id" f "What it decides." [text : :string] : [:enum :yes :no] :no)
  Other hints: :local (never delegated), :remote "id", {:target "id"}.
- A pure function whose values shall be kept across runs: (defn ^:memo f [x] ...).
- Errors have kinds: (try ... (catch TypeError e (getMessage e)) (catch e ...)); (throw "message").
- A file that is run for records defines (defn main [record] ...); a record is a map with string keys."""

EXAMPLES: tuple[tuple[str, str], ...] = (
    ("(->> [3 1 2] (map #(* % %)) (filter odd?) (reduce +))", "10"),
    ('(let [{:keys [name tags]} {:name "Ada" :tags [:x :y]} [t & more] tags] [name t more])', '["Ada" :x [:y]]'),
    ("(for [x [1 2 3] :when (odd? x)] {:n x})", "[{:n 1} {:n 3}]"),
    ("(loop [i 0 sum 0] (if (< i 4) (recur (inc i) (+ sum i)) sum))", "6"),
    ("(match [:pay 7] [:pay (:int n)] when (> n 5) :big [:pay _] :small _ nil)", ":big"),
    ("(try (/ 1 0) (catch DivisionByZero e :none))", ":none"),
    ('(defn main [record] (string-length (get record "text"))) (main {"text" "abc"})', "3"),
)
"""Programs and their values; a test runs them."""

FORMS = """def defn fn let if cond when match for loop recur try do and or -> ->> if-let when-let case defstruct deftype
doseq as-> some-> letfn step defmacro quote module import step-parallel ticket llm-execute declassify dotimes when-not
if-not cond-> condp assert some->> cond->> doto"""
"""Forms and macros by how often programs need them."""

FUNCTIONS = """
= < > <= >= + - * / get assoc map filter reduce count str first rest conj not inc dec nth concat into update
get-in assoc-in update-in dissoc merge keys vals contains? empty? join split string-contains starts-with?
ends-with? replace string-lower string-upper string-trim substring re-find re-seq re-matches sort sort-by
group-by distinct range take drop last second reverse apply some every? mod quot abs min max round sum parse-int
parse-float parse-json serialize-json format map-indexed mapcat remove take-while drop-while partition
frequencies zipmap select-keys hash-map vector set union intersection difference nil? string? number? int?
vector? map? keyword? keyword name comp partial identity constantly != call await context/get throw getMessage even?
odd? zero? flatten string-length index-of interpose re-replace iterate repeat map-vals merge-with mapv type-of
reduced key val has-key? pr-str boolean await-all
"""
"""Functions by how often programs need them; the others are named after them while they fit."""

_MORE = "More functions, by name: "


@attrs.frozen(slots=True)
class Pack:
    """A prompt and what is not in it."""

    text: str
    left_out: tuple[str, ...]

    @property
    def tokens(self) -> int:
        """The estimated number of tokens."""
        return estimate(self.text)

    def to_json(self) -> dict[str, Any]:
        """Return the pack as JSON-ready data."""
        return {"prompt": self.text, "tokens": self.tokens, "left_out": list(self.left_out)}


def estimate(text: str) -> int:
    """Return how many tokens a text will roughly be."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def make_pack(host: Host | None, most: int = DEFAULT_TOKENS) -> Pack | None:
    """Return the pack for a host (None for the language alone); None when not even its fixed part fits."""
    fixed = [RULES, "Examples:\n" + "\n".join(f"{p}  ; => {v}" for p, v in EXAMPLES), *_host_parts(host)]
    left = most * CHARACTERS_PER_TOKEN - len("\n\n".join(fixed)) - len(_ending(9999)) - 60
    if left < 0:
        return None
    forms = [entry for entry in known(FORMS.split(), functions=False) if _is_served(entry, host)]
    functions = list(known(FUNCTIONS.split(), functions=True))
    shown_forms, left = _taken([entry.usage for entry in forms], left)
    shown, left = _taken([entry.usage for entry in functions], left)
    others = [e.name for e in entries() if e.kind == FUNCTION and e not in functions]
    more, left = _taken(others, left - len(_MORE))
    kept = {*others[:more], *(entry.name for entry in (*forms[:shown_forms], *functions[:shown]))}
    missing = tuple(dict.fromkeys(each.name for each in entries() if each.name not in kept and _is_served(each, host)))
    parts = [fixed[0]]
    if shown_forms:
        parts.append("Forms:\n" + "\n".join(entry.usage for entry in forms[:shown_forms]))
    parts += [f"Functions (x? is optional):\n{_by_family(functions[:shown])}"] if shown else []
    parts += [_MORE + " ".join(others[:more])] if more else []
    parts += [*fixed[1:], _ending(len(missing))]
    return Pack("\n\n".join(parts) + "\n", missing)


def _is_served(entry: Entry, host: Host | None) -> bool:
    """Tell whether a form can be used here: some need a capability that a host must grant."""
    if not entry.needs:
        return True
    capabilities = None if host is None else host.dispatcher.capabilities
    return (
        capabilities is not None
        and entry.needs in capabilities.entries
        and capabilities.security.authorize_capability(entry.needs) is None
    )


def known(names: Iterable[str], *, functions: bool) -> Iterator[Entry]:
    """Yield the entries of names: of functions, or of forms and macros."""
    by_name = {entry.name: entry for entry in entries() if (entry.kind == FUNCTION) == functions}
    for name in names:
        entry = by_name.get(name) or (entry_of(name) if functions else None)
        if entry is not None and (entry.kind == FUNCTION) == functions:
            yield entry


def _taken(words: Sequence[str], left: int) -> tuple[int, int]:
    """Return how many of some words fit into what is left, and what is then left."""
    for i, word in enumerate(words):
        if len(word) + 1 > left:
            return i, left
        left -= len(word) + 1
    return len(words), left


def _by_family(functions: Sequence[Entry]) -> str:
    found: dict[str, list[str]] = {}
    for entry in functions:
        found.setdefault(entry.family, []).append(entry.usage)
    return "\n".join(" ".join(usages) for usages in found.values())


def _ending(count: int) -> str:
    return f"Left out: {count} more forms and functions. Do not guess their names."


def _host_parts(host: Host | None) -> list[str]:
    if host is None:
        return []
    return [
        "\n".join(["This host grants:", *(_capabilities(host) or ["no capability"])]),
        _models(host),
        *_context(host),
    ]


def _capabilities(host: Host) -> list[str]:
    """Return a line for every capability that a program may call here."""
    capabilities = host.dispatcher.capabilities
    names: dict[str, list[str]] = {}
    for name, entry_id in capabilities.names.items():
        names.setdefault(entry_id, []).append(name)
    lines = []
    for entry in sorted(capabilities.entries.values(), key=lambda each: each.id):
        if capabilities.security.authorize_capability(entry.id) is not None:
            continue
        params = ["args..."] if entry.parameters is None else [show_type(each) for each in entry.parameters]
        returns = "" if entry.returns is None else f" : {show_type(entry.returns)}"
        also = f" also ({names[entry.id][0]} ...)" if entry.id in names else ""
        lines.append(f"({' '.join(['call', f':{entry.id}', *params])}){returns}  ; {entry.summary}{also}")
    return lines


def _models(host: Host) -> str:
    """Return the models that a hint may name here."""
    security = host.dispatcher.capabilities.security
    targets = [each.target for each in host.pool.candidates if security.validate_execution_context(each.target) is None]
    hints = [
        f':{"local-model" if isinstance(target, LocalModel) else "remote"} "{target.id}"'
        for target in targets
        if isinstance(target, LocalModel | RemoteModel)
    ]
    return f"Models for hints: {', '.join(hints) or 'none; functions run their own bodies'}"


def _context(host: Host) -> list[str]:
    names = sorted(host.config.security.values)
    return [f"Context values: {' '.join(f'@{name}' for name in names)}"] if names else []
