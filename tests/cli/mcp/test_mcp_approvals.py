"""Calls that wait for a person: put to the client's user by forms, each of which is good for one answer."""

from __future__ import annotations

import json

import pytest

from rtfs_framework.cli.main import run as run_here

pytestmark = pytest.mark.needs("rtfs-engine-static", "rtfs-provider-echo")

MODES = ("auto", "legacy")


def codes(answer):
    return [each["code"] for each in answer.structured_content["errors"]]


PAY = {"program": '(defn pay [x] "own") (defn main [x] (pay x))', "args": ["ten euros"]}


@pytest.mark.parametrize(
    ("mode", "action", "content", "value"),
    [
        ("auto", "accept", {"approve": True}, "ten euros"),
        ("auto", "accept", {"approve": False}, None),
        ("legacy", "accept", {"approve": True}, "ten euros"),
        ("legacy", "decline", None, None),
    ],
    ids=["yes", "no", "yes-legacy", "declined-legacy"],
)
def test_calls_that_wait_are_put_to_the_user_of_the_client(asked, mode, action, content, value):
    from mcp_types import ElicitResult

    questions = []

    async def elicit(_context, params):
        questions.append(params.message)
        return ElicitResult(action=action, content=content)

    async def work(client):
        return await client.call_tool("run", PAY)

    found = asked(work, mode=mode, elicitation_callback=elicit)
    (question,) = questions
    assert question == 'May this call be made? (pay "ten euros") -> local-model echo (boss is asked)'
    if value is not None:
        assert (found.is_error, found.structured_content["status"]) == (False, "complete")
        assert found.structured_content["calls"][0]["target"] == "local-model echo"
    else:
        assert codes(found) == ["E0710"]


@pytest.mark.parametrize("mode", MODES)
def test_who_says_nothing_is_asked_once(asked, mode):
    from mcp_types import ElicitResult

    questions = []

    async def elicit(_context, params):
        questions.append(params.message)
        return ElicitResult(action="cancel")

    async def work(client):
        return (await client.call_tool("run", PAY)).structured_content

    found = asked(work, mode=mode, elicitation_callback=elicit)
    assert (found["status"], len(questions)) == ("waiting", 1)
    assert found["approval"]["how"].startswith("a person says `rtfs approve yes ")


def test_without_a_form_the_answer_says_how_to_approve(asked, capsys):
    async def work(client):
        found = (await client.call_tool("run", PAY)).structured_content
        assert found["status"] == "waiting"
        assert found["approval"]["call"] == '(pay "ten euros")'
        again = (await client.call_tool("resume", {"run": found["run"]})).structured_content
        assert again["status"] == "waiting"
        assert run_here(["approve", "yes", found["approval"]["id"]]) == 0
        return await client.call_tool("resume", {"run": found["run"]})

    found = asked(work)
    assert found.structured_content["status"] == "complete"


def test_a_client_that_may_not_approve_is_not_asked(asked):
    async def elicit(_context, params):
        raise AssertionError(params)

    async def work(client):
        return (await client.call_tool("run", PAY)).structured_content

    more = "[mcp.clients.agent]\napprove = false\n"
    assert asked(work, client="agent", more=more, elicitation_callback=elicit)["status"] == "waiting"


YES = {"action": "accept", "content": {"approve": True}}


async def answered(client, state, arguments=PAY, **said):
    """Return what a call of `run` gives that comes with an answer to a form: its result, or another form."""
    from mcp_types import ElicitResult

    given = {"approve": ElicitResult(**(said or YES))}
    return await client.session.call_tool(
        "run", arguments, input_responses=given, request_state=state, allow_input_required=True
    )


def shown(form):
    return form.input_requests["approve"].params.message


async def no_form(_context, params):
    raise AssertionError(params)


MADE_UP = ("", "{run}", "{other}", "{run}.00.{other}", "{run}.{id}.{other}", "{other}.{id}.{run}")


def test_a_made_up_state_answers_nothing(asked):
    """Nor does one of a run's own ids: who was sent no form has nothing to answer, whatever it may do."""

    async def work(client):
        waits = (await client.call_tool("run", PAY)).structured_content
        ids = {"run": waits["run"], "id": waits["approval"]["id"], "other": "f" * 32}
        said = [(await answered(client, state.format(**ids))).structured_content for state in MADE_UP]
        return said, (await client.call_tool("resume", {"run": waits["run"]})).structured_content

    said, again = asked(work)
    outcomes = [each.get("status") or each["errors"][0]["code"] for each in said]
    assert outcomes == ["E0910", "E0910", "E0910", "waiting", "waiting", "E0950"]
    assert again["status"] == "waiting"


def test_an_answer_counts_once_and_for_the_call_that_was_shown(asked):
    program = {"program": '(defn pay [a] "own") (defn wire [a] "own") [(pay "1 euro") (wire "ALL my money")]'}

    async def work(client):
        first = await client.session.call_tool("run", program, allow_input_required=True)
        second = await answered(client, first.request_state, program)
        again = await answered(client, first.request_state, program)  # as one that sends a request twice
        assert [shown(each).partition(" ->")[0] for each in (first, second, again)] == [
            'May this call be made? (pay "1 euro")',
            *['May this call be made? (wire "ALL my money")'] * 2,
        ]
        assert len({each.request_state for each in (first, second, again)}) == 3
        denied = await answered(client, again.request_state, program, action="decline")
        late = await answered(client, second.request_state, program)
        return denied, late

    denied, late = asked(work, mode="auto", elicitation_callback=no_form)
    assert codes(denied) == ["E0710"]
    assert codes(late) == ["E0720"]  # that run is at an end


def test_a_form_without_an_answer_is_put_anew(asked):
    async def work(client):
        first = await client.session.call_tool("run", PAY, allow_input_required=True)
        return first, await client.session.call_tool(
            "run", PAY, request_state=first.request_state, allow_input_required=True
        )

    first, again = asked(work, mode="auto", elicitation_callback=no_form)
    assert shown(again) == shown(first)
    assert again.request_state.split(".")[:2] == first.request_state.split(".")[:2]  # of the same run and call


BOTH = {"program": '(defn pay [a] "own") (defn wire [a] "own") (step-parallel (pay "one") (wire "two"))'}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("refused", ["", "pay", "wire"])
def test_calls_of_one_run_that_wait_at_once_are_asked_about_in_turn(asked, mode, refused):
    from mcp_types import ElicitResult

    questions = []

    async def elicit(_context, params):
        questions.append(params.message)
        return ElicitResult(action="accept", content={"approve": not refused or refused not in params.message})

    async def work(client):
        return await client.call_tool("run", BOTH)

    found = asked(work, mode=mode, elicitation_callback=elicit)
    asked_about = [each.split()[5] for each in questions]
    if refused:
        assert codes(found)[0] == "E0710"
        assert f"({refused}" in asked_about  # the other call may have been asked about before or after
        assert len(set(asked_about)) == len(asked_about)
    else:
        assert found.structured_content["status"] == "complete"
        assert sorted(asked_about) == ["(pay", "(wire"]
        assert found.structured_content["value"] == ["one", "two"]


@pytest.mark.parametrize("mode", MODES)
def test_what_somebody_else_has_answered_is_not_asked_again(asked, mode, capsys):
    """The run finds their word, and the user is asked about what waits still."""
    from mcp_types import ElicitResult

    questions = []

    def waiting():
        capsys.readouterr()
        assert run_here(["approve", "list", "--json"]) == 0
        return {each["symbol"]: each["id"] for each in json.loads(capsys.readouterr().out)["approvals"]}

    async def elicit(_context, params):
        if not questions:
            questions.append(params.message)
            assert run_here(["approve", "yes", waiting()[params.message.split("(")[1].split()[0]]]) == 0
        else:
            questions.append(params.message)
        return ElicitResult(action="accept", content={"approve": True})

    async def work(client):
        return await client.call_tool("run", BOTH)

    found = asked(work, mode=mode, elicitation_callback=elicit)
    assert found.structured_content["status"] == "complete"
    assert len(questions) == 2
    assert waiting() == {}


def test_parking_withdraws_no_call_that_waits(asked, capsys):
    async def work(client):
        return (await client.call_tool("run", BOTH)).structured_content

    found = asked(work)
    assert found["status"] == "waiting"
    capsys.readouterr()
    assert run_here(["approve", "list", "--all", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["approvals"]
    assert sorted((each["symbol"], each["state"]) for each in rows) == [("pay", "waiting"), ("wire", "waiting")]


def test_runs_of_others_are_not_gone_on_with(asked):
    async def begin(client):
        return (await client.call_tool("run", PAY)).structured_content["run"]

    async def work(client):
        return await client.call_tool("resume", {"run": run})

    more = "[mcp.clients.a]\napprove = false\n[mcp.clients.b]\napprove = false\n"
    run = asked(begin, client="a", more=more)
    assert codes(asked(work, client="b", more=more)) == ["E0950"]
    assert codes(asked(work, more=more)) == ["E0950"]
    assert asked(work, client="a", more=more).structured_content["status"] == "waiting"
