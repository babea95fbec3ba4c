"""Where generated programs run, in processes that die with SIGKILL in the middle.

As a process of its own, `python places.py` imports everything and waits (a zygote, as Android calls it): for each line
on stdin, an `Order`, it forks a child that does it, and says how that ended. So a death costs milliseconds, and each of
several Pythons can begin a run, and go on with what another one has left.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from contextlib import suppress
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs

from rtfs_framework.api import CapabilityEntry, CapabilityError, FailureKind, InferenceReply, Locality, ProviderEntry
from rtfs_framework.kernel import loader
from rtfs_framework.lang.digest import digest
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.append import Appending
from rtfs_framework.orchestrator.recording.journal.file import keys_of
from rtfs_framework.orchestrator.recording.journal.redact import name_of
from rtfs_framework.orchestrator.recording.journal.writer import Journal
from rtfs_framework.orchestrator.running import progress
from rtfs_framework.orchestrator.running.past_calls import UNSETTLED, Assumed, ResumeError
from rtfs_framework.orchestrator.running.resuming import Resuming
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.problems import Provenance

sys.path.insert(0, str(Path(__file__).parent))
from programs import TWICE, program, records, shape

WHO = Provenance("acme-plugin", "1", "acme")
FAILING = ("flop", "flip", "lost")
GRANTED = ("put", "send", *FAILING)
CONFIG = f"""
[security]
grant = {json.dumps([*GRANTED, "host.sleep", "host.checkpoint"])}
[delegation]
parallel = 4
[delegation.static_routes]
"own" = ["local-pure"]
"""
NEVER = 10**9
ROWS = """
SELECT what, entry, record, id, body FROM log WHERE what IN ('begun', 'ended')
AND run = (SELECT max(position) FROM log WHERE what = 'run' AND id = ?)
"""


@attrs.frozen
class Order:
    """What a child does: begin the program of a seed, or go on with a run of it; and when it dies."""

    home: str
    seed: int
    size: int
    run: str = ""
    """Which to go on with; "" begins one."""
    moment: int | None = None
    """At how many moments from its beginning it dies; None for never."""
    seconds: float | None = None
    """After how many it is killed from outside, wherever it is."""


@attrs.define
class Place:
    """A folder with a journal, and a file with a line for each effect, whoever dies."""

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
                os.kill(os.getpid(), signal.SIGKILL)

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
            (arg,) = request.args
            if name in ("flop", "flip"):
                raise ValueError(f"no {arg}")
            done = self.done(name, request.key, arg)
            if name == "lost":
                raise CapabilityError("lost", failure=FailureKind.SAFE)
            return done

        return CapabilityEntry(id=name, summary="Acts.", handler=handler, idempotent=name in ("put", "flip", "lost"))

    def _provider(self, name):
        place = self

        class Provider:
            def fingerprint(self):
                return "1"

            async def infer(self, request):
                return InferenceReply(text=place.done(name, request.key, request.args[0]), model="fake")

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

    def open(self, **options):
        path = self.home / "delegation.toml"
        if not path.exists():
            path.write_text(CONFIG)
        catalog = Catalog(
            providers={name: (self._provider(name), WHO) for name in ("paid", "dear", "near")},
            capabilities={name: (self._capability(name), WHO) for name in GRANTED},
        )
        return Session.open(catalog=catalog, config_path=path, environ={"RTFS_HOME": str(self.home)}, **options)

    def begin(self, seed, size):
        """Run a program from its beginning; return its value as the language writes it, or those of its records."""
        source = Source("made.rtfs", program(seed, size))
        with self.open() as session:
            if shape(seed) == "once":
                return write(session.run(source, ("x",)).value)
            return self.read(session, session.load(source, how={"folds": shape(seed) == "fold"}), seed)

    def resume(self, run, seed, assumed):
        with self.open() as session:
            resumed = session.reopen(Resuming(run=run, assumed=assumed))
            if shape(seed) == "once":
                with resumed.program as loaded:
                    return write(resumed.called(loaded).value)
            return self.read(session, resumed.program, seed, resumed.start)

    @staticmethod
    def read(session, loaded, seed, start=progress.BEGINNING):
        """Read a stream of records, or a fold; return its values by their numbers, and what the fold came to."""
        left = records(seed)[start.done :]
        folds = shape(seed) == "fold"
        stream = loaded.fold(left, start=start) if folds else session.stream(loaded, "main", left, start=start)
        found = {}
        for each in stream:
            if isinstance(each.error, ResumeError):
                raise each.error
            found[each.index] = write(each.value) if each.error is None else str(each.error)
        if folds:
            found["end"] = write(stream.finish().value)
        loaded.close("complete")
        return json.dumps(found)

    def settle(self, run, seed, assumed=None):
        """Go on until it ends; whoever is asked whether a call was done looks at what was."""
        known = assumed or Assumed()
        try:
            return self.resume(run, seed, known)
        except ResumeError as error:
            if error.code != UNSETTLED:
                raise
            return self.settle(run, seed, self._found_out(run, error.problem.split()[1], known))

    def _found_out(self, run, id_, assumed):
        """Return what is assumed when somebody has looked whether a call was carried out, or what answers for it."""
        assert id_ not in {*assumed.done, *assumed.not_done}, f"{id_} was settled, and is asked for again"
        _, args, _ = self.calls(run)[id_]
        for name, _, arg in self.effects:
            if name not in FAILING and self.keyed(arg) == args:
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

    def obey(self, order):
        """Do what is ordered, and write down what came of it."""
        progress._EVERY = 2  # a stream that begins in the middle need not be long
        self.dying(NEVER if order.moment is None else order.moment)
        value = self.settle(order.run, order.seed) if order.run else self.begin(order.seed, order.size)
        (self.home / "value.txt").write_text(value)
        (self.home / "moments.txt").write_text(f"{NEVER - self.left}")


@attrs.define
class Zygote:
    """A process of a Python that forks children, who may die."""

    python: str = sys.executable
    environ: dict | None = None
    process: object = None

    def __enter__(self):
        self.process = subprocess.Popen(
            [self.python, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self.environ
        )
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def does(self, **order):
        """Have something done; return its value, None when whoever did it died as was wanted.

        Raises:
            AssertionError: It failed.
        """
        order = Order(**order)
        self.process.stdin.write(json.dumps(attrs.asdict(order)) + "\n")
        self.process.stdin.flush()
        code = int(self.process.stdout.readline())
        if code == -signal.SIGKILL and (order.moment, order.seconds) != (None, None):
            return None
        home = Path(order.home)
        assert code == 0, (home / "error.txt").read_text()
        return (home / "value.txt").read_text()


def serve():
    """Fork a child for each order, and say how it ended."""
    loader.compile_source = _remembered(loader.compile_source)
    _warm()
    for line in sys.stdin:
        order = Order(**json.loads(line))
        _compiled(order.home, order.seed, order.size)
        child = os.fork()
        if not child:
            _child(order)
        if order.seconds is not None:
            time.sleep(order.seconds)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _warm():
    """Import what children would: one that runs a program tells what it needed."""
    with TemporaryDirectory() as home:
        child = os.fork()
        if not child:
            Place(Path(home)).begin(0, 1)
            Path(home, "modules.txt").write_text("\n".join(sys.modules))
            os._exit(0)
        os.waitpid(child, 0)
        for name in Path(home, "modules.txt").read_text().split():
            if name != "__main__":
                import_module(name)


def _remembered(compile_source):
    """Compile each text once: all children of a program have it at hand."""
    made = {}

    def compiled(source, *, delegatable, find_module, watch, **options):
        key = (source.text, source.name, repr(options))
        if key not in made:
            made[key] = compile_source(source, delegatable=delegatable, find_module=find_module, watch=watch, **options)
        return made[key]

    return compiled


@lru_cache(1)
def _compiled(home, seed, size):
    with Place(Path(home)).open(journal=False) as session:
        session.link(Source("made.rtfs", program(seed, size)))
    assert threading.active_count() == 1, "who forks has one thread"
    gc.freeze()


def _child(order):
    gc.disable()  # it lives for a moment
    code = 1
    try:
        Place(Path(order.home)).obey(order)
        code = 0
    except BaseException:
        Path(order.home, "error.txt").write_text(traceback.format_exc())
        raise
    finally:
        os._exit(code)


if __name__ == "__main__":
    serve()
