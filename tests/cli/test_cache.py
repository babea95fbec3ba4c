"""`rtfs cache`: what is kept, and forgetting it; and that a second run reads and compiles nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.needs("rtfs-cache-l4")


def test_what_is_kept_is_shown_and_forgotten(rtfs, folder):
    found = rtfs("cache", "stats", "--json").data
    assert found["folder"] == str(folder / "home" / "cache")
    assert (found["layer"], found["programs"], found["quick"]) == (True, 0, 0)
    rtfs("eval", "(+ 1 2)")
    rtfs("run", "hello.rtfs", "you")
    found = rtfs("cache", "stats", "--json").data
    assert (found["programs"], found["quick"]) == (2, 2)
    shown = rtfs("cache", "stats").out
    assert "programs  2" in shown
    assert str(folder) in shown
    assert rtfs("cache", "clear", "--json").data == {"programs": 2, "quick": 2, "replies": {}}
    assert rtfs("cache", "clear").out == "forgot 0 programs, 0 quick entries\n"
    assert rtfs("run", "hello.rtfs", "you").out == '"Hi you"\n'


def test_without_a_layer(rtfs, folder):
    (folder / "delegation.toml").write_text("[caches.l4]\nenabled = false\n", encoding="utf-8")
    result = rtfs("cache", "stats")
    assert result.code == 0
    assert "no layer of level L4 is installed and on" in result.out
    assert rtfs("cache", "stats", "--json").data["layer"] is False
    assert rtfs("cache", "clear").code == 0


@pytest.mark.parametrize("args", [["--help"], ["stats", "--help"], ["clear", "--help"]])
def test_help_has_examples(rtfs, args):
    assert "rtfs cache" in rtfs("cache", *args).out


def test_an_unknown_subcommand(rtfs):
    assert rtfs("cache", "nonsense").code == 2


def test_a_second_run_imports_no_reader_and_no_compiler(rtfs, folder):
    rtfs("run", "hello.rtfs", "you", "--no-journal")
    code = (
        "import sys\n"
        "from rtfs_framework.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*sorted(sys.modules))"
    )
    command = [sys.executable, "-c", code, "run", "hello.rtfs", "you", "--no-journal"]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    value, modules = made.stdout.splitlines()
    assert value == '"Hi you"'
    unwanted = {
        "lark",
        "rtfs_framework.lang.reader.read",
        "rtfs_framework.lang.pipeline",
        "rtfs_framework.lang.ir.nodes",
    }
    assert unwanted.isdisjoint(modules.split())
