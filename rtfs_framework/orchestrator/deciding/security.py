"""What programs may do: capabilities are denied unless granted, functions may be denied, and data stays within reach.

The authorizer only ever narrows. Deny rules refuse a call with an error; `reach` brings a call home: a function whose
target lies beyond it runs its own body instead. It is asked before each call (`authorize_capability`,
`authorize_function`), about each target (`validate_execution_context`: of plans, hedges, consultations), and about
a program that is looked at and not run (`authorize_program`). Nobody else judges by these rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.caller import Permissions
from rtfs_framework.api.capability import CapabilityGrant
from rtfs_framework.api.targets import Deny, ExecTarget, LocalModel, LocalPure, RemoteModel
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.values import Keyword
from rtfs_framework.orchestrator.config.globs import Patterns
from rtfs_framework.orchestrator.config.grants import NOTHING_OFFERED, Grantable
from rtfs_framework.orchestrator.config.routes import target_text
from rtfs_framework.orchestrator.config.security import WAITS, Kept, Reach, RuntimeContext, SecurityLevel

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.deciding.labels import LabelRule


@attrs.frozen(slots=True)
class Refusal:
    """Why something is not allowed, and what would allow it."""

    reason: str
    way_out: str


@attrs.frozen(slots=True)
class SecurityAuthorizer:
    """Answers what the rules say; holds no state. A host's own is `Session.authorizer`."""

    rules: RuntimeContext
    config_name: str = "delegation.toml"
    label: LabelRule | None = None
    """Judges by the marks of the calls that this one is for; None where nothing carries marks."""
    offered: Grantable = NOTHING_OFFERED
    """What it knows of capabilities: which ids are one, and how each is granted."""
    denied: Patterns = attrs.field(init=False, repr=False, eq=False)
    granted: Patterns = attrs.field(init=False, repr=False, eq=False)

    @denied.default
    def _compile_denied(self) -> Patterns:
        return Patterns(self.rules.deny)

    @granted.default
    def _compile_granted(self) -> Patterns:
        return Patterns(self.rules.grant)

    @property
    def permissions(self) -> Permissions:
        """The rules as engines read them."""
        rules = self.rules
        return Permissions(level=rules.level.value, reach=rules.reach.value, grant=rules.grant, deny=rules.deny)

    def authorize_capability(self, name: str) -> Refusal | None:
        """Return why a capability may not be used, None when it may."""
        names, claims = self.offered.ids(name), self.offered.claims(name)
        for each in claims:
            denied = self.authorize_function(each)
            if denied is not None:
                return denied
        if self.rules.level is SecurityLevel.PURE:
            return Refusal("level 'pure' allows no capability", f'set level = "controlled" in {self.config_name}')
        signed = self.rules.signed
        if signed is not None and self.offered.id_of(name) not in signed.capabilities:
            return Refusal(
                f"it is not in the manifest {signed.name}", signed.way_out_for(self.offered.id_of(name) or name)
            )
        if name in WAITS:
            return None
        kept = self._kept_from(claims)
        if kept is not None:
            return kept
        if self.rules.level is not SecurityLevel.FULL and all(self.granted.match(each) is None for each in names):
            return Refusal("not granted", self._granting(name))
        if self.offered.id_of(name) in self.rules.gone:
            way_out = f"say in {self.config_name} what was said then, or begin a new run"
            return Refusal("its grants are not those under which the run began", way_out)
        if self.offered.needed(name) and not self.arguments(name):
            return Refusal("granted, and nothing is said of what it may reach", self._granting(name))
        return None

    def _kept_from(self, names: Iterable[str]) -> Refusal | None:
        """Return why the host's agent may not use a capability that is kept for others, None when it may."""
        for kept in (Kept(self.rules.acl, self.rules.agent), *self.rules.before):
            fitting = Patterns(kept.acl)
            for each in names if kept.acl else ():
                pattern = fitting.match(each)
                if pattern is not None and Patterns(kept.acl[pattern]).match(kept.agent) is None:
                    who = f"agent '{kept.agent}'" if kept.agent else "no agent"
                    way_out = f'add the agent to acl."{pattern}" under [security] in {self.config_name}'
                    return Refusal(f"'{pattern}' is kept for other agents, and this is {who}", way_out)
        return None

    def _granting(self, name: str) -> str:
        return f"add  grant = [{self.offered.line(name)}]  under [security] in {self.config_name}"

    def arguments(self, name: str) -> tuple[CapabilityGrant, ...]:
        """Return what grants of a capability say besides its name: of a bare name, what its plug-in has as usual."""
        id_ = self.offered.id_of(name)
        said = tuple(each.grant for each in self.rules.arguments if self.offered.id_of(each.id) == id_)
        settings = self.offered.classes.get(id_)
        return said or (() if settings is None or self.offered.needed(name) else (CapabilityGrant(settings()),))

    def authorize_program(self, capabilities: Iterable[str]) -> dict[str, Refusal]:
        """Return those of the capabilities that a program names which it may not use, each with why.

        What a program computes (a capability's name, a function) is judged when it is called.
        """
        asked = ((name, self.authorize_capability(name)) for name in dict.fromkeys(capabilities))
        return {name: refusal for name, refusal in asked if refusal is not None}

    def authorize_function(self, symbol: str) -> Refusal | None:
        """Return why a function may not be called, None when it may."""
        denied = self.denied.match(symbol)
        if denied is None:
            return None
        return Refusal(f"denied by '{denied}'", f"remove it from deny under [security] in {self.config_name}")

    def validate_execution_context(self, target: ExecTarget, transform: Iterable[str] | None = ()) -> str | None:
        """Return why a call may not be executed at a target, None when it may.

        Its data would travel too far, or carry marks that the target does not accept: after a redaction by the rules
        of these names, None for all that there are.
        """
        why = self._too_far(target) or self._unsigned(target)
        return self.label.why_not(target, transform) if why is None and self.label is not None else why

    def way_to(self, target: ExecTarget) -> str:
        """Return what would let a call go to a target that it may not go to: the manifest's word, or more reach."""
        signed = self.rules.signed
        if signed is not None and self._too_far(target) is None and not signed.allows(target):
            return signed.way_out
        return f"widen reach under [security] in {self.config_name}"

    def _unsigned(self, target: ExecTarget) -> str | None:
        signed = self.rules.signed
        if signed is None or signed.allows(target):
            return None
        return f"{target_text(target)} is not in the manifest {signed.name}"

    def _too_far(self, target: ExecTarget) -> str | None:
        reach = Reach.PURE if self.rules.level is SecurityLevel.PURE else self.rules.reach
        if isinstance(target, RemoteModel) and reach is not Reach.REMOTE:
            return f"reach is '{reach.value}'"
        if isinstance(target, LocalModel) and reach is Reach.PURE:
            return "reach is 'pure'"
        return None

    def narrow(self, target: ExecTarget, transform: Iterable[str] = ()) -> tuple[ExecTarget, str | None]:
        """Return the target, brought home when it lies beyond reach, and the reason when it was.

        What becomes of a call whose marks a target does not accept, the configuration says. One that a manifest does
        not list is refused: what was signed off is not changed behind anybody's back.
        """
        why = self._too_far(target)
        unsigned = self._unsigned(target)
        if unsigned is not None and self.rules.signed is not None:
            return Deny(f"{unsigned}; {self.rules.signed.way_out}"), unsigned
        if why is not None or self.label is None:
            return (target, None) if why is None else (LocalPure(), why)
        why = self.label.why_not(target, transform)
        return (target, None) if why is None else (self.label.instead(target, why), why)


def violation(operation: str, name: str, level: SecurityLevel, refusal: Refusal) -> ProgramError:
    """`Security violation: OP operation on capability 'C' not allowed in context: X` (LANGUAGE.md 11.1)."""
    message = (
        f"Security violation: {operation} operation on capability '{name}' not allowed in context: "
        f"{level.value} ({refusal.reason}; {refusal.way_out})"
    )
    data = Map.wrap({Keyword("code"): "E0710", Keyword("capability"): name, Keyword("way-out"): refusal.way_out})
    return ProgramError("SecurityViolation", message, data)
