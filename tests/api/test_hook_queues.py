"""The hook `rtfs_queues`: a record that it offers is in the catalog under its name; what is no record is refused."""

from __future__ import annotations

import pytest

from rtfs_framework.api import PluginError, QueueEntry, QueueItem, QueueSettings
from rtfs_framework.testing import FakeClock
from rtfs_framework.testing.memory_queue import MemoryQueue

FIELDS = {"name": "mine", "summary": "In memory.", "factory": MemoryQueue}


def test_a_record_is_in_the_catalog(offering):
    catalog = offering("rtfs_queues", QueueEntry(**FIELDS))
    assert not catalog.problems
    queue = catalog.queue("mine").factory(QueueSettings(clock=FakeClock()))
    assert queue.put(QueueItem(id="a", topic="runs", payload=b"")).new


def test_another_name_is_nobodys(offering):
    with pytest.raises(PluginError, match="no queue is called `mine2`; did you mean 'mine'"):
        offering("rtfs_queues", QueueEntry(**FIELDS)).queue("mine2")


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ("mine", "`rtfs_queues` offers a str, which is no QueueEntry"),
        (QueueEntry(**{**FIELDS, "factory": 7}), "whose `factory` is a int and cannot be called"),
        (QueueEntry(**{**FIELDS, "remote": "no"}), "`remote`"),
        (QueueEntry(**FIELDS, settings=dict), "no attrs class"),
    ],
)
def test_what_is_no_record_is_refused(offering, refused, record, words):
    catalog = offering("rtfs_queues", record)
    refused(catalog, words)
    assert not catalog.queues


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": ""}, "id"),
        ({"id": "x" * 257}, "id"),
        ({"id": "a\nb"}, "id"),
        ({"tenant": "a\x00"}, "tenant"),
        ({"key": "k" * 257}, "key"),
        ({"topic": "Runs"}, "topic"),
        ({"topic": ""}, "topic"),
        ({"priority": 10}, "priority is 0 to 9"),
        ({"priority": -1}, "priority is 0 to 9"),
        ({"most_tries": 0}, "at least one try"),
        ({"payload": b"x" * (768 * 1024 + 1)}, "786,432 bytes"),
    ],
)
def test_an_item_that_no_queue_could_keep_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        QueueItem(**{"id": "a", "topic": "runs", "payload": b"", **changes})
