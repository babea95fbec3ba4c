"""What a client's `model` means: a function on conversations, a target, or a function of a program.

In: the configuration's `[serve.models]`. Without it there are `host/chat`, whose routes decide, and each configured
target by the text that the configuration has for it. With it there are `host/chat` and the names of the table; `"*"`
stands for any other name, so that clients which insist on one need not be told.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.targets import ExecTarget, LocalModel, RemoteModel
from rtfs_framework.lang.diagnostics import did_you_mean
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.config.routes import target_text
from rtfs_framework.orchestrator.config.serve import CHAT, EMBED, ModelSpec
from rtfs_framework.server.openai.errors import NO_MODEL, NO_TARGET, BadBody

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.session import Session

ANY = "*"
_TEMPLATE = """\
(defn {hint}^{{:conversation true}} {symbol}
  "Answer a conversation: the last message of the user, and all that was said before."
  [asked :string conversation]
  (throw {{:kind "NoTarget"
          :message "nothing that may be asked answers {symbol}; {way_out}"
          :data {{:code "{code}"}}}}))
"""
_ROUTE = "give it targets under [delegation.static_routes] of the configuration"


@attrs.frozen(slots=True, kw_only=True)
class Chosen:
    """A program and the function of it that answers."""

    source: Source
    function: str
    own: bool = False
    """Whether the program is somebody's own: its function says what it is given."""


def model_names(session: Session) -> list[str]:
    """Return the models that a session's clients may name."""
    table = session.host.config.serve.models
    if table:
        return sorted({CHAT, *(each.name for each in table if each.name != ANY)})
    usable = {each.target for each in session.host.pool.candidates}
    return [CHAT, *sorted(target_text(each) for each in _targets(session) if each in usable)]


def choose(session: Session, name: str) -> Chosen:
    """Return what answers chat requests for a model.

    Raises:
        BadBody: 404, there is none of that name.
    """
    spec = find(session, name)
    if spec.function == EMBED:
        raise BadBody(f"the model '{name:.100}' makes vectors; send it to /v1/embeddings", "model")
    if spec.program is not None:
        path = Path(spec.program)
        try:
            return Chosen(source=Source(str(path), path.read_text(encoding="utf-8")), function=spec.function, own=True)
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no UTF-8"  # where it lies is nobody's business
            wrong = f"the program of the model '{name:.100}' cannot be read: {why}"
            raise BadBody(wrong, "model", code=NO_MODEL, status=503) from None
    return Chosen(source=_program(spec.function, spec.target), function=spec.function)


def find(session: Session, name: str) -> ModelSpec:
    """Return what is said of a model.

    Raises:
        BadBody: 404, there is none of that name.
    """
    table = {each.name: each for each in session.host.config.serve.models}
    found = table.get(name)
    if found is None and name in (CHAT, EMBED):
        return ModelSpec(name=name, function=name)
    if found is None and not table:
        target = next((each for each in _targets(session) if target_text(each) == name), None)
        found = None if target is None else ModelSpec(name=name, target=target)
    found = found or table.get(ANY)
    if found is None:
        near = did_you_mean(name[:100], model_names(session)) or "GET /v1/models lists them"
        raise BadBody(f"no model is called '{name:.100}'; {near}", "model", code=NO_MODEL, status=404)
    return found


def _targets(session: Session) -> list[ExecTarget]:
    return [each for each in session.host.pool.all if isinstance(each, LocalModel | RemoteModel)]


def _program(symbol: str, target: ExecTarget | None) -> Source:
    """Return the program of a function on conversations, whose hint names a target where the client does."""
    hint, way_out = "", _ROUTE
    if isinstance(target, LocalModel | RemoteModel):
        kind = "local-model" if isinstance(target, LocalModel) else "remote"
        hint, way_out = f"^:delegation :{kind} {write(target.id)} ", "ask whoever runs this host"
    text = _TEMPLATE.format(symbol=symbol, hint=hint, way_out=way_out, code=NO_TARGET)
    return Source(f"<{symbol}>", text)
