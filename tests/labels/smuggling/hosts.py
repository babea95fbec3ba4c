"""A host that writes down all that leaves it, and programs that are run on it with one secret or another."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import attrs

from rtfs_framework import Session, compile_source
from rtfs_framework.api import (
    CapabilityEntry,
    CapabilityError,
    InferenceReply,
    Keyword,
    Locality,
    Map,
    ObserverEntry,
    ProviderEntry,
    ProviderUnavailable,
    RtfsError,
    hookimpl,
    write,
)
from rtfs_framework.registry.load import load_catalog

HERE = Path(__file__).parents[1]
NEEDED = (
    "rtfs-engine-static",
    "rtfs-engine-resilient",
    "rtfs-engine-security",
    "rtfs-engine-llm",
    "rtfs-cache-l1",
    "rtfs-cache-l2",
)
SECRETS = ("ann@acme.org", "bob.longer@example.com", "", None, 42)
"""The first two are told apart by every program; the others are of other kinds."""
LABELS = (HERE / "labels.toml").read_text(encoding="utf-8")
LIMITS = "[limits]\nsteps = 300000\nseconds = 20\n"


@attrs.frozen
class Program:
    """A program of this folder, and what its header says."""

    path: Path
    text: str
    header: dict

    @classmethod
    def read(cls, path):
        text = path.read_text(encoding="utf-8")
        lines = (line[2:].strip() for line in text.splitlines() if line.startswith(";;"))
        return cls(
            path, text, {key.strip(): value.strip() for key, _, value in (each.partition(":") for each in lines)}
        )

    @property
    def config(self):
        return (HERE / "configs" / f"{self.header['config']}.toml").read_text(encoding="utf-8")


def programs(kind):
    return [Program.read(path) for path in sorted((HERE / "programs" / kind).glob("*.rtfs"))]


class Model:
    """Answers in its way, and writes requests down where it is not on this machine."""

    def __init__(self, answer, sent=None):
        self.answer, self.sent = answer, sent

    def fingerprint(self):
        return "1"

    async def infer(self, request):
        if self.sent is not None:
            told = [(message.role, message.content) for message in request.messages]
            self.sent.append(
                ("remote", request.function.name, write(request.args), told, request.hints, request.timeout)
            )
        return await self.answer(request)

    async def aclose(self):
        pass


async def _says(request):
    return InferenceReply(text="said")


async def _echoes(request):
    return InferenceReply(text=write(request.args))


async def _fails(request):
    raise ProviderUnavailable("broken", "it is down")


async def _waits(request):
    await asyncio.sleep(0.3)
    return InferenceReply(text="late")


async def _doubts(request):
    return InferenceReply(text="perhaps", confidence=0.1)


class Plugin:
    """Models, capabilities and an observer; what leaves a host by them is in `sent`."""

    rtfs_api_version = 2
    __name__ = "smuggling"

    def __init__(self):
        self.sent = []
        self.kept = self.secret = None
        self.observed = False

    @hookimpl
    def rtfs_providers(self):
        near = {"near": _echoes, "broken": _fails, "slow": _waits, "unsure": _doubts}
        made = [self._provider(name, answer, Locality.LOCAL) for name, answer in near.items()]
        return [*made, self._provider("far", _says, Locality.REMOTE)]

    def _provider(self, name, answer, locality):
        sent = self.sent if locality is Locality.REMOTE else None
        return ProviderEntry(
            name=name, summary="", locality=locality, factory=lambda _: Model(answer, sent), defaults={name: {}}
        )

    @hookimpl
    def rtfs_capabilities(self):
        handlers = {
            "net.post": self._posted,
            "people.get": lambda _: f"person {self.secret}",
            "people.fail": self._failed,
            "store.put": self._put,
            "store.get": lambda _: self.kept,
            "marketplace.stream.send": self._posted,
            "ccos.ai.llm-execute": self._posted,
        }
        return [CapabilityEntry(id=name, summary="", handler=handler) for name, handler in handlers.items()]

    def _posted(self, request):
        self.sent.append(("capability", request.id, write(request.args)))
        return "posted"

    def _failed(self, request):
        raise CapabilityError(f"cannot find {write(request.args)}")

    def _put(self, request):
        self.kept = request.args[0]
        return "kept"

    @hookimpl
    def rtfs_observers(self):
        return [ObserverEntry(name="ear", summary="", factory=lambda: self._hear)]

    def _hear(self, event):
        if self.observed:
            self.sent.append(("observer", event.name, _timeless(event.fields)))


def _timeless(fields):
    """Return what an event says besides what is another in each run: its id, and times, of which labels say nothing."""
    inner = {key: _timeless(value) if isinstance(value, dict) else value for key, value in fields.items()}
    return {key: value for key, value in inner.items() if key not in ("run", "seconds")}


def record(program, secret):
    """Return what a program is given: the marked columns are `email`, and `password` where it is spoken of."""
    people = [_person(f"mail {n} of {secret}", *row) for n, row in enumerate(PEOPLE)]
    home = _map({"street": "Main Street 1"})
    fields = {"email": secret, "id": 7, "text": "Where is it?", "city": "Oslo"}
    if ":password" in program.text:
        fields["password"] = f"{secret} pw"
    return _map({**fields, "home": home, "people": tuple(people)})


PEOPLE = (("Hello", "Oslo", 5), ("Thanks", "Bergen", 7), ("Why?", "Oslo", 9))


def _person(email, text, city, amount):
    return _map({"email": email, "text": text, "city": city, "amount": amount})


def _map(fields):
    return Map.of((Keyword(key), value) for key, value in fields.items())


class Hosts:
    """Hosts of all configurations, with labels and without; each is opened once where nothing is remembered in it."""

    def __init__(self, folder):
        self.folder = folder
        self.plugin = Plugin()
        environ = {"RTFS_HOME": str(folder), "RTFS_PLUGINS": ",".join(NEEDED)}
        self.catalog = load_catalog(environ, extra_plugins=[self.plugin])
        self.stack = ExitStack()
        self.open = {}

    def session(self, program, *, labels):
        """Return a session for a program."""
        name = program.header["config"]
        if name not in SHARED:
            self.close()
        key = name, labels, program.path if "{digest}" in program.config else None
        if key not in self.open:
            home = self.folder / str(len(list(self.folder.iterdir())))
            home.mkdir()
            config = home / "delegation.toml"
            config.write_text(_config_text(program, labels=labels), encoding="utf-8")
            opened = Session.open(
                catalog=self.catalog, config_path=config, environ={"RTFS_HOME": str(home)}, journal=name == "stream"
            )
            self.open[key] = self.stack.enter_context(opened)
        return self.open[key]

    def close(self):
        """Close all that are open."""
        self.stack.close()
        self.open.clear()

    def left(self, program, secret, *, labels):
        """Run a program with a secret; return what left its host, and how the run ended."""
        session = self.session(program, labels=labels)
        self.plugin.sent.clear()
        self.plugin.secret, self.plugin.kept = secret, None
        self.plugin.observed = program.header["config"] == "observed"
        ended = _ended(session, program, secret)
        return SimpleNamespace(sent=list(self.plugin.sent), ended=ended)


SHARED = frozenset({"routed", "observed", "default", "redacting", "stream", "granted", "granted-other"})
"""Configurations whose hosts remember no replies and no failures."""


def _config_text(program, *, labels):
    text = program.config.replace("{digest}", digest_of(program.text))
    if not labels:
        text = text.partition("[[labels.")[0]
    grants = '[security]\nlevel = "full"\n'
    return "\n".join((text, grants, LIMITS, LABELS if labels else ""))


def _ended(session, program, secret):
    try:
        with session.load(program.text) as loaded:
            if program.header["config"] == "stream":
                return [each.value for each in session.stream(loaded, "main", [record(program, secret)] * 2)]
            return loaded.call("main", (record(program, secret),)).value
    except RtfsError as error:
        return error


def digest_of(text):
    """Return the digest that policies name a program by."""
    return compile_source(text).digest
