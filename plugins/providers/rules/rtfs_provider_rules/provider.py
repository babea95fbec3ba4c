"""The provider: a request's arguments in, the rules' answer out. Nothing waits and nothing is remembered."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from rtfs_framework.api import (
    InferenceReply,
    InferenceRequest,
    Keyword,
    ProviderError,
    ProviderSettings,
    Value,
    digest,
    write,
)
from rtfs_provider_rules.classify import Classifier
from rtfs_provider_rules.load import load_rules, rules_path

_VERSION = "2"
"""Of how rules are read: another version may answer otherwise."""


class RulesProvider:
    """Answers from one rule file, read when the provider is made."""

    def __init__(self, settings: ProviderSettings) -> None:
        own = settings.own
        self.id = settings.id
        self._rules, text = load_rules(rules_path(own.file, settings.directory))
        self._model = f"rules:{own.file}"
        self._argument = own.argument
        if own.argument is None and isinstance(self._rules, Classifier):
            self._argument = self._rules.file.argument
        self._fingerprint = digest("rules", _VERSION, text, self._argument, self._rules.fingerprint())

    def fingerprint(self) -> str:
        """Return the digest of the rule file, the lexicon's version and the settings."""
        return self._fingerprint

    async def infer(self, request: InferenceRequest) -> InferenceReply:
        """Return the label or the line of text that the rules give.

        Raises:
            ProviderError: The function lacks an argument that the rules look at.
        """
        data, why, confidence = self._answer(request)
        return InferenceReply(data=data, structured=True, model=self._model, explanation=why, confidence=confidence)

    async def aclose(self) -> None:
        """Do nothing: there is nothing to release."""

    def _answer(self, request: InferenceRequest) -> tuple[str, str, float | None]:
        if isinstance(self._rules, Classifier):
            verdict = self._rules.classify(self._text(request), _choices(request.schema))
            return verdict.label, verdict.why, verdict.confidence
        given = _named(request)
        missing = [name for name in self._rules.file.arguments if name not in given]
        if missing:
            raise self._lacks(missing[0], request)
        draft = self._rules.fill({name: given[name] for name in self._rules.file.arguments})
        return draft.text, draft.why, None

    def _text(self, request: InferenceRequest) -> str:
        """Return the text to classify: the argument that was named, else the first that is a text, else the first."""
        if self._argument is not None:
            given = _named(request)
            if self._argument not in given:
                raise self._lacks(self._argument, request)
            return given[self._argument]
        if not request.args:
            raise ProviderError(self.id, f"{request.function.name} was called without arguments: nothing to classify")
        return _shown(next((arg for arg in request.args if isinstance(arg, str)), request.args[0]))

    def _lacks(self, name: str, request: InferenceRequest) -> ProviderError:
        has = ", ".join(_named(request)) or "none"
        message = f"the rules look at the argument '{name}', but {request.function.name} has: {has}"
        return ProviderError(self.id, message)


def _named(request: InferenceRequest) -> dict[str, str]:
    """Return the texts of the arguments by their parameters' names."""
    parameters = (parameter.name for parameter in request.function.parameters if not parameter.rest)
    return {name: _shown(value) for name, value in zip(parameters, request.args, strict=False)}


def _shown(value: Value) -> str:
    if isinstance(value, str):
        return value
    return value.name if isinstance(value, Keyword) else write(value)


def _choices(schema: Mapping[str, Any] | None) -> Collection[str] | None:
    """Return the labels that the declared type allows, None when it does not say."""
    choices = schema.get("enum") if schema else None
    return {str(choice) for choice in choices} if isinstance(choices, list) else None
