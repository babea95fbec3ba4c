"""llama-cpp-python: llama.cpp's own functions, called directly. It is compiled where it is installed.

Only its low level is used, because sequences and the places where prompts are cut are not to be had from its classes;
of these only the renderer of templates.
"""

from __future__ import annotations

import ctypes
import logging
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import llama_cpp  # noqa: TID253 - this module is imported in the child alone
from llama_cpp.llama_chat_format import Jinja2ChatFormatter  # noqa: TID253 - as above

from rtfs_provider_llama.backends.base import MAY_HELP, BackendError, Generated, Options, Sampling, TemplateError
from rtfs_provider_llama.child.choosing import normalised

_BATCH = 512
_REMEMBERED = 64
"""Tokens back to which the penalty for repetition looks."""
_USUAL_TOKEN = 64
"""Bytes of a token; for a longer one there is a second look."""
_CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""For models that bring no template."""


class LlamaCppBackend:
    """A model and a context of several sequences."""

    name = "llama-cpp"
    version: str = llama_cpp.__version__

    def __init__(self, options: Options) -> None:
        logging.getLogger("llama-cpp-python").setLevel(logging.ERROR)  # it would tell of each tensor
        llama_cpp.llama_backend_init()
        params = llama_cpp.llama_model_default_params()
        self._model = llama_cpp.llama_model_load_from_file(options.path.encode(), params)
        if not self._model:
            raise BackendError(f"the model cannot be loaded. {MAY_HELP}")
        self._context = llama_cpp.llama_init_from_model(self._model, _context_params(options))
        if not self._context:
            raise BackendError(f"there is no room for the model's context. {MAY_HELP}")
        self._vocabulary = llama_cpp.llama_model_get_vocab(self._model)
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._batch = llama_cpp.llama_batch_init(_BATCH, 0, 1)
        self._words = llama_cpp.llama_vocab_n_tokens(self._vocabulary)
        self.context = options.context
        bos = llama_cpp.llama_vocab_bos(self._vocabulary)
        self.begin = (bos,) if llama_cpp.llama_vocab_get_add_bos(self._vocabulary) else ()
        self.end = _first_token(
            llama_cpp.llama_vocab_eos(self._vocabulary), llama_cpp.llama_vocab_eot(self._vocabulary)
        )
        self._bos_text = self._shown(bos).decode(errors="replace") if bos >= 0 else ""
        self._template = self._formatter()

    def tokenize(self, text: str, *, control: bool) -> list[int]:
        """Return the tokens of a text."""
        data = text.encode()
        room = len(data) + 8
        tokens = (llama_cpp.llama_token * room)()
        count = llama_cpp.llama_tokenize(self._vocabulary, data, len(data), tokens, room, False, control)
        if count < 0:
            raise BackendError(f"a text of {len(data)} bytes could not be read as tokens")
        return list(tokens[:count])

    def render(self, messages: Sequence[Mapping[str, str]]) -> str:
        """Return messages by the model's template; reasoning aloud is switched off where the template can."""
        said: Any = [dict(each) for each in messages]
        try:
            text: str = self._template(messages=said, enable_thinking=False).prompt
        except Exception as error:  # a template raises what it likes
            raise TemplateError(f"the model's template refuses the messages: {error}") from error
        return text.removeprefix(self._bos_text) if self.begin and self._bos_text else text

    def extend(self, sequence: int, kept: int, tokens: Sequence[int]) -> None:
        """Compute the tokens from `kept` on."""
        if not llama_cpp.llama_memory_seq_rm(self._memory, sequence, kept, -1):
            llama_cpp.llama_memory_seq_rm(self._memory, sequence, 0, -1)  # this kind of model keeps no parts
            kept = 0
        for start in range(kept, len(tokens), _BATCH):
            self._decode(sequence, start, tokens[start : start + _BATCH])

    def score(self, sequence: int, kept: int, tokens: Sequence[int], among: Sequence[int]) -> list[float]:
        """Return the logarithms of the probabilities of some tokens, among them alone."""
        self.extend(sequence, kept, tokens)
        logits = llama_cpp.llama_get_logits_ith(self._context, -1)
        return normalised([logits[token] for token in among])

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
        self.extend(sequence, kept, tokens)
        decoder = getincrementaldecoder("utf-8")("replace")
        pieces: list[str] = []
        with self._sampler(sampling, grammar, tokens) as sampler:
            for said in range(most):
                token = llama_cpp.llama_sampler_sample(sampler, self._context, -1)
                if llama_cpp.llama_vocab_is_eog(self._vocabulary, token):
                    return Generated("".join(pieces), said + 1, whole=True)
                pieces.append(decoder.decode(self._shown(token)))
                if not on_piece(pieces[-1]):
                    return Generated("".join(pieces), said + 1, whole=False)
                if said + 1 < most:
                    self._decode(sequence, len(tokens) + said, [token])
        return Generated("".join(pieces), most, whole=False)

    def close(self) -> None:
        """Release context and model."""
        llama_cpp.llama_batch_free(self._batch)
        llama_cpp.llama_free(self._context)
        llama_cpp.llama_model_free(self._model)

    def _decode(self, sequence: int, start: int, tokens: Sequence[int]) -> None:
        """Compute some tokens of a sequence, which stand from `start` on; the last one's logits can be asked for."""
        batch = self._batch
        batch.n_tokens = len(tokens)
        for place, token in enumerate(tokens):
            batch.token[place] = token
            batch.pos[place] = start + place
            batch.n_seq_id[place] = 1
            batch.seq_id[place][0] = sequence
            batch.logits[place] = place == len(tokens) - 1
        code = llama_cpp.llama_decode(self._context, batch)
        if code:
            raise BackendError(f"llama.cpp could not compute {len(tokens)} tokens (code {code})")

    def _shown(self, token: int) -> bytes:
        size = _USUAL_TOKEN
        while True:
            room = ctypes.create_string_buffer(size)
            length = llama_cpp.llama_token_to_piece(self._vocabulary, token, room, size, 0, True)
            if length >= 0:
                return room.raw[:length]
            size = -length

    def _formatter(self) -> Jinja2ChatFormatter:
        template = llama_cpp.llama_model_chat_template(self._model, None)
        eos = llama_cpp.llama_vocab_eos(self._vocabulary)
        text = _CHATML if template is None else template.decode()
        try:
            return Jinja2ChatFormatter(
                template=text,
                eos_token=self._shown(eos).decode(errors="replace") if eos >= 0 else "",
                bos_token=self._bos_text,
            )
        except Exception as error:  # a template that is no template
            raise BackendError(f"the model's template cannot be read: {error}") from error

    @contextmanager
    def _sampler(self, sampling: Sampling, grammar: str | None, tokens: Sequence[int]) -> Iterator[Any]:
        """Make what chooses the next token: the grammar first, so that what is left is never empty."""
        chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        try:
            for part in self._parts(sampling, grammar, tokens):
                llama_cpp.llama_sampler_chain_add(chain, part)
            yield chain
        finally:
            llama_cpp.llama_sampler_free(chain)

    def _parts(self, sampling: Sampling, grammar: str | None, tokens: Sequence[int]) -> Iterator[Any]:
        if grammar is not None:
            made = llama_cpp.llama_sampler_init_grammar(self._vocabulary, grammar.encode(), b"root")
            if not made:
                raise BackendError("llama.cpp does not take the grammar of the type")
            yield made
        if sampling.repeat_penalty != 1.0:
            penalties = llama_cpp.llama_sampler_init_penalties(
                self._words, _REMEMBERED, sampling.repeat_penalty, 0.0, 0.0
            )
            for token in tokens[-_REMEMBERED:]:
                llama_cpp.llama_sampler_accept(penalties, token)
            yield penalties
        if sampling.temperature <= 0:
            yield llama_cpp.llama_sampler_init_greedy()
            return
        yield llama_cpp.llama_sampler_init_top_k(sampling.top_k)
        yield llama_cpp.llama_sampler_init_top_p(sampling.top_p, 1)
        yield llama_cpp.llama_sampler_init_min_p(sampling.min_p, 1)
        yield llama_cpp.llama_sampler_init_temp(sampling.temperature)
        yield llama_cpp.llama_sampler_init_dist(sampling.seed)


def _context_params(options: Options) -> Any:
    params = llama_cpp.llama_context_default_params()
    params.n_ctx = options.context * options.sequences
    params.n_seq_max = options.sequences
    params.n_batch = params.n_ubatch = _BATCH
    params.n_threads = params.n_threads_batch = options.threads
    params.kv_unified = False
    params.swa_full = True  # else a prefix could not be gone back to
    return params


def _first_token(*tokens: int) -> int:
    return next((token for token in tokens if token >= 0), 0)
