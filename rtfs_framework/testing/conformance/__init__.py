"""Contract suites: inherit one, give it its `make`, and pytest runs every test of the contract on your plugin.

    class TestMine(CacheConformance):
        def make(self, settings, capacity):
            return MyLayer(settings, capacity)

A suite cannot be weakened: overriding one of its tests is an error when the class is made. A gap that is known and
meant to be closed goes into `known_gaps`, name to reason, and becomes a strict xfail: once closed, it must be removed.
"""

from rtfs_framework.testing.conformance.cache import CacheConformance
from rtfs_framework.testing.conformance.capability import CapabilityConformance
from rtfs_framework.testing.conformance.command import CommandConformance
from rtfs_framework.testing.conformance.embedder import EmbedderConformance
from rtfs_framework.testing.conformance.engine import EngineConformance
from rtfs_framework.testing.conformance.executor import ExecutorConformance
from rtfs_framework.testing.conformance.experience import ExperienceConformance
from rtfs_framework.testing.conformance.guard import GuardConformance
from rtfs_framework.testing.conformance.learning import LearningConformance
from rtfs_framework.testing.conformance.ledger import LedgerConformance
from rtfs_framework.testing.conformance.observer import ObserverConformance
from rtfs_framework.testing.conformance.provider import ProviderConformance
from rtfs_framework.testing.conformance.queue import QueueConformance
from rtfs_framework.testing.conformance.store import MirrorConformance, StoreConformance

__all__ = [
    "CacheConformance",
    "CapabilityConformance",
    "CommandConformance",
    "EmbedderConformance",
    "EngineConformance",
    "ExecutorConformance",
    "ExperienceConformance",
    "GuardConformance",
    "LearningConformance",
    "LedgerConformance",
    "MirrorConformance",
    "ObserverConformance",
    "ProviderConformance",
    "QueueConformance",
    "StoreConformance",
]
