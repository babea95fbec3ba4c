"""Programs made from a seed, with some 40 host calls of all kinds, and processes that die in the middle of them.

As a process of its own, `python programs.py WHAT HOME SEED SIZE MOMENT` makes one and dies there with SIGKILL: WHAT is
"begin", or the id of a run to go on with. It prints the value as the language writes it when it comes to the end.

All arguments of a program differ, so an effect tells by its name and argument which call made it.
"""

from __future__ import annotations

import json
import os
import random
import sys
from contextlib import suppress
from pathlib import Path

import attrs

from rtfs_framework.api import CapabilityEntry, InferenceReply, Locality, ProviderEntry
from rtfs_framework.lang.digest import digest
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.append import Appending
from rtfs_framework.orchestrator.recording.journal.file import keys_of
from rtfs_framework.orchestrator.recording.journal.redact import name_of
from rtfs_framework.orchestrator.recording.journal.writer import Journal
from rtfs_framework.orchestrator.running.past_calls import UNSETTLED, Assumed, ResumeError
from rtfs_framework.orchestrator.running.resuming import Resuming
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.problems import Provenance

WHO = Provenance("acme-plugin", "1", "acme")
GRANTED = ("put", "send", "flop", "flip")
CONFIG = f"""
[security]
grant = {json.dumps([*GRANTED, "host.sleep", "host.checkpoint"])}
[delegation]
parallel = 4
[delegation.static_routes]
"own" = ["local-pure"]
"""
HEAD = """
(defn paid ^:delegation :remote "paid" [x : :string] : :string "-")
(defn dear ^:delegation :remote "dear" [x : :string] : :string "-")
(defn near ^:delegation :local-model "near" [x : :string] : :string "-")
(defn own [x] (str "own " x (call :put (str x "-own"))))
(defn tell [x] (str "told " (call :put x)))
(defn both [x] [(call :send (str x "-s")) (paid (str x "-p"))])
"""
TWICE = {"put": True, "send": False, "paid": True, "dear": False, "near": True}
"""What has an effect, and whether that may be had twice."""
ROWS = """
SELECT what, entry, record, id, body FROM log WHERE what IN ('begun', 'ended')
AND run = (SELECT max(position) FROM log WHERE what = 'run' AND id = ?)
"""


def program(seed, size):
    """Return the text of a program of at least so many calls."""
    return _Maker(random.Random(f"program {seed}"), size).text()


@attrs.define
class _Maker:
    """Writes one program: every step is bound to a name, and later ones use what earlier ones gave."""

    draw: random.Random
    left: int
    steps: list = attrs.field(factory=list)
    made: int = 0

    def text(self):
        tops = [f"(def top{n} {self.step()})" for n in range(self.draw.randrange(3))]
        tops += [f"(def hooked (fn [x] (str x {self.step()})))"] if self.draw.random() < 0.3 else []
        known = "".join(f"top{n} " for n in range(sum(each.startswith("(def top") for each in tops)))
        known += '(hooked "h") ' if len(tops) > known.count("top") else ""
        while self.left > 0:
            self.steps.append(self.step())
        binds = "\n        ".join(f"v{n} {step}" for n, step in enumerate(self.steps))
        names = " ".join(f"v{n}" for n in range(len(self.steps)))
        return "\n".join([HEAD, *tops, f"(defn main [x]\n  (let [{binds}]\n    [{known}{names}]))"])

    def arg(self):
        """Return a text that no other call has; it often holds what an earlier step gave."""
        self.made += 1
        self.left -= 1
        if self.steps and self.draw.random() < 0.4:
            return f'(str "{self.made}-" (count (str v{self.draw.randrange(len(self.steps))})))'
        return f'"{self.made}"'

    def args(self, least=2, most=4):
        return " ".join(self.arg() for _ in range(self.draw.randint(least, most)))

    def step(self):
        return getattr(self, "_" + self.draw.choice(KINDS))()

    def one(self):
        """Return a call of any kind that has an effect."""
        name = self.draw.choice(list(TWICE))
        return f"(call :{name} {self.arg()})" if name in ("put", "send") else f"({name} {self.arg()})"

    def _one(self):
        return self.one()

    def _own(self):
        return f"(own {self.arg()})"

    def _pmap(self):
        return f"(pmap {self.draw.choice(['paid', 'dear', 'tell', 'own', 'both', 'near'])} [{self.args()}])"

    def _mapv(self):
        return f"(mapv {self.draw.choice(['paid', 'dear', 'tell', 'own', 'both', 'near'])} [{self.args()}])"

    def _parallel(self):
        return f"(step-parallel {self.one()} {self.one()})"

    def _failing(self):
        name = self.draw.choice(("flop", "flip"))
        return (
            f"(try (do {self.one()} (call :{name} {self.arg()})) (catch e (str {self.one()} (:kind e) (:message e))))"
        )

    def _context(self):
        key = self.draw.choice("abc")
        return f"(do (context/set :{key} {self.one()}) (context/get :{key}))"

    def _checkpoint(self):
        self.left -= 1
        return f"(checkpoint :p{self.made})"

    def _sleep(self):
        self.left -= 1
        return "(host/sleep 0)"

    def _ticket(self):
        call = self.draw.choice((self.one, lambda: f"(both {self.arg()})", lambda: f"(own {self.arg()})"))()
        return f"(let [t (ticket {call}) u (ticket {self.one()}) w {self.one()}] [(await u) w (await t)])"

    def _choice(self):
        return f"(if (> (count (str {self.one()})) {self.draw.randrange(12)}) {self.one()} {self.one()})"

    def _loop(self):
        self.left -= 2
        return f"(loop [n 0 seen {self.one()}] (if (< n 3) (recur (inc n) (call :put (str seen n))) seen))"

    def _step(self):
        return f'(step "s{self.made}" {self.one()})'


KINDS = [name[1:] for name in vars(_Maker) if name[0] == "_" and name[1] != "_"]
MANY = ("one", "one", "pmap", "ticket", "failing")
KINDS += MANY


@attrs.define
class Place:
    """Where programs run: a folder with the journal, and a file with a line for each effect, whoever dies."""

    home: Path
    left: int | None = None
    """At how many moments from now this process dies; None for never."""
    keys: object = None

    @property
    def journal(self):
        return self.home / "journal.sqlite"

    @property
    def effects(self):
        """The effects so far, in order: (name, key, argument)."""
        with suppress(FileNotFoundError):
            return [tuple(line.split("|")) for line in (self.home / "effects.txt").read_text().splitlines()]
        return []

    def clear(self):
        """Forget the effects."""
        (self.home / "effects.txt").unlink(missing_ok=True)

    def moment(self):
        """Die, if this is the moment for it."""
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                os.kill(os.getpid(), 9)

    def done(self, name, key, arg):
        self.moment()
        handle = os.open(self.home / "effects.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, f"{name}|{key}|{arg}\n".encode())
        finally:
            os.close(handle)
        self.moment()
        return f"{name} said {arg}"

    def _capability(self, name):
        def handler(request):
            if name in ("flop", "flip"):
                message = f"no {request.args[0]}"
                raise ValueError(message)
            return self.done(name, request.key, request.args[0])

        return CapabilityEntry(id=name, summary="Acts.", handler=handler, idempotent=name in ("put", "flip"))

    def _provider(self, name):
        place = self

        class Provider:
            def fingerprint(self):
                return "1"

            async def infer(self, request):
                return InferenceReply(text=place.done(name, "", request.args[0]), model="fake")

            async def aclose(self):
                pass

        return ProviderEntry(
            name=name,
            summary="Answers.",
            locality=Locality.LOCAL if name == "near" else Locality.REMOTE,
            factory=lambda _given: Provider(),
            idempotent=TWICE[name],
            defaults={name: {}},
        )

    def catalog(self):
        return Catalog(
            providers={name: (self._provider(name), WHO) for name in ("paid", "dear", "near")},
            capabilities={name: (self._capability(name), WHO) for name in GRANTED},
        )

    def open(self, config="", **options):
        path = self.home / "delegation.toml"
        if config or not path.exists():
            path.write_text(CONFIG + config)
        options.setdefault("environ", {"RTFS_HOME": str(self.home)})
        return Session.open(catalog=self.catalog(), config_path=path, **options)

    def begin(self, text):
        """Run a program from its beginning; return its value as the language writes it."""
        with self.open() as session:
            return write(session.run(Source("made.rtfs", text), ("x",)).value)

    def resume(self, run, assumed=None):
        with self.open() as session:
            return write(session.resume(Resuming(run=run, assumed=assumed or Assumed())).value)

    def settle(self, run, assumed=None):
        """Go on until it ends; whoever is asked whether a call was done looks at what was."""
        known = assumed or Assumed()
        try:
            return self.resume(run, known)
        except ResumeError as error:
            if error.code != UNSETTLED:
                raise
            return self.settle(run, self._found_out(run, error.problem.split()[1], known))

    def _found_out(self, run, id_, assumed):
        """Return what is assumed when somebody has looked whether a call was carried out."""
        assert id_ not in {*assumed.done, *assumed.not_done}, f"{id_} was settled, and is asked for again"
        symbol, args, _ = self.calls(run)[id_]
        for name, _, arg in self.effects:
            if (name, self.keyed(arg)) == (symbol, args):
                return attrs.evolve(assumed, done={**assumed.done, id_: f"{name} said {arg}"})
        return attrs.evolve(assumed, not_done=assumed.not_done | {id_})

    def keyed(self, arg):
        """Return the digest by which this journal names an argument."""
        if self.keys is None:
            with query.reading(self.journal) as connection:
                self.keys = keys_of(connection, self.journal, self.home)
        return self.keys.value(digest(arg))

    def calls(self, run):
        """Return the rows of a run's calls by id: what is called, a digest of its arguments, how often it ended."""
        found = {}
        with query.reading(self.journal) as connection:
            for what, entry, record, path, body in connection.execute(ROWS, (run,)):
                row, id_ = json.loads(body), name_of(entry, record, path)
                ends = found[id_][2] if id_ in found else 0
                found[id_] = (row["symbol"], row["args"], ends + (what == "ended" and not row.get("stopped")))
        return found

    def texts(self):
        """Return how many texts are kept."""
        with query.reading(self.journal) as connection:
            return connection.execute("SELECT count(*) FROM texts").fetchone()[0]

    @property
    def latest(self):
        """The row of the latest run, None before the first."""
        return next(iter(query.list_runs(self.journal, 1)), None) if self.journal.exists() else None

    def dies(self, moment, work):
        """Do something in a child that dies at this moment; tell whether it did."""
        child = os.fork()
        if child == 0:  # pragma: no cover - it is killed
            code = 3
            try:
                self.dying(moment)
                work()
                code = 0
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) in (0, -9)
        return os.waitstatus_to_exitcode(status) == -9

    def dying(self, moment):
        """Let this process die: moments lie around each transaction and in it, and around each effect."""
        write_rows, append = Journal._write, Appending._append
        place, self.left = self, moment

        def writing(journal):
            place.moment()
            made = write_rows(journal)
            place.moment()
            return made

        def appending(self, *args):
            made = append(self, *args)
            place.moment()
            return made

        Journal._write, Appending._append = writing, appending


def main():
    """Begin a program, or go on with one, and die."""
    what, home, seed, size, moment = sys.argv[1:]
    place = Place(Path(home))
    if int(moment) >= 0:
        place.dying(int(moment))
    sys.stdout.write(place.begin(program(seed, int(size))) if what == "begin" else place.settle(what))


if __name__ == "__main__":
    main()
