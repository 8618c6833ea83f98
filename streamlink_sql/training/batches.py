"""Examples into padded batches, augmented as they are drawn. Trains nothing."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from streamlink_sql.errors import BadRequest
from streamlink_sql.generators.parser.actions import FIXED, Layout, Position
from streamlink_sql.generators.parser.linking import FEATURES, Linked, WordPieces, link
from streamlink_sql.generators.parser.runtime import pooling, segments_of
from streamlink_sql.generators.parser.schema import Schema
from streamlink_sql.training.network import Inputs
from streamlink_sql.training.parser_data import Database, Example, cut_schema, to_actions
from streamlink_sql.training.renaming import renamed

MASKED = -1e4
ROUND = 160
"""Examples drawn at a time and sorted by length into batches."""
MOST_PIECES, MOST_ACTIONS = 300, 60
"""Longer examples are not trained on."""

Place = tuple[int, int]
"""Where a stream stands: the round, and how many of its batches are done."""


@dataclass(frozen=True, slots=True)
class Item:
    """One example ready to be padded: its input, its actions, the states before each and the actions permitted there."""

    linked: Linked
    actions: tuple[int, ...]
    states: tuple[int, ...]
    permitted: tuple[NDArray[np.bool_], ...]
    used: tuple[int, ...]


@dataclass(slots=True)
class Batch:
    """What the network reads, then for every step the action before it, the state, the permitted actions and the target (-100: none).

    `used` (b, n) tells the items that the query uses, `is_schema` which are tables or columns; `place` is where the stream goes on
    behind this batch.
    """

    inputs: Inputs
    previous: Tensor
    states: Tensor
    permitted: Tensor
    targets: Tensor
    used: Tensor
    is_schema: Tensor
    place: Place = (0, 0)

    def to(self, device: str) -> Batch:
        """The batch on a device."""
        names = ("inputs", "previous", "states", "permitted", "targets", "used", "is_schema")
        return replace(self, **{name: getattr(self, name).to(device) for name in names})


def prepare(example: Example, database: Database, pieces: WordPieces, rng: random.Random | None) -> Item:
    """The item of an example; augmented when `rng` is given."""
    tables, synonyms = database.tables, database.synonyms
    if rng is not None:
        tables, example = cut_schema(example, database, rng, most_columns=rng.choice((16, 24, 24, 45)))
        example = _varied(example, rng)
        if rng.random() < 0.5:
            tables, example, synonyms = renamed(tables, example, synonyms, rng)
        kept = rng.choices((0.0, 0.5, 1.0), (11, 4, 5))[0]
        synonyms = {place: found for place, found in synonyms.items() if rng.random() < kept}
    schema = Schema.of(tables)
    linked = link(example.question, schema, example.matches, synonyms, pieces)
    actions = to_actions(example.symbols, len(linked.words), linked.table_count)
    return Item(linked, tuple(actions), *trace(actions, linked), _used(actions, linked, schema))


def _varied(example: Example, rng: random.Random) -> Example:
    """Another spelling of the same question, with some value matches missing."""
    question = example.question
    if rng.random() < 0.2:
        question = question.lower()
    if rng.random() < 0.25 and question.rstrip()[-1:] in ".?!":
        question = question.rstrip()[:-1]
    share = 1.0 if rng.random() < 0.08 else 0.04
    return replace(example, question=question, matches=tuple(match for match in example.matches if rng.random() >= share))


def trace(actions: Sequence[int], linked: Linked) -> tuple[tuple[int, ...], tuple[NDArray[np.bool_], ...]]:
    """The states before each action, and what is permitted there."""
    layout = Layout.of(linked)
    position, states, masks = Position(), [], []
    for action in actions:
        states.append(position.id)
        masks.append(position.mask(layout))
        if not masks[-1][action]:
            raise ValueError(f"action {action} is not allowed in state {position.id}")
        position = position.after(action, layout)
    return tuple(states), tuple(masks)


def _used(actions: Sequence[int], linked: Linked, schema: Schema) -> tuple[int, ...]:
    """The items that the query uses: what it points at and the tables of its columns."""
    words = len(linked.words)
    items = {action - FIXED for action in actions if action >= FIXED}
    columns = [item - words - linked.table_count for item in items if item >= words + linked.table_count]
    return tuple(items | {words + schema.table_of(column) for column in columns})


def collate(items: Sequence[Item], place: Place = (0, 0)) -> Batch:
    """Items padded to one size."""
    b, n, t = len(items), max(len(item.linked.spans) for item in items), max(len(item.actions) for item in items)
    previous, states = np.full((b, t), FIXED, np.int64), np.zeros((b, t), np.int64)
    permitted = np.zeros((b, t, FIXED + n), np.bool_)
    permitted[:, :, 0] = True
    targets = np.full((b, t), -100, np.int64)
    used, is_schema = np.zeros((b, n), np.float32), np.zeros((b, n), np.bool_)
    for row, item in enumerate(items):
        steps, size = len(item.actions), len(item.linked.spans)
        before = np.array(item.actions[:-1], np.int64)
        previous[row, 1:steps] = np.where(before >= FIXED, before + 1, before)
        states[row, :steps] = item.states
        for step, mask in enumerate(item.permitted):
            permitted[row, step, :] = False
            permitted[row, step, : FIXED + size] = mask
        targets[row, :steps] = item.actions
        used[row, list(item.used)] = 1
        is_schema[row, len(item.linked.words) : size] = True
    arrays = {"previous": previous, "states": states, "permitted": permitted, "targets": targets, "used": used, "is_schema": is_schema}
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    return Batch(pad([item.linked for item in items]), **tensors, place=place)


def pad(questions: Sequence[Linked]) -> Inputs:
    """The inputs of several questions, padded to one size."""
    b, p, n = len(questions), max(len(linked.pieces) for linked in questions), max(len(linked.spans) for linked in questions)
    pieces, segments = np.zeros((b, p), np.int64), np.ones((b, p), np.int64)
    pool = np.zeros((b, 2, n, p), np.float32)
    features, relations = np.zeros((b, n, FEATURES), np.int64), np.zeros((b, n, n), np.int64)
    piece_bias, item_bias = np.full((b, 1, 1, p), MASKED, np.float32), np.full((b, 1, 1, n), MASKED, np.float32)
    for row, linked in enumerate(questions):
        size, items = len(linked.pieces), len(linked.spans)
        pieces[row, :size], segments[row, :size] = linked.pieces, segments_of(linked)
        pool[row, :, :items, :size] = pooling(linked)
        features[row, :items] = linked.features
        relations[row, :items, :items] = linked.relations
        piece_bias[row, ..., :size], item_bias[row, ..., :items] = 0, 0
    return Inputs(*(torch.from_numpy(array) for array in (pieces, segments, pool, features, relations, piece_bias, item_bias)))


@dataclass(frozen=True, slots=True)
class Source:
    """One set to draw from, and how often next to the others."""

    examples: Sequence[Example]
    databases: Mapping[str, Database]
    weight: float


class Stream(torch.utils.data.IterableDataset[Batch]):
    """Endless augmented batches drawn from several sets by weight, of about equal size in padded word pieces.

    What it yields depends on the seed alone, and it can go on from the place of any of its batches.
    """

    def __init__(self, sources: Mapping[str, Source], pieces: WordPieces, *, most_pieces: int, seed: int, start: Place = (0, 0)) -> None:
        super().__init__()
        self.sources = {name: source for name, source in sources.items() if source.weight > 0 and source.examples}
        self.pieces, self.most_pieces, self.seed, self.start = pieces, most_pieces, seed, start
        self._orders: dict[str, tuple[int, list[int]]] = {}

    def __iter__(self) -> Iterator[Batch]:
        names, weights = list(self.sources), [source.weight for source in self.sources.values()]
        drawn: Counter[str] = Counter()
        first, done = self.start
        for number in count():
            rng = random.Random(f"{self.seed} {number}")
            chosen = rng.choices(names, weights, k=ROUND)
            if number >= first:
                chunks = self._round(chosen, drawn.copy())
                rng.shuffle(chunks)
                for place, chunk in list(enumerate(chunks, 1))[done if number == first else 0 :]:
                    yield collate(chunk, (number, place))
            drawn.update(chosen)

    def _round(self, names: Sequence[str], drawn: Counter[str]) -> list[list[Item]]:
        """The batches of one round."""
        items = []
        for name in names:
            item = self._item(name, drawn[name])
            drawn[name] += 1
            if len(item.linked.pieces) <= MOST_PIECES and len(item.actions) <= MOST_ACTIONS:
                items.append(item)
        if not items:
            raise BadRequest("The questions of these sets are too long to train on.")
        items.sort(key=lambda item: len(item.linked.pieces))
        return list(self._chunks(items))

    def _item(self, name: str, number: int) -> Item:
        """The example that is drawn from a set for the `number`-th time; every pass over the set has an order of its own."""
        source = self.sources[name]
        turn, place = divmod(number, len(source.examples))
        known = self._orders.get(name)
        if known is None or known[0] != turn:
            order = list(range(len(source.examples)))
            random.Random(f"{self.seed} {name} {turn}").shuffle(order)
            known = self._orders[name] = (turn, order)
        example = source.examples[known[1][place]]
        return prepare(example, source.databases[example.database], self.pieces, random.Random(f"{self.seed} {name} {turn} {place}"))

    def _chunks(self, items: Sequence[Item]) -> Iterator[list[Item]]:
        chunk: list[Item] = []
        for item in items:
            if chunk and len(item.linked.pieces) * (len(chunk) + 1) > self.most_pieces:
                yield chunk
                chunk = []
            chunk.append(item)
        if chunk:
            yield chunk
