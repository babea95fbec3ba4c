"""A small stack made by hand: one member, two labels, one word that decides."""

from __future__ import annotations

import json

import attrs
import pytest

from rtfs_framework.api import InferenceReply, ProviderError, ProviderSettings
from rtfs_provider_stack.model import GROUPS
from rtfs_provider_stack.plugin import StackSettings, rtfs_providers

LABELS = ("bad", "good")


def small_model(members=("other",)):
    """Return the data of a stack that believes its members, and the word "awful" more."""
    functions = len(LABELS) * len(GROUPS)
    empty = {"texts": [], "rarity": [], "weights": [[] for _ in range(functions)], "constants": [0.0] * functions}
    words = {
        "texts": ["awful"],
        "rarity": [1.0],
        "weights": [[4.0], *[[0.0] for _ in range(functions - 1)]],
        "constants": [0.0] * functions,
    }
    of_views = [1.0, -1.0, *[0.0] * (2 * functions - 2)]
    of_members = [1.0, -1.0, 1.0, -1.0] * len(members)
    return {
        "format": "rtfs-stack",
        "version": 1,
        "about": {},
        "labels": list(LABELS),
        "members": list(members),
        "views": {"words": words, "characters": empty},
        "weights": [[*of_views, *of_members], [-each for each in (*of_views, *of_members)]],
        "constants": [0.0, 0.0],
    }


@attrs.define
class Fixed:
    """A member that always says the same, or fails."""

    reply: InferenceReply | ProviderError
    asked: list = attrs.field(factory=list)

    def fingerprint(self):
        return f"fixed {self.reply}"

    async def infer(self, request):
        self.asked.append(request)
        if isinstance(self.reply, ProviderError):
            raise self.reply
        return self.reply


@pytest.fixture
def model_data():
    return small_model()


@pytest.fixture
def fixed():
    return Fixed


@pytest.fixture
def make(tmp_path):
    """Return what makes a provider of a model's data and members."""

    def made(data=None, members=None, **own):
        (tmp_path / "stack.json").write_text(json.dumps(small_model() if data is None else data), encoding="utf-8")
        given = {"local-other": Fixed(InferenceReply(text="good", confidence=0.9))} if members is None else members
        settings = StackSettings(model="stack.json", members=tuple(given), **own)
        (entry,) = rtfs_providers()
        return entry.factory(ProviderSettings(id="mood", own=settings, directory=str(tmp_path), members=given))

    return made
