"""A host of plain parts: fake plugins that are real entries, and sessions whose files lie in the test's folder."""

from __future__ import annotations

import inspect

import attrs
import pytest

from rtfs_framework.api import (
    ANY,
    FILE_WITHIN,
    NO_INFO,
    CacheEntry,
    CacheItem,
    CacheKey,
    CacheLevel,
    CacheRecord,
    CacheStats,
    CapabilityEntry,
    DelegationPlan,
    EngineEntry,
    InferenceReply,
    Locality,
    LocalPure,
    ObserverEntry,
    PlanSource,
    ProviderEntry,
)
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.problems import Provenance

WHO = Provenance("acme-plugin", "1.2", "acme")


class FakeProvider:
    """Answers with a function of the request: a text, a reply, an exception to raise, or a coroutine of those."""

    def __init__(self, answer):
        self.answer = answer
        self.requests = []
        self.closed = False

    def fingerprint(self):
        return "fake-1"

    async def infer(self, request):
        self.requests.append(request)
        found = self.answer(request)
        if inspect.isawaitable(found):
            found = await found
        if isinstance(found, BaseException):
            raise found
        return InferenceReply(text=found, model="fake") if isinstance(found, str) else found

    async def aclose(self):
        self.closed = True


class FakeEngine:
    """Sends the symbols that it claims to a target, and counts how often it is asked."""

    def __init__(self, target=None, claimed=("*",)):
        self.target = target or LocalPure()
        self.claimed = claimed
        self.asked = []

    def claims(self):
        return self.claimed

    def decide(self, context):
        self.asked.append(context)
        return DelegationPlan(target=self.target, reasoning="because", source=PlanSource.ENGINE, engine="fake")


class DictCache:
    """A layer in a dict."""

    def __init__(self):
        self.records = {}
        self.hits = self.misses = 0

    def get(self, key):
        found = self.records.get((key.namespace, key.digest))
        self.hits += found is not None
        self.misses += found is None
        return found

    def put(self, key, value, ttl=None, info=None):
        self.records[key.namespace, key.digest] = CacheRecord(value=value, stored_at=0.0, info=info or NO_INFO)

    def invalidate(self, key):
        return self.records.pop((key.namespace, key.digest), None) is not None

    def scan(self):
        return (CacheItem(CacheKey(*slot), record) for slot, record in list(self.records.items()))

    def clear(self):
        self.records.clear()

    def stats(self):
        return CacheStats(hits=self.hits, misses=self.misses, size=len(self.records))

    def close(self):
        pass


@attrs.frozen(slots=True, kw_only=True)
class Own:
    """The settings of the fake remote plugin."""

    endpoint: str | None = None
    model: str = "m"
    api_key_env: str = "ACME_API_KEY"
    depth: int = 1


@attrs.define
class Kit:
    """Makes catalogs and sessions."""

    home: object
    environ: dict
    layers: dict = attrs.field(factory=dict)
    providers: dict = attrs.field(factory=dict)
    engine: FakeEngine | None = None

    def provider(self, name, answer, *, deterministic=False, remote=False, settings=None, defaults=None, **more):
        made = self.providers[name] = FakeProvider(answer)
        made.made_from = []

        def factory(given):
            made.made_from.append(given)
            return made

        return ProviderEntry(
            name=name,
            summary="A fake.",
            locality=Locality.REMOTE if remote else Locality.LOCAL,
            factory=factory,
            settings=settings,
            deterministic=deterministic,
            defaults={name: {}} if defaults is None else defaults,
            **more,
        )

    def cache(self, name, level):
        layer = self.layers.setdefault(name, DictCache())
        return CacheEntry(name=name, summary="A dict.", level=level, factory=lambda _settings: layer, bounded=True)

    def catalog(
        self,
        *providers,
        engine=None,
        l1=False,
        l2=False,
        capabilities=(),
        observers=(),
        guards=(),
        embedders=(),
        names=None,
    ):
        """Return a catalog of these parts; `engine` is called `static`, so that it is the default."""
        self.engine = engine
        caches = [(self.cache("l1", CacheLevel.L1), l1), (self.cache("l2", CacheLevel.L2), l2)]
        entry = EngineEntry(name="static", summary="A fake.", factory=lambda _settings: engine)
        return Catalog(
            providers={p.name: (p, WHO) for p in providers},
            engines={} if engine is None else {"static": (entry, WHO)},
            caches={c.name: (c, WHO) for c, on in caches if on},
            capabilities={c.id: (c, WHO) for c in capabilities},
            guards={g.name: (g, WHO) for g in guards},
            embedders={e.name: (e, WHO) for e in embedders},
            observers={o.name: (o, WHO) for o in observers},
            function_names=names or {name: c.id for c in capabilities for name in c.names},
        )

    def config(self, text):
        """Write a configuration and return its path."""
        path = self.home / "delegation.toml"
        path.write_text(text, encoding="utf-8")
        return path

    def open(self, catalog=None, config=None, **options):
        """Return a session; its journal lies in the test's folder. `config` is a text or a path."""
        path = self.config(config) if isinstance(config, str) else config
        options.setdefault("environ", self.environ)
        return Session.open(catalog=catalog or Catalog(), config_path=path, **options)

    @property
    def journal(self):
        return self.home / "journal.sqlite"


@pytest.fixture
def kit(tmp_path, monkeypatch):
    """Return the kit; the current folder is the test's own, so that no stray configuration is found."""
    monkeypatch.chdir(tmp_path)
    return Kit(tmp_path, {"RTFS_HOME": str(tmp_path)})


@pytest.fixture
def remote_settings():
    """Return the settings class of a remote plugin with a key."""
    return Own


@pytest.fixture
def fake_engine():
    """Return the class of engines that say what they are told to."""
    return FakeEngine


@pytest.fixture
def source():
    """Return a function that names a program text."""
    return lambda text: Source("test.rtfs", text)


@pytest.fixture
def capability():
    """Return a function that makes a capability entry."""
    return lambda id_, handler, **more: CapabilityEntry(id=id_, summary="A fake.", handler=handler, **more)


@pytest.fixture
def observer():
    """Return a function that makes an observer entry."""
    return lambda name, watch, events=("*",): ObserverEntry(
        name=name, summary="A fake.", factory=lambda: watch, events=events
    )


@attrs.frozen(slots=True, kw_only=True)
class RulesSettings:
    """Settings of an on-device plugin, one of which it has not thought about."""

    rules: str = attrs.field(default="sentiment", metadata=FILE_WITHIN)
    argument: str = attrs.field(default="", metadata=ANY)
    danger: str = ""


@pytest.fixture
def found_over_own(kit, remote_settings, fake_engine):
    """Return a function that opens a session where a file was found, over the user's own."""
    catalog = kit.catalog(
        kit.provider("openai", lambda _: "o", remote=True, settings=remote_settings),
        kit.provider("rules", lambda _: "r", defaults={"sentiment": {}}, settings=RulesSettings),
        engine=fake_engine(),
        l1=True,
        l2=True,
    )
    repo, home = kit.home / "repo", kit.home / "own"
    repo.mkdir()
    home.mkdir()

    def opened(text=None, own=None, asked=None, **environ):
        if text is not None:
            (repo / "delegation.toml").write_text(text, encoding="utf-8")
        if own is not None:
            (home / "delegation.toml").write_text(own, encoding="utf-8")
        with kit.open(catalog, asked, program_dir=repo, environ={"RTFS_HOME": str(home), **environ}) as session:
            return session.host.config

    opened.repo, opened.home, opened.catalog = repo, home, catalog
    return opened
