"""The guard keeps the contract of guards."""

from __future__ import annotations

from rtfs_framework.api import InferenceReply, Keyword, Map
from rtfs_framework.testing.conformance import GuardConformance
from rtfs_guard_secrets.guard import SecretsGuard
from rtfs_guard_secrets.settings import SecretsSettings

KEY = "AKIA" + "ABCDEFGHIJKLMNOP"


class TestRedacting(GuardConformance):
    def make(self):
        return SecretsGuard(SecretsSettings())

    def stopped(self):
        return ((KEY,), (1, ("x", f"key: {KEY}.")), (Map.of([(Keyword("k"), KEY)]),), (Map.of([(KEY, 1)]),))

    def stopped_replies(self):
        return (InferenceReply(text=f"it is {KEY}"), InferenceReply(data={"a": [KEY]}, structured=True))


class TestRefusing(TestRedacting):
    def make(self):
        return SecretsGuard(SecretsSettings(action="refuse"))
