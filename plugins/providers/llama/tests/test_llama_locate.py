"""Where a model is: a path, a folder, an installed package; every mistake says what to do."""

from __future__ import annotations

import sys

import pytest

from rtfs_provider_llama.identity import digest_of
from rtfs_provider_llama.locate import NotFoundError, find, named, parts_of


def test_a_path_starts_in_the_folder_of_the_configuration(tmp_path):
    (tmp_path / "models").mkdir()
    file = tmp_path / "models" / "a.gguf"
    file.write_bytes(b"x")
    assert find("models/a.gguf", str(tmp_path)) == file
    assert find(str(file), "/elsewhere") == file


def test_a_folder_with_one_model_is_that_model(tmp_path):
    inner = tmp_path / "deep" / "er"
    inner.mkdir(parents=True)
    (tmp_path / "mmproj-a.gguf").write_bytes(b"x")
    (tmp_path / "README.md").write_text("no model", encoding="utf-8")
    (inner / "a.gguf").write_bytes(b"x")
    assert find(str(tmp_path), None) == inner / "a.gguf"


def test_a_split_model_is_its_first_file(tmp_path):
    names = [f"big-0000{n}-of-00003.gguf" for n in (1, 2, 3)]
    for name in names:
        (tmp_path / name).write_bytes(name.encode())
    found = find(str(tmp_path), None)
    assert found.name == names[0]
    assert [part.name for part in parts_of(found)] == names


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "some_model"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise RuntimeError('imported')", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return folder


@pytest.mark.parametrize("name", ["some_model", "some-model", "some_model/q4.gguf"])
def test_a_package_is_found_and_not_imported(package, name):
    (package / "q4.gguf").write_bytes(b"x")
    assert find(f"package:{name}", None) == package / "q4.gguf"
    assert "some_model" not in sys.modules


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("package:some_model", "holds no GGUF file"),
        ("package:some_model/x.gguf", "holds no file x.gguf"),
        ("package:not_here_at_all", "no package not_here_at_all is installed"),
        ("package:../etc", "names no package"),
        ("nowhere.gguf", "there is no model"),
        (".", "holds no GGUF file"),
        ("~nobody-has-this-name/a.gguf", "~nobody-has-this-name is nobody's folder; check 'model'"),
        ("a" * 300, "name too long: .*; check 'model'"),
        ("package:__main__", "no package __main__ is installed"),
    ],
)
def test_what_is_not_there_is_told(package, text, said):
    with pytest.raises(NotFoundError, match=said):
        find(text, str(package))


def test_a_folder_with_two_models_wants_a_name(tmp_path):
    for name in ("a.gguf", "b.gguf"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(NotFoundError, match=r"2 GGUF files \(a.gguf, b.gguf\); name one"):
        find(str(tmp_path), None)


def test_a_setting_goes_before_the_variable():
    environ = {"RTFS_LOCAL_MODEL_PATH": "package:x"}
    assert named("a.gguf", environ).text == "a.gguf"
    assert named(None, environ).text == "package:x"
    for nothing in ({}, {"RTFS_LOCAL_MODEL_PATH": "  "}):
        with pytest.raises(NotFoundError, match="no model is named; set 'model'"):
            named(None, nothing)


def test_what_the_variable_says_starts_where_the_command_does(tmp_path, monkeypatch):
    (tmp_path / "a.gguf").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    environ = {"RTFS_LOCAL_MODEL_PATH": " a.gguf "}
    for model in (None, "a.gguf"):  # the host passes it on as a setting
        where = named(model, environ)
        assert (where.text, where.absolute) == (str(tmp_path / "a.gguf"), True)
    where = named(None, {"RTFS_LOCAL_MODEL_PATH": "b.gguf"})
    with pytest.raises(NotFoundError, match="check RTFS_LOCAL_MODEL_PATH"):
        find(where.text, "/elsewhere", where.said_in)
    with pytest.raises(NotFoundError, match="check RTFS_LOCAL_MODEL_PATH"):
        named(None, {"RTFS_LOCAL_MODEL_PATH": "~nobody-has-this-name"})


def test_a_split_model_of_no_parts_is_one_file(tmp_path):
    path = tmp_path / "a-00000-of-00000.gguf"
    assert parts_of(path) == [path]


def test_the_digest_sees_another_model(tmp_path):
    file = tmp_path / "a.gguf"
    content = bytearray(i % 251 for i in range(9 * 1024 * 1024))
    seen = set()
    for place in (None, 0, 4 * 1024 * 1024 + 5, len(content) - 1):
        changed = bytearray(content)
        if place is not None:
            changed[place] ^= 1
        file.write_bytes(changed)
        seen.add(digest_of(file))
        assert digest_of(file) in seen
    file.write_bytes(content[:-1])
    seen.add(digest_of(file))
    assert len(seen) == 5
