"""Asking a model for programs: a run of its own, whose program has one function, the model's, on conversations.

So every request is decided, guarded, billed and journalled as any call of a program: deny rules, labels, budgets and
rates hold, and `rtfs runs show` has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs
from typing_extensions import Self

from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.api.targets import LocalModel, RemoteModel
from rtfs_framework.cli.problems import USAGE, problem
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.types.jsonable import from_plain, to_json
from rtfs_framework.orchestrator.config.routes import target_text
from rtfs_framework.orchestrator.recording.floating import Gathered
from rtfs_framework.orchestrator.recording.purse import Terms

if TYPE_CHECKING:
    from rtfs_framework.api.targets import ExecTarget
    from rtfs_framework.orchestrator.recording.records import Summary
    from rtfs_framework.orchestrator.running.program import LoadedProgram
    from rtfs_framework.orchestrator.session import Session

NO_MODEL = "E0980"
NAME = "write-program"
_PROGRAM = """\
(defn ^:delegation :{kind} {id} ^{{:conversation true}} {name}
  "Write an RTFS program for the task of a conversation."
  [conversation]
  (throw {{:kind "NoTarget" :message {message}}}))
"""


def chosen_model(session: Session, text: str | None) -> ExecTarget:
    """Return the model that writes: the one of a name, or whom the configuration means.

    Raises:
        InputError: E0980, none is named and there is not exactly one; click.UsageError, the name is no model's.
    """
    from rtfs_framework.cli.shown.models import chosen

    config, pool = session.host.config, session.host.pool
    if text is not None:
        return chosen(pool, (text,))[0].target
    for each in (config.write.model, config.default_target):
        if isinstance(each, LocalModel | RemoteModel):
            return each
    own = [spec.target for spec in config.providers if spec.target in pool.instances and _is_told(spec, config)]
    if len(own) == 1:
        return own[0]
    known = ", ".join(sorted(target_text(each) for each in pool.instances)) or "none"
    message = "no model is named that writes programs" if own or pool.instances else "no model is configured"
    way_out = f"--model NAME, or `model` under [write] in delegation.toml; known: {known}"
    raise problem(NO_MODEL, message, way_out, exit_code=USAGE)


def _is_told(spec: Any, config: Any) -> bool:
    """Tell whether a model stands in the configuration itself, and did not come with a plug-in."""
    tables = config.tables.get("delegation", {})
    section = "local_models" if isinstance(spec.target, LocalModel) else "remote_providers"
    return spec.target.id in tables.get(section, {})


@attrs.frozen(slots=True)
class Said:
    """A model's reply."""

    text: str
    refusal: bool = False


@attrs.define(slots=True, eq=False)
class Asking:
    """One run in which a model is asked; a context manager. `most` is the tokens of a reply."""

    session: Session
    target: ExecTarget
    marks: Label = PUBLIC
    most: int | None = None
    _program: LoadedProgram | None = attrs.field(default=None, init=False)
    _carried: Gathered = attrs.field(factory=Gathered, init=False)

    def __enter__(self) -> Self:
        linked = self.session.link(_source(self.target))
        self._carried.add(self.marks)
        terms = Terms(marks=self.marks, carried=self._carried)
        self._program = self.session.load(attrs.evolve(linked, terms=terms))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if self._program is not None:
            self._program.__exit__(kind, error, trace)

    @property
    def run(self) -> str:
        """The id of the run."""
        return "" if self._program is None else self._program.run_id

    @property
    def carried(self) -> Label:
        """The marks of what was replied so far: those of the task, and those that the model's answers bring."""
        return self._carried.label

    @property
    def summary(self) -> Summary:
        """What it has cost so far."""
        assert self._program is not None  # noqa: S101 - it is asked within the `with`
        return self._program.summary

    def ask(self, messages: Sequence[tuple[str, str]]) -> Said:
        """Return what the model replies to messages: (role, text).

        Raises:
            ProgramError: It may not be asked, or does not answer.
        """
        assert self._program is not None  # noqa: S101 - it is asked within the `with`
        conversation: dict[str, Any] = {"messages": [{"role": role, "content": text} for role, text in messages]}
        if self.most is not None:
            conversation["max_tokens"] = self.most
        reply = to_json(self._program.call(NAME, (from_plain(conversation),)).value)
        refusal = reply.get("refusal")
        return Said(reply.get("content") or refusal or "", bool(refusal and not reply.get("content")))


def _source(target: ExecTarget) -> Source:
    kind = "local-model" if isinstance(target, LocalModel) else "remote"
    message = write(f"{target_text(target)} may not be asked, or did not answer; `rtfs models ping` tries it")
    id_ = write(getattr(target, "id", ""))
    return Source("<write>", _PROGRAM.format(kind=kind, id=id_, name=NAME, message=message))
