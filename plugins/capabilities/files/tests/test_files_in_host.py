"""In a host: granted by its configuration, called by programs, told with its place when wrong."""

from __future__ import annotations

import pytest

from rtfs_capability_files.plugin import rtfs_capabilities
from rtfs_framework.api import ConfigError, RtfsError, to_json, write
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.collect import aliases_of
from rtfs_framework.registry.problems import Provenance

WHO = Provenance("rtfs-capability-files", "0.1", "rtfs_capability_files")
OFFERED = {entry.id: entry for entry in rtfs_capabilities()}
CATALOG = Catalog(capabilities={id_: (entry, WHO) for id_, entry in OFFERED.items()}, aliases=aliases_of(OFFERED))


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """Return a function that opens a session with what `grant` holds; `data` lies beside its configuration."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.txt").write_text("inside", encoding="utf-8")
    (tmp_path / "secret.txt").write_text("outside", encoding="utf-8")

    def load(grant):
        path = tmp_path / "delegation.toml"
        path.write_text(f"[security]\ngrant = [{grant}]\n", encoding="utf-8")
        return Session.open(catalog=CATALOG, config_path=path, environ={"RTFS_HOME": str(tmp_path / "home")})

    return load


def _refused(session, program):
    with pytest.raises(RtfsError) as caught:
        session.run(program)
    return caught.value


@pytest.mark.parametrize("granted", ["fs.read", "ccos.file.read"])
def test_a_grant_of_one_name_grants_the_other_and_paths_start_at_the_configuration(opened, granted):
    with opened(f'{{ id = "{granted}", roots = ["./data"] }}') as session:
        for call in ('(call "fs.read" "data/a.txt")', '(call :ccos.file.read {:path "data/a.txt"})',
                     '(tool/open-file "data/a.txt")'):  # fmt: skip
            result = session.run(call)
            assert result.value == "inside"
            assert [each.target for each in result.calls] == ["capability fs.read"]


def test_what_is_not_granted_is_an_error_that_programs_catch(opened, tmp_path):
    with opened('{ id = "fs.read", roots = ["./data"] }') as session:
        for path in ("secret.txt", "data/../secret.txt", str(tmp_path / "secret.txt"), "/etc/passwd"):
            assert _refused(session, f'(call "fs.read" "{path}")').kind == "SecurityViolation"
        kept = '(try (call "fs.read" "secret.txt") (catch SecurityViolation e :kept-in))'
        assert session.run(kept).value.name == "kept-in"
        assert _refused(session, '(call "fs.read" "data/none.txt")').kind == "IoError"
        assert _refused(session, '(call "fs.write" "data/a.txt" "x")').kind == "SecurityViolation"
    assert (tmp_path / "data/a.txt").read_text(encoding="utf-8") == "inside"


def test_the_prelude_asks_whether_a_file_is_there(opened):
    with opened('{ id = "fs.exists", roots = ["./data"] }') as session:
        assert session.run('[(file-exists? "data/a.txt") (file-exists? "data/none.txt")]').value == (True, False)


@pytest.mark.parametrize(
    "call",
    ['(call "fs.read" {:path "data/a.txt" :encodng "latin-1"})', '(call "fs.read" 1)', '(call "fs.read" {})',
     '(call "data.csv" {:path "data/a.txt" :types {"a" :integer}})', '(call "data.csv" {:path "a.csv" :row 1})'],
)  # fmt: skip
def test_what_a_capability_does_not_know_is_refused_before_anything_is_done(opened, call):
    with opened('{ id = "fs.read", roots = ["./data"] }, { id = "data.csv", roots = ["./data"] }') as session:
        assert _refused(session, call).kind == "TypeValidationError"


def test_a_program_reads_a_file_piece_by_piece(opened, tmp_path):
    rows = "".join(f"{n},w{n}\n" for n in range(10))
    (tmp_path / "data/a.csv").write_text(f"n,word\n{rows}", encoding="utf-8")
    program = """
    (loop [next nil total 0 pieces 0]
      (let [piece (call "data.csv" {:path "data/a.csv" :rows 3 :next next :types {"n" :int}})
            total (reduce + total (map (fn [row] (get row "n")) (:rows piece)))]
        (if (nil? (:next piece)) [total (inc pieces)] (recur (:next piece) total (inc pieces)))))"""
    with opened('{ id = "data.csv", roots = ["./data"] }') as session:
        assert to_json(session.run(program).value) == [45, 4]


def test_replies_can_be_printed_and_read_back(opened):
    with opened('{ id = "fs.list", roots = ["./data"] }') as session:
        assert ':name "a.txt" :kind :file :bytes 6 :modified #timestamp(' in write(
            session.run('(call "fs.list" "data")').value
        )


@pytest.mark.parametrize(
    ("grant", "code", "words"),
    [
        ('"fs.read"', "E0704", "roots"),
        ('{ id = "fs.read" }', "E0704", "roots"),
        ('{ id = "fs.read", roots = [] }', "E0705", "at least one folder"),
        ('{ id = "fs.read", roots = ["./data"], most_bytes = 0 }', "E0705", "most_bytes"),
        ('{ id = "fs.read", roots = ["./data"], most_bytes = "1 parsec" }', "E0703", "most_bytes"),
        ('{ id = "fs.read", root = "./data" }', "E0702", "root"),
    ],
)
def test_mistakes_in_a_grant_are_told_with_their_place(opened, grant, code, words):
    with pytest.raises(ConfigError) as caught:
        opened(grant).close()
    found = caught.value.diagnostics
    assert code in [each.code for each in found]
    assert words in f"{found[0].message} {found[0].help}"
    assert found[0].source.place(found[0].span.start)[0] == 2
