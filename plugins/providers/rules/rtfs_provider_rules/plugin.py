"""What this distribution offers to rtfs_framework. Imports nothing heavy: re2 and the lexicon come with use."""

from __future__ import annotations

import attrs

from rtfs_framework.api import ANY, FILE_WITHIN, Locality, ModelProvider, ProviderEntry, ProviderSettings, hookimpl

rtfs_api_version = 2

SHIPPED = ("sentiment", "topics", "draft")
"""Rule files of this distribution; each is also an instance that needs no configuration."""


@attrs.frozen(slots=True, kw_only=True)
class RulesSettings:
    """The keys of a local model that is answered by this provider."""

    rules: str | None = attrs.field(default=None, metadata=FILE_WITHIN)
    """A rule file: a path (relative to the configuration), or `sentiment`, `topics` or `draft` for a shipped one."""
    path: str | None = attrs.field(default=None, metadata=FILE_WITHIN)
    """The same, as local models of all kinds are written; a file ending in `.rules` needs no `provider` then."""
    argument: str | None = attrs.field(default=None, metadata=ANY)
    """The parameter whose value is classified; without it, the rule file's, else the first that is a text."""

    def __attrs_post_init__(self) -> None:
        """Refuse a table that names no file, or two.

        Raises:
            ValueError: It does.
        """
        if (self.rules is None) is (self.path is None):
            raise ValueError("one rule file must be named: `rules = ...`, or `path = ...`")

    @property
    def file(self) -> str:
        """The rule file."""
        return self.path or self.rules or ""


@hookimpl
def rtfs_providers() -> list[ProviderEntry]:
    """Offer the provider `rules`, with one instance for each shipped rule file."""
    return [
        ProviderEntry(
            name="rules",
            summary="Answers from a file of patterns and weights, on this device.",
            locality=Locality.LOCAL,
            factory=_make,
            settings=RulesSettings,
            deterministic=True,
            immediate=True,
            defaults={name: {"rules": name} for name in SHIPPED},
        )
    ]


def _make(settings: ProviderSettings) -> ModelProvider:
    from rtfs_provider_rules.provider import RulesProvider

    return RulesProvider(settings)
