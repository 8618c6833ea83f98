"""The embedded parser at work: one question and its tables to drafts, by beam search under the grammar. Trains nothing, runs no SQL."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamlink_sql.catalog.glossary import AliasIndex
from streamlink_sql.catalog.reading import merged
from streamlink_sql.errors import CannotAnswer, ModelUnavailable
from streamlink_sql.generators.parser.actions import (
    FIXED,
    SPAN_END,
    Layout,
    Position,
    alias_words,
    known_cells,
    sensible,
    spans_of,
    to_tokens,
)
from streamlink_sql.generators.parser.adapter import GRAPHS, Adapter, must_fit, read_adapter
from streamlink_sql.generators.parser.ir import NotCovered, Schema, to_sql
from streamlink_sql.generators.parser.linking import FEATURE_SIZES, RELATIONS, Linked, link
from streamlink_sql.generators.parser.mends.figures import read_figures
from streamlink_sql.generators.parser.mends.mending import as_meant, moments_mended
from streamlink_sql.generators.parser.mends.namesakes import with_namesakes_apart
from streamlink_sql.generators.parser.pieces import Pieces
from streamlink_sql.generators.parser.ranking import Finished, Ranked, Ranking
from streamlink_sql.generators.parser.tokens import Token
from streamlink_sql.types import Attempt, Context, Dialect, Draft, Question, Table, ValueMatch

WEIGHTS = Path(__file__).parent / "weights"
BEAMS = 5
MOST_ACTIONS = 90
MOST_COLUMNS = 2_000
"""The catalogue hands over far fewer; the input grows with their square."""

Array = NDArray[Any]
_ENCODED = ("items", "used", "pointer_keys", "cross_keys", "cross_values")
_START = Position()


@dataclass(frozen=True, slots=True)
class Beam:
    """A prefix: its actions, where it stands in the grammar, and the logarithm of its probability."""

    actions: tuple[int, ...] = ()
    position: Position = _START
    score: float = 0.0

    @property
    def complete(self) -> bool:
        """Whether the query is finished."""
        return self.position.complete


class ParserGenerator:
    """Drafts by the model inside the package."""

    name = "parser"

    def __init__(self, *, adapter: Path | None = None, weights: Path | None = None, beams: int = BEAMS, threads: int = 1) -> None:
        weights = weights or WEIGHTS
        if not (weights / "encoder.onnx").exists():
            raise ModelUnavailable(f"The embedded parser has no weights in {weights}. Reinstall the package, or choose another model.")
        if adapter is not None:
            must_fit(adapter, weights)
        self._weights, self._folder, self._beams, self._threads = weights, adapter, beams, threads
        self._lock = threading.Lock()
        self._adapter: Adapter | None = None
        self._loaded: dict[bool, Model] = {}

    def generate(self, question: Question, context: Context, n: int, *, refused: tuple[Attempt, ...] = ()) -> list[Draft]:
        """At most `n` different drafts, best first; drafts that were refused before are not repeated."""
        model = self._model(context.tables)
        schema = _schema_of(context.tables)
        if not 0 < len(schema.columns) <= MOST_COLUMNS:
            raise CannotAnswer(f"There are {len(schema.columns)} columns to choose from; it takes 1 to {MOST_COLUMNS}.")
        said = _with_words(model.words, question.text, context)
        figures = read_figures(question.text, said, (column.name for _, column in schema.columns))
        text, matches = figures.text, figures.moved(said)
        linked = link(text, schema, matches, context.synonyms, model.pieces)
        if not linked.words:
            raise CannotAnswer("The question has no words.")
        layout = Layout.of(linked)
        turned_down = {attempt.sql for attempt in refused}
        encoded = model.encode(linked)
        cells, aliases = known_cells(matches, schema), alias_words(matches, linked.words)
        words = [word.text for word in linked.words]
        drafts: dict[str, list[Ranked]] = {}
        for beam in model.search(encoded, layout, max(self._beams, n), patient=bool(refused)):
            written = to_tokens(beam.actions, layout, text, linked.words, schema, matches)
            try:
                tokens = tuple(as_meant(written, spans_of(beam.actions, layout), cells, linked, schema, figures))
                sql = sql_of(with_namesakes_apart(tokens, words, schema), schema, context.dialect)
            except NotCovered:
                continue
            if sql not in turned_down:
                finished = Finished(beam.actions, tokens, beam.score, cells, aliases)
                drafts.setdefault(sql, []).append(model.ranking.rank(finished, linked, encoded["used"][0], schema))
        if not drafts:
            raise CannotAnswer("No query over these tables fits the question.")
        scored = zip(drafts, model.ranking.confidences(list(drafts.values())), strict=True)
        return [Draft(sql, score, self.name) for sql, score in sorted(scored, key=lambda item: -item[1])[:n]]

    def cancel(self, question_id: str) -> bool:  # noqa: ARG002 - a search is over in milliseconds
        """False: there is nothing that would be worth stopping."""
        return False

    def close(self) -> None:
        """Lets go of the model."""
        with self._lock:
            self._adapter = None
            self._loaded.clear()

    def _model(self, tables: Sequence[Table]) -> Model:
        """The model for questions about these tables: with the adapter where it was trained for them."""
        with self._lock:
            if self._adapter is None and self._folder is not None:
                self._adapter = read_adapter(self._folder)
            adapter = self._adapter if self._adapter and self._adapter.is_for(tables) else None
            adapted = adapter is not None
            if adapted not in self._loaded:
                self._loaded[adapted] = Model(self._weights, self._threads, adapter)
            return self._loaded[adapted]


def sql_of(tokens: tuple[Token, ...], schema: Schema, dialect: Dialect) -> str:
    """The SQL that tokens mean; raises NotCovered."""
    return to_sql(tokens if dialect == "sqlite" else tuple(moments_mended(tokens, schema)), schema, dialect)


def _with_words(words: AliasIndex, question: str, context: Context) -> tuple[ValueMatch, ...]:
    """The context's matches and those of an adapter's words: for values that the asker is shown, where no glossary says otherwise."""
    told = [match for match in context.matches if match.source == "glossary"]
    shown = [match for match in words.match(question) if match.value in context.samples.get((match.table, match.column), ())]
    learned = [match for match in shown if not any(match.start < each.end and each.start < match.end for each in told)]
    return merged(tuple(learned), context.matches) if learned else context.matches


@lru_cache(maxsize=256)
def _schema_of(tables: tuple[Table, ...]) -> Schema:
    return Schema.of(tables)


class Model:
    """The ONNX sessions and the word table. ModelUnavailable when the files cannot be read or do not fit this version."""

    def __init__(self, folder: Path, threads: int, adapter: Adapter | None = None) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        self.pieces = Pieces(folder / "tokenizer.json")
        self.words = AliasIndex(adapter.words if adapter else {})
        try:
            with (folder / "words.npz").open("rb") as file, np.load(file) as words:
                self._rows, self._scale = words["rows"], words["scale"]
            self._encoder, self._decoder = (
                onnxruntime.InferenceSession(
                    str(folder / name) if adapter is None else adapter.applied((folder / name).read_bytes()),
                    options,
                    providers=["CPUExecutionProvider"],
                )
                for name in GRAPHS
            )
            self.ranking = Ranking.read(folder / "ranking.json")
            fits = self._fits()
        except Exception as error:  # numpy, zipfile and onnxruntime each raise their own, some of them plain RuntimeError
            also = f" with the adapter {adapter.folder}" if adapter else ""
            raise ModelUnavailable(f"The weights in {folder}{also} cannot be read: {error}") from error
        if not fits:
            raise ModelUnavailable(f"The weights in {folder} belong to another version of the parser.")

    def _fits(self) -> bool:
        """Whether one step over one word gives the scores that the actions need; fails where an embedding is too small."""
        linked = link("?", Schema.of(()), (), {}, self.pieces)
        widest = np.array([[size - 1 for size in FEATURE_SIZES]], np.int64)
        encoded = self.encode(replace(linked, features=widest, relations=np.full((1, 1), len(RELATIONS) - 1)))
        scores, _, _ = self._step(encoded, [FIXED], [SPAN_END], *self._no_past(encoded))
        return bool(scores.shape == (1, FIXED + 1) and np.isfinite(scores).all())

    def encode(self, linked: Linked) -> dict[str, Array]:
        """What the decoder needs of one question."""
        ids = linked.pieces
        inputs = {
            "words": (self._rows[ids].astype(np.float32) * self._scale[ids])[None],
            "segments": segments_of(linked)[None],
            "pool": pooling(linked)[None],
            "features": linked.features[None],
            "relations": linked.relations[None],
        }
        return dict(zip(_ENCODED, self._encoder.run(None, inputs), strict=True))

    @staticmethod
    def _no_past(encoded: dict[str, Array]) -> tuple[Array, Array]:
        layers, _, heads, _, size = encoded["cross_keys"].shape
        nothing = np.zeros((layers, 1, heads, 0, size), np.float32)
        return nothing, nothing

    def _step(self, encoded: dict[str, Array], previous: list[int], states: list[int], keys: Array, values: Array) -> tuple[Array, ...]:
        """Scores (k, actions) of the next step, and the cache with it."""
        step = {"previous": np.array(previous, np.int64), "states": np.array(states, np.int64), "past_keys": keys, "past_values": values}
        return tuple(self._decoder.run(None, {**encoded, **step}))

    def search(self, encoded: dict[str, Array], layout: Layout, width: int, *, patient: bool = False) -> list[Beam]:
        """Finished beams, most probable first; unless `patient`, without those that are far behind the best."""
        beams, finished = [Beam()], list[Beam]()
        keys, values = self._no_past(encoded)
        for _ in range(MOST_ACTIONS):
            previous = [beam.actions[-1] + (beam.actions[-1] >= FIXED) if beam.actions else FIXED for beam in beams]
            scores, keys, values = self._step(encoded, previous, [beam.position.id for beam in beams], keys, values)
            beams, parents = _extend(beams, scores, layout, width)
            finished += [beam for beam in beams if beam.complete]
            going = [number for number, beam in enumerate(beams) if not beam.complete]
            beams, parents = [beams[number] for number in going], [parents[number] for number in going]
            best = sorted((beam.score for beam in finished), reverse=True)[:width]
            if not beams or (len(best) == width and beams[0].score < best[-1]) or (best and not patient and beams[0].score < best[0] - 7):
                break
            keys, values = keys[:, parents], values[:, parents]
        return sorted(finished, key=lambda beam: -beam.score)[:width]


def _extend(beams: Sequence[Beam], scores: Array, layout: Layout, width: int) -> tuple[list[Beam], list[int]]:
    """The `width` best continuations, best first, and the beam that each continues."""
    masks = np.stack([sensible(beam.position, layout) for beam in beams])
    masked = np.where(masks, scores[:, : layout.count].astype(np.float64), -np.inf)
    top = masked.max(1, keepdims=True)
    logs = masked - top - np.log(np.exp(masked - top).sum(1, keepdims=True)) + np.array([[beam.score] for beam in beams])
    flat = logs.ravel()
    chosen = np.argpartition(-flat, min(width, flat.size - 1))[:width]
    chosen = chosen[np.argsort(-flat[chosen], kind="stable")]
    extended, parents = [], []
    for place in chosen.tolist():
        parent, action = divmod(place, layout.count)
        if np.isfinite(flat[place]):
            beam = beams[parent]
            extended.append(Beam((*beam.actions, action), beam.position.after(action, layout), float(flat[place])))
            parents.append(parent)
    return extended, parents


def segments_of(linked: Linked) -> NDArray[np.int64]:
    """(p,) 0 for the question's pieces, 1 for the schema's."""
    end = int(linked.spans[len(linked.words) - 1, 1]) + 1
    return (np.arange(len(linked.pieces)) >= end).astype(np.int64)


def pooling(linked: Linked) -> NDArray[np.float32]:
    """(2, n, p): weights of the mean of every item's pieces, and of its first piece."""
    places = np.arange(len(linked.pieces))[None, :]
    starts, ends = linked.spans[:, :1], linked.spans[:, 1:]
    inside = (places >= starts) & (places < ends)
    mean = inside / np.maximum(inside.sum(1, keepdims=True), 1)
    return np.stack((mean, places == starts)).astype(np.float32)
