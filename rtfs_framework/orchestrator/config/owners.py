"""Whose an id is: no two models of a configuration may have one, or be written alike; both owners are named.

A hint or a caller may say an id alone (`:target "phi"`): it must mean one model, on this device or elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.targets import LocalModel, RemoteModel
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.source import Place
from rtfs_framework.orchestrator.config.routes import target_text, why_no_id

if TYPE_CHECKING:
    from rtfs_framework.api.toml_places import KeyPath
    from rtfs_framework.orchestrator.config.model import ProviderSpec
    from rtfs_framework.orchestrator.config.own import Reading
    from rtfs_framework.registry.catalog import Catalog

Model = LocalModel | RemoteModel


def _what(target: Model) -> str:
    return "local model" if isinstance(target, LocalModel) else "remote provider"


@attrs.frozen(slots=True)
class Owners:
    """The ids of one configuration, and where each is defined."""

    reading: Reading
    catalog: Catalog
    _paths: dict[Model, KeyPath] = attrs.field(factory=dict, init=False)

    def claim(self, target: Model, path: KeyPath) -> bool:
        """Note that a table defines a target; tell whether it may have its id, after noting why not."""
        wrong, near = why_no_id(target, self._paths), None
        if wrong is not None:
            text = target_text(target)
            near = next((each for each in self._paths if target_text(each) == text), None)
        else:
            near = next((each for each in self._paths if each.id == target.id), None)
            if near is not None:
                wrong = f"'{target.id}' is the id of a {_what(target)} and of a {_what(near)}"
        if wrong is None:
            self._paths[target] = path
            return True
        if near is not None:
            wrong = f"{wrong}: this one ({self._place(path)}) and that of {self._place(self._paths[near])}"
        self.reading.mistake("E0706", wrong, path, "choose another id", key=True)
        return False

    def beside(self, defaults: Iterable[ProviderSpec]) -> None:
        """Warn of tables that have an id which a plugin's own default instance of the other kind has, too.

        That is no mistake: who installs a plugin must not break a configuration by it.
        """
        for spec in defaults:
            for target, path in self._paths.items():
                if target.id == spec.id and target != spec.target:
                    self._warn(spec, target, path)

    def _warn(self, spec: ProviderSpec, target: Model, path: KeyPath) -> None:
        theirs = RemoteModel(spec.id) if isinstance(target, LocalModel) else LocalModel(spec.id)
        who = self.catalog.provider_of(spec.plugin)[1]
        source, span = self.reading.places.at(path, key=True)
        message = (
            f"'{target.id}' is the id of this {_what(target)} ({self._place(path)}) and of the {_what(theirs)} that "
            f"{who} brings along; the id alone names neither"
        )
        way_out = f"choose another id; or write {target_text(target)} and {target_text(theirs)}"
        found = Diagnostic(
            code="E0706",
            message=message,
            source=source,
            span=span,
            help=way_out,
            kind="ConfigError",
            severity="warning",
        )
        self.reading.doubts.append(found)

    def _place(self, path: KeyPath) -> Place:
        source, span = self.reading.places.at(path, key=True)
        return Place(source.name, *source.place(span.start))
