"""Programs whose tickets lie in this queue, and workers that do them: both are killed, and each ticket has one end."""

from __future__ import annotations

import os

import pytest

from rtfs_framework.testing.ticket_crash import tickets

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills processes")
MUCH = [pytest.mark.slow, pytest.mark.timeout(7200)]


@pytest.mark.parametrize(
    ("count", "kills", "each"), [(60, 2, 2), pytest.param(10_000, 40, 4, marks=MUCH)], ids=["60", "10000"]
)
def test_producers_and_workers_that_are_killed_end_each_ticket_once(server, prefix, count, kills, each, capsys):
    own = {"url": server.url, "prefix": prefix}
    report = tickets("rtfs_queue_nats.plugin", own, count=count, kills=kills, each=each)
    with capsys.disabled():
        print(f"\n{count} tickets, {kills} kills: {report}")
    assert report.done + report.dead + report.cancelled == count, "lists show each ticket, and where it ended"
    assert report.done <= report.told <= report.done + report.unkept, "told is what was answered, and no more"
    assert report.cancelled == report.withdrawn
    assert report.dead > 0, "those that nobody ever answers"
    assert report.told <= report.asked == report.keys, "whoever asks, and how often: by one key"
