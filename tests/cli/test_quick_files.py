"""`rtfs run FILE` and `rtfs check FILE` with and without their quick way: the same output; and what it must see."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from rtfs_framework.cli import quick

pytestmark = [
    pytest.mark.needs("rtfs-cache-l4"),
    pytest.mark.skipif(os.name != "posix", reason="the quick way is for POSIX"),
]
CODE = (
    "import sys; sys.path.remove('')  # a command's has no current folder\n"
    "from rtfs_framework.cli import main\n"
    "ordinary = main.run\n"
    "main.run = lambda args: (print('ordinary', file=sys.stderr), ordinary(args))[1]\n"
    "main.main()"
)


@pytest.fixture
def way(folder):
    """Return a function that runs a command line in a process and tells the way taken, the output and the exit code."""

    def run(*args, cwd=folder, **environ):
        made = subprocess.run(
            [sys.executable, "-c", CODE, *args],
            cwd=cwd,
            env={**os.environ, **environ},
            capture_output=True,
            timeout=50,
            check=False,
            text=True,
        )
        first, _, rest = made.stderr.partition("\n")
        ordinary = first == "ordinary"
        return "ordinary" if ordinary else "quick", made.stdout, rest if ordinary else made.stderr, made.returncode

    return run


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return name


def forget_worlds(folder):
    for note in (folder / "home" / "cache").glob("worlds/*"):
        note.unlink()


PROGRAMS = {
    "main": ('(defn main [n] (str "Hi " n))', ["you"]),
    "rest": ("(defn main [& all] (count all))", ["a", "", "é"]),
    "none": ("(defn main [] {:a [1 2.5 nil]})", []),
    "value": ("(map inc [1 2 3])", []),
    "bare": ("(+ 1 2)", []),
    "typed": ("(defn main [x :string] :int (count x))", ["abc"]),
    "hint": ("(let [unused 1] 2)", []),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_second_time_is_quick_and_the_same(way, folder, name):
    text, args = PROGRAMS[name]
    file = write(folder, "p.rtfs", text)
    for command in (["run", file, *args], ["check", file]):
        forget_worlds(folder)
        first = way(*command)
        assert first[0] == "ordinary"
        assert way(*command) == ("quick", *first[1:])


def test_other_arguments_need_no_other_entry_and_fail_alike(way, folder):
    file = write(folder, "p.rtfs", "(defn third [n] (nth [1 2 3] n))\n(defn main [n] (third (parse-int n)))")
    assert way("run", file, "1")[:2] == ("ordinary", "2\n")
    assert way("run", file, "2")[:2] == ("quick", "3\n")
    found = way("run", file, "9")
    assert found[0] == "quick"
    assert "p.rtfs:1:17: error[E0505]: IndexOutOfBounds" in found[2]
    assert found == ("quick", *way("run", "--no-journal", file, "9")[1:])
    for args in ([], ["1", "2"]):
        assert way("run", file, *args)[3] == 2


def test_each_file_name_is_another_program(way, folder):
    for name in ("a.rtfs", "b.rtfs", "sub/a.rtfs"):
        forget_worlds(folder)
        assert way("run", write(folder, name, "(str 1)"))[0] == "ordinary"
    forget_worlds(folder)
    assert way("run", "./a.rtfs")[0] == "ordinary"
    assert [way("run", name)[0] for name in ("a.rtfs", "b.rtfs", "sub/a.rtfs")] == ["quick"] * 3


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_change_of_the_program_or_a_module_is_seen(way, folder, command):
    write(folder, "lib/m.rtfs", "(module lib.m (:exports [f]) (defn f [] 1))")
    file = write(folder, "sub/p.rtfs", "(import lib.m :as m)\n(m/f)")
    assert [way(command, file)[0] for _ in range(2)] == ["ordinary", "quick"]
    same_length = "(module lib.m (:exports [f]) (defn f [] 2))"
    stamp = (folder / "lib/m.rtfs").stat()
    write(folder, "lib/m.rtfs", same_length)
    os.utime(folder / "lib/m.rtfs", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # neither its size nor its time tells
    changed = way(command, file)
    assert changed[0] == "ordinary"
    assert command == "check" or changed[1] == "2\n"
    assert way(command, file)[0] == "quick"
    write(folder, "sub/lib/m.rtfs", "(module lib.m (:exports [f]) (defn f [] 3))")  # it is found first now
    assert way(command, file)[0] == "ordinary"
    forget_worlds(folder)
    write(folder, "sub/p.rtfs", "(+ 1 1)")
    assert way(command, file)[0] == "ordinary"


def test_a_configuration_that_comes_is_seen(way, folder):
    file = write(folder, "sub/p.rtfs", "(str 1)")
    for place in ("sub/delegation.toml", "delegation.toml", "home/delegation.toml"):
        for command in ("run", "check"):
            way(command, file)
            assert way(command, file)[0] == "quick"
        write(folder, place, "[nonsense")
        for command in ("run", "check"):
            found = way(command, file)
            assert (found[0], found[3]) == ("ordinary", 1)
        (folder / place).unlink()


def test_another_world_is_seen(way, folder, tmp_path):
    file = write(folder, "p.rtfs", "(str 1)")
    site = tmp_path / "site"
    site.mkdir()
    for command in ("run", "check"):
        for environ in ({"RTFS_PLUGINS": ""}, {"RTFS_LIMITS__STEPS": "5"}, {"PYTHONPATH": str(site)}):
            way(command, file)
            assert way(command, file)[0] == "quick"
            assert way(command, file, **environ)[0] == "ordinary"
        way(command, file, PYTHONPATH=str(site))
        (site / f"acme-{command}.dist-info").mkdir()
        assert way(command, file, PYTHONPATH=str(site))[0] == "ordinary"


@pytest.mark.parametrize(
    "text",
    [
        "(call :x)",
        '(defn ^:delegation :local-model "echo" f [x] x) 1',
        '(log "x")',
        '(step "s" 1)',
        "(+ 1",
    ],
)
def test_what_asks_its_host_or_is_refused_is_never_quick(way, folder, text):
    file = write(folder, "p.rtfs", text)
    assert [way("run", file)[0] for _ in range(3)] == ["ordinary"] * 3
    if "step" not in text:  # of which no other host would tell anything else
        assert [way("check", file)[0] for _ in range(2)] == ["ordinary"] * 2


@pytest.mark.parametrize("options", [["--json"], ["--no-journal"], ["--max-steps", "50"], ["--output", "o"]])
def test_options_take_the_ordinary_way(way, folder, options):
    file = write(folder, "p.rtfs", "(str 1)")
    assert [way("run", file, *options)[0] for _ in range(2)] == ["ordinary"] * 2
    assert way("run", file)[0] == "ordinary"  # nothing was kept under other conditions
    assert way("run", file, *options)[0] == "ordinary"


def test_a_forged_entry_is_not_believed(way, folder):
    file = write(folder, "p.rtfs", "(str 1)")
    for command in ("run", "check"):
        before = set((folder / "home" / "cache").glob("quick/*"))
        forget_worlds(folder)
        first = way(command, file)
        (entry,) = set((folder / "home" / "cache").glob("quick/*")) - before
        sealed = entry.read_bytes()
        entry.write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
        forget_worlds(folder)
        assert way(command, file) == first
        assert way(command, file) == ("quick", *first[1:])
    one, other = (folder / "home" / "cache").glob("quick/*")
    one.write_bytes(other.read_bytes())
    forget_worlds(folder)
    assert sorted(way(command, file)[0] for command in ("run", "check")) == ["ordinary", "quick"]


def test_a_pipe_is_left_to_the_ordinary_way(way, folder):
    os.mkfifo(folder / "pipe")
    writer = threading.Thread(target=(folder / "pipe").write_text, args=("(str 7)",))
    writer.start()
    assert way("run", "pipe")[:2] == ("ordinary", '"7"\n')
    writer.join()


def test_a_surrogate_is_left_to_the_ordinary_way(folder):
    for args in (["eval", "\udcff"], ["run", "\udcff"], ["run", "a", "\udcff"], ["check", "\udcff"], ["run", ""]):
        assert quick.run(args) is None


MINDED = """import signal, threading, time
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # who runs these tests under nohup ignores it
def tell():
    while signal.getsignal(signal.SIGTERM) == signal.SIG_DFL: time.sleep(0.01)
    print("on", flush=True)
threading.Thread(target=tell, daemon=True).start()
"""
"""Says "on" when signals are minded."""


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_quick_run_ends_in_order(way, folder, sent, code):
    file = write(folder, "p.rtfs", "(defn main [n] (loop [i 0] (if (< i (parse-int n)) (recur (inc i)) i)))")
    assert [way("run", file, "1")[0] for _ in range(2)] == ["ordinary", "quick"]
    command = [sys.executable, "-c", MINDED + CODE, "run", file, "4000000000"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "on\n"
            process.send_signal(sent)
            _, err = process.communicate(timeout=100)
        finally:
            process.kill()
    assert (err.strip(), process.returncode) == ("interrupted", code)


def test_check_in_colour(way, folder):
    file = write(folder, "p.rtfs", "(defn f [x] 1)")
    plain = way("check", file)
    coloured = way("check", file, FORCE_COLOR="1")
    assert (plain[0], coloured[0]) == ("ordinary", "quick")
    assert "\x1b[" not in plain[1]
    assert coloured[1] == way("check", file, "--trust", FORCE_COLOR="1")[1]
    assert "\x1b[" in coloured[1]


@pytest.fixture
def known_world(way, folder):
    """Return the place of a program in a folder where another one was run."""
    way("run", write(folder, "sub/other.rtfs", "(str 0)"))
    assert len(list((folder / "home" / "cache").glob("worlds/*"))) == 1
    return folder / "sub" / "p.rtfs"


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_new_program_needs_no_host(way, folder, known_world, name):
    text, args = PROGRAMS[name]
    known_world.write_text(text, encoding="utf-8")
    new, again = way("run", "sub/p.rtfs", *args), way("run", "sub/p.rtfs", *args)
    assert new[0] == "quick"
    assert new == again == ("quick", *way("run", "--no-journal", "sub/p.rtfs", *args)[1:])
    new, again = way("check", "sub/p.rtfs"), way("check", "sub/p.rtfs")
    assert new == again == ("quick", *way("check", "--trust", "sub/p.rtfs")[1:])


@pytest.mark.parametrize(
    "text",
    [
        "(call :x)",
        '(defn ^:delegation :local-model "echo" f [x] x) (f 1)',
        "@name",
        '(log "x")',
        '(step "s" 1)',
        "(+ 1",
        "(no-such-name)",
        "(import lib.m)",
        "\ufeff(str 1)",
        "(nth [1] 5)",
        "(/ 1 0)",
        "(+ 1 :a)",
    ],
)
def test_a_new_program_that_needs_one_or_fails_is_told_of_the_same(way, folder, known_world, text):
    known_world.write_text(text, encoding="utf-8")
    new = way("run", "sub/p.rtfs")
    assert new[1:] == way("run", "--no-journal", "sub/p.rtfs")[1:]
    assert new[0] == "ordinary" or text in {"(nth [1] 5)", "(/ 1 0)"}  # these fail, and the quick way tells it
    new = way("check", "sub/p.rtfs")
    assert new[1:] == way("check", "--trust", "sub/p.rtfs")[1:]
    assert new[0] == ("quick" if text in {"(nth [1] 5)", "(/ 1 0)", '(step "s" 1)'} else "ordinary")  # no errors


def test_a_new_program_in_another_world(way, folder, known_world):
    known_world.write_text("(str 1)", encoding="utf-8")
    assert way("run", "sub/p.rtfs", RTFS_LIMITS__STEPS="1000")[0] == "ordinary"
    (note,) = (folder / "home" / "cache").glob("worlds/*")
    sealed = note.read_bytes()
    note.write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    assert way("run", "sub/p.rtfs", RTFS_PLUGINS="")[0] == "ordinary"
    note.write_bytes(sealed)
    for place in ("sub/delegation.toml", "delegation.toml", "home/delegation.toml"):
        write(folder, place, "[delegation.routes]\n'f' = 'local-pure'\n")
        known_world.write_text(f"(defn f [x] x) (f {len(place)})", encoding="utf-8")
        assert way("run", "sub/p.rtfs")[0] == "ordinary"
        (folder / place).unlink()
