"""Calls as documents and programs of the original make them: ids, spellings and shapes of arguments.

Each is a program and what comes out of it: the print of its value, a pattern (behind "#") where that is not known
before, or (behind "!") the kind of its error. Each is refused before its id is granted, with a way out, and comes out
as said when that was followed. Calls of what other distributions offer say which.
"""

from __future__ import annotations

import re

import pytest

from rtfs_framework.api import LanguageError, ProgramError, write
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.load import load_catalog

ANY_MS, ANY_SECONDS, ANY_TIME = "#\\d{13}", "#\\d{10}", '##timestamp\\("20[^"]+Z"\\)'
ANY_UUID, ANY_FLOAT = '#"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"', "#0\\.\\d+(e-\\d+)?"

_SPELLED = {
    "ccos.echo": (":ccos.echo", '"ccos.echo"', ":ccos/echo"),
    "ccos.user.ask": (
        ":ccos.user.ask",
        '"ccos.user.ask"',
        ":ccos.user/ask",
        ":ccos.ask-human",
        ":ccos.agent.ask-human",
    ),
    "ccos.io.println": (":ccos.io.println", '"ccos.io.println"', ":ccos.io/println"),
    "ccos.io.print": (":ccos.io.print", ":ccos.io/print"),
    "ccos.io.log": (":ccos.io.log", '"ccos.io.log"', ":ccos.io/log", ":tool/log", '"tool.log"'),
    "ccos.data.parse-json": (":ccos.data.parse-json", '"ccos.data.parse-json"', ":ccos.data/parse-json"),
    "ccos.json.parse": (":ccos.json.parse", '"ccos.json.parse"', ":ccos.json/parse"),
    "ccos.data.serialize-json": (
        *(":ccos.data.serialize-json", '"ccos.json.stringify"', ":ccos.json.stringify", ":ccos.json/stringify"),
        *(":ccos.json.serialize", ":ccos.data/serialize-json"),
    ),
    "ccos.concurrent/parallel": (":ccos.concurrent/parallel", '"ccos.concurrent.parallel"'),
    "ccos.system.current-timestamp-ms": (":ccos.system.current-timestamp-ms", ":tool/time-ms", '"tool.time-ms"'),
    "ccos.system.current-time": (":ccos.system.current-time", '"ccos.system.current-time"'),
    "ccos.system.current-timestamp": (":ccos.system.current-timestamp", ":current-timestamp", ":ccos.time/now"),
    "ccos.system.generate-uuid": (":ccos.system.generate-uuid", ":generate-uuid", '"ccos.uuid.generate"'),
    "ccos.random": (":ccos.random", ":random", ":ccos.math.random"),
    "ccos.system.sleep-ms": (":ccos.system.sleep-ms", ":thread/sleep"),
    "ccos.system.get-env": (":ccos.system.get-env", '"ccos.system.get-env"', ":ccos.system/get-env"),
    "ccos.ai.llm-execute": (":ccos.ai.llm-execute", '"ccos.ai.llm-execute"', ":llm-execute", ":ccos.llm.generate"),
    "ccos.discovery.discover": (":ccos.discovery.discover", ":ccos.marketplace/search", ":discover-capabilities"),
}
_SHAPES: dict[str, tuple[tuple[str, str], ...]] = {
    "ccos.echo": (
        ('(call {id} "hello")', '"hello"'),
        ('(call {id} {{:message "Hello, World!"}})', '"Hello, World!"'),
        ('(call {id} {{"message" "from JSON"}})', '"from JSON"'),
        ('(step "Greet" (call {id} {{:message "hi"}}))', '"hi"'),
        ('(let [name "Ada"] (call {id} {{:message (str "Hello, " name "!")}}))', '"Hello, Ada!"'),
        ("(call {id} {{:status :done :count 2}})", "{{:status :done :count 2}}"),
        ("(call {id})", "!ArityMismatch"),
    ),
    "ccos.user.ask": (
        ('(call {id} "What is your name?")', '"Ada"'),
        ('(call {id} "Where to? " "Paris")', '"Ada"'),
        ('(call {id} {{:prompt "Cannot proceed: which key?"}})', '"Ada"'),
        ('(call {id} "Your age?" {{:timeout 5000}})', '"Ada"'),
        ('(step "Survey" (let [a (call {id} "One?") b (call {id} "Two?")] {{:a a :b b}}))', '{{:a "Ada" :b "Ada"}}'),
        ("(call {id} 42)", "!InvalidArgument"),
    ),
    "ccos.io.println": (
        ('(call {id} "Hello")', "nil"),
        ('(call {id} "Result:" 42 [1 "x"])', "nil"),
        ('(let [y (* 3 2)] (call {id} "Result:" y) y)', "6"),
    ),
    "ccos.io.print": (('(call {id} "no end")', "nil"), ("(call {id} 1 2)", "nil")),
    "ccos.io.log": (
        ('(call {id} "Processing...")', "nil"),
        ('(call {id} (str "The sum is: " (+ 15 27)))', "nil"),
        ('(call {id} :warn "low" {{:left 3}})', "nil"),
    ),
    "ccos.data.parse-json": (
        ('(call {id} "{{\\"test\\": true}}")', '{{"test" true}}'),
        ('(get (call {id} "{{\\"email\\": \\"a@b.c\\"}}") "email")', '"a@b.c"'),
        ('(call {id} "not json")', "!Generic"),
        ("(call {id} 7)", "!TypeError"),
    ),
    "ccos.json.parse": (
        ('(call {id} "{{\\"a\\": 1}}")', "{{:a 1}}"),
        ('(call {id} "[{{\\"a b\\": null}}, 2.5]")', '[{{"a b" nil}} 2.5]'),
    ),
    "ccos.data.serialize-json": (
        ("(call {id} {{:a 1}})", '"{{\\"a\\":1}}"'),
        ('(call {id} [1 "two" nil])', '"[1,\\"two\\",null]"'),
    ),
    "ccos.concurrent/parallel": (
        ("(call {id} [(+ 1 2) (* 2 3)])", "[3 6]"),
        ("(call {id} 1 2)", "[1 2]"),
        ("(call {id} [(fn [] 1) (fn [] 2)])", "!InvalidArgument"),
    ),
    "ccos.system.current-timestamp-ms": (("(call {id})", ANY_MS), ("(call {id} 1)", "!ArityMismatch")),
    "ccos.system.current-time": (("(call {id})", ANY_SECONDS),),
    "ccos.system.current-timestamp": (("(call {id})", ANY_TIME),),
    "ccos.system.generate-uuid": (("(call {id})", ANY_UUID),),
    "ccos.random": (
        ("(call {id})", ANY_FLOAT),
        ("(call {id} 10)", "#\\d"),
        ("(call {id} 5 6)", "5"),
        ("(call {id} 0)", "!InvalidArgument"),
    ),
    "ccos.system.sleep-ms": (("(call {id} 1)", "nil"), ("(call {id} 3600000)", "!InvalidArgument")),
    "ccos.system.get-env": (
        ('(call {id} "LANG")', '"C"'),
        ('(or (call {id} "LANG") "http://localhost:3000")', '"C"'),
        ("(call {id} 1)", "!InvalidArgument"),
    ),
    "ccos.ai.llm-execute": (
        ('(call {id} "echo" "Summarise: a b c")', '"Summarise: a b c"'),
        ('(call {id} {{:model "echo" :prompt "Sort these."}})', '"Sort these."'),
        ('(call {id} {{:model :echo :prompt "p" :system "s"}})', '"s\\n\\np"'),
        ('(call {id} {{:model "none" :prompt "p"}})', "!UnknownCapability"),
    ),
    "ccos.discovery.discover": (
        ('(map :id (call {id} "nothing-like-it"))', "[]"),
        ('(call {id} {{:server "github"}})', "[]"),
        ("(vector? (call {id} {{}}))", "true"),
        ('(call {id} {{:tags ["database" "postgresql"]}})', "[]"),
        ("(call {id} 3)", "!InvalidArgument"),
    ),
}
_MATH = {
    "add": ("5", "6", "!TypeError"),
    "subtract": ("-1", "-4", "!TypeError"),
    "multiply": ("6", "6", "!TypeError"),
    "divide": ("0.6666666666666666", "0.16666666666666666", "!TypeError"),
}
PRELUDE = (
    ('(println "hello" 5)', "nil", "ccos.io.println"),
    ("(println)", "nil", "ccos.io.println"),
    ('(log "started" 3)', "nil", "ccos.io.log"),
    ('(tool/log "The sum is" 3)', "nil", "ccos.io.log"),
    ('(tool.log "x")', "nil", "ccos.io.log"),
    ("(current-timestamp)", ANY_TIME, "ccos.system.current-timestamp"),
    ("(timestamp-to-ms (current-timestamp))", ANY_MS, "ccos.system.current-timestamp"),
    ("(generate-uuid)", ANY_UUID, "ccos.system.generate-uuid"),
    ('(str "order-" (count (generate-uuid)))', '"order-36"', "ccos.system.generate-uuid"),
    ("(tool/time-ms)", ANY_MS, "ccos.system.current-timestamp-ms"),
    ("(tool.time-ms)", ANY_MS, "ccos.system.current-timestamp-ms"),
    ("(current-time-millis)", ANY_MS, "ccos.system.current-timestamp-ms"),
    ('(get-env "LANG")', '"C"', "ccos.system.get-env"),
    ("(thread/sleep 1)", "nil", "ccos.system.sleep-ms"),
    ("(random)", ANY_FLOAT, "ccos.random"),
    ("(random 1 2)", "1", "ccos.random"),
    ('(llm-execute "echo" "Hi")', '"Hi"', "ccos.ai.llm-execute"),
    ('(llm-execute :model "echo" :prompt "Hi" :system "Brief.")', '"Brief.\\n\\nHi"', "ccos.ai.llm-execute"),
)
ELSEWHERE = tuple(
    (program, distribution)
    for distribution, programs in {
        "rtfs-capability-files": (
            *('(call :ccos.fs/read-file "/path/to/file")', '(call :ccos.io.read-file "data.txt")'),
            *('(call "ccos.io.write-file" "/tmp/foo" "bar")', '(file-exists? "notes.txt")'),
            *(
                '(call :fs.read "/path/to/file")',
                '(call :fs.write {:path "out" :content "x"})',
                '(call :fs.delete "/")',
            ),
            *('(call :ccos.file.read "a.txt")', '(call "ccos.file.read" {:path "a.txt"})', '(call :fs.list "./data")'),
        ),
        "rtfs-capability-http": (
            *('(call :ccos.http/get {:url "https://example.org"})', '(call :ccos.http.get "https://example.org")'),
            '(call :ccos.network.http-fetch "https://example.org/users/1")',
            '(call :ccos.network.http-fetch {:url "https://example.org" :method "GET" :headers {}})',
            '(call "ccos.network.http-fetch" :method "POST" :url "https://example.org" :body "{}")',
            '(call :ccos.network.http-fetch ["https://example.org/data"])',
            '(http-fetch "https://example.org")',
            '(tool/http-fetch {:url "https://example.org"})',
        ),
        "rtfs-capability-kv": (
            *('(call :ccos.state.kv/get "my-key")', '(call :ccos.state.kv/put "my-key" "my-value")'),
            *('(kv/assoc! "cart" :apples 2)', '(kv/conj! "log" :started)', '(kv/dissoc! "cart" :apples)'),
            *('(call :ccos.state.kv.get "key")', '(call :ccos.state.kv.put "key" "value")'),
            *('(call :ccos.state.kv.get {:key "k"})', '(call :ccos.state.kv.put {:key "k" :value "v"})'),
            '(call "ccos.state.kv.get" "my-key")',
        ),
        "rtfs-capability-mcp": (
            '(call :mcp.weather-server.get-weather {:location "San Francisco"})',
            '(call :mcp.github.list_issues {:owner "o" :repo "r"})',
        ),
    }.items()
    for program in programs
)
"""Calls of what other distributions offer."""


def forms() -> list[tuple[str, str, str]]:
    """Return programs, what comes out, and the id that must be granted."""
    found = [
        (shape.format(id=spelled), value.replace("{{", "{").replace("}}", "}"), id_)
        for id_, shapes in _SHAPES.items()
        for shape, value in shapes
        for spelled in _SPELLED[id_]
    ]
    for name, (two, three, wrong) in _MATH.items():
        id_ = f"ccos.math.{name}"
        for spelled in (f":{id_}", f'"{id_}"', f":ccos.math/{name}"):
            found += [
                (f"(call {spelled} 2 3)", two, id_),
                (f"(call {spelled} {{:a 2 :b 3}})", two, id_),
                (f"(call {spelled} {{:args (list 1 2 3)}})", three, id_),
                (f'(call {spelled} 2 "3")', wrong, id_),
                (f"(call {spelled} 2)", "!ArityMismatch", id_),
                (f'(step "Calculate" (let [r (call {spelled} 2 3)] {{:result r}}))', f"{{:result {two}}}", id_),
            ]
    found += [("(call :ccos.math.divide 1 0)", "!DivisionByZero", "ccos.math.divide")]
    return [*found, *PRELUDE]


FORMS = forms()
_LINE = re.compile(r"add  grant = \[(.+?)\]  under \[security\]")
ALONE = {"RTFS_PLUGINS": "rtfs-capability-standard", "LANG": "C"}
WITH_MODEL = {**ALONE, "RTFS_PLUGINS": "rtfs-capability-standard,rtfs-provider-echo"}


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Return a function that gives the session of a grant, made once; every question in it is answered "Ada"."""
    home, sessions = tmp_path_factory.mktemp("home"), {}

    def session(grant, environ=ALONE):
        key = grant, environ["RTFS_PLUGINS"]
        if key not in sessions:
            path = home / f"{len(sessions)}.toml"
            path.write_text(f"[security]\ngrant = [{grant}]\n", encoding="utf-8")
            sessions[key] = Session.open(
                config_path=path,
                environ={"RTFS_HOME": str(home), **environ},
                catalog=load_catalog(environ),
                answerer=lambda *_: "Ada",
                journal=False,
            )
        return sessions[key]

    yield session
    for each in sessions.values():
        each.close()


def outcome(session, program):
    """Return the print of a program's value, or the kind of its error and its message."""
    try:
        return write(session.run(Source("document.rtfs", program)).value), ""
    except ProgramError as error:
        return f"!{error.kind}", error.message
    except LanguageError as error:
        return "!LanguageError", str(error)


def environ_of(id_):
    return WITH_MODEL if id_ == "ccos.ai.llm-execute" else ALONE


def marked(form):
    """Return a form as a parameter: the model that is asked is another distribution's."""
    needs = [pytest.mark.needs("rtfs-provider-echo")] if form[2] == "ccos.ai.llm-execute" else []
    return pytest.param(*form, marks=needs, id=form[0])


@pytest.mark.parametrize(("program", "value", "id_"), [marked(form) for form in FORMS])
def test_a_call_runs_once_its_way_out_was_followed(opened, program, value, id_):
    refused, message = outcome(opened("", environ_of(id_)), program)
    assert refused == "!SecurityViolation"
    (line,) = set(_LINE.findall(message))
    found, message = outcome(opened(line.replace("names = ...", 'names = ["LANG"]'), environ_of(id_)), program)
    if (value.startswith("#") and not value.startswith("##")) or value.startswith("##"):
        assert re.fullmatch(value[1:], found)
    else:
        assert found == value, message


@pytest.mark.parametrize(("program", "distribution"), ELSEWHERE, ids=[program for program, _ in ELSEWHERE])
def test_a_call_of_what_another_distribution_offers_says_which(opened, program, distribution):
    found, message = outcome(opened('"ccos.*"'), program)
    assert found in ("!UnknownCapability", "!LanguageError")
    assert distribution in message


@pytest.mark.needs("rtfs-capability-files", "rtfs-capability-http", "rtfs-capability-kv")
@pytest.mark.parametrize("program", [program for program, who in ELSEWHERE if who != "rtfs-capability-mcp"])
def test_with_that_distribution_the_way_out_is_a_grant(opened, program):
    found, message = outcome(
        opened("", {**ALONE, "RTFS_PLUGINS": ",".join(sorted({who for _, who in ELSEWHERE}))}), program
    )
    assert found == "!SecurityViolation"
    assert _LINE.search(message)


@pytest.mark.parametrize("denied", ["ccos.echo", "ccos/echo", "ccos/*"])
@pytest.mark.parametrize("spelled", ["ccos.echo", "ccos/echo"])
def test_a_denial_of_one_spelling_denies_both(tmp_path, denied, spelled):
    path = tmp_path / "delegation.toml"
    path.write_text(f"[security]\nlevel = 'full'\ndeny = ['{denied}']\n", encoding="utf-8")
    environ = {"RTFS_HOME": str(tmp_path), **ALONE}
    with Session.open(config_path=path, environ=environ, catalog=load_catalog(environ), journal=False) as session:
        found, message = outcome(session, f'(call "{spelled}" 1)')
    assert (found, "remove it from deny" in message) == ("!SecurityViolation", True)


def test_functions_run_by_what_is_said_to_be_written_instead(opened):
    tasks = "[(fn [] (+ 1 2)) (fn [] (* 2 3))]"
    _, message = outcome(opened('"ccos.concurrent/parallel"'), f"(call :ccos.concurrent/parallel {tasks})")
    assert "(pmap (fn [task] (task)) [one another])" in message
    assert outcome(opened(""), f"(pmap (fn [task] (task)) {tasks})") == ("[3 6]", "")
    assert outcome(opened(""), "(step-parallel (+ 1 2) (* 2 3))") == ("[3 6]", "")


def test_there_are_enough_and_none_is_there_twice():
    programs = [program for program, *_ in FORMS] + [program for program, _ in ELSEWHERE]
    assert len(set(programs)) == len(programs) >= 250
