"""The conformance cases that need no host, through `rtfs eval`: in this process, and some as processes.

How many of them is the matrix's to say (TEST_EFFORT, at 1 all), and which ones (TEST_SHARE): the kernel's own tests run
every one anyway.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rtfs_framework.cli.commands import run_once
from rtfs_framework.cli.group import Commands
from rtfs_framework.cli.main import run
from rtfs_framework.cli.notices import Notices
from rtfs_framework.lang.canonical import canonical_print
from rtfs_framework.lang.errors import LanguageError, LimitError, ProgramError
from rtfs_framework.testing.cases.model import read_cases
from rtfs_framework.testing.effort import effort

FOLDER = Path(__file__).parents[1] / "conformance"
LIMITS = ("--no-journal", "--max-steps", "1000000", "--max-depth", "5000")
AS_PROCESSES, PARTS = effort(100), 5
SHARE = int(os.environ.get("TEST_SHARE", "0"))


def is_closed(case):
    """Tell whether a case is about a program that needs nothing but itself."""
    given = (case.has_host, case.events, case.context, case.cross, case.files, case.load, case.layer)
    other = (case.entry, case.lowers_to, case.outcome, case.deny_isolation)
    return case.certain and not any(given) and not any(other) and case.security == "full"


CASES = [case for case in read_cases([FOLDER]) if is_closed(case)]
TOPICS = sorted({case.topic for case in CASES})
UNCONFIGURED = {"dh-010": "error UnknownCapability"}
"""A hint that names a target: a host that has none of this name refuses it before anything runs."""


@pytest.fixture
def evaluated(folder, monkeypatch):
    """Return a function that hands a text to the command and gives what a case expects of it."""
    values = []
    monkeypatch.setattr(run_once, "show_result", lambda result, *, as_json: values.append(result.value))

    def evaluate(text: str) -> str:
        values.clear()
        try:
            arguments = ["eval", *LIMITS, "--", text]
            Commands().main(arguments, prog_name="rtfs", standalone_mode=False, obj=Notices())
        except (LanguageError, ProgramError) as error:
            return f"error {error.kind}"
        except LimitError:
            return "error Generic"
        return f"value {canonical_print(values[0])}"

    return evaluate


@pytest.mark.parametrize("topic", TOPICS)
def test_every_closed_case_holds_through_eval(topic, evaluated, capsys):
    different = []
    of_it = [case for case in CASES if case.topic == topic]
    step = max(1, len(of_it) // effort(len(of_it)))
    for case in of_it[SHARE % step :: step]:
        wanted = f"error {case.error}" if case.error is not None else f"value {case.expect}"
        wanted = UNCONFIGURED.get(case.id, wanted)
        found = evaluated(case.source)
        if found != wanted:
            different.append(f"{case.id}: {case.source}\n    expected {wanted}, got {found}")
    assert different == [], "\n".join(different)


def test_a_wrong_value_is_seen(evaluated):
    assert evaluated("(+ 1 2)") == "value 3"
    assert evaluated('(+ 1 "a")') == "error TypeError"
    assert evaluated("(loop [] (recur))") == "error Generic"
    assert evaluated("(+ 1") == "error ParseError"


@pytest.mark.parametrize("part", range(PARTS))
def test_processes_print_what_this_one_prints(part, folder, capfd):
    """A process takes the quick way where it can; this one never does. The exit code is the same as well."""
    chosen = CASES[SHARE :: len(CASES) // AS_PROCESSES][:AS_PROCESSES]
    assert len(chosen) == AS_PROCESSES
    different = []
    for case in chosen[part::PARTS]:
        capfd.readouterr()
        here = (run(["eval", *LIMITS, "--", case.source]), *capfd.readouterr())
        command = [sys.executable, "-c", "from rtfs_framework.cli.main import main; main()", "eval", case.source]
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False, timeout=600)
        there = (done.returncode, done.stdout, done.stderr)
        if there != here:
            different.append(f"{case.id}: {case.source}\n    {there}, here {here}")
    assert different == [], "\n".join(different)
