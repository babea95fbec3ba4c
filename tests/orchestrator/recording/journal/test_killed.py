"""A process that is killed loses nothing that was paid: every request that the server saw has begun in the journal."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from rtfs_framework.api import digest
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.file import keys_of, open_for_reading
from rtfs_framework.orchestrator.recording.journal.verify import verify_all

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def killed(home, times):
    """Kill so many processes while they pay; return what the server was asked, round by round."""
    command = [sys.executable, str(Path(__file__).with_name("killed.py")), str(home), str(times), "7"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=3000)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def begun(path, home):
    """Return the digests of the arguments of all that began."""
    with closing(open_for_reading(path)) as db:
        bodies = db.execute("SELECT body FROM log WHERE what = 'begun'").fetchall()
        return {json.loads(row["body"])["args"] for row in bodies}, keys_of(db, path, home)


def check_kills(tmp_path, times):
    path, seen = tmp_path / "journal.sqlite", killed(tmp_path, times)
    written, keys = begun(path, tmp_path)
    asked = [text for each in seen for text in each]
    assert len(asked) > times, "most processes asked several times"
    assert {keys.value(digest(text)) for text in asked} <= written
    verdict = verify_all(path, tmp_path)
    assert (verdict.ok, verdict.problems, verdict.notes) == (True, (), ()), "no false alarm"
    # Whose request came in late, after its process was gone, is counted by its name and not by the round.
    asking = {re.sub(r"'*[-+]\d+$", "", text) for text in asked}
    assert len(asking) <= verdict.runs == verdict.unfinished <= times
    calls = [e for row in query.list_runs(path, times) for e in query.entries_of(path, row.id)]
    assert any(call["state"] == "begun" for call in calls), "calls that were under way are shown"


@pytest.mark.timeout(600)
def test_nothing_that_was_paid_is_missing(tmp_path):
    check_kills(tmp_path, 12)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_nothing_that_was_paid_is_missing_after_many_kills(tmp_path):
    check_kills(tmp_path, 200)
