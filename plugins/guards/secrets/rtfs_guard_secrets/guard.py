"""The guard: every text in the arguments of a request, and in a reply, is looked through; keys of maps are, too."""

from __future__ import annotations

from collections import Counter

from rtfs_framework.api import (
    GuardedRequest,
    InferenceReply,
    RedactArgs,
    RedactReply,
    Refuse,
    TextInKeyError,
    with_texts,
)
from rtfs_guard_secrets.patterns import Finder
from rtfs_guard_secrets.settings import SecretsSettings

_WAY_OUT = "take it out of the arguments; secrets belong in the environment"


class SecretsGuard:
    """Redacts secrets, or refuses what holds some."""

    def __init__(self, settings: SecretsSettings) -> None:
        self._refuses = settings.action == "refuse"
        self._replies = settings.replies
        self._finder = Finder(settings.patterns)

    def check_request(self, guarded: GuardedRequest) -> Refuse | RedactArgs | None:
        """Judge the arguments."""
        look = _Look(self._finder)
        try:
            args = with_texts(guarded.request.args, look.at)
        except TextInKeyError as error:
            return Refuse(f"the request holds {look.said}, and {error}", _WAY_OUT)
        if not look.found:
            return None
        if self._refuses:
            return Refuse(f"the request holds {look.said}", _WAY_OUT)
        return RedactArgs(args, look.said)

    def check_reply(self, _guarded: GuardedRequest, reply: InferenceReply) -> Refuse | RedactReply | None:
        """Judge a reply."""
        if not self._replies:
            return None
        look = _Look(self._finder)
        try:
            text, data, _ = with_texts((reply.text, reply.data, reply.explanation), look.at)  # the host drops that one
        except TextInKeyError as error:
            return Refuse(f"the reply holds {look.said}, and {error}")
        if not look.found:
            return None
        return Refuse(f"the reply holds {look.said}") if self._refuses else RedactReply(text, data, look.said)


class _Look:
    """One look through a value."""

    def __init__(self, finder: Finder) -> None:
        self.found: list[str] = []
        self._finder = finder

    def at(self, text: str) -> str:
        """Return a text without secrets; note what was in it."""
        clean, found = self._finder.redacted(text)
        self.found += found
        return clean if found else text

    @property
    def said(self) -> str:
        """What was found, by kind: nothing of it."""
        kinds = Counter(self.found).items()
        return ", ".join(f"{name} ({count})" if count > 1 else name for name, count in kinds) or "what is not looked at"
