"""Which model a name means, with which key and options. Slow to import: `llm` brings its plug-ins with it.

In: the settings and the session's variables. Out: a model of llm's own, copied, so that the key that it is given is
this provider's alone. Keys that llm has stored in its own folder are never read.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from difflib import get_close_matches
from importlib.metadata import version
from typing import Any

import attrs
import llm
from llm.plugins import pm
from pydantic import ValidationError

from rtfs_framework.api import InferenceRequest, ProviderAuthError, ProviderError, one_line
from rtfs_provider_llm.plugin import LlmSettings, LocalSettings

_BOUNDS = ("max_tokens", "max_output_tokens", "max_completion_tokens", "num_predict", "max_new_tokens")
"""How plug-ins call the bound on an answer's tokens."""
_SHOWN = 20
"""Names that are shown of those that there are."""


@attrs.frozen(slots=True, eq=False)
class Chosen:
    """A model that is asked."""

    name: str
    """Its id, whatever alias was written."""
    origin: str
    """Who offers it: class, distribution and version."""
    plain: Any
    """None where there is only an asynchronous one."""
    asynchronous: Any
    needs_key: str
    """The variable that its plug-in would read, "" where it needs none."""

    @property
    def model(self) -> Any:
        """The model to ask: the asynchronous one where there is one."""
        return self.plain if self.asynchronous is None else self.asynchronous

    @property
    def takes_turns(self) -> bool:
        """Tell whether it takes a conversation as turns."""
        return bool(getattr(self.model, "supports_conversation", False))

    @property
    def takes_schema(self) -> bool:
        """Tell whether it takes a JSON Schema of its answer."""
        return bool(getattr(self.model, "supports_schema", False))


def choose(provider: str, own: LlmSettings, environ: Mapping[str, str]) -> Chosen:
    """Return the model that the settings name.

    Raises:
        ProviderError: There is none of this name, or a plug-in of llm cannot be loaded.
    """
    try:
        offered = llm.get_models_with_aliases()
    except Exception as error:
        raise ProviderError(provider, f"the plug-ins of llm cannot be loaded: {one_line(str(error))}") from error
    by_name = {name: each for each in offered for name in each.aliases}
    by_name |= {_id_of(each): each for each in offered}
    found = by_name.get(own.model)
    if found is None:
        raise ProviderError(provider, _missing(own.model, sorted(_id_of(each) for each in offered)))
    plain: Any = found.model  # llm's types know none that is asynchronous alone
    named = found.async_model if plain is None else plain
    if isinstance(own, LocalSettings) and named.needs_key:
        message = f"the model {named.model_id} needs a key, so it does not run on this machine"
        raise ProviderError(provider, f'{message}; put it under remote_providers, with provider = "llm"')
    return Chosen(
        name=named.model_id,
        origin=_origin(named),
        plain=_with_key(found.model, own.key(environ)),
        asynchronous=_with_key(found.async_model, own.key(environ)),
        needs_key=(named.key_env_var or str(named.needs_key)) if named.needs_key else "",
    )


def check_key(provider: str, chosen: Chosen, own: LlmSettings, environ: Mapping[str, str]) -> None:
    """Refuse a model that needs a key and has none.

    Raises:
        ProviderAuthError: It has none.
    """
    if chosen.needs_key and own.key(environ) is None:
        message = (
            f"the model {chosen.name} needs a key: name its environment variable, "
            f'such as api_key_env = "{one_line(chosen.needs_key, 60)}"'
        )
        raise ProviderAuthError(provider, message)


def options_of(provider: str, chosen: Chosen, own: LlmSettings, request: InferenceRequest) -> dict[str, Any]:
    """Return the options of one request.

    Raises:
        ProviderError: The model does not take those of the settings.
    """
    known = set(getattr(chosen.model.Options, "model_fields", ()))
    options: dict[str, Any] = dict(own.options)
    if "temperature" in known and "temperature" not in options and own.temperature != "default":
        options["temperature"] = request.temperature if own.temperature is None else own.temperature
    name = next((each for each in _BOUNDS if each in known), None)
    bounds = [each for each in (own.max_tokens, request.max_tokens) if each is not None]
    if name is not None and bounds:
        given = options.get(name)
        options[name] = min([*bounds, given] if isinstance(given, int) else bounds)
    try:
        chosen.model.Options(**options)
    except ValidationError as error:
        found = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())  # never the values
        wrong = one_line("; ".join(found), 200)
        takes = ", ".join(sorted(known)) or "none"
        message = f"the model {chosen.name} does not take these options ({wrong}); it knows: {takes}"
        raise ProviderError(provider, message) from error
    return options


def _id_of(each: Any) -> str:
    plain: Any = each.model
    return str((each.async_model if plain is None else plain).model_id)


def _missing(name: str, there: list[str]) -> str:
    more = f" and {len(there) - _SHOWN} more (`llm models` lists them)" if len(there) > _SHOWN else ""
    nearest = get_close_matches(name, there, n=1)
    hint = f"did you mean {nearest[0]!r}? " if nearest else ""
    listed = ", ".join(there[:_SHOWN]) or "none"
    return f"no installed plug-in of llm offers the model {one_line(name, 60)!r}. {hint}There are: {listed}{more}"


def _origin(model: Any) -> str:
    """Return who offers a model: the module's own distribution is what llm's plug-in manager knows it by."""
    module = type(model).__module__
    for plugin, distribution in pm.list_plugin_distinfo():
        name = str(getattr(plugin, "__name__", ""))
        if module == name or (name and module.startswith(f"{name.partition('.')[0]}.")):
            return f"{module}.{type(model).__qualname__} {distribution.project_name} {distribution.version}"
    return f"{module}.{type(model).__qualname__} llm {version('llm')}"


def _with_key(model: Any, key: str | None) -> Any:
    """Return a copy of a model with its key; without one, it is asked only if it needs none."""
    if model is None:
        return None
    own = copy.copy(model)
    own.key = key
    return own
