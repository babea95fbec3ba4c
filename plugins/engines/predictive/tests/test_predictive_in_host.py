"""The engine in a host: what it learned of real calls warms what follows; bad settings are refused at their place."""

from __future__ import annotations

import asyncio

import pytest

from rtfs_framework.api import ConfigError, LocalModel
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.session import Session

pytestmark = pytest.mark.needs("rtfs-provider-echo")

HEAD = """
[delegation]
engine = "foreseeing"
[delegation.static_routes]
ask = "local-a"
answer = "local-b"
[delegation.local_models.a]
provider = "echo"
[delegation.local_models.b]
provider = "echo"
reuse = "never"
[warming]
per_hour = 5
[engines.foreseeing]
plugin = "predictive"
"""
PROGRAM = "(defn ask [x] :own) (defn answer [x] :own) (defn both [x] [(ask x) (answer x)])"


@pytest.fixture
def opened(tmp_path):
    """Return a function that opens a session; `own` are more keys of the engine."""

    def open_(own):
        file = tmp_path / "delegation.toml"
        file.write_text(HEAD + own, encoding="utf-8")
        environ = {"RTFS_PLUGINS": "predictive,static,echo,l3", "RTFS_HOME": str(tmp_path / "home")}
        return Session.open(config_path=file, environ=environ)

    return open_


@pytest.mark.needs("rtfs-engine-static")
def test_what_was_learned_of_calls_warms_what_follows_the_latest_one(opened):
    with opened('base = "static"') as session:
        warming = session.host.warming
        warming.threaded = False
        program = session.load(Source("p.rtfs", PROGRAM))
        for number in range(40):
            program.call("both", (str(number),))
        session.host.journal.flush()
        session.host.learning.catch_up()
        _, learned = session.host.learning.state("foreseeing", "follows")
        assert learned["ask"][""] >= 10
        warming.look()
        warming.heat._used.clear()
        program.call("ask", ("latest",))
        warming.heat._used.pop(LocalModel("b"), None)
        chosen = warming.look()
        assert [each.target for each in chosen] == [LocalModel("b")]
        assert chosen[0].worth > 0.9
        asyncio.run(warming.warm(chosen))
        assert session.problems == ()


LIKE = (
    '(defn ask "Asks somebody for the date of a meeting." [x] :own)'
    '(defn inquire "Asks somebody for the place of a meeting." [x] :own)'
    "(defn answer [x] :own) (defn both [x] [(ask x) (answer x)])"
)


@pytest.mark.needs("rtfs-engine-static", "rtfs-cache-l3")
@pytest.mark.parametrize("experienced", [True, False])
def test_experience_warms_what_follows_a_function_that_nobody_called_before(opened, monkeypatch, experienced):
    routes = HEAD.replace("[delegation.static_routes]", '[delegation.static_routes]\ninquire = "local-a"')
    monkeypatch.setitem(globals(), "HEAD", routes)
    with opened('base = "static"\n' + ("[caches.l3]" if experienced else "")) as session:
        warming = session.host.warming
        warming.threaded = False
        program = session.load(Source("p.rtfs", LIKE))
        for number in range(20):
            program.call("both", (str(number),))
        session.host.journal.flush()
        session.host.learning.catch_up()
        warming.look()
        warming.heat._used.clear()
        program.call("inquire", ("something",))
        warming.heat._used.pop(LocalModel("b"), None)
        chosen = warming.look()
    assert [each.target for each in chosen] == ([LocalModel("b")] if experienced else [])


REFUSED = [
    # the settings, the code, what is said
    ("", "E0704", "base"),
    ('base = "gone"', "E0706", "'gone' is no engine and no target"),
    ('base = "local-a"\nequal = [["local-a"]]', "E0705", "'equal' holds a group of fewer than two targets: local-a"),
    ('base = "local-a"\nequal = [["local-a", "local-a"]]', "E0705", "fewer than two targets"),
    ('base = "local-a"\nequal = [["local-a", "local-pure"]]', "E0705", "'equal' holds local-pure, which has no load"),
    ('base = "local-a"\nequal = [["local-a", "local-b"], ["local-b", "local-c"]]', "E0705", "local-b in two groups"),
    ('base = "local-a"\nequal = [["local-a", "local-gone"]]', "E0706", "no local model 'gone'"),
    ('base = "local-a"\nhorizon = 0', "E0705", "horizon"),
    ('base = "local-a"\nhorizon = "2h"', "E0705", "horizon"),
    ('base = "local-a"\nleast = 0', "E0705", "least"),
    ('base = "local-a"\nmost = 1', "E0702", "unknown key 'most'"),
    ('base = "local-a"\n[warming]\nper_hour = -1', "E0705", "per_hour"),
]


@pytest.mark.parametrize(("own", "code", "said"), REFUSED)
def test_bad_settings_are_refused_at_their_place(opened, monkeypatch, own, code, said):
    if "[warming]" in own:
        monkeypatch.setitem(globals(), "HEAD", HEAD.replace("[warming]\nper_hour = 5\n", ""))
    with pytest.raises(ConfigError) as raised:
        opened(own)
    found = next(each for each in raised.value.diagnostics if said in each.message)
    assert found.code == code
    assert found.span is not None
