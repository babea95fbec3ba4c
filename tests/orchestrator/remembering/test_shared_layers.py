"""Layers that leave the machine: one that is configured goes before the usual one, and accepts no marks by itself."""

from __future__ import annotations

import asyncio

import attrs
import pytest

from rtfs_framework.api import CacheEntry, CacheLevel, InferenceReply
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.values import Keyword

TEXT = '(defn ^:delegation :local-model "near" f "Say." [x] : :string "own") (defn main [r] (f (:email r)))'
MARKED = '[labels.inputs]\nemail = ["pii"]\n'
NEAR = '[model_providers.near]\nprovider = "near"\n'


@attrs.frozen
class Own:
    """Settings of a layer."""

    password_env: str | None = None
    other_env: str | None = None


@pytest.fixture
def shared(kit):
    """Return a catalog with the usual `l2` and a layer `far` of the same level, and what `far` was made from."""
    made = []
    catalog = kit.catalog(
        kit.provider("near", lambda _: InferenceReply(text="hi"), remote=False, deterministic=True), l2=True
    )
    usual = kit.cache("far", CacheLevel.L2)

    def factory(settings):
        made.append(settings)
        return usual.factory(settings)

    entry = CacheEntry(name="far", summary="", level=CacheLevel.L2, factory=factory, settings=Own, shared=True)
    who = next(iter(catalog.caches.values()))[1]
    return attrs.evolve(catalog, caches={**catalog.caches, "far": (entry, who)}), made


def run(kit, catalog, config):
    with kit.open(catalog, config) as session, session.load(Source("test.rtfs", TEXT)) as program:
        program.call("main", ({Keyword("email"): "alice@example.com"},))


@pytest.mark.parametrize(
    ("config", "used"),
    [
        ("", "l2"),
        ("[caches.far]\n", "far"),
        ("[caches.far]\nenabled = false\n", "l2"),
        ("[caches.l2]\nenabled = false\n", None),
    ],
)
def test_of_two_layers_of_a_level_the_one_that_is_configured_is_used(kit, shared, config, used):
    run(kit, shared[0], config)
    assert {name for name, layer in kit.layers.items() if layer.stats().size} == ({used} if used else set())


@pytest.mark.parametrize(
    ("config", "kept"),
    [
        (f"[caches.far]\n{MARKED}", 0),
        (f'[caches.far]\n{MARKED}[labels.accepts]\n"cache far" = ["pii"]\n', 1),
        (f"[caches.l2]\n{MARKED}", 1),
    ],
)
def test_marked_data_stays_on_this_machine_unless_somebody_says_so(kit, shared, config, kept):
    run(kit, shared[0], config)
    assert sum(layer.stats().size for layer in kit.layers.values()) == kept


def test_a_layer_is_given_the_variables_that_its_settings_name_and_no_others(kit, shared):
    catalog, made = shared
    environ = {**kit.environ, "PASSWORD": "s3cret", "OPENAI_API_KEY": "k"}
    with kit.open(catalog, '[caches.far]\npassword_env = "PASSWORD"\nother_env = "MISSING"\n', environ=environ):
        pass
    assert made[0].environ == {"PASSWORD": "s3cret"}
    assert "s3cret" not in repr(made[0])


def on_a_loop():
    """Tell whether an event loop runs in this thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def test_a_right_is_taken_and_given_back_in_threads_that_hold_up_no_loop(kit, shared):
    catalog, _ = shared
    entry, who = catalog.caches["far"]
    seen = []

    class Right:
        def release(self):
            seen.append(("release", on_a_loop()))

    def factory(settings):
        layer = entry.factory(settings)
        layer.claim = lambda key, lease: seen.append(("claim", on_a_loop())) or Right()
        return layer

    caches = {**catalog.caches, "far": (attrs.evolve(entry, factory=factory, bounded=True), who)}
    run(kit, attrs.evolve(catalog, caches=caches), "[caches.far]\n")
    assert seen == [("claim", False), ("release", False)]
