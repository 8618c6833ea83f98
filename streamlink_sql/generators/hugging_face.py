"""A language model from a Hugging Face folder, run in this process by transformers, with its LoRA adapter (peft). Loaded when asked.

One question is written for at a time. What the model has read of a prompt is kept, so that the next question on the same schema is quick.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from streamlink_sql import prompt
from streamlink_sql.errors import BadRequest, Cancelled, ModelUnavailable, NotFound, TimedOut
from streamlink_sql.generators import ModelOptions, threads
from streamlink_sql.generators.chat import drafts_of
from streamlink_sql.generators.chat_stream import Choice
from streamlink_sql.types import Attempt, Context, Draft, Question

MOST_TOKENS = 512
PROMPT_CUTS = 5


class HuggingFaceGenerator:
    """Writes the most likely draft."""

    def __init__(self, folder: Path, adapter: Path | None = None, *, timeout_s: float = 60.0) -> None:
        """Loads nothing yet."""
        self.name = folder.resolve().name
        self._folder, self._adapter, self._timeout_s = folder, adapter, timeout_s
        self._writing, self._lock = threading.Lock(), threading.Lock()
        self._under_way: dict[str, threading.Event] = {}
        self._model: Model | None = None

    def generate(self, question: Question, context: Context, n: int, *, refused: tuple[Attempt, ...] = ()) -> list[Draft]:  # noqa: ARG002
        """One draft, the model's most likely one."""
        until, cancelled = time.monotonic() + self._timeout_s, threading.Event()

        def go_on() -> None:
            if cancelled.is_set():
                raise Cancelled("The question was cancelled while the model wrote.")
            if time.monotonic() > until:
                raise TimedOut(
                    f"{self.name} gave no whole answer within {self._timeout_s:g} s. Raise model_timeout_s, or choose a smaller model."
                )

        with self._lock:
            self._under_way[question.id] = cancelled
        try:
            with self._writing:
                if self._model is None:
                    self._model = Model(self._folder, self._adapter)
                    until = time.monotonic() + self._timeout_s
                go_on()
                return drafts_of([self._model.written(self._read(self._model, question, context, refused), go_on)], self.name)
        finally:
            with self._lock:
                self._under_way.pop(question.id, None)

    def cancel(self, question_id: str) -> bool:
        """Stops writing with the next token."""
        with self._lock:
            cancelled = self._under_way.get(question_id)
        if cancelled is not None:
            cancelled.set()
        return cancelled is not None

    def close(self) -> None:
        """Stops what is being written and lets go of the model."""
        with self._lock:
            for cancelled in self._under_way.values():
                cancelled.set()
        with self._writing:
            self._model = None

    def _read(self, model: Model, question: Question, context: Context, refused: tuple[Attempt, ...]) -> list[int]:
        """The prompt as tokens; a schema too long for the model is cut."""
        budget = prompt.BUDGET
        for _ in range(PROMPT_CUTS):
            tokens = model.tokens(prompt.render(question.text, context, refused=refused, budget=budget))
            if len(tokens) + MOST_TOKENS <= model.longest:
                return tokens
            budget = min(budget, len(prompt.render_schema(context, question.text, budget=budget))) // 2
        raise ModelUnavailable(
            f"The tables do not fit into the {model.longest:,} tokens that {self.name} can read at once. Choose fewer tables."
        )


class Model:
    """A causal model with its tokenizer, and what it has read last."""

    def __init__(self, folder: Path, adapter: Path | None) -> None:
        """Reads the files; raises ModelUnavailable where they cannot be used. Runs no code that comes with them."""
        transformers, self._torch = _libraries()
        from safetensors import SafetensorError

        device = "cuda" if self._torch.cuda.is_available() else "cpu"
        kind = "auto" if device == "cuda" else self._torch.float32
        self._torch.set_num_threads(threads())
        try:
            self._tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model = transformers.AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, use_safetensors=True, dtype=kind)
            if adapter:
                model.load_adapter(str(adapter))
        except (OSError, ValueError, TypeError, RuntimeError, ImportError, KeyError, SafetensorError) as error:
            also = f" with the adapter {adapter}" if adapter else ""
            raise ModelUnavailable(f"transformers cannot load {folder}{also}: {error}") from error
        if self._tokenizer.chat_template is None:
            raise ModelUnavailable(f"{folder} is no model that follows instructions: its tokenizer has no chat template.")
        self._model = model.to(device).eval()
        self.longest = int(getattr(model.config.get_text_config(), "max_position_embeddings", None) or 8192)
        self._stopped = transformers.StoppingCriteriaList
        self._new_cache = transformers.DynamicCache
        self._cache: Any = None
        self._seen: list[int] = []

    def tokens(self, messages: list[prompt.Message]) -> list[int]:
        """A prompt as the model was trained to read it."""
        return prompt_tokens(self._tokenizer, messages)

    def written(self, tokens: list[int], go_on: Any) -> Choice:
        """What the model says to a prompt; `go_on` is asked before every token, and what it raises ends the writing."""
        cache, ids = self._known(tokens), self._torch.tensor([tokens], device=self._model.device)
        self._cache, self._seen = None, []
        with self._torch.inference_mode():
            told = self._model.generate(
                input_ids=ids,
                attention_mask=self._torch.ones_like(ids),
                past_key_values=cache,
                max_new_tokens=MOST_TOKENS,
                do_sample=False,
                temperature=None,
                top_p=None,
                top_k=None,
                return_dict_in_generate=True,
                output_scores=True,
                pad_token_id=self._tokenizer.pad_token_id or self._tokenizer.eos_token_id or 0,
                stopping_criteria=self._stopped([_Watch(go_on, self._torch)]),
            )
            shares = self._model.compute_transition_scores(told.sequences, told.scores, normalize_logits=True)[0]
        whole = told.sequences[0].tolist()
        if not any(getattr(layer, "is_sliding", False) for layer in cache.layers):
            self._cache, self._seen = cache, whole[: cache.get_seq_length()]
        new = whole[len(tokens) :]
        score = float(shares.float().mean().exp()) if new else None
        return Choice(self._tokenizer.decode(new, skip_special_tokens=True), score, is_cut_off=len(new) >= MOST_TOKENS)

    def _known(self, tokens: list[int]) -> Any:
        """What was read before, as far as the prompt begins alike."""
        most = min(len(self._seen), len(tokens) - 1)
        alike = next((at for at in range(most) if self._seen[at] != tokens[at]), most)
        if self._cache is None or not alike:
            return self._new_cache(config=self._model.config)
        if alike < len(self._seen):
            self._cache.crop(alike - len(self._seen))  # a negative number of tokens is taken off the end
        return self._cache


def prompt_tokens(tokenizer: Any, messages: Sequence[prompt.Message]) -> list[int]:
    """A conversation as the tokens that a model is given, up to where its answer begins."""
    said = [{"role": message.role, "content": message.content} for message in messages]
    return list(tokenizer.apply_chat_template(said, add_generation_prompt=True, return_dict=True)["input_ids"])


class _Watch:
    """Looks up between two tokens."""

    def __init__(self, go_on: Any, torch: Any) -> None:
        self._go_on, self._torch = go_on, torch

    def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:  # noqa: ARG002 - the signature is the library's
        self._go_on()
        return self._torch.zeros(input_ids.shape[0], dtype=self._torch.bool, device=input_ids.device)


def _libraries() -> tuple[Any, Any]:
    try:
        import torch
        import transformers
    except ImportError as error:
        raise ModelUnavailable(
            f"Hugging Face models are run by the packages transformers and torch: pip install 'streamlink-sql[hf]'. ({error})"
        ) from error
    return transformers, torch


def open_folder(address: str, options: ModelOptions) -> HuggingFaceGenerator:
    """The generator in a folder as Hugging Face's hub has them."""
    folder, adapter = Path(address).expanduser(), options.adapter and options.adapter.expanduser()
    if not (folder / "config.json").is_file():
        raise NotFound(f"{folder} holds no Hugging Face model: there is no config.json.", setting="model")
    if adapter and not (adapter / "adapter_config.json").is_file():
        raise BadRequest(f"{adapter} holds no adapter: there is no adapter_config.json.", setting="adapter")
    return HuggingFaceGenerator(folder, adapter, timeout_s=options.timeout_s)
