"""`rtfs eval` with and without its quick way: the same output, errors and exit codes; and when it must not be taken."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from rtfs_framework.cli import quick
from rtfs_framework.orchestrator.config.folders import cache_dir
from rtfs_framework.orchestrator.remembering.artifacts import quick as entries
from rtfs_framework.orchestrator.remembering.artifacts.seal import make_seal

pytestmark = [
    pytest.mark.needs("rtfs-cache-l4"),
    pytest.mark.skipif(os.name != "posix", reason="the quick way is for POSIX"),
]

PROGRAMS = (
    "(+ 1 2)",
    "nil",
    "true",
    "1.5",
    '"text with \\u{1b}[31m colour and é"',
    '(try (throw "\\u{1b}[31m") (catch e e))',
    "(map inc [1 2 3])",
    '{:a [1 #{2}] "b" (str 1 :k)}',
    "(defn fib [n] (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2))))) (fib 12)",
    "(loop [i 0] (if (< i 200000) (recur (inc i)) i))",
    "(try (/ 1 0) (catch DivisionByZero e (getMessage e)))",
    "(reduce * 1 (range 1 2000))",
    "(let [unused 1] 2)",
    "(fn [x] x)",
    "(gensym)",
    # those that fail
    "(/ 1 0)",
    "(no-such-name)",
    "(+ 1",
    "(defn down [n] (+ 1 (down n))) (down 1)",
    '(call :ccos.io.log "x")',
    '(step "s" 1)',
    "@name",
    "",
    " ",
)


@pytest.mark.parametrize("program", PROGRAMS)
def test_both_ways_show_the_same(rtfs, program, capsys):
    ordinary = rtfs("eval", program)
    again = rtfs("eval", program)
    assert again == ordinary
    code = quick.run(["eval", program])
    out, err = capsys.readouterr()
    if code is None:
        assert (out, err) == ("", "")
    else:
        assert (code, out, err) == (ordinary.code, ordinary.out, ordinary.err)


def test_most_programs_that_succeed_are_quick(rtfs, capsys):
    for program in PROGRAMS[:13]:
        ordinary = rtfs("eval", program)
        quickly = quick.run(["eval", program])
        assert quickly == (None if "[31m" in program and "throw" in program else 0), program
        assert capsys.readouterr().out == ("" if quickly is None else ordinary.out)


@pytest.fixture
def fresh(folder):
    """Return a function that starts `rtfs eval` and tells whether the quick way was taken, and what was printed."""
    code = (
        "import sys; from rtfs_framework.cli import main, quick\n"
        "ordinary = main.run\n"
        "main.run = lambda args: (print('ordinary', file=sys.stderr), ordinary(args))[1]\n"
        "main.main()"
    )

    def run(*args, **environ):
        made = subprocess.run(
            [sys.executable, "-c", code, *args],
            cwd=environ.pop("cwd", folder),
            env={**os.environ, **environ},
            capture_output=True,
            timeout=50,
            check=False,
            text=True,
        )
        return "quick" if "ordinary" not in made.stderr else "ordinary", made.stdout

    return run


@pytest.mark.parametrize("program", ["(+ 1 2)", "(map inc [1 2])", "(defn f [n] (+ n 1)) (f 1)"])
def test_the_second_time_is_quick(fresh, program):
    way, out = fresh("eval", program)
    assert way == "ordinary"
    assert fresh("eval", program) == ("quick", out)


def taken(fresh, *args, **environ):
    return fresh(*args, **environ)[0]


@pytest.mark.parametrize(
    "program",
    [
        "(call :x)",
        "(/ 1 0)",
        '(step "s" 1)',
        "@name",
        '(defn ^:delegation :local-model "echo" f [x] x) 1',
        '(try (throw "\\u{1b}") (catch e e))',
    ],
)
def test_what_may_ask_its_host_or_fails_is_never_quick(fresh, program):
    assert [taken(fresh, "eval", program) for _ in range(3)] == ["ordinary"] * 3


@pytest.mark.parametrize("args", [["eval", "--json", "1"], ["eval", "1", "--no-journal"], ["eval", "-"], ["eval"]])
def test_other_command_lines_are_never_quick(fresh, args):
    fresh("eval", "1")
    assert taken(fresh, *args) == "ordinary"


def test_another_environment_is_another_world(fresh, tmp_path):
    fresh("eval", "1")
    assert taken(fresh, "eval", "1") == "quick"
    for name, value in (("RTFS_PLUGINS", ""), ("RTFS_LOG", "info"), ("HOME", str(tmp_path)), ("RTFS_NEW", "1")):
        assert taken(fresh, "eval", "1", **{name: value}) == "ordinary"
        fresh("eval", "1")


@pytest.mark.parametrize(("place", "then"), [("delegation.toml", "ordinary"), ("home/delegation.toml", "quick")])
def test_a_configuration_that_comes_changes_or_goes(fresh, folder, place, then):
    file = folder / place  # of a file that is found, trust and rights count too, and these are looked at each time
    fresh("eval", "(+ 1 1)")
    assert taken(fresh, "eval", "(+ 1 1)") == "quick"
    file.write_text("[delegation]\ncache_ttl = 5.0\n", encoding="utf-8")
    assert [taken(fresh, "eval", "(+ 1 1)") for _ in range(2)] == ["ordinary", then]
    file.write_text("[caches.l4]\nenabled = false\n", encoding="utf-8")
    assert [taken(fresh, "eval", "(+ 1 1)") for _ in range(2)] == ["ordinary"] * 2
    file.write_text("[nonsense", encoding="utf-8")
    assert fresh("eval", "(+ 1 1)") == ("ordinary", "")
    file.unlink()
    assert [taken(fresh, "eval", "(+ 1 1)") for _ in range(2)] == ["ordinary", "quick"]


def test_a_configuration_of_another_folder(fresh, folder):
    fresh("eval", "1")
    other = folder / "other"
    other.mkdir()
    (other / "delegation.toml").write_text("[nonsense", encoding="utf-8")
    assert fresh("eval", "1", cwd=other) == ("ordinary", "")


def test_a_distribution_that_comes_is_noticed(fresh, tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    path = {"PYTHONPATH": str(site)}
    fresh("eval", "1", **path)
    assert taken(fresh, "eval", "1", **path) == "quick"
    (site / "acme-1.dist-info").mkdir()
    assert taken(fresh, "eval", "1", **path) == "ordinary"


def without_worlds(folder):
    for note in (folder / "home" / "cache" / "worlds").iterdir():
        note.unlink()


def test_a_tampered_entry_is_not_run(fresh, folder):
    fresh("eval", "(+ 1 2)")
    (file,) = (folder / "home" / "cache" / "quick").iterdir()
    sealed = file.read_bytes()
    for changed in (b"", sealed[:20], sealed[:-1], sealed[:60] + b"\x01" + sealed[61:], sealed + b"x"):
        without_worlds(folder)
        file.write_bytes(changed)
        assert fresh("eval", "(+ 1 2)") == ("ordinary", "3\n")
    assert fresh("eval", "(+ 1 2)") == ("quick", "3\n")
    fresh("eval", "(+ 2 2)")
    (other,) = (each for each in file.parent.iterdir() if each != file)
    file.write_bytes(other.read_bytes())
    without_worlds(folder)
    assert fresh("eval", "(+ 1 2)") == ("ordinary", "3\n")


def test_a_key_that_others_can_read_is_not_used(fresh, folder):
    fresh("eval", "1")
    (folder / "home" / "cache" / "artifacts.key").chmod(0o644)
    assert [taken(fresh, "eval", "1") for _ in range(2)] == ["ordinary"] * 2


def test_a_folder_that_cannot_be_written(fresh, folder):
    (folder / "home").write_text("in the way", encoding="utf-8")
    assert [fresh("eval", "1") for _ in range(2)] == [("ordinary", "1\n")] * 2


def test_entries_are_bounded(folder, monkeypatch):
    monkeypatch.setattr(entries, "_MOST", 8)
    home = cache_dir(os.environ)
    seal = make_seal(str(home))
    for i in range(30):
        entries.keep(b"%d" % i, os.environ, str(home), seal, entries.Entry(None, b""), [])
        assert entries.count(str(home)) <= 8
    assert entries.find(b"29", os.environ) is not None
    assert entries.find(b"0", os.environ) is None
    assert entries.clear(str(home)) > 0
    assert entries.count(str(home)) == 0


@pytest.mark.parametrize("name", ["RTFS_HOME", "XDG_CACHE_HOME", None])
def test_the_folder_is_that_of_the_ordinary_way(tmp_path, monkeypatch, name):
    for each in ("RTFS_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(each, raising=False)
    if name is not None:
        monkeypatch.setenv(name, str(tmp_path))
    found = entries.cache_folder(os.environ)
    assert found in {str(cache_dir(os.environ)), None}
    assert found is not None or sys.platform != "linux"


def test_next_to_nothing_is_imported(fresh, folder):
    fresh("eval", "(+ 1 2)")
    code = (
        "import sys; before = set(sys.modules)\n"
        "from rtfs_framework.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, "eval", "(+ 1 2)"], cwd=folder, capture_output=True, text=True, check=True
    ).stdout
    value, modules = out.splitlines()
    assert value == "3"
    assert {"typing", "re", "attr", "click", "pathlib", "hashlib", "greenlet"}.isdisjoint(modules.split())


def test_nothing_is_written_out_twice(capsys, monkeypatch):
    def given(text):
        entry = entries.Entry(compile(f"def rtfs_main(): {text}", "p", "exec"), b"")
        monkeypatch.setattr(entries, "find", lambda *_: entry)

    given("return 7")
    assert quick.run(["eval", "x"]) == 0
    assert capsys.readouterr() == ("7\n", "")
    given("return 1 / 0")
    assert quick.run(["eval", "x"]) is None
    assert capsys.readouterr() == ("", "")
