"""What a capability takes and gives is known before a run where it says so, and at run time in any case."""

from __future__ import annotations

import pytest

from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.types.model import NamedType, Primitive, VectorType

TEXT, INT = Primitive.STRING, Primitive.INT


@pytest.fixture
def session(kit, capability):
    read = capability("fs.read", lambda request: request.args[0], parameters=(TEXT,), returns=TEXT, names=("slurp",))
    add = capability("math.add", lambda request: sum(request.args[0]), parameters=(VectorType(INT),), returns=INT)
    log = capability("ccos.io.log", lambda _: None, parameters=(TEXT,))
    page = capability(
        "net.page", lambda _: 1, parameters=(NamedType("url"), NamedType("Int?")), returns=NamedType("Page")
    )
    free = capability("net.any", lambda request: len(request.args))
    lies = capability("acme.lies", lambda _: 1, returns=TEXT)
    catalog = kit.catalog(capabilities=(page, read, add, log, free, lies))
    with kit.open(catalog, '[security]\nlevel = "full"\n', journal=False) as opened:
        yield opened


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("(call :fs.read)", "E0204", "expected 1, got 0"),
        ('(call "fs.read" "a" "b")', "E0204", "expected 1, got 2"),
        ("(call :fs.read 1)", "E0320", "argument 1 of capability 'fs.read'"),
        ("(slurp :a)", "E0320", "argument 1 of capability 'fs.read'"),
        ('(call :math.add [1 "2"])', "E0320", "[1]"),
        ("(let [n (+ 1 2)] (call :fs.read n))", "E0320", "got a number"),
        ('(+ 1 (call :fs.read "a"))', "E0321", "this is a string"),
        ('(defn f [] (call :math.add [1])) (string-contains? (f) "1")', "E0321", "this is an integer"),
        ("(log 1)", "E0320", "argument 1 of capability 'ccos.io.log'"),
        ("(call :net.page 1 :a)", "E0320", "argument 2 of capability 'net.page'"),
        ('(log "a" "b")', "E0204", "expected 1, got 2"),
    ],
)
def test_what_surely_fails_is_found_before_anything_runs(session, source, text, code, said):
    found = [each for each in session.check(source(text)) if each.severity == "error"]
    assert [each.code for each in found] == [code]
    assert said in found[0].message
    assert found[0].span is not None
    with pytest.raises(ProgramError):  # and it does fail
        session.run(source(text))


@pytest.mark.parametrize(
    "text",
    [
        '(call :fs.read "a")',
        "(subs ^{:runtime.learning.fallback {:capability :fs.read}} (call :math.add [1]) 0)",
        "(defn f [x] (call :fs.read x)) 1",
        "(call :net.any 1 2 3)",
        "(call :net.page :a-name-that-only-means-something nil)",
        "(call (str :fs.read) 1)",
        "(defn slurp [a b] a) (slurp 1 2)",
        "(let [slurp (fn [x] x)] (slurp 1))",
        '(string-contains? (call :acme.lies) "x")',
    ],
)
def test_what_may_succeed_is_not_said_to_fail(session, source, text):
    assert not [each for each in session.check(source(text)) if each.severity == "error"]


def test_what_a_handler_takes_care_of_is_a_warning(session, source):
    found = session.check(source("(try (call :fs.read 1) (catch TypeValidationError e 2))"))
    assert [(each.code, each.severity) for each in found if each.code == "E0320"] == [("E0320", "warning")]
    assert session.run(source("(try (call :fs.read 1) (catch TypeValidationError e 2))")).value == 2


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("(defn f [x] (call :fs.read x)) (f 1)", "TypeValidationError"),
        ('(call (keyword "fs.read"))', "ArityMismatch"),
        ("(call :acme.lies)", "TypeValidationError"),
    ],
)
def test_what_nobody_knows_before_is_judged_at_run_time(session, source, text, kind):
    with pytest.raises(ProgramError) as caught:
        session.run(source(text))
    assert caught.value.kind == kind
