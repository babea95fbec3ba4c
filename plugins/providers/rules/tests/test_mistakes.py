"""Mistakes in rule files: each has a code, a place and a way out, and none is anything but a ConfigError."""

from __future__ import annotations

import pytest

from rtfs_framework.api import ConfigError
from rtfs_provider_rules.load import load_rules, parse_rules

HEAD = 'kind = "classify"\nfallback = "f"\n'
TEMPLATE = 'kind = "template"\narguments = ["text"]\n'


@pytest.mark.parametrize(
    ("text", "code", "where", "says"),
    [
        ("kind = ", "E0701", (1, 8), "no valid TOML"),
        ("", "E0704", (1, 1), 'write kind = "classify" or kind = "template"'),
        ('kind = "clasify"', "E0705", (1, 8), "cannot be of kind 'clasify'"),
        ("kind = 3", "E0705", (1, 8), "cannot be of kind 3"),
        (HEAD + "[labels]\n", "E0705", (3, 2), "'labels' must not be empty"),
        (HEAD, "E0704", (1, 1), "'labels' is missing"),
        (HEAD + "[lables.a]\n[labels.b]\n", "E0702", (3, 2), "did you mean 'labels'?"),
        (HEAD + "threshold = 0\n[labels.a]\n", "E0705", (3, 13), "greater than 0"),
        (HEAD + "threshold = nan\n[labels.a]\n", "E0705", (3, 13), "must be a finite number"),
        (HEAD + "[labels.a]\nbias = inf\n", "E0705", (4, 8), "finite"),
        (HEAD + "[labels.a]\nthreshold = -1\n", "E0705", (4, 13), "greater than 0"),
        (HEAD + "margin = -1\n[labels.a]\n", "E0705", (3, 10), "'margin' must be >= 0"),
        (HEAD + "[labels.a]\npatterns = [{words = 'x'}]", "E0703", (4, 22), "must be a list, not a text"),
        (HEAD + "[labels.a]\npatterns = [{wrods = ['x']}]", "E0702", (4, 14), "did you mean 'words'?"),
        (HEAD + "[labels.a]\npatterns = [{weight = 1}]", "E0704", (4, 13), "without words or regex"),
        (HEAD + "[labels.a]\npatterns = [{words = ['x', ' ']}]", "E0705", (4, 28), "holds no word"),
        (HEAD + "[labels.a]\npatterns = [{words = ['*']}]", "E0705", (4, 23), "holds no word"),
        (HEAD + "[labels.a]\npatterns = [{words = ['a*b']}]", "E0705", (4, 23), "does not stand at the end"),
        (HEAD + "[labels.a]\npatterns = [{regex = '('}]", "E0705", (4, 22), "missing )"),
        (HEAD + "[labels.a]\npatterns = [{regex = '(?=a)'}]", "E0705", (4, 22), "no look-around"),
        (HEAD + "[labels.a]\npatterns = [{regex = 'a*'}]", "E0705", (4, 22), "occurs in every text"),
        (HEAD + "[labels.a]\npatterns = [{regex = '(?:a{1000}){1000}'}]", "E0705", (4, 22), "bad pattern"),
        (HEAD + "[labels.a]\npatterns = [{regex = 'a', negated = 1.0}]", "E0705", (4, 37), "'negated' is about words"),
        (
            HEAD + "[lexicon]\nlibrary = 'wader'\npositive = 'a'\nnegative = 'a'\n[labels.a]",
            "E0705",
            (4, 11),
            "did you mean",
        ),
        (
            HEAD + "[lexicon]\nlibrary = 'vader'\npositive = 'good'\nnegative = 'a'\n[labels.a]",
            "E0706",
            (5, 12),
            "no label",
        ),
        (
            HEAD + "[lexicon]\nlibrary = 'vader'\npositive = 'a'\nnegative = 'a'\nwords = {x = 9}\n[labels.a]",
            "E0705",
            (7, 9),
            "between -4 and 4",
        ),
        (TEMPLATE + "replies = []", "E0705", (3, 11), "'replies' must not be empty"),
        (TEMPLATE + "[[replies]]\ntext = 'hi {txt}'\n[[replies]]\ntext = 'x'", "E0706", (4, 8), "did you mean 'text'?"),
        (TEMPLATE + "[[replies]]\nwhen = {txt = 'a'}\ntext = 'b'\n[[replies]]\ntext = 'x'", "E0706", (4, 15), "'txt'"),
        (TEMPLATE + "[[replies]]\nwhen = {text = 'a'}\ntext = 'b'", "E0705", (3, 3), "must fit anything"),
        (TEMPLATE + "[[replies]]\ntext = 'b {text}'", "E0705", (3, 3), "must fit anything"),
        (
            TEMPLATE + "[[replies]]\nwhen = {text = 5}\ntext = 'b'\n[[replies]]\ntext = 'x'",
            "E0703",
            (4, 16),
            "a text or a list",
        ),
        (
            TEMPLATE + "[captures.n]\nargument = 'txt'\nregex = '['\n[[replies]]\ntext = 'x'",
            "E0706",
            (4, 12),
            "did you mean 'text'?",
        ),
        (
            TEMPLATE + "[[replies]]\nwhen = {text = {regex = '['}}\ntext = 'b'\n[[replies]]\ntext = 'x'",
            "E0705",
            (4, 25),
            "bad pattern",
        ),
    ],
)
def test_a_mistake_has_a_code_a_place_and_a_way_out(text, code, where, says):
    with pytest.raises(ConfigError) as raised:
        parse_rules(text, "x.toml")
    found = raised.value.diagnostics[0]
    assert (found.code, (found.place.line, found.place.column)) == (code, where)
    assert says in found.render()
    assert found.place.source == "x.toml"


def test_all_mistakes_are_told_at_once():
    with pytest.raises(ConfigError) as raised:
        parse_rules(HEAD + "[labels.a]\npatterns = [{regex = '('}, {words = ['*', 'ok', ' ']}]", "x.toml")
    assert [(found.code, found.place.column) for found in raised.value.diagnostics] == [
        ("E0705", 22),
        ("E0705", 38),
        ("E0705", 49),
    ]


def test_a_missing_file_is_a_config_error_too(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_rules(tmp_path / "none.toml")
