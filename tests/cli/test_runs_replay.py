"""`rtfs runs replay`: what another policy would have decided, for scripts and people."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.needs("rtfs-engine-static", "rtfs-provider-echo")

PROGRAM = '(defn label [x] :own)\n(defn main [] (mapv label ["a" "b"]))'
ROUTES = '[delegation.static_routes]\n"label" = "{0}"\n'


@pytest.fixture
def ran(rtfs, folder):
    """A run whose two calls went to a local model."""
    (folder / "a.rtfs").write_text(PROGRAM)
    (folder / "then.toml").write_text(ROUTES.format("local-echo"))
    (folder / "other.toml").write_text(ROUTES.format("local-pure"))
    assert rtfs("run", "a.rtfs", "--config", "then.toml").code == 0
    return rtfs


def test_the_same_policy(ran) -> None:
    result = ran("runs", "replay", "--config", "then.toml")
    assert (result.code, result.lines[0].endswith(": the same policy")) == (0, True)
    assert result.lines[-1] == "2 decisions of 1 run: 2 the same, 0 differ"


def test_another_policy(ran) -> None:
    result = ran("runs", "replay", "last", "--config", "other.toml")
    assert result.code == 1
    assert "1:0.0.0  label: local-model echo then, local-pure now: route 'label' -> local-pure" in result.lines[1]
    assert result.lines[-1] == "2 decisions of 1 run: 0 the same, 2 differ"


def test_json(ran) -> None:
    data = ran("runs", "replay", "--since", "1h", "--config", "other.toml", "--json").data
    (run,) = data["runs"]
    assert (data["decisions"], data["same"], data["differs"], data["unknown"]) == (2, 0, 2, [])
    assert [(each["call"], each["then"], each["now"]) for each in run["differences"]] == [
        ("1:0.0.0", "local-model echo", "local-pure"), ("1:0.1.0", "local-model echo", "local-pure"),
    ]  # fmt: skip
    assert run["policy_then"] != run["policy_now"]


def test_since_names_the_runs_that_began_then_or_later(ran) -> None:
    assert ran("runs", "replay", "--since", "2999-01-01", "--config", "then.toml").lines == [
        "0 decisions of 0 runs: 0 the same, 0 differ"
    ]


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--since", "soon"), "'soon' is neither a duration such as 7d"),
        (("last", "--since", "7d"), "not both"),
        (("zzz",), "no run is called 'zzz'"),
        (("--journal", "nowhere.sqlite"), "there is no such file"),
        (("--journal", "a.rtfs"), "error[E0720]"),
    ],
)
def test_what_is_refused(ran, args, told) -> None:
    result = ran("runs", "replay", *args)
    assert result.code != 0
    assert told in result.err


TENANTS = """
[delegation]
engine = "static"
[delegation.static_routes]
"label" = "local-echo"
[tenants.acme.static_routes]
"label" = "local-pure"
"""


def test_a_run_of_a_tenant_is_decided_by_its_rules(rtfs, folder) -> None:
    (folder / "a.rtfs").write_text(PROGRAM)
    (folder / "t.toml").write_text(TENANTS)
    for tenant in (("--tenant", "acme"), ()):
        assert rtfs("run", "a.rtfs", "--config", "t.toml", *tenant).code == 0
    result = rtfs("runs", "replay", "--since", "1h", "--config", "t.toml")
    assert result.lines[-1] == "4 decisions of 2 runs: 4 the same, 0 differ"
    (folder / "u.toml").write_text(TENANTS.partition("[tenants")[0])
    result = rtfs("runs", "replay", "--since", "1h", "--config", "u.toml")
    assert result.code == 1
    assert result.lines[-1] == "4 decisions of 2 runs: 2 the same, 2 differ"
    assert " of tenant acme: policy " in result.lines[0]
