"""The engine's own keys: a preset, rules of one's own, and the models that may be asked at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import attrs

from rtfs_framework.api import RuleText

Texts = str | Sequence[str]
Saying = Literal["allow", "local", "redact", "ask", "deny"]
Where = Literal["own", "local", "remote", "capability"]
PRESETS = ("privacy-first", "local-only", "review-everything")
_MOST_REASON = 400


class BadRule(ValueError):
    """A rule that could not mean what it says, and what to write instead."""

    def __init__(self, message: str, way_out: str) -> None:
        super().__init__(message)
        self.way_out = way_out


def texts(given: Texts | None) -> tuple[str, ...]:
    """Return what a key names, whether it was written as a text or as a list."""
    if given is None:
        return ()
    return (given,) if isinstance(given, str) else tuple(given)


def _some(_: Any, field: attrs.Attribute[Any], value: Any) -> None:
    if value is not None and not all(texts(value) or ("",)):
        raise BadRule(f"'{field.name}' names nothing", f"write {field.name} = [...] with a name, or leave it out")


def _reason(_: Any, field: attrs.Attribute[Any], value: str) -> None:
    if len(value) > _MOST_REASON:
        raise BadRule(f"'{field.name}' is longer than {_MOST_REASON} characters", "say it more briefly")


@attrs.frozen(slots=True, kw_only=True)
class Rule:
    """One rule, `[[engines.NAME.rules]]`: what it asks of a call and of where it would go, and what it says then.

    What it does not name it does not look at; of a list, one must fit.
    """

    say: Saying
    """`allow` (and look at no later rule), `local`, `redact`, `ask` or `deny`."""
    name: str = ""
    """For explanations."""
    symbols: Texts | None = attrs.field(default=None, validator=_some)
    """Names of functions, or patterns with `*`."""
    where: Where | Sequence[Where] | None = attrs.field(default=None, validator=_some)
    """Where the call would run: its own body, a model of this machine, a model elsewhere, a capability."""
    targets: Texts | None = attrs.field(default=None, validator=_some)
    """Targets, by the ids of the configuration (`big` for `remote-big`), or patterns."""
    models: Texts | None = attrs.field(default=None, validator=_some)
    """Models, as providers call them, or patterns."""
    labels: Texts | None = attrs.field(default=None, validator=_some)
    """Marks that the call carries, or patterns; `*` is any mark."""
    unaccepted: bool | None = None
    """Whether the call carries a mark that the target does not accept."""
    level: Literal["pure", "controlled", "full"] | Sequence[Literal["pure", "controlled", "full"]] | None = None
    """The isolation level under which the program runs."""
    granted: Texts | None = attrs.field(default=None, validator=_some)
    """Capabilities that the program may use, all of them."""
    missing: Texts | None = attrs.field(default=None, validator=_some)
    """Capabilities that the program may not use, all of them."""
    tenant: Texts | None = attrs.field(default=None, validator=_some)
    """Names of tenants, or patterns."""
    agent: Texts | None = attrs.field(default=None, validator=_some)
    """Who asks, as the session says: names, or patterns."""
    redact: Sequence[RuleText] = ()
    """With `redact`: the rules of `[redaction]`, in their order."""
    approver: str | None = attrs.field(default=None, validator=_some)
    """With `ask`: a name or a role."""
    reason: str = attrs.field(default="", validator=_reason)
    """For people and records."""

    def __attrs_post_init__(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            BadRule: It does.
        """
        if self.redact and self.say != "redact":
            raise BadRule(
                f"'redact' is for rules that say redact, and this one says {self.say}", 'write say = "redact"'
            )
        if self.say == "redact" and not self.redact:
            raise BadRule("'say' is redact, and the rule names nothing to redact", 'add redact = ["email"]')
        if self.approver is not None and self.say != "ask":
            raise BadRule(f"'approver' is for rules that say ask, and this one says {self.say}", 'write say = "ask"')


@attrs.frozen(slots=True, kw_only=True)
class SecuritySettings:
    """Keys of `[engines.NAME]`, besides `base`."""

    preset: Literal["privacy-first", "local-only", "review-everything"] | None = None
    """Rules that come after one's own."""
    rules: Sequence[Rule] = ()
    """Rules, the first that fits decides."""
    redact: Sequence[RuleText] = ()
    """What `privacy-first` has taken out of what carries marks; without it such calls stay on this machine."""
    approver: str = "operator"
    """Whom `review-everything`, and rules that name nobody, ask."""
    models: Texts | None = attrs.field(default=None, validator=_some)
    """The only models that may be asked, as providers call them, or patterns; without it every one."""
    targets: Texts | None = attrs.field(default=None, validator=_some)
    """The only targets that may be asked, by their ids, or patterns; without it every one."""

    def __attrs_post_init__(self) -> None:
        """Refuse what has no effect.

        Raises:
            BadRule: It has none.
        """
        if self.redact and self.preset != "privacy-first":
            raise BadRule(
                "'redact' beside the rules is for the preset privacy-first",
                'add preset = "privacy-first", or name it in a rule that says redact',
            )
        if not self.approver:
            raise BadRule("'approver' names nobody", 'write approver = "operator", or leave it out')


def preset_rules(own: SecuritySettings) -> tuple[Rule, ...]:
    """Return the rules of a preset, exactly as the documentation states them."""
    if own.preset == "local-only":
        return (Rule(name="local-only", where="remote", say="local", reason="nothing leaves this machine"),)
    if own.preset == "review-everything":
        return (
            Rule(
                name="review-everything",
                where=("local", "remote", "capability"),
                say="ask",
                reason="a person sees everything that leaves the program",
            ),
        )
    if own.preset != "privacy-first":
        return ()
    secret = Rule(
        name="privacy-first: secrets", where="remote", labels="secret", say="local", reason="secrets stay here"
    )
    if own.redact:
        why = "what carries marks is redacted before it leaves this machine"
        redacts = Rule(name="privacy-first", where="remote", labels="*", say="redact", redact=own.redact, reason=why)
        return secret, redacts
    why = "what carries marks stays on this machine"
    return secret, Rule(name="privacy-first", where="remote", labels="*", say="local", reason=why)
