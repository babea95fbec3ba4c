"""E0500 to E0520: errors of a run that a program may catch by their kind, and limits, which it may not."""

from __future__ import annotations

from rtfs_framework.lang.codes.record import enter

enter("E0500", "another error", "The program, its host or a capability chose the kind. The message says more.")
enter(
    "E0501",
    "UndefinedSymbol",
    "A name had no value when it was read: its definition comes later, or the host's context has no such entry.",
    "(def a b) (def b 1)",
    "(def b 1) (def a b)",
)
enter(
    "E0502",
    "TypeError",
    "A function got a value of a kind that it does not take. Convert the value, or test its kind first.",
    '(+ 1 "2")',
    '(+ 1 (parse-int "2"))',
)
enter(
    "E0503",
    "ArityMismatch",
    "A function was called with too many or too few arguments.",
    "((fn [f] (f 1 2)) inc)",
    "((fn [f] (f 1)) inc)",
)
enter(
    "E0504",
    "DivisionByZero",
    "/ quot rem and mod have no result for the divisor 0.",
    "(/ 1 0)",
    "(let [n 0] (if (= n 0) nil (/ 1 n)))",
)
enter(
    "E0505",
    "IndexOutOfBounds",
    "The collection has no item at that place. get gives nil or a default instead.",
    "(nth [1 2] 5)",
    "(get [1 2] 5 0)",
)
enter(
    "E0506",
    "InvalidArgument",
    "The right kind of value, but an impossible one.",
    '(int "abc")',
    '(int "12")',
)
enter("E0507", "InvalidArguments", "A step form or a read of the context has arguments that do not fit together.")
enter(
    "E0508",
    "MatchError",
    "No clause of match fits the value. End with _ to take the rest.",
    "(match 3 1 :one 2 :two)",
    "(match 3 1 :one 2 :two _ :many)",
)
enter(
    "E0509",
    "TypeValidationError",
    "A value is not of the type that the program declares for it; the message shows the path to the part that is not.",
    '((fn [n : :int] n) "1")',
    '((fn [n : :int] n) (parse-int "1"))',
)
enter(
    "E0510",
    "SecurityViolation",
    "The policy of the host does not allow the call. Everything is denied that [security] of delegation.toml does not "
    "grant; `rtfs explain FILE` shows the rule.",
)
enter("E0511", "NotImplemented", "The host cannot serve this call at all.")
enter(
    "E0512",
    "ApplicationError",
    "The program threw it, and nothing caught it.",
    '(throw "no price")',
    '(try (throw "no price") (catch ApplicationError e 0))',
)
enter(
    "E0513",
    "JsonError",
    "The text is no JSON, or the value has no JSON form.",
)
enter("E0514", "UnknownCapability", "No plugin offers the capability. `rtfs plugins` shows what there is.")
enter(
    "E0515",
    "NetworkError",
    "A provider or capability could not be reached, or broke. `rtfs runs show last` shows the call. A program can "
    "catch it: (try (call ...) (catch NetworkError e ...)).",
)
enter("E0516", "Cancelled", "The host ended the run; a program cannot catch that.")
enter(
    "E0520",
    "LimitError",
    "A limit of the host ended the run: steps, time, memory, depth, the size of a value, output or host calls. A "
    "program cannot catch it. The message names the limit, the way out says where the host may raise it.",
)
