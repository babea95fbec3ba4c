"""What may be spread: a program whose records stand alone, under a configuration that workers can keep to.

Whatever one process alone can see to (marks that float, rates, effects that must not happen twice) keeps a run at home.
It is refused before a record is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.kernel.outcome import Complete
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.signature import SiteKind
from rtfs_framework.orchestrator.config.key_binding import secrets_of
from rtfs_framework.orchestrator.config.security import NO_QUOTA, REMOTE_EXECUTE, WAIT_FOR
from rtfs_framework.orchestrator.running.linking import Prepared
from rtfs_framework.orchestrator.running.module_path import names_of
from rtfs_framework.orchestrator.spreading.pieces import Job

if TYPE_CHECKING:
    from rtfs_framework.lang.signature import CallSite
    from rtfs_framework.orchestrator.config.model import Config
    from rtfs_framework.orchestrator.host import Host
    from rtfs_framework.orchestrator.running.linking import Linked
    from rtfs_framework.orchestrator.running.program import LoadedProgram
    from rtfs_framework.orchestrator.session import Session

UNFIT = "E0831"
_HOME = "run it here, without --on"
_SHARE = f"let a ledger that machines share count it ([ledger] store), or {_HOME}"
_LEAST_SECRET = 8
"""Characters of a variable's value that is looked for in the configuration: shorter ones stand anywhere by chance."""


class SpreadError(LanguageError):
    """A program, or a configuration, that cannot be spread (E0831), or workers that cannot do it (E0832)."""


def refused(code: str, message: str, way_out: str, site: CallSite | None = None) -> SpreadError:
    """Return an error; `site` is the call that is to blame."""
    place = "" if site is None else f"{site.place}: "
    return SpreadError([Diagnostic(code=code, message=place + message, help=way_out, kind="SpreadError")])


def check_fit(session: Session, linked: Linked, environ: Mapping[str, str]) -> None:
    """See that the records of a program may be spread.

    Raises:
        SpreadError: E0831.
    """
    host, config = session.host, session.host.config
    if host.dispatcher.labelling is not None:
        raise refused(UNFIT, "data carries marks here ([labels]), which cannot be followed to a cluster", _HOME)
    if host.dispatcher.delegator.pinned is not None:
        raise refused(UNFIT, "a pinned plan is for one host", f"leave the plan out, or {_HOME}")
    check_counts(config)
    for site in linked.artifact.sites:
        _check_site(host, site)
    _check_secrets(config, environ)
    _check_top_level(session, linked)


def check_counts(config: Config) -> None:
    """See that what is counted can be counted elsewhere.

    Raises:
        SpreadError: E0831.
    """
    if config.security.quota != NO_QUOTA:
        raise refused(UNFIT, "[security.quota] bounds one run of one process", f"use a budget, or {_HOME}")
    if config.rates:
        message = f"the rate '{config.rates[0].name}' is kept by one process, and workers are several"
        raise refused(UNFIT, message, f"leave it out and bound the cluster's workers, or {_HOME}")
    shared = config.ledger.store is not None  # workers count there, too
    apart = next((each for each in config.budgets if set(each.for_each) - {"tenant"}), None)
    if apart is not None and not shared:
        by = ", ".join(apart.for_each)
        message = f"the budget '{apart.name}' counts apart by {by}: no share of it can be given away"
        raise refused(UNFIT, message, _SHARE)
    waits = next((each for each in config.budgets if each.used_up == "wait"), None)
    if waits is not None and not shared:
        message = f"runs wait for the budget '{waits.name}' to be renewed; a share of it is refused when used up"
        raise refused(UNFIT, message, _SHARE)


def _check_site(host: Host, site: CallSite) -> None:
    """Refuse what may be done twice, where a worker is lost, and must not."""
    if site.kind not in (SiteKind.CAPABILITY, SiteKind.HOST_NAME):
        return
    if site.name is None:
        raise refused(UNFIT, "which capability is called here is known only as it runs", _HOME, site)
    name = site.name.removeprefix(":")
    capabilities = host.dispatcher.capabilities
    known = capabilities.id_of(name)
    if site.kind is SiteKind.CAPABILITY:
        known = capabilities.aliases.get(name, name)
    if known is None:
        return  # a value of the configuration
    entry = capabilities.entries.get(known)
    if known == WAIT_FOR or (entry is not None and entry.served == "person"):
        message = f"{known} waits for somebody, who can tell a run of this machine alone, and no worker"
        raise refused(UNFIT, message, f"put the answer into the records, or {_HOME}", site)
    harmless = entry is not None and entry.order_independent and not entry.effects
    if not harmless and known != REMOTE_EXECUTE:
        message = f"{known} may change something, and would be called again where a worker is lost"
        raise refused(UNFIT, message, _HOME, site)


def _check_secrets(config: Config, environ: Mapping[str, str]) -> None:
    """Refuse a configuration whose texts hold the value of a secret, as they are meant or as they are written."""
    layers = () if config.merged is None else config.merged.layers
    texts = [text for _, _, text in layers_of(config)]
    texts += [text for layer in layers for text in _texts_of(layer.data)]
    secrets = [each for each in map(str.strip, secrets_of(config, environ)) if len(each) >= _LEAST_SECRET]
    if any(secret in text for secret in secrets for text in texts):
        message = "the configuration holds a secret itself, and would take it to the workers"
        raise refused(UNFIT, message, "name the variable that holds it: workers have variables of their own")


def _texts_of(value: Any) -> Iterator[str]:
    """Yield the texts in parsed TOML, keys too: what is written may escape some of their characters."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield key
            yield from _texts_of(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts_of(each)


def _check_top_level(session: Session, linked: Linked) -> None:
    """Refuse a program whose top-level forms ask for something: each worker would ask again.

    Raises:
        SpreadError: They do.
        ProgramError: They fail.
    """
    if not linked.leaves_kernel:
        return
    run = Prepared(session.host, linked.artifact).link(session.limits).instance.start()
    try:
        fine = isinstance(run.step(), Complete)
    finally:
        run.close()
    if not fine:
        message = "its top-level forms ask for something, and each worker would ask again"
        raise refused(UNFIT, message, f"ask in main, or {_HOME}")


def job_of(session: Session, program: LoadedProgram, linked: Linked, concurrency: int | None) -> Job:
    """Return what all pieces share."""
    from rtfs_framework import __version__

    host, config, artifact = session.host, session.host.config, linked.artifact
    modules = names_of(artifact.source, config.module_path, artifact.sources[1:])
    return Job(
        version=__version__,
        policy=host.policy_hash,
        digest=artifact.digest,
        run=program.run_id,
        seed=program.seed,
        entry=next(program.entries),
        tenant=config.tenant,
        name=artifact.source.name,
        source=artifact.source.text,
        modules={name: (each.name, each.text) for name, each in modules.items()},
        layers=tuple(layers_of(config)),
        limits=attrs.asdict(session.limits),
        concurrency=host.concurrency if concurrency is None else concurrency,
        parallel=config.parallel,
        counted=config.ledger.store is None,
    )


def layers_of(config: Config) -> list[tuple[str, str, str]]:
    """Return the texts of a configuration as they count here: of each the kind, the path, and TOML."""
    layers = () if config.merged is None else config.merged.layers
    here = Path.cwd() / "variables"
    return [
        (each.kind.value, str(here if each.path is None else each.path.absolute()), "\n".join(_lines(each.data)))
        for each in layers
    ]


def _lines(table: Mapping[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        yield f"{_quoted(key)} = {_toml(value)}"


def _quoted(text: str) -> str:
    """Return a string of TOML: as JSON says it, but for one character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _toml(value: Any) -> str:
    """Return a value as TOML on one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(_lines(value))}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value).lower() if isinstance(value, bool) else repr(value)
