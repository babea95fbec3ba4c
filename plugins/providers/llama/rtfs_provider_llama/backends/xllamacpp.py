"""xllamacpp: llama.cpp's own server inside this process. Prebuilt for every platform; nothing has to be compiled.

Its server is asked directly, by method calls. Two questions have none, tokens of a text and messages by the template;
those go to the server's socket, which is a file in this process's own folder, behind a key: nothing listens on the
network.
"""

from __future__ import annotations

import http.client
import json
import math
import secrets
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rtfs_provider_llama.backends.base import MAY_HELP, BackendError, Generated, Options, Sampling, TemplateError

_LIFT = 100.0
"""Added to the logits of the tokens that are compared, so that no other one is among the likeliest."""
_ANSWER_SECONDS = 30.0


class XllamacppBackend:
    """A model in the server of xllamacpp; each sequence is one of its slots."""

    name = "xllamacpp"

    def __init__(self, options: Options) -> None:
        import xllamacpp

        self.version: str = xllamacpp.__version__
        self.context = options.context
        place, key = str(Path(options.scratch, "server.sock")), secrets.token_urlsafe()
        self._server = _server(xllamacpp, options, place, key)
        self._http = _Unix(place, timeout=_ANSWER_SECONDS)
        self._headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
        self._held: dict[int, tuple[int, ...]] = {}
        self.begin = tuple(self._tokens("", add_special=True))
        self.end = self.tokenize(self._asked("GET", "/props")["eos_token"], control=True)[-1]
        self._spare = self.end if self.begin[:1] != (self.end,) else self.end + 1

    def tokenize(self, text: str, *, control: bool) -> list[int]:
        """Return the tokens of a text."""
        return self._tokens(text, parse_special=control)

    def render(self, messages: Sequence[Mapping[str, str]]) -> str:
        """Return messages by the model's template; reasoning aloud is switched off where the template can."""
        body = {"messages": list(messages), "chat_template_kwargs": {"enable_thinking": False}}
        try:
            return str(self._asked("POST", "/apply-template", body)["prompt"])
        except BackendError as error:
            raise TemplateError(str(error)) from error

    def extend(self, sequence: int, kept: int, tokens: Sequence[int]) -> None:
        """Compute the tokens from `kept` on."""
        self._cut(sequence, kept, tokens)
        self._complete(sequence, tokens, n_predict=0)

    def score(self, sequence: int, kept: int, tokens: Sequence[int], among: Sequence[int]) -> list[float]:
        """Return the logarithms of the probabilities of some tokens, among them alone."""
        if len(among) == 1:
            self.extend(sequence, kept, tokens)
            return [0.0]
        self._cut(sequence, kept, tokens)
        answer = self._complete(
            sequence,
            tokens,
            n_predict=1,
            temperature=1.0,
            samplers=["top_k"],
            top_k=len(among),
            n_probs=len(among),
            post_sampling_probs=True,
            logit_bias=[[token, _LIFT] for token in among],
        )
        (said,) = answer["choices"][0]["logprobs"]["content"]
        found = {each["id"]: each["prob"] for each in said["top_probs"]}
        return [math.log(max(found.get(token, 0.0), 1e-30)) for token in among]

    def generate(
        self,
        sequence: int,
        kept: int,
        tokens: Sequence[int],
        *,
        sampling: Sampling,
        grammar: str | None,
        most: int,
        on_piece: Callable[[str], bool],
    ) -> Generated:
        """Go on from the tokens, piece by piece."""
        self._cut(sequence, kept, tokens)
        pieces: list[str] = []
        last: dict[str, Any] = {}

        def heard(answer: Any) -> bool:
            for each in answer if isinstance(answer, list) else [answer]:
                last.update(each)
                for choice in each.get("choices", ()):
                    pieces.append(choice.get("text") or "")
                    last["finish"] = choice.get("finish_reason") or last.get("finish")
            return not on_piece(pieces[-1] if pieces else "")

        more = {"grammar": grammar} if grammar else {}
        self._complete(
            sequence,
            tokens,
            heard,
            n_predict=most,
            temperature=sampling.temperature,
            top_k=sampling.top_k,
            top_p=sampling.top_p,
            min_p=sampling.min_p,
            repeat_penalty=sampling.repeat_penalty,
            seed=sampling.seed,
            **more,
        )
        if "error" in last:
            raise BackendError(_words(last))
        used = (last.get("usage") or {}).get("completion_tokens", len(pieces))
        return Generated("".join(pieces), used, whole=last.get("finish") == "stop")

    def close(self) -> None:
        """Release the server."""
        self._http.close()
        del self._server

    def _cut(self, sequence: int, kept: int, tokens: Sequence[int]) -> None:
        """See to it that the server goes on exactly after `kept`: it would go on after all that is the same."""
        held = self._held.get(sequence, ())
        if held[kept : kept + 1] == tuple(tokens[kept : kept + 1]):
            self._complete(sequence, (*tokens[:kept], self._spare), n_predict=0)

    def _complete(
        self, sequence: int, tokens: Sequence[int], on_answer: Callable[[Any], bool] | None = None, **how: Any
    ) -> dict[str, Any]:
        body = {"prompt": list(tokens), "id_slot": sequence, "cache_prompt": True, **how}
        if on_answer is None:
            answer = self._server.handle_completions(body)
        else:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
            answer = self._server.handle_completions(body, on_answer)
        self._held[sequence] = tuple(tokens)
        if isinstance(answer, dict) and "error" in answer:
            raise BackendError(_words(answer))
        return answer or {}

    def _tokens(self, text: str, **how: bool) -> list[int]:
        return list(self._asked("POST", "/tokenize", {"content": text, **how})["tokens"])

    def _asked(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Return what the server answers on its socket; it closes a connection after a number of requests."""
        try:
            status, answer = self._exchange(method, path, body)
        except (OSError, http.client.HTTPException):
            self._http.close()
            try:
                status, answer = self._exchange(method, path, body)
            except (OSError, http.client.HTTPException) as error:
                raise BackendError(f"its server does not answer: {error}") from error
        if status != http.client.OK:
            raise BackendError(_words(answer))
        return answer

    def _exchange(self, method: str, path: str, body: Any) -> tuple[int, dict[str, Any]]:
        self._http.request(method, path, None if body is None else json.dumps(body), self._headers)
        response = self._http.getresponse()
        return response.status, json.loads(response.read())


class _Unix(http.client.HTTPConnection):
    """A connection to a server behind a file."""

    def __init__(self, place: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._place = place

    def connect(self) -> None:
        """Connect to the file."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._place)


def _server(xllamacpp: Any, options: Options, place: str, key: str) -> Any:
    params = xllamacpp.CommonParams()
    params.model.path = options.path
    params.n_ctx = options.context * options.sequences
    params.n_parallel = options.sequences
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options.threads
    params.n_threads_http = 1
    params.hostnames, params.api_keys = [place], [key]
    params.verbosity = 0
    params.kv_unified = False
    params.swa_full = True  # else a prefix could not be gone back to
    params.cache_ram_mib = params.n_ctx_checkpoints = 0
    params.cache_idle_slots = params.fit_params = params.ui = params.endpoint_slots = params.warmup = False
    params.ctx_shift = False
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise BackendError(f"the model cannot be loaded: {error} {MAY_HELP}") from error


def _words(answer: Mapping[str, Any]) -> str:
    error = answer.get("error", answer)
    return str(error.get("message", error)) if isinstance(error, dict) else str(error)
