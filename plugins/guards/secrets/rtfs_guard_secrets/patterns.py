"""What secrets look like: the published prefixes and shapes of keys that vendors give out, and of what carries them.

Each is bounded and begins with a literal, so that a text of any length costs one walk. What is only probably a secret
(a word of hexadecimal digits) is none here: a guard that stops innocent calls is soon switched off.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

KNOWN: Mapping[str, str] = {
    "private key": r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?:[^-]{0,10000}-----END [A-Z ]{0,30}PRIVATE KEY-----)?",
    "OpenAI or Anthropic key": r"\bsk-(?:proj-|ant-|svcacct-)?[A-Za-z0-9_-]{20,200}",
    "AWS access key": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})",
    "GitLab token": r"\bglpat-[A-Za-z0-9_-]{20,64}",
    "Slack token": r"\bxox[abeoprs]-[A-Za-z0-9-]{10,250}",
    "Stripe key": r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,250}",
    "Google key": r"\bAIza[A-Za-z0-9_-]{35}",
    "Hugging Face token": r"\bhf_[A-Za-z0-9]{30,60}",
    "npm token": r"\bnpm_[A-Za-z0-9]{36}\b",
    "JSON web token": r"\beyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,2000}",
    "password in an address": r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@]{1,100}:[^\s/@]{1,200}@",
    "bearer token": r"(?i:\bauthorization:\s{0,4}(?:bearer|basic)\s{1,4})[A-Za-z0-9._~+/=-]{16,4000}",
}


class Finder:
    """Finds secrets in texts; all patterns are one expression."""

    def __init__(self, more: Mapping[str, str]) -> None:
        """Compile; `more` are expressions of the user's own, by name."""
        known = {**KNOWN, **{name: f"(?:{text})" for name, text in more.items()}}
        self._alone = [(name, re.compile(text)) for name, text in known.items()]

    def redacted(self, text: str) -> tuple[str, list[str]]:
        """Return a text without secrets, and the names of what was in it."""
        found: list[str] = []
        for name, expression in self._alone:
            text, count = expression.subn(f"[{name} removed]", text)
            found += [name] * count
        return text, found
