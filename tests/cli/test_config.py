"""`rtfs config show|check`: values with their sources, mistakes with their places."""

from __future__ import annotations

import pytest

GOOD = """[delegation]
default_target = "local-pure"
concurrency = 4

[security]
grant = ["log"]

[security.context]
region = "eu"
"""


def shown(rtfs, *args: object) -> dict:
    result = rtfs("config", "show", "--json", *args)
    assert result.code == 0
    return {row["key"]: (row["value"], row["source"]) for row in result.data["settings"]}


def test_defaults(rtfs) -> None:
    settings = shown(rtfs)
    assert settings["delegation.default_target"] == ("local-pure", "default")
    assert settings["security.level"] == ("controlled", "default")
    assert "no delegation.toml found" in rtfs("config", "show").out


def test_values_of_a_file_have_their_place(rtfs, folder) -> None:
    (folder / "mine.toml").write_text(GOOD)
    settings = shown(rtfs, "mine.toml")
    assert settings["delegation.concurrency"] == (4, "mine.toml:3:1")
    assert settings["security.grant"] == (["log"], "mine.toml:6:1")
    assert settings["security.context.region"] == ('"eu"', "mine.toml:9:1")
    assert settings["delegation.cache_ttl"] == (None, "default")
    lines = rtfs("config", "show", "mine.toml").lines
    assert lines[0] == "# mine.toml"
    assert any(line.startswith("security.grant") and '= ["log"]' in line for line in lines)


def test_the_file_that_a_run_here_would_use(rtfs, folder) -> None:
    (folder / "delegation.toml").write_text(GOOD)
    assert shown(rtfs)["delegation.concurrency"][0] == 4
    assert "no mistakes" in rtfs("config", "check").out


@pytest.mark.needs("rtfs-provider-openai")
def test_a_key_is_never_shown(rtfs, folder, monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret-indeed")
    result = rtfs("config", "show")
    assert "sk-very" not in result.out
    (folder / "mine.toml").write_text('[delegation.remote_providers.openai]\napi_key_env = "MY_KEY"\n')
    assert "MY_KEY is not set" in shown(rtfs, "mine.toml")["delegation.remote_providers.openai.api_key_env"][1]


@pytest.mark.parametrize(
    ("text", "place", "code", "way_out"),
    [
        ("[delegation]\ndefualt_target = 'x'\n", "2:1", "E0702", "did you mean 'default_target'?"),
        ("[delegation]\ncache_ttl = 'soon'\n", "2:13", "E0703", ""),
        ("[delegation]\ndefault_target = 'local-nope'\n", "2:18", "E0706", "did you mean"),
        ("[delegation\n", "1:", "E0701", ""),
    ],
)
def test_mistakes(rtfs, folder, text: str, place: str, code: str, way_out: str) -> None:
    (folder / "bad.toml").write_text(text)
    result = rtfs("config", "check", "bad.toml")
    assert result.code == 1
    assert f"bad.toml:{place}" in result.err
    assert f"error[{code}]" in result.err
    assert way_out in result.err
    assert rtfs("config", "check", "bad.toml", "--json").data["errors"][0]["code"] == code


def test_a_missing_file(rtfs) -> None:
    result = rtfs("config", "check", "nope.toml")
    assert result.code == 2
    assert "error[E0901]: no such configuration: nope.toml" in result.err


def test_checking_without_a_file(rtfs) -> None:
    assert rtfs("config", "check").out == "no delegation.toml found: defaults are in force\n"
    expected = {"file": None, "errors": [], "warnings": [], "problems": []}
    assert rtfs("config", "check", "--json").data == expected


@pytest.mark.needs("rtfs-provider-rules")
def test_a_mistake_in_a_rule_file_is_told_by_check(rtfs, folder) -> None:
    (folder / "mine.toml").write_text('kind = "classify"\n\n[[label]]\nnaem = "a"\n')
    (folder / "delegation.toml").write_text('[delegation.local_models.mine]\nprovider = "rules"\nrules = "mine.toml"\n')
    result = rtfs("config", "check")
    assert result.code == 1
    assert "mine.toml:" in result.err
    assert "E070" in result.err


@pytest.mark.needs("rtfs-provider-rules")
@pytest.mark.parametrize("path", ["~nobodyhere/x", "a\\u0000b", ""])
def test_a_rule_file_that_no_path_names_is_told_with_its_place(rtfs, folder, path) -> None:
    text = f'[delegation.local_models.mine]\nprovider = "rules"\nrules = "{path}"\n'
    (folder / "mine.toml").write_text(text, encoding="utf-8")
    result = rtfs("config", "check", "mine.toml")
    assert result.code != 0
    assert "mine.toml:3:9: error[E0705]" in result.out + result.err


@pytest.mark.needs("rtfs-provider-openai")
def test_show_has_what_a_configuration_says_of_plans_warm_ups_and_batches(rtfs, folder):
    text = '[delegation]\nplan = "p.toml"\n[delegation.remote_providers.openai]\nbatch = 4\n[warming]\nper_hour = 3\n'
    (folder / "c.toml").write_text(text, encoding="utf-8")
    (folder / "p.toml").write_text('version = 1\nprogram = "p.rtfs"\n', encoding="utf-8")
    out = rtfs("config", "show", "c.toml").out
    for name, value in (
        ("delegation.plan", '"'),
        ("delegation.remote_providers.openai.batch", "4"),
        ("warming.per_hour", "3"),
    ):
        assert any(line.startswith(name) and value in line for line in out.splitlines()), name
