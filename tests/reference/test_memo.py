"""Memoised functions against themselves without: of generated programs values and calls are the same."""

from __future__ import annotations

from oracle import compare, generate

from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.memo import Unknown
from rtfs_framework.kernel.outcome import Complete
from rtfs_framework.lang.canonical import canonical_print
from rtfs_framework.lang.errors import LanguageError, LimitError, ProgramError, undefined_symbol
from rtfs_framework.orchestrator.boundary.exact import from_text, to_text
from rtfs_framework.testing.effort import effort


class Keeping:
    """A host that keeps values as text."""

    def __init__(self):
        self.kept, self.found = {}, 0

    def aside(self, run, call):
        """Answer what is no call."""
        if call.kind is CallKind.MEMO_KEEP:
            place, value = call.args
            text = to_text(value)
            if text is not None:
                self.kept[place] = text
            return run.resume(None)
        arguments = to_text(call.args)
        if arguments is None:
            return run.resume_locally()
        place = (call.capability, arguments)
        if place not in self.kept:
            return run.resume(Unknown(place))
        self.found += 1
        return run.resume(from_text(self.kept[place]))

    def outcome(self, text):
        """Return what becomes of a program, and its calls with their ids."""
        calls = []
        try:
            run = Instance(compile_source(text), limits=compare.LIMITS, keeps=True).start()
            outcome = run.step()
            while not isinstance(outcome, Complete):
                call = outcome.call
                if call.kind in (CallKind.MEMO, CallKind.MEMO_KEEP):
                    outcome = self.aside(run, call)
                    continue
                calls.append((call.path, call.capability, canonical_print(call.args)))
                if call.kind is CallKind.CAPABILITY:
                    outcome = self.replied(run, call, len(calls))
                elif call.kind is CallKind.CONTEXT_GET:
                    outcome = run.throw(undefined_symbol(call.capability))
                else:
                    outcome = run.resume(None)
            return canonical_print(outcome.value), calls
        except LanguageError as error:
            return f"refused {error.kind}", calls
        except ProgramError as error:
            return f"error {error.kind} {error.message}", calls
        except LimitError:
            return None, calls

    @staticmethod
    def replied(run, call, number):
        try:
            value = compare.reply(call.capability, number)
        except ProgramError as error:
            return run.throw(error)
        return run.resume(value)


FUNCTIONS = """
(defn sum-to [n] (if (<= n 0) 0 (+ n (sum-to (dec n)))))
(defn down [n acc] (if (= n 0) acc (down (dec n) (+ acc n))))
(defn safe [a b] (try (/ a b) (catch e [(:kind e) (:message e)])))
(defn order [m] [(keys m) (vals m) (str m)])
(defn sign [x] (str x))
(defn both ([x] (both x 1)) ([x y] [x y (sum-to x)]))
(defn each [xs] (map safe xs (reverse xs)))
(defn lazy [f x] (f x))
[(sum-to 12) (sum-to 11) (down 5000 0) (safe 1 0) (safe 6 3) (order {:a 1 :b 2}) (order {:b 2 :a 1})
 (sign -0.0) (sign 0.0)
 (both 3) (both 3 4) (each [1 0 2]) (lazy inc 4) (pmap sum-to [3 4 3]) (try (both 1 2 3) (catch e (:message e)))]
"""


FEWEST = 150
"""Programs: of fewer, none may ask twice for the same."""


def memoised(text):
    return text.replace("(defn ", "(defn ^:memo ")


def test_functions_give_what_they_give_without():
    plain, host = Keeping().outcome(FUNCTIONS), Keeping()
    assert host.outcome(memoised(FUNCTIONS)) == plain
    computed = len(host.kept)
    assert computed > 20
    assert host.outcome(memoised(FUNCTIONS)) == plain
    assert len(host.kept) == computed
    assert host.found > 10


def test_generated_programs_give_the_same_with_memo():
    """Each twice on one host, so that the second finds what the first has kept; a program beyond a limit is none."""
    found = compared = 0
    for seed in range(500_000, 500_000 + max(FEWEST, effort(150))):
        text = generate.program(generate.seeded(seed), 3)
        plain, host = Keeping().outcome(text), Keeping()
        if plain[0] is None or "(defn " not in text:
            continue
        compared += 1
        for _ in range(2):
            assert host.outcome(memoised(text)) == plain, f"seed {seed}"
        found += host.found
    assert compared > 0
    assert found > 0
