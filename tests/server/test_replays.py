"""A request that comes again is answered as before: under way, afterwards, and by the server's successor."""

from __future__ import annotations

import hashlib
import threading

from rtfs_framework.testing.served import served

SLOW = "(defn main [n] (loop [i 0] (if (< i n) (recur (inc i)) i)))"


def test_an_equal_request_has_the_same_answer(ask, tmp_path):
    with served(home=tmp_path) as server:
        first = ask(server, "(+ 1 2)", key="k1")
        again = ask(server, "(+ 1 2)", key="k1", deadline=5, via=["elsewhere"])
        assert first.json() == again.json()
        assert again.headers["rtfs-replayed"] == "true"
        assert "rtfs-replayed" not in first.headers
        other = ask(server, "(+ 1 3)", key="k1")
        assert (other.status_code, other.json()["error"]["code"]) == (409, "E0945")
    with served(home=tmp_path) as successor:
        kept = ask(successor, "(+ 1 2)", key="k1")
        assert kept.json() == first.json()
        assert kept.headers["rtfs-replayed"] == "true"


def test_a_key_is_a_tenant_s_own(ask):
    with served(tenants=("a", "b")) as server:
        ask(server, "1", key="k")
        other = {"Authorization": f"Bearer {server.tokens['b']}"}
        answer = ask(server, "2", key="k", headers=other)
        assert answer.json()["value"] == "2"


def test_errors_of_a_program_are_kept_and_deadlines_are_not(ask):
    with served() as server:
        failing = [ask(server, "(throw {:kind :Mine})", key="f") for _ in range(2)]
        assert [each.status_code for each in failing] == [422, 422]
        assert failing[1].headers["rtfs-replayed"] == "true"
        assert ask(server, "7", key="d", deadline=0).status_code == 408
        assert ask(server, "7", key="d").json()["value"] == "7"


def test_one_under_way_is_waited_for(ask):
    with served("[limits]\nsteps = 'off'") as server:
        answers = []

        def once():
            answers.append(ask(server, SLOW, "[300000]", key="w"))

        threads = [threading.Thread(target=once) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert {each.json()["value"] for each in answers} == {"300000"}
        assert sum("rtfs-replayed" in each.headers for each in answers) == 3


def test_a_token_with_other_marks_asks_for_something_else(ask, tmp_path):
    config = '[labels]\nmarks = ["pii"]\n[serve.tokens.marked]\nsha256 = "{}"\nmarks = ["pii"]\n'
    token = "of-somebody-who-sees-people"
    with served(config.format(hashlib.sha256(token.encode()).hexdigest()), home=tmp_path) as server:
        marked = ask(server, "(+ 1 2)", key="k", headers={"Authorization": f"Bearer {token}"})
        assert marked.json()["labels"] == ["pii"]
        assert ask(server, "(+ 1 2)", key="k").status_code == 409


def test_what_a_program_throws_is_written_nowhere_where_data_carries_marks(ask, tmp_path):
    failing = '(throw {:kind :Mine :message "zebra"})'
    with served('[labels]\nmarks = ["pii"]', home=tmp_path) as server:
        assert ask(server, failing, key="k").status_code == 422
        assert ask(server, failing, key="k").headers["rtfs-replayed"] == "true"
        assert ask(server, "7", key="kept").json()["value"] == "7"
    with served('[labels]\nmarks = ["pii"]', home=tmp_path) as successor:
        assert "rtfs-replayed" in ask(successor, "7", key="kept").headers
        assert "rtfs-replayed" not in ask(successor, failing, key="k").headers


def test_who_waits_for_an_equal_request_waits_no_longer_than_its_own_deadline(ask):
    with served("[limits]\nsteps = 'off'") as server:
        endless = "(defn main [] (loop [i 0] (recur (inc i))))"
        first = threading.Thread(
            target=ask, args=(server, endless), kwargs={"entry": "main", "key": "e", "deadline": 3}
        )
        first.start()
        while not server.state.metrics.running:
            first.join(0.01)
        answer = ask(server, endless, entry="main", key="e", deadline=0.2)
        assert (answer.status_code, answer.json()["error"]["code"]) == (408, "E0944")
        assert first.is_alive()
        first.join()
