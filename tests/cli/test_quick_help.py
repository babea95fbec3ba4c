"""`rtfs --help` with and without its quick way: the same output; and what it must see."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from rtfs_framework.orchestrator.remembering.artifacts import quick

pytestmark = [
    pytest.mark.needs("rtfs-cache-l4"),
    pytest.mark.skipif(os.name != "posix", reason="the quick way is for POSIX"),
]
CODE = (
    "import sys; sys.path.remove('')  # a command's has no current folder\n"
    "from rtfs_framework.cli.main import main\n"
    "try: main()\n"
    "finally: print('ordinary' if 'click' in sys.modules else 'quick')"
)


@pytest.fixture
def way(folder):
    """Return a function that runs a command line in a process and tells the way taken and the output."""

    def run(*args, **environ):
        made = subprocess.run(
            [sys.executable, "-c", CODE, *args],
            cwd=folder,
            env={**os.environ, **environ},
            capture_output=True,
            timeout=50,
            check=True,
            text=True,
        )
        assert made.stderr == ""
        *lines, taken = made.stdout.splitlines()
        return taken, lines

    return run


def test_the_second_time_is_quick_and_the_same(way):
    first = way("--help")
    assert first[0] == "ordinary"
    assert any("Run a program" in line for line in first[1])
    assert way("--help") == way("-h") == ("quick", first[1])
    assert way("--help", FORCE_COLOR="1") == ("quick", first[1])


def test_the_first_help_of_all_makes_the_key_and_one_that_cannot_is_shown_all_the_same(way, folder):
    assert [way("--help")[0] for _ in range(2)] == ["ordinary", "quick"]
    (key,) = (folder / "home").glob("**/artifacts.key")
    assert key.stat().st_mode & 0o077 == 0
    key.write_bytes(b"damaged")
    assert [way("--help")[0] for _ in range(2)] == ["ordinary"] * 2


def test_the_width_and_the_language_matter(way):
    way("eval", "(str 1)")
    wide, narrow = way("--help", COLUMNS="120"), way("--help", COLUMNS="60")
    assert wide[0] == narrow[0] == "ordinary"
    assert wide[1] != narrow[1]
    assert way("--help", COLUMNS="120") == ("quick", wide[1])
    assert way("--help", COLUMNS="60") == ("quick", narrow[1])
    assert way("--help", COLUMNS="60", LANGUAGE="de")[0] == "ordinary"


def test_what_is_installed_is_seen(way, tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    way("eval", "(str 1)")
    assert [way("--help", PYTHONPATH=str(site))[0] for _ in range(2)] == ["ordinary", "quick"]
    info = site / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[rtfs_framework]\nacme = acme_tools\n", encoding="utf-8")
    (site / "acme_tools.py").write_text(PLUGIN, encoding="utf-8")
    taken, lines = way("--help", PYTHONPATH=str(site))
    assert taken == "ordinary"
    assert any("Say hello." in line for line in lines)
    assert way("--help", PYTHONPATH=str(site)) == ("quick", lines)
    (site / "acme_tools.py").write_text(PLUGIN.replace("hello", "good-bye"), encoding="utf-8")
    assert any("Say good-bye." in line for line in way("--help", PYTHONPATH=str(site))[1])
    assert way("--help", PYTHONPATH=str(site), RTFS_PLUGINS="")[0] == "ordinary"


PLUGIN = """
from rtfs_framework.api import CommandEntry, hookimpl

rtfs_api_version = 2

@hookimpl
def rtfs_commands():
    return [CommandEntry(name="greet", summary="Say hello.", load=lambda: None, example="rtfs greet")]
"""


@pytest.mark.parametrize("given", ["77", "0", "-3", "x", "", " 9 "])
def test_the_width_is_that_of_shutil(monkeypatch, given):
    monkeypatch.setenv("COLUMNS", given)
    assert quick._columns(os.environ) == shutil.get_terminal_size().columns
