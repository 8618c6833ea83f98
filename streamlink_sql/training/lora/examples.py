"""Pairs into tokens, by the very prompt that serving uses, and the order in which they are learned. Loads no model.

Everything but the SQL is read, only the SQL is learned. Prompts about one database begin alike, with the schema: they are learned
together, so that what they begin with is read once.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamlink_sql import prompt
from streamlink_sql.errors import BadRequest, NotFound
from streamlink_sql.generators.hugging_face import prompt_tokens
from streamlink_sql.training.domain import open_domain
from streamlink_sql.training.pairs import Pair

WINDOW = 8
"""Chunks' worth of examples that are drawn at a time and sorted by length."""


@dataclass(frozen=True, slots=True)
class Example:
    """A prompt and the SQL that should follow, as tokens; `database` is empty for the data of the user."""

    database: str
    prompt: tuple[int, ...]
    target: tuple[int, ...]

    @property
    def tokens(self) -> int:
        """How many tokens it has in all."""
        return len(self.prompt) + len(self.target)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the data lies that pairs are about: the user's own, and for other databases a folder of `NAME.duckdb` or `NAME.sqlite`."""

    data: str
    others: Path | None = None

    def address(self, database: str) -> str:
        """The data address of a database; that of the user's data has no name."""
        if not database:
            return self.data
        places = [self.others / f"{database}{ending}" for ending in (".duckdb", ".sqlite")] if self.others else []
        found = next((str(place) for place in places if place.is_file()), None)
        if found is None or Path(database).name != database:
            raise NotFound(f"There is no data for the pairs about {database!r} in {self.others or 'any folder (--others)'}.")
        return found


def prompted(pairs: Iterable[Pair], sources: Sources) -> Iterator[tuple[Pair, list[prompt.Message]]]:
    """Each pair with the messages that serving would send for its question, database by database."""
    by_database: dict[str, list[Pair]] = {}
    for pair in pairs:
        by_database.setdefault(pair.database, []).append(pair)
    for database, group in by_database.items():
        with open_domain(sources.address(database)) as domain:
            for pair in group:
                yield pair, prompt.render(pair.question, domain.context(pair.question))


def example_of(tokenizer: Any, pair: Pair, messages: Sequence[prompt.Message]) -> Example:
    """A pair as tokens."""
    return Example(pair.database, tuple(prompt_tokens(tokenizer, messages)), tuple(target_tokens(tokenizer, messages, pair.query)))


def target_tokens(tokenizer: Any, messages: Sequence[prompt.Message], sql: str) -> list[int]:
    """What the model should say: the SQL as the chat template has an answer, with the token that ends it."""
    said = [{"role": message.role, "content": message.content} for message in messages]
    asked = tokenizer.apply_chat_template(said, add_generation_prompt=True, tokenize=False)
    whole = tokenizer.apply_chat_template([*said, {"role": "assistant", "content": sql}], tokenize=False)
    answer = whole.removeprefix(asked).rstrip() if whole.startswith(asked) else sql
    tokens = list(tokenizer(answer, add_special_tokens=False)["input_ids"])
    return tokens if tokens[-1] in tokenizer.all_special_ids else [*tokens, tokenizer.eos_token_id]


def alike(rows: Sequence[tuple[int, ...]]) -> int:
    """How many tokens all of these begin with alike."""
    first, last = min(rows), max(rows)
    return next((at for at, (left, right) in enumerate(zip(first, last, strict=False)) if left != right), min(len(first), len(last)))


@dataclass(frozen=True)
class Plan:
    """How examples are put together: up to `chunk` of one database are read at once, no more than `most_tokens`; a step learns from chunks
    with `step` examples or a few more, whatever databases they are of.
    """

    chunk: int = 16
    most_tokens: int = 2500
    step: int = 32
    seed: int = 7

    def steps(self, examples: Sequence[Example], epoch: int) -> list[list[list[int]]]:
        """The steps of an epoch, each some chunks of examples by number; the same for the same seed."""
        rng = random.Random(f"{self.seed} {epoch}")
        by_database: dict[str, list[int]] = {}
        for number, example in enumerate(examples):
            by_database.setdefault(example.database, []).append(number)
        chunks = [chunk for numbers in by_database.values() for chunk in self._chunks(examples, numbers, rng)]
        rng.shuffle(chunks)
        steps: list[list[list[int]]] = [[]]
        for chunk in chunks:
            if sum(map(len, steps[-1])) >= self.step:
                steps.append([])
            steps[-1].append(chunk)
        return steps

    def _chunks(self, examples: Sequence[Example], numbers: Sequence[int], rng: random.Random) -> Iterator[list[int]]:
        """Examples of one database in random order, those of about one length together."""
        drawn = rng.sample(numbers, len(numbers))
        for start in range(0, len(drawn), self.chunk * WINDOW):
            window = sorted(drawn[start : start + self.chunk * WINDOW], key=lambda number: examples[number].tokens)
            chunk: list[int] = []
            for number in window:
                if chunk and (len(chunk) == self.chunk or self._size(examples, [*chunk, number]) > self.most_tokens):
                    yield chunk
                    chunk = []
                chunk.append(number)
            yield chunk

    def _size(self, examples: Sequence[Example], numbers: Sequence[int]) -> int:
        """Tokens that a chunk has to be read for: what all begin with once, the rest padded to one length."""
        begin = alike([examples[number].prompt for number in numbers])
        return begin + len(numbers) * (max(examples[number].tokens for number in numbers) - begin)


def without_long(examples: Sequence[Example], longest: int) -> list[Example]:
    """The examples of at most so many tokens; BadRequest where none is left."""
    kept = [example for example in examples if example.tokens <= longest]
    if not kept:
        shortest = min((example.tokens for example in examples), default=0)
        raise BadRequest(f"No pair fits into {longest:,} tokens; the shortest needs {shortest:,}. Raise --longest, or choose fewer tables.")
    return kept
