"""The editor's grammar: what every kind of word is coloured as, by a small engine here and by VS Code's own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "editors/vscode"
GRAMMAR = json.loads((FOLDER / "syntaxes/rtfs.tmLanguage.json").read_text(encoding="utf-8"))

# The text, a part of it, and the scope of that part without ".rtfs".
SAMPLES = [
    ("; note", "; note", "comment.line.semicolon"),
    ("#| a #| b |# c |# nil", " c ", "comment.block"),
    ("#| a #| b |# c |# nil", "nil", "constant.language"),
    ("#| a\nb |# nil", "b ", "comment.block"),
    ('"a ; b"', "a ; b", "string.quoted.double"),
    (r'"\n\u{41}"', r"\u{41}", "constant.character.escape"),
    (r'"\q"', r"\q", "invalid.illegal.escape"),
    (r'"a \" b" nil', "nil", "constant.language"),
    ("2025-01-01T00:00:00.5Z", "2025-01-01T00:00:00.5Z", "constant.other.timestamp"),
    ("123e4567-e89b-12d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000", "constant.other.uuid"),
    ('#uuid("x")', "#uuid", "keyword.other.tag"),
    ("[resource://a/b]", "resource://a/b", "markup.underline.link"),
    ("[1 -2]", "-2", "constant.numeric.integer"),
    ("1.5e3", "1.5e3", "constant.numeric.float"),
    ("1e5", "1e5", "constant.numeric.float"),
    ("##-Inf", "##-Inf", "constant.numeric.float"),
    ("12px", "12px", "invalid.illegal.number"),
    ("{:a/b 1}", ":a/b", "constant.other.symbol.keyword"),
    ("(defn ^:delegation :remote f [x] x)", "^:delegation", "storage.modifier.hint"),
    ("(defn ^:delegation :remote f [x] x)", ":remote", "storage.modifier.target"),
    ("^{:a 1} x", "^", "storage.modifier.metadata"),
    ("@city", "@city", "variable.other.context"),
    ("~@rest", "~@", "keyword.operator.macro"),
    ("(defn area [r] r)", "defn", "keyword.control.definition"),
    ("(defn area [r] r)", "area", "entity.name.function"),
    ("(let [a 1] a)", "let", "keyword.control"),
    ("(->> x)", "->>", "keyword.control"),
    ("(if-let [a 1] a)", "if-let", "keyword.control"),
    ("(step-parallel 1)", "step-parallel", "keyword.control"),
    ("(catch e 1)", "catch", "keyword.control"),
    ("(letter 1)", "letter", None),
    ("[let]", "let", None),
    ("(map inc [1])", "map", "support.function"),
    ("(map inc [1])", "inc", "support.function"),
    ("(mapper 1)", "mapper", None),
    ("(string-contains x y)", "string-contains", "support.function"),
    ("nilable", "nilable", None),
    ("#(+ %1 %&)", "%1", "variable.parameter"),
    ("#(+ %1 %&)", "#", "punctuation.section.shorthand"),
    ("[a & rest]", "&", "variable.parameter"),
]


def scope_of(tokens: list[tuple[str, str]], part: str) -> str | None:
    """Return the scope of the first token that has this text; None for the program's own."""
    found = next((scope for text, scope in tokens if text == part), None)
    if found is None:  # neighbours without a scope may be one token
        found = next(scope for text, scope in tokens if part in text)
    return None if found == "source.rtfs" else found.removesuffix(".rtfs")


def flat(rules: list[dict]) -> Iterator[dict]:
    """Yield rules with what they include."""
    for rule in rules:
        included = GRAMMAR["repository"][rule["include"][1:]] if "include" in rule else None
        if included is None:
            yield rule
        elif "begin" in included:
            yield included
        else:
            yield from flat(included["patterns"])


def tokens(text: str) -> list[tuple[str, str]]:
    """Tokenise as editors do: line by line, the earliest match wins, of equals the first rule."""
    out: list[tuple[str, str]] = []
    stack: list[dict] = []
    for line in text.split("\n"):
        position = 0
        while position < len(line):
            here = stack[-1] if stack else {}
            scope = here.get("name", "source.rtfs")
            rules = list(flat(here.get("patterns", GRAMMAR["patterns"])))
            ends = [("end", here, re.compile(here["end"]).search(line, position))] if here else []
            tried = [
                ("rule", rule, re.compile(rule.get("match") or rule["begin"]).search(line, position)) for rule in rules
            ]
            matches = [(kind, rule, match) for kind, rule, match in ends + tried if match]
            if not matches:
                out.append((line[position:], scope))
                break
            kind, rule, match = min(matches, key=lambda each: each[2].start())
            if match.start() > position:
                out.append((line[position : match.start()], scope))
            out += captured(rule, match, scope) if "captures" in rule else [(match.group(), rule.get("name", scope))]
            if kind == "end":
                stack.pop()
            elif "begin" in rule:
                stack.append(rule)
            position = match.end()
    return out


def captured(rule: dict, match: re.Match[str], scope: str) -> Iterator[tuple[str, str]]:
    position = match.start()
    for number, capture in sorted(rule["captures"].items()):
        start, end = match.span(int(number))
        if start >= 0:
            yield match.string[position:start], scope
            yield match.string[start:end], capture["name"]
            position = end


@pytest.mark.parametrize(("text", "part", "scope"), SAMPLES)
def test_a_word_has_its_colour(text: str, part: str, scope: str | None) -> None:
    assert scope_of(tokens(text), part) == scope


def test_every_text_is_tokenised_whole() -> None:
    for path in sorted((ROOT / "examples").rglob("*.rtfs")):
        text = path.read_text(encoding="utf-8")
        assert "".join(part for part, _ in tokens(text)) == text.replace("\n", "")


def test_the_extension_is_consistent() -> None:
    package = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
    (language,) = package["contributes"]["languages"]
    (grammar,) = package["contributes"]["grammars"]
    assert (FOLDER / grammar["path"]).is_file()
    assert grammar["scopeName"] == GRAMMAR["scopeName"]
    config = json.loads((FOLDER / language["configuration"]).read_text(encoding="utf-8"))
    assert config["comments"] == {"lineComment": ";", "blockComment": ["#|", "|#"]}
    assert re.fullmatch(config["wordPattern"], "string-contains?")


@pytest.mark.skipif(
    shutil.which("node") is None or "NODE_PATH_TEXTMATE" not in os.environ,
    reason="needs node, and NODE_PATH_TEXTMATE naming a folder with vscode-textmate and vscode-oniguruma",
)
def test_the_editors_own_engine_agrees() -> None:
    data = json.dumps({"grammar": GRAMMAR, "texts": [text for text, _, _ in SAMPLES]})
    environ = {**os.environ, "NODE_PATH": os.environ["NODE_PATH_TEXTMATE"]}
    command = ["node", str(Path(__file__).with_name("tokenize.cjs"))]
    made = subprocess.run(command, input=data, capture_output=True, text=True, check=True, env=environ)
    for (text, part, scope), found in zip(SAMPLES, json.loads(made.stdout), strict=True):
        assert scope_of(found, part) == scope, text
