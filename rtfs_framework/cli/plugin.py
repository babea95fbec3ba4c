"""The built-in commands, offered through the hook that plugins use. Nothing of a command is imported before it runs."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from rtfs_framework.api import CommandEntry, hookimpl

rtfs_api_version = 2

_COMMANDS = (
    ("run", "Run a program, once or for every record of a file.", "rtfs run triage.rtfs --input messages.csv"),
    ("eval", "Print the value of an expression.", "rtfs eval '(+ 1 2)'"),
    ("check", "Find mistakes without running anything.", "rtfs check triage.rtfs"),
    ("explain", "Show which calls can leave the kernel, where each goes, and why.", "rtfs explain triage.rtfs"),
    ("manifest", "Show what a program can touch, to be signed off.", "rtfs manifest triage.rtfs"),
    ("plan", "Decide where all calls of a program go, for review.", "rtfs plan triage.rtfs"),
    ("repl", "Type forms, see their values.", "rtfs repl"),
    ("lsp", "Serve editors: mistakes, hover, completion, definitions, layout.", "rtfs lsp"),
    ("fmt", "Lay out programs; comments and meaning stay.", "rtfs fmt triage.rtfs"),
    ("doc", "Explain a name of the language.", "rtfs doc map"),
    ("prompt", "Describe the language and this host for a model.", "rtfs prompt --max-tokens 1200"),
    ("write", "Let a model write a program, look at it, run it.", "rtfs write 'the first ten primes' --no-run"),
    ("bench", "Measure how often a model writes right programs.", "rtfs bench write --model remote-openai --limit 10"),
    ("expand", "Show a program with its macros expanded.", "rtfs expand -e '(-> 1 inc)'"),
    ("ir", "Show what the compiler makes of a program.", "rtfs ir --python -e '(inc 1)'"),
    ("serve", "Serve programs to others over HTTP.", "rtfs serve --config serve.toml --port 8642"),
    ("mcp", "Serve agents by the Model Context Protocol.", "rtfs mcp --client desk"),
    ("ui", "Show runs, decisions and this host as a local page.", "rtfs ui --open"),
    ("approve", "Answer calls that wait for a person.", "rtfs approve list"),
    ("worker", "Do what waits in the durable queue.", "rtfs worker --concurrency 8"),
    ("schedule", "Run programs by the clock.", 'rtfs schedule add "0 7 * * 1-5" report.rtfs'),
    ("queue", "Show and change what waits in the durable queue.", "rtfs queue list"),
    ("tickets", "Show and change calls that are answered later.", "rtfs tickets list"),
    ("runs", "List, show and verify what happened in earlier runs.", "rtfs runs show last"),
    ("report", "Write a run as one HTML file with charts.", "rtfs report last --out run.html"),
    ("whatif", "Estimate what another policy would have had.", "rtfs whatif --config other.toml --since 7d"),
    ("policy", "Test where a configuration sends calls.", "rtfs policy test policy.toml"),
    ("cache", "Show or forget the compiled programs that are kept.", "rtfs cache stats"),
    (
        "publish",
        "Sign a program and send it to a store.",
        "rtfs publish f.rtfs --store team --key release",
    ),
    ("fetch", "Get published programs whose keys are trusted.", "rtfs fetch score"),
    ("stores", "Verify stores of published programs, and clean them up.", "rtfs stores verify team"),
    ("keys", "Make keys that sign, and say whose signatures count.", "rtfs keys new release"),
    ("cost", "Show who spent what on models, from the journal.", "rtfs cost --since 7d --by tenant,model"),
    ("prices", "Show what models cost, who says so, and since when.", "rtfs prices show gpt-4o-mini"),
    ("budget", "Show what is left of budgets, and what is reserved.", "rtfs budget list"),
    ("models", "List, try, measure, load and fetch models.", "rtfs models list"),
    ("health", "Show which models are left alone because they failed.", "rtfs health list"),
    ("learn", "Show, export or reset what engines have learned.", "rtfs learn list"),
    ("top", "Watch models, rates, breakers and budgets.", "rtfs top --window 5min"),
    ("capabilities", "Show what programs may ask this host for.", "rtfs capabilities search --from :url"),
    ("plugins", "Show what is installed, and what is wrong with it.", "rtfs plugins"),
    ("config", "Show or check the configuration (delegation.toml).", "rtfs config show"),
)


@hookimpl
def rtfs_commands() -> list[CommandEntry]:
    """Offer the commands of this package."""
    return [
        CommandEntry(name=name, summary=summary, example=example, load=_loader(name))
        for name, summary, example in _COMMANDS
    ]


def _loader(name: str) -> Callable[[], Any]:
    return lambda: import_module(f"rtfs_framework.cli.commands.{name}").command
