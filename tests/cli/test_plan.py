"""`rtfs plan`: all call sites at once, one question to a model, a file to review; refused where it no longer fits."""

from __future__ import annotations

import json
import os

import pytest

from rtfs_framework.cli.output import write_text
from rtfs_framework.testing.openai_server import OpenAIServer, Say, say_json

pytestmark = pytest.mark.needs("rtfs-engine-llm", "rtfs-engine-static", "rtfs-provider-echo", "rtfs-provider-openai")

CONFIG = """
[delegation]
engine = "chooser"
[engines.chooser]
plugin = "llm"
symbols = ["f", "g"]
model = "local-judge"
candidates = ["local-a", "local-b", "local-pure"]
fallback = "static"
[delegation.static_routes]
h = "local-a"
[delegation.local_models.a]
provider = "echo"
[delegation.local_models.b]
provider = "echo"
[delegation.local_models.judge]
provider = "openai"
endpoint = "URL"
model = "j"
"""
PROGRAM = """
(defn f "Does f." [x] :own)
(defn g [x] :own)
(defn h [x] :own)
(defn k ^:delegation :local-model "b" [x] :own)
(defn main [x] [(f x) (g x) (h x) (k x) (map f [x])])
"""
PLAN = "p.rtfs.plan.toml"
BOTH = {"q1": "local-b", "q2": "local-pure"}


@pytest.fixture
def planned(folder, rtfs):
    """Return a function that writes program and configuration and plans; what the model says is its argument."""

    def plan(*said, config=CONFIG, args=()):
        (folder / "p.rtfs").write_text(PROGRAM, encoding="utf-8")
        with OpenAIServer([say_json(each) for each in said], then=Say("no JSON")) as server:
            (folder / "c.toml").write_text(config.replace("URL", server.url), encoding="utf-8")
            result = rtfs("plan", "p.rtfs", "--config", "c.toml", *args)
        return result, server.requests

    return plan


def run(rtfs, *more, program="p.rtfs"):
    return rtfs("run", program, "x", "--config", "c.toml", "--json", *more)


def refused(rtfs, *more, program="p.rtfs"):
    """Return what stderr says of a run that is refused."""
    result = rtfs("run", program, "x", "--config", "c.toml", *more)
    assert result.code != 0
    assert result.out == ""
    return result.err


def edit(folder, name, old, new):
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new), encoding="utf-8")


def test_one_question_covers_all_sites_and_the_file_says_why(planned, folder):
    result, requests = planned(BOTH)
    assert result.code == 0, result.err
    assert len(requests) == 1
    assert "-> local-b, because of local-judge chose local-b" in result.out
    assert f"{PLAN}: 4 call sites pinned, 1 left to each call; 1 request to models" in result.out
    text = (folder / PLAN).read_text(encoding="utf-8")
    assert "# static-route, inside main: static route of the symbol `h`: local-model a" in text
    assert 'function = "f"\nat = "p.rtfs:6:17"\ntarget = "local-b"\n' in text
    assert '# k at p.rtfs:5:1: the author\'s hint :local-model "b" goes before any plan' in text


def test_a_run_goes_by_it_and_asks_nobody(planned, rtfs):
    planned(BOTH)
    result = run(rtfs, "--plan", PLAN)
    assert result.code == 0, result.err
    sources = [(call["symbol"], call["target"], call["source"]) for call in result.data["calls"]]
    assert sources == [
        ("f", "local-model b", "pinned"),
        ("g", "local-pure", "pinned"),
        ("h", "local-model a", "pinned"),
        ("k", "local-model b", "hint"),
        ("f", "local-model b", "pinned"),
    ]
    assert ["pinned plan", f"{PLAN}: local-model b"] in result.data["calls"][0]["steps"]
    assert result.data["calls"][0]["context"][0][1].startswith(f"{PLAN} ")


def test_records_explain_and_replay_know_it(planned, rtfs):
    planned(BOTH)
    run(rtfs, "--plan", PLAN)
    assert f"pinned plan: {PLAN}: local-model b" in rtfs("runs", "why", "last", "1:0", "--config", "c.toml").out
    explained = rtfs("explain", "p.rtfs", "--config", "c.toml", "--plan", PLAN, "--json")
    assert [site["source"] for site in explained.data["sites"]] == ["hint", *["pinned"] * 4]
    replayed = rtfs("runs", "replay", "last", "--config", "c.toml")
    assert "5 the same, 0 differ" in replayed.out, replayed.out


def test_questions_are_in_the_journal_as_a_run_of_their_own(planned, rtfs):
    result, _ = planned(BOTH, args=("--json",))
    shown = rtfs("runs", "show", result.data["run"], "--config", "c.toml")
    assert "plan of p.rtfs" in shown.out
    assert "delegate/plan" in shown.out
    assert result.data["questions"] == 1


def test_a_model_that_cannot_answer_together_is_asked_one_by_one(planned):
    one, other = {"value": "local-a"}, {"value": "local-b"}
    result, requests = planned({"q1": "local-gone", "q2": "local-b"}, one, other, args=("--json",))
    assert [site["target"] for site in result.data["sites"] if site["symbol"] in "fg"] == [
        "local-a",
        "local-b",
        "local-a",
    ]
    assert len(requests) == 3


def test_without_any_answer_the_fallback_has_no_opinion_and_the_default_is_pinned(planned):
    result, _ = planned(args=("--json",))
    assert [site["target"] for site in result.data["sites"] if site["symbol"] in "fg"] == ["local-pure"] * 3


def test_what_looks_at_the_request_is_left_to_each_call_and_asks_nobody(planned, folder, rtfs):
    config = CONFIG.replace("symbols", 'show = "request"\nsymbols')
    result, requests = planned(config=config)
    assert requests == []
    assert "decided at each call: the engine looks at what a call is about (text)" in result.out
    text = (folder / PLAN).read_text(encoding="utf-8")
    assert "# Left to each call, inside main: the engine looks at what a call is about (text)" in text
    edit(folder, PLAN, '# [[site]]\n# function = "g"\n# at = ', '[[site]]\nfunction = "g"\nat = ')
    left = 'at = "p.rtfs:6:23"\n# target = "local-pure"\n# digest'
    edit(folder, PLAN, left, 'at = "p.rtfs:6:23"\ntarget = "local-a"\ndigest')
    result = run(rtfs, "--plan", PLAN)
    assert ("g", "pinned") in [(call["symbol"], call["source"]) for call in result.data["calls"]], "by hand"


def test_a_plan_that_fits_is_left_as_it_is(planned, folder):
    planned(BOTH)
    edit(folder, PLAN, 'target = "local-pure"', 'target = "local-a"')
    before = (folder / PLAN).read_text(encoding="utf-8")
    (folder / "c.toml").rename(folder / "kept.toml")
    result, requests = planned(BOTH, config=(folder / "kept.toml").read_text(encoding="utf-8"))
    assert f"{PLAN} fits, and is left as it is" in result.out
    assert (folder / PLAN).read_text(encoding="utf-8") == before
    assert requests == []


B = "[delegation.local_models.b]"
STALE = [
    # which file, what is replaced, by what, and what is said
    ("p.rtfs", "(defn g [x] :own)", "(defn g [x] :other)", "the function `g` has changed"),
    ("p.rtfs", "(defn g [x] :own)", "(defn g2 [x] :own) (def g g2)", "the function `g` is gone"),
    ("c.toml", 'h = "local-a"', 'h = "local-b"', "of the policy, routes has changed"),
    ("c.toml", B, f"{B}\nquality = 0.5", "the target local-b has changed"),
    ("c.toml", B, f"[delegation.local_models.c]\nprovider = 'echo'\n{B}", "the target local-c is new"),
    ("c.toml", "[engines", "[security]\ndeny = ['h']\n[engines", "of the policy, security has changed"),
    (PLAN, '"local-b" = ', '"local-bee" = ', "the target local-bee is gone"),
]


@pytest.mark.parametrize(("name", "old", "new", "said"), STALE)
def test_what_has_changed_refuses_the_plan_and_says_so(planned, folder, rtfs, name, old, new, said):
    planned(BOTH)
    edit(folder, name, old, new)
    for told in (refused(rtfs, "--plan", PLAN), rtfs("plan", "p.rtfs", "--config", "c.toml").err):
        assert f"error[E0730]: {PLAN} was made for something else: " in told
        assert said in told
        assert "`rtfs plan p.rtfs --update` shows the difference and writes it anew" in told


def test_update_shows_the_difference_and_writes_it_anew(planned, folder, rtfs):
    planned(BOTH)
    edit(folder, "p.rtfs", "(defn g [x] :own)", "(defn g [x] :other)")
    (folder / "p.rtfs").rename(folder / "changed.rtfs")
    changed = (folder / "changed.rtfs").read_text(encoding="utf-8")
    with OpenAIServer(then=say_json({"q1": "local-b", "q2": "local-a"})) as server:
        (folder / "p.rtfs").write_text(changed, encoding="utf-8")
        (folder / "c.toml").write_text(CONFIG.replace("URL", server.url), encoding="utf-8")
        result = rtfs("plan", "p.rtfs", "--config", "c.toml", "--update")
    assert result.code == 0, result.err
    assert "- g at p.rtfs:6:23: local-pure\n+ g at p.rtfs:6:23: local-a" in result.out
    assert "f at" not in result.out
    assert run(rtfs, "--plan", PLAN).code == 0


def test_a_plan_of_another_program_is_refused(planned, folder, rtfs):
    planned(BOTH)
    (folder / "q.rtfs").write_text(PROGRAM, encoding="utf-8")
    told = refused(rtfs, "--plan", PLAN, program="q.rtfs")
    assert f"error[E0730]: {PLAN} is a plan of p.rtfs, and this is q.rtfs" in told


def test_a_configuration_names_a_plan_for_its_own_program_alone(planned, folder, rtfs):
    planned(BOTH)
    edit(folder, "c.toml", "[delegation]\n", f'[delegation]\nplan = "{PLAN}"\n')
    assert run(rtfs).data["calls"][0]["source"] == "pinned"
    (folder / "q.rtfs").write_text(PROGRAM, encoding="utf-8")
    other = run(rtfs, program="q.rtfs")
    assert other.code == 0, other.err


def test_a_found_file_that_nobody_trusts_names_no_plan(planned, folder, rtfs):
    planned(BOTH)
    (folder / "delegation.toml").write_text(f'[delegation]\nplan = "{PLAN}"\n', encoding="utf-8")
    result = run(rtfs)
    assert "delegation.plan" in result.err
    assert "pinned" not in [call["source"] for call in result.data["calls"]]


BAD = [
    # what is replaced, by what, the code, what is said
    ('target = "local-b"', 'target = "local-gone"', "E0706", "no local model 'gone' is configured"),
    ("version = 1", "version = 2", "E0705", "'version' is 2"),
    ("version = 1", "", "E0704", "the key 'version' is missing"),
    ("[[site]]", "[[sites]]", "E0702", "unknown key 'sites'"),
    ("[[site]]", "[[site]", "E0701", "no valid TOML"),
    ('target = "local-b"', "target = 5", "E0703", "target"),
]


@pytest.mark.parametrize(("old", "new", "code", "said"), BAD)
def test_a_broken_plan_is_refused_at_its_place(planned, folder, rtfs, old, new, code, said):
    planned(BOTH)
    edit(folder, PLAN, old, new)
    told = refused(rtfs, "--plan", PLAN)
    assert f"error[{code}]" in told
    assert said in told
    assert f"{PLAN}:" in told


def test_two_entries_for_one_place_are_refused(planned, folder, rtfs):
    planned(BOTH)
    edit(folder, PLAN, 'function = "g"\nat = "p.rtfs:6:23"', 'function = "f"\nat = "p.rtfs:6:17"')
    assert "error[E0705]: a second entry for `f` at p.rtfs:6:17" in refused(rtfs, "--plan", PLAN)


def test_no_such_plan_and_nowhere_to_write_are_told(planned, rtfs, folder):
    planned(BOTH)
    assert "error[E0901]" in refused(rtfs, "--plan", "gone.toml")
    result = rtfs("plan", "p.rtfs", "--config", "c.toml", "--output", "no/such/folder.toml")
    assert "error[E0912]" in result.err
    assert rtfs("plan", "-", "--config", "c.toml", stdin=PROGRAM).code == 2


def test_json_has_all_of_it(planned):
    result, _ = planned(BOTH, args=("--json",))
    data = json.loads(result.out)
    assert data["written"] is True
    assert {"file", "program", "sites", "policy", "candidates", "questions", "cost", "difference"} <= data.keys()
    assert {"symbol", "function", "at", "inside", "target", "source", "why", "looked_at"} == data["sites"][0].keys()


def test_deny_rules_and_reach_dispose_of_what_is_pinned_by_hand(planned, folder, rtfs):
    remote = '[delegation.remote_providers.r]\nprovider = "openai"\nendpoint = "http://127.0.0.1:9/v1"\nmodel = "m"\n'
    planned(BOTH, config=f'{CONFIG}{remote}[security]\nreach = "local"\n')
    edit(folder, PLAN, 'target = "local-b"', 'target = "remote-r"')
    result = run(rtfs, "--plan", PLAN)
    (first, *_) = result.data["calls"]
    assert (first["target"], first["source"]) == ("local-pure", "pinned")
    assert any(step == "security" for step, _ in first["steps"])


def test_labels_dispose_of_what_is_pinned_by_hand(planned, folder, rtfs):
    remote = '[delegation.remote_providers.r]\nprovider = "openai"\nendpoint = "http://127.0.0.1:9/v1"\nmodel = "m"\n'
    planned(BOTH, config=f'{CONFIG}{remote}[labels.inputs]\nx = ["pii"]\n')
    edit(folder, PLAN, 'target = "local-b"', 'target = "remote-r"')
    (first, second, *_) = run(rtfs, "--plan", PLAN).data["calls"]
    assert (first["target"], first["attempts"]) == ("local-pure", []), "it is brought home, and nothing was sent"
    assert any("pii" in verdict for _, verdict in first["steps"])
    assert second["source"] == "pinned"


def test_the_program_itself_is_not_written_over_and_a_link_stays_one(planned, rtfs, folder):
    planned(BOTH)
    before = (folder / "p.rtfs").read_text(encoding="utf-8")
    result = rtfs("plan", "p.rtfs", "--config", "c.toml", "--output", "p.rtfs", "--update")
    assert (result.code, "error[E0912]: p.rtfs is the program itself" in result.err) == (2, True)
    assert (folder / "p.rtfs").read_text(encoding="utf-8") == before
    try:
        (folder / "link.toml").symlink_to(folder / "real.toml")
    except OSError:
        pytest.skip("no links here")
    assert rtfs("plan", "p.rtfs", "--config", "c.toml", "--output", "link.toml").code == 0
    assert (folder / "link.toml").is_symlink()
    assert (folder / "real.toml").read_text(encoding="utf-8").startswith("# Where the calls of p.rtfs go.")
    assert [each for each in folder.iterdir() if each.name.endswith(".new")] == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_what_is_no_ordinary_file_is_written_to_and_not_replaced(folder):
    os.mkfifo(folder / "pipe")
    reader = os.open(folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_text(folder / "pipe", "a plan")
        assert os.read(reader, 100) == b"a plan"
    finally:
        os.close(reader)
    assert (folder / "pipe").is_fifo()


def test_update_never_overwrites_what_is_no_plan(planned, rtfs, folder):
    planned(BOTH)
    (folder / "notes.toml").write_text('mine = "yes"\n', encoding="utf-8")
    refused = rtfs("plan", "p.rtfs", "--config", "c.toml", "--update", "--output", "notes.toml")
    assert refused.code == 2
    assert "notes.toml is no plan, and --update would overwrite it" in refused.err
    assert (folder / "notes.toml").read_text(encoding="utf-8") == 'mine = "yes"\n'


def test_the_way_out_names_the_plan_that_was_named(planned, rtfs, folder):
    planned(BOTH, args=("--output", "reviewed.toml"))
    (folder / "p.rtfs").write_text(PROGRAM.replace("Does f.", "Does f well."), encoding="utf-8")
    refused = rtfs("plan", "p.rtfs", "--config", "c.toml", "--output", "reviewed.toml")
    assert "`rtfs plan p.rtfs --update --output reviewed.toml`" in refused.err
