"""Replies kept in a file: one that somebody else wrote there is asked for anew, and the user hears of it."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing

import pytest

from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.session import Session

CONFIG = '[delegation.local_models.echo]\nprovider = "echo"\nreuse = "always"\n'
PROGRAM = '(defn ^:delegation :local-model "echo" f "Say it." [x] "own") (f 1)'

pytestmark = pytest.mark.needs("rtfs-cache-l2", "rtfs-provider-echo")


@pytest.fixture
def run(tmp_path):
    """Return a function that runs the program: what was said of L2, the value, and what plugins did wrong."""
    config = tmp_path / "delegation.toml"
    config.write_text(CONFIG, encoding="utf-8")

    def once():
        with Session.open(config_path=config, environ={"RTFS_HOME": str(tmp_path)}) as session:
            result = session.run(Source("p", PROGRAM))
            return result.calls[0].cache, result.value, [str(each) for each in session.problems]

    return once


def change(tmp_path, statement):
    with closing(sqlite3.connect(tmp_path / "cache" / "l2.sqlite")) as db, db:
        assert db.execute(statement).rowcount == 1
    db.close()


def test_a_reply_that_was_changed_is_asked_for_anew_and_told(run, tmp_path):
    assert run() == ("l2 miss", "1", [])
    assert run() == ("l2 hit", "1", [])
    change(tmp_path, "update replies set value = cast(replace(value, '\"1\"', '\"9\"') as blob)")
    cache, value, told = run()
    assert (cache, value) == ("l2 miss", "1")
    assert len(told) == 1
    assert "l2.sqlite is not what was kept there: it was changed, moved or planted" in told[0]
    assert run() == ("l2 hit", "1", [])


def test_with_a_key_that_others_may_read_nothing_is_kept_and_that_is_told(run, tmp_path):
    assert run()[0] == "l2 miss"
    (tmp_path / "cache" / "artifacts.key").chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IROTH)
    cache, value, told = run()
    assert (cache, value) == ("", "1")
    assert "the kept replies cannot be sealed" in told[0]
