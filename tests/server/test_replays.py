"""A request that comes again is answered as before: under way, afterwards, and by the server's successor."""

from __future__ import annotations

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
