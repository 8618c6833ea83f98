"""Examples into padded batches, augmented as they are drawn. Trains nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from streamlink_sql.generators.parser.actions import FIXED, Layout, Position
from streamlink_sql.generators.parser.linking import FEATURES, Linked, WordPieces, link
from streamlink_sql.generators.parser.runtime import pooling, segments_of
from streamlink_sql.generators.parser.schema import Schema
from streamlink_sql.training.parser_data import Database, Example, cut_schema, to_actions

MASKED = -1e4


@dataclass(frozen=True, slots=True)
class Item:
    """One example ready to be padded: its input, its actions, the states before each and the actions permitted there."""

    linked: Linked
    actions: tuple[int, ...]
    states: tuple[int, ...]
    permitted: tuple[np.ndarray, ...]
    used: tuple[int, ...]


@dataclass(slots=True)
class Batch:
    """Tensors as ParserNetwork takes them, with targets (b, t), -100 where there is none, and which items the query uses (b, n)."""

    pieces: Tensor
    segments: Tensor
    pool: Tensor
    features: Tensor
    relations: Tensor
    piece_bias: Tensor
    item_bias: Tensor
    previous: Tensor
    states: Tensor
    permitted: Tensor
    targets: Tensor
    used: Tensor
    is_schema: Tensor

    def to(self, device: str) -> Batch:
        """The batch on a device."""
        return Batch(*(getattr(self, name).to(device) for name in self.__slots__))


def prepare(example: Example, database: Database, pieces: WordPieces, rng: random.Random | None) -> Item:
    """The item of an example; augmented when `rng` is given."""
    tables, synonyms = database.tables, database.synonyms
    if rng is not None:
        tables, example = cut_schema(example, database, rng, most_columns=rng.choice((16, 24, 24, 45)))
        example = _varied(example, rng)
        synonyms = {} if rng.random() < 0.3 else synonyms
    schema = Schema.of(tables)
    linked = link(example.question, schema, example.matches, synonyms, pieces)
    actions = to_actions(example.symbols, len(linked.words), linked.table_count)
    return Item(linked, tuple(actions), *_trace(actions, linked), _used(actions, linked, schema))


def _varied(example: Example, rng: random.Random) -> Example:
    """Another spelling of the same question, with some value matches missing."""
    question = example.question
    if rng.random() < 0.2:
        question = question.lower()
    if rng.random() < 0.25 and question.rstrip()[-1:] in ".?!":
        question = question.rstrip()[:-1]
    share = 1.0 if rng.random() < 0.08 else 0.04
    return replace(example, question=question, matches=tuple(match for match in example.matches if rng.random() >= share))


def _trace(actions: Sequence[int], linked: Linked) -> tuple[tuple[int, ...], tuple[np.ndarray, ...]]:
    layout = Layout(len(linked.words), linked.table_count, linked.column_count)
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


def collate(items: Sequence[Item]) -> Batch:
    """Items padded to one size."""
    b = len(items)
    p = max(len(item.linked.pieces) for item in items)
    n = max(len(item.linked.spans) for item in items)
    t = max(len(item.actions) for item in items)
    pieces, segments = np.zeros((b, p), np.int64), np.zeros((b, p), np.int64)
    pool = np.zeros((b, 2, n, p), np.float32)
    features, relations = np.zeros((b, n, FEATURES), np.int64), np.zeros((b, n, n), np.int64)
    piece_bias, item_bias = np.full((b, 1, 1, p), MASKED, np.float32), np.full((b, 1, 1, n), MASKED, np.float32)
    previous, states = np.full((b, t), FIXED, np.int64), np.zeros((b, t), np.int64)
    permitted = np.zeros((b, t, FIXED + n), np.bool_)
    permitted[:, :, 0] = True
    targets = np.full((b, t), -100, np.int64)
    used, is_schema = np.zeros((b, n), np.float32), np.zeros((b, n), np.bool_)
    for row, item in enumerate(items):
        linked, steps = item.linked, len(item.actions)
        size, count = len(linked.pieces), len(linked.spans)
        pieces[row, :size] = linked.pieces
        segments[row, :size], segments[row, size:] = segments_of(linked), 1
        pool[row, :, :count, :size] = pooling(linked)
        features[row, :count] = linked.features
        relations[row, :count, :count] = linked.relations
        piece_bias[row, ..., :size], item_bias[row, ..., :count] = 0, 0
        before = np.array(item.actions[:-1], np.int64)
        previous[row, 1:steps] = np.where(before >= FIXED, before + 1, before)
        states[row, :steps] = item.states
        for step, mask in enumerate(item.permitted):
            permitted[row, step, :] = False
            permitted[row, step, : FIXED + count] = mask
        targets[row, :steps] = item.actions
        used[row, list(item.used)] = 1
        is_schema[row, len(linked.words) : count] = True
    arrays = (pieces, segments, pool, features, relations, piece_bias, item_bias, previous, states, permitted, targets, used, is_schema)
    return Batch(*(torch.from_numpy(array) for array in arrays))


class Stream(torch.utils.data.IterableDataset[Batch]):
    """Endless augmented batches drawn from several sets by weight, of about equal size in padded word pieces."""

    def __init__(
        self,
        sets: Mapping[str, Sequence[Example]],
        weights: Mapping[str, float],
        databases: Mapping[str, Mapping[str, Database]],
        pieces: WordPieces,
        *,
        most_pieces: int,
        seed: int,
    ) -> None:
        self.sets, self.weights, self.databases, self.pieces = sets, weights, databases, pieces
        self.most_pieces, self.seed = most_pieces, seed

    def __iter__(self) -> Iterator[Batch]:
        rng = random.Random(self.seed)
        streams = {name: self._endless(name, rng) for name in self.sets if self.weights.get(name, 0) > 0}
        names = list(streams)
        while True:
            chosen = rng.choices(names, [self.weights[name] for name in names], k=160)
            items = [next(streams[name]) for name in chosen]
            items.sort(key=lambda item: len(item.linked.pieces))
            chunks = list(self._chunks(items))
            rng.shuffle(chunks)
            yield from (collate(chunk) for chunk in chunks)

    def _endless(self, name: str, rng: random.Random) -> Iterator[Item]:
        examples = list(self.sets[name])
        while True:
            rng.shuffle(examples)
            for example in examples:
                item = prepare(example, self.databases[name][example.database], self.pieces, rng)
                if len(item.linked.pieces) <= 300 and len(item.actions) <= 60:
                    yield item

    def _chunks(self, items: Sequence[Item]) -> Iterator[list[Item]]:
        chunk: list[Item] = []
        for item in items:
            if chunk and len(item.linked.pieces) * (len(chunk) + 1) > self.most_pieces:
                yield chunk
                chunk = []
            chunk.append(item)
        if chunk:
            yield chunk
