"""Adapts the embedded parser to a user's data: low-rank updates (LoRA, Hu et al. 2021) over the shipped int8 weights, taken back to
floating point as QLoRA does (Dettmers et al. 2023). The adapter is a small folder, `adapter.npz` and `card.json`, beside the weights.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from streamlink_sql.cards import CARD, read_card, write_card
from streamlink_sql.errors import BadRequest, ModelUnavailable, StreamLinkError
from streamlink_sql.generators.parser.adapter import KIND, UPDATES, hash_of_base
from streamlink_sql.generators.parser.ir import NotCovered, Schema, to_ir
from streamlink_sql.generators.parser.runtime import WEIGHTS
from streamlink_sql.training.domain import Domain, open_domain
from streamlink_sql.training.example_files import HELD_OUT, TrainingData, TrainingSet
from streamlink_sql.training.mixture import Mixture
from streamlink_sql.training.pairs import Pair, hash_of_pairs, read_pairs
from streamlink_sql.training.parser_data import (
    Database,
    Example,
    duckdb_values,
    read_aliases,
    read_databases,
    read_set,
    sqlite_values,
    to_symbols,
)
from streamlink_sql.training.words import with_words
from streamlink_sql.types import Dialect

if TYPE_CHECKING:
    from streamlink_sql.training.adapter_run import Fitted

OPEN, DOMAIN, ACCEPTED = "open", "domain", "accepted"
CHECKPOINT = "last.pt"


@dataclass(frozen=True, slots=True)
class Tuning:
    """How to adapt. Training ends when `minutes` (or `steps`) are used up.

    `accepted` is the least share of accepted questions among those of the domain, `frozen_layers` are the lowest encoder layers, which get
    no updates. `share` is how much of the trained updates counts: a step back towards the base keeps what it knew of other databases, and
    costs nothing on the domain (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").
    """

    rank: int = 8
    alpha: float = 16.0
    rate: float = 1e-3
    share: float = 0.75
    minutes: float = 8.0
    steps: int | None = None
    warm_up: int = 20
    batch_pieces: int = 2000
    frozen_layers: int = 4
    accepted: float = 0.25
    seed: int = 1


def adapt(
    mixture: Mixture, domain: Domain, opened: Path, out: Path, tuning: Tuning | None = None, *, base: Path = WEIGHTS
) -> Mapping[str, Any]:
    """Adapts the parser in `base` to a domain and returns what `out/card.json` says.

    `mixture` is what to train on and what to ask before and after; `opened` is the folder of its open pairs' databases, as
    `open_pairs` leaves it. `out` gets `adapter.npz` and `card.json`; what was begun there goes on, with the same mixture and tuning.
    The card has `kind` ("parser"), `base`, `base_hash`, `data_hash`, `seed`, `tuning`, `pairs` (by way), `left_out` (pairs that the
    parser's form cannot say, by reason), `tables` (that it is for: [table, [column]]), `words` (for values: [table, column,
    {word: value}]), `scores` ({before, after}: {domain, open}, shares of validation queries written exactly), `steps`, `examples`,
    `parameters`, `bytes` and `seconds`.
    Raises ModelUnavailable where torch is missing, BadRequest where no pair of the domain can be learnt from, Cancelled when stopped.
    """
    tuning = tuning or Tuning()
    began = time.monotonic()
    about: dict[str, Any] = {
        "kind": KIND,
        "base": "the embedded parser",
        "base_hash": hash_of_base(base),
        "data_hash": hash_of_pairs((*mixture.train, *mixture.validation)),
        "seed": tuning.seed,
        "tuning": asdict(tuning),
    }
    if (out / CARD).exists():
        card = read_card(out)
        if any(card.get(name) != value for name, value in about.items()):
            raise BadRequest(f"{out} holds an adapter of other pairs or settings. Choose another folder.")
        return card
    left_out: Counter[str] = Counter()
    data = data_of(mixture, domain, opened, left_out)
    weights = weights_of(mixture, data, tuning.accepted)
    fitted = _fitted(data, weights, base, out, tuning, json.dumps(about, sort_keys=True))
    size = _save_updates(fitted, out / UPDATES)
    card = {
        **about,
        "pairs": dict(Counter(pair.way for pair in mixture.train)),
        "left_out": dict(left_out.most_common()),
        "scores": {"before": dict(fitted.before), "after": dict(fitted.after)},
        "tables": [[table.name, [column.name for column in table.columns]] for table in domain.tables],
        "words": [[*place, dict(told)] for place, told in domain.words.items()],
        "steps": fitted.steps,
        "examples": fitted.examples,
        "parameters": sum(down.size + up.size for down, up in fitted.updates.values()),
        "bytes": size,
        "seconds": round(time.monotonic() - began, 1),
    }
    write_card(out, card)
    (out / CHECKPOINT).unlink(missing_ok=True)
    return card


def data_of(mixture: Mixture, domain: Domain, opened: Path, left_out: Counter[str]) -> TrainingData:
    """The sets to train on and, held out, those to look at. BadRequest where there is nothing to learn."""
    is_mixed = any(pair.way == OPEN for pair in (*mixture.train, *mixture.validation))
    databases = {
        DOMAIN: {"": Database("", domain.tables, domain.snapshot.glossary.synonyms)},
        OPEN: _open_databases(opened) if is_mixed else {},
    }
    sets: dict[str, TrainingSet] = {}
    for prefix, pairs in (("", mixture.train), (f"{HELD_OUT}_", mixture.validation)):
        own = domain_examples([pair for pair in pairs if pair.way != OPEN], domain, left_out)
        others = _open_examples([pair for pair in pairs if pair.way == OPEN], databases[OPEN], opened, left_out)
        sets[prefix + DOMAIN], sets[prefix + OPEN] = TrainingSet(DOMAIN, own), TrainingSet(OPEN, others)
    sets[ACCEPTED] = TrainingSet(DOMAIN, [example for example in sets[DOMAIN].examples if example.set == ACCEPTED])
    only_open = all(pair.way == OPEN for pair in mixture.train)
    if not sets[OPEN if only_open else DOMAIN].examples:
        reasons = ", ".join(f"{reason} ({count})" for reason, count in left_out.most_common(3))
        raise BadRequest(f"None of the pairs can be learnt by the parser: {reasons or 'there are none'}.")
    return TrainingData(sets, databases)


def weights_of(mixture: Mixture, data: TrainingData, least_accepted: float) -> dict[str, float]:
    """How often each set is drawn: the ratio is the mixture's, and of the domain's own at least a share are accepted ones."""
    opened = sum(pair.way == OPEN for pair in mixture.train)
    if opened == len(mixture.train):
        return {OPEN: 1.0}
    own, accepted = len(data.sets[DOMAIN].examples), len(data.sets[ACCEPTED].examples)
    more = max(0.0, least_accepted - accepted / own) / (1 - accepted / own) if 0 < accepted < own else 0.0
    weights = {DOMAIN: 1 - more, ACCEPTED: more, OPEN: opened / (len(mixture.train) - opened)}
    return {name: weight for name, weight in weights.items() if data.sets[name].examples}


def domain_examples(pairs: Sequence[Pair], domain: Domain, left_out: Counter[str]) -> list[Example]:
    """Pairs about the user's data as examples, set by way: what of the data each question mentions is found as when it is asked."""
    schema = Schema.of(domain.tables)
    examples = []
    for pair in pairs:
        try:
            tokens = to_ir(pair.query, schema, "sqlite" if domain.dialect == "sqlite" else "duckdb")
            matches = domain.context(pair.question).matches
            symbols = to_symbols(tokens, pair.question, schema, matches)
        except NotCovered as error:
            left_out[str(error)] += 1
            continue
        examples.append(Example(pair.way, "", pair.question, pair.query, matches, symbols))
    return examples


def _open_databases(folder: Path) -> dict[str, Database]:
    tables = folder / "tables.json"
    if not tables.is_file():
        raise BadRequest(f"The open pairs need {tables}, which is not there.")
    return read_databases(tables, folder / "databases")


def _open_examples(pairs: Sequence[Pair], databases: Mapping[str, Database], folder: Path, left_out: Counter[str]) -> list[Example]:
    """Pairs about other databases, DuckDB or SQLite files."""
    examples: list[Example] = []
    readers: tuple[tuple[Dialect, Any], ...] = (("duckdb", duckdb_values), ("sqlite", sqlite_values))
    for dialect, values_of in readers:
        files = {name: folder / "databases" / f"{name}.{dialect}" for name in {pair.database for pair in pairs}}
        there = {name: file for name, file in files.items() if name in databases and file.is_file()}
        lines = [{"db_id": pair.database, "question": pair.question, "query": pair.query} for pair in pairs if pair.database in there]
        chosen = {name: databases[name] for name in there}
        values = {name: values_of(file) for name, file in sorted(there.items())}
        aliases = read_aliases(folder / "tables.json") if there else {}
        examples += read_set(OPEN, lines, chosen, values, dialect, left_out, aliases=aliases)
    return examples


def _fitted(data: TrainingData, weights: dict[str, float], base: Path, out: Path, tuning: Tuning, begun_with: str) -> Fitted:
    try:
        from streamlink_sql.training.adapter_run import fit
        from streamlink_sql.training.parser import Settings
    except ImportError as error:
        raise ModelUnavailable(f"Adapting the parser needs torch: pip install 'streamlink-sql[train]'. ({error})") from error
    settings = Settings(
        data=out,
        start=base,
        out=out,
        from_shipped=True,
        minutes=tuning.minutes,
        steps=tuning.steps,
        batch_pieces=tuning.batch_pieces,
        rate=tuning.rate,
        warm_up=tuning.warm_up,
        frozen_layers=tuning.frozen_layers,
        weights=weights,
        seed=tuning.seed,
    )
    return fit(settings, data, tuning, begun_with)


def _save_updates(fitted: Fitted, path: Path) -> int:
    """Writes the updates in 16 bits; returns the size of the file."""
    arrays: dict[str, Any] = {}
    for name, (down, up) in fitted.updates.items():
        arrays[f"{name}.down"], arrays[f"{name}.up"] = down.astype(np.float16), up.astype(np.float16)
    np.savez(path, **arrays)
    return path.stat().st_size


def main(arguments: Sequence[str]) -> int:
    """The command line of `python -m streamlink_sql.training.parser --adapt`."""
    parser = argparse.ArgumentParser(
        prog="python -m streamlink_sql.training.parser --adapt", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add, default = parser.add_argument, Tuning()
    add("--adapt", action="store_true", help=argparse.SUPPRESS)
    add("--data", required=True, metavar="PATH", help="your data, as for `streamlink-sql ask`")
    add(
        "--mixture",
        type=Path,
        required=True,
        metavar="DIR",
        help="train.jsonl, validation.jsonl and open/, as training.mixture writes them",
    )
    add("--out", type=Path, required=True, metavar="DIR", help="folder for the adapter; what was begun there goes on")
    add("--glossary", type=Path, metavar="FILE", help="your glossary")
    add("--base", type=Path, default=WEIGHTS, metavar="DIR", help="another export of the parser than the package's own")
    for name, what in (
        ("rank", "rank of the updates"),
        ("alpha", "the updates are multiplied by alpha / rank"),
        ("rate", "highest learning rate"),
        ("share", "how much of the trained updates counts; less keeps more of what the parser knew of other databases"),
        ("minutes", "time to train"),
        ("seed", "of the updates and the order of pairs"),
    ):
        value = getattr(default, name)
        add(f"--{name}", type=type(value), default=value, help=f"{what} (default: %(default)s)")
    add("--steps", type=int, help="train this many steps instead")
    given = vars(parser.parse_args(arguments))
    del given["adapt"]
    data, folder, out, glossary, base = (given.pop(name) for name in ("data", "mixture", "out", "glossary", "base"))
    try:
        train, validation = (tuple(read_pairs(folder / name)) for name in ("train.jsonl", "validation.jsonl"))
        with open_domain(data, glossary) as opened:
            domain = with_words(opened, [pair for pair in train if pair.way == ACCEPTED])
            card = adapt(Mixture(train, validation, {}), domain, folder / "open", out, Tuning(**given), base=base)
    except StreamLinkError as error:
        print(error.detail, file=sys.stderr)
        return error.exit_status
    print(json.dumps(card, indent=1))
    return 0
