"""Records of a program on real workers, of which one is killed: each comes back once, in order."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from rtfs_framework.orchestrator.session import Session
from rtfs_framework.orchestrator.spreading.spread import Spread

PROGRAM = """
(defn main [record]
  (let [text (get record "text")]
    (loop [i 0] (if (< i 3000) (recur (inc i)) [text (count text)]))))
"""
START = "from rtfs_framework.cli.main import main; main()"


def _spread(tmp_path, cluster, count, kill_at):
    """Return the results, and how many pieces were lost; a worker is killed as record `kill_at` is read."""

    def records():
        for number in range(count):
            if number == kill_at:
                os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)
            yield {"text": f"text {number}"}

    environ = {**os.environ, "RTFS_HOME": str(tmp_path)}
    with Session.open(environ=environ) as session:
        linked = session.link(PROGRAM)
        spread = Spread.over(session, linked, records(), ("dask", cluster.scheduler_address), environ)
        found = [(each.index, each.value, each.error) for each in spread]
        summary = spread.summary
        spread.close()
    assert (summary.records, summary.record_errors) == (count, 0)
    return found


def _expected(count):
    return [(n, (f"text {n}", len(f"text {n}")), None) for n in range(count)]


def test_each_record_comes_back_once_although_a_worker_is_killed(tmp_path, cluster):
    assert _spread(tmp_path, cluster, 200, 100) == _expected(200)


def test_ctrl_c_shows_what_is_done_and_ends(tmp_path, cluster):
    (tmp_path / "main.rtfs").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "in.txt").write_text("".join(f"text {number}\n" for number in range(20_000)), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-c", START, "run", "main.rtfs", "--input", "in.txt", "--json", "--on",
         f"dask:{cluster.scheduler_address}"],
        cwd=tmp_path, env={**os.environ, "RTFS_HOME": str(tmp_path)},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    with process:
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)  # it cannot have ended: nobody has read its rows, which a pipe does not hold
        out = process.stdout.read()
    assert process.wait() == 130
    *rows, end = [json.loads(each) for each in (first + out).splitlines()]
    assert [each["value"] for each in rows] == [[f"text {each['record']}", len(each["text"])] for each in rows]
    assert end["summary"]["interrupted"]
    shown = {each["record"] for each in rows}
    assert end["summary"]["records"] - len(shown) in (0, 1), "one may have been on its way to the screen"


@pytest.mark.slow
@pytest.mark.timeout(540)
def test_a_hundred_thousand_records_on_three_workers_with_one_killed(tmp_path):
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=3, threads_per_worker=1, processes=True, host="127.0.0.1", silence_logs=40,
        dashboard_address="127.0.0.1:0", worker_dashboard_address="127.0.0.1:0",
        env={"RTFS_HOME": str(tmp_path)},
    ) as cluster:  # fmt: skip
        assert _spread(tmp_path, cluster, 100_000, 40_000) == _expected(100_000)
