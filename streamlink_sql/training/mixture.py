"""Mixes pairs about the user's data with pairs about other databases, and splits them by template, never by row. Trains nothing.

OUT/train.jsonl, validation.jsonl    pairs; those about other databases have `way` open, and name theirs in `db_id`
OUT/report.json                      how many of which, and what was left out as it is held out
OPEN/tables.json, databases/         the other databases, in Spider's form
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from streamlink_sql.errors import BadRequest, NotFound, StreamLinkError
from streamlink_sql.training.pairs import Pair, read_pairs, write_pairs
from streamlink_sql.training.synthetic.build import build
from streamlink_sql.training.synthetic.sample import plain
from streamlink_sql.training.synthetic.schema import load
from streamlink_sql.training.synthetic.values import SCHEMAS

Ratio = tuple[int, int]
"""Parts of the user's domain and of other domains."""
_MADE = "made.json"
_SCHEMAS, _PAIRS_A_SCHEMA = 64, 50
"""Over so many of the shipped schemas open pairs are made at least; over all of them where there are more pairs than this for each."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """What to train on and what to stop by: no template is in both. Pairs with way `open` name their `database`."""

    train: tuple[Pair, ...]
    validation: tuple[Pair, ...]
    report: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Leak:
    """A pair of training that is a held-out one: the same question, or the same SQL with the same values."""

    pair: Pair
    held_out: Pair
    what: str


def read_ratio(text: str) -> Ratio:
    """`3:1` as a ratio; BadRequest for what is none."""
    parts = text.split(":")
    if len(parts) != 2 or not all(part.isdecimal() and int(part) <= 1000 for part in parts) or not any(int(part) for part in parts):
        raise BadRequest(f"{text!r} is no ratio. Write the parts of your data and of other data, such as 1:1, 3:1 or 1:0.")
    return int(parts[0]), int(parts[1])


def open_pairs(folder: Path, count: int, seed: int = 7, progress: Progress | None = None) -> tuple[Pair, ...]:
    """About `count` pairs over the schemas that are shipped. `folder` gets databases/NAME.duckdb and tables.json (Spider's form); what an
    earlier call has made there is read again."""
    made, told = folder / _MADE, {"count": count, "seed": seed}
    if not made.is_file() or json.loads(made.read_text(encoding="utf-8")) != told:
        made.unlink(missing_ok=True)
        names = [base.name for base in load(SCHEMAS)]
        few = [] if count > _SCHEMAS * _PAIRS_A_SCHEMA else Random(f"{seed}:schemas").sample(names, min(_SCHEMAS, len(names)))
        build(folder, count, seed, progress or Progress(disable=True), few)
        made.write_text(json.dumps(told), encoding="utf-8")
    return read_open(folder)


def read_open(folder: Path) -> tuple[Pair, ...]:
    """The pairs of a data set over many databases: train.jsonl with `db_id`, `question`, `query`, beside tables.json and databases/."""
    for name in ("train.jsonl", "tables.json"):
        if not (folder / name).is_file():
            raise NotFound(f"There is no {folder / name}. A set over many databases has train.jsonl, tables.json and databases/.")
    pairs = tuple(read_pairs(folder / "train.jsonl", "open"))
    if not all(pair.database for pair in pairs):
        raise BadRequest(f"A line of {folder / 'train.jsonl'} does not name its database: `db_id` is missing.")
    return pairs


def mix(
    domain: Sequence[Pair],
    opened: Sequence[Pair],
    ratio: Ratio = (1, 1),
    seed: int = 7,
    *,
    count: int | None = None,
    validation: float = 0.05,
    held_out: Sequence[Pair] = (),
) -> Mixture:
    """`count` pairs in this ratio (as many as there are, by default), in random order, a share of the templates set aside for validation.

    Where one side has too few, the other gives fewer, too. Pairs that leak a held-out question are left out and counted. What a person
    accepted, and what has its template, is trained on.
    """
    rng = Random(f"{seed}:mixture")
    leaking = leaks([*domain, *opened], held_out)
    out = {id(leak.pair) for leak in leaking}
    sides = [[pair for pair in side if id(pair) not in out] for side in (domain, opened)]
    chosen = [_some(side, size, rng) for side, size in zip(sides, _sizes(ratio, sides, count), strict=True)]
    train, kept_out = _split([pair for side in chosen for pair in side], validation, rng)
    report = {
        "ratio": f"{ratio[0]}:{ratio[1]}",
        "train": _counts(train),
        "validation": _counts(kept_out),
        "left_out": dict(Counter(leak.what for leak in leaking)),
    }
    return Mixture(train, kept_out, report)


def _sizes(ratio: Ratio, sides: Sequence[Sequence[Pair]], count: int | None) -> tuple[int, int]:
    """How many pairs of each side there are to be."""
    whole = min(len(side) / part for side, part in zip(sides, ratio, strict=True) if part)
    whole = whole if count is None else min(whole, count / sum(ratio))
    first, second = (round(whole * part) for part in ratio)
    return first, second


def _some(pairs: Sequence[Pair], size: int, rng: Random) -> list[Pair]:
    """So many pairs by chance, those that a person accepted before others."""
    order = list(pairs)
    rng.shuffle(order)
    return sorted(order, key=lambda pair: pair.way != "accepted")[:size]


def _split(pairs: list[Pair], share: float, rng: Random) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    """The pairs, and those of some templates apart, about this share of them."""
    sizes = Counter(pair.template for pair in pairs)
    trained = {pair.template for pair in pairs if pair.way == "accepted"}
    templates = sorted(sizes.keys() - trained)
    rng.shuffle(templates)
    apart: set[str] = set()
    left = share * len(pairs)
    for template in templates:
        if sizes[template] <= left:
            apart.add(template)
            left -= sizes[template]
    rng.shuffle(pairs)
    return tuple(pair for pair in pairs if pair.template not in apart), tuple(pair for pair in pairs if pair.template in apart)


def _counts(pairs: Iterable[Pair]) -> dict[str, int]:
    pairs = list(pairs)
    return {"pairs": len(pairs), "templates": len({pair.template for pair in pairs}), **Counter(pair.way for pair in pairs)}


def leaks(train: Sequence[Pair], held_out: Sequence[Pair]) -> list[Leak]:
    """Pairs of training that are held out, by their question or by their SQL over the same database."""
    asked = {(pair.database, plain(pair.question)): pair for pair in held_out}
    queries = {(pair.database, _spelt(pair.query)): pair for pair in held_out}
    found = []
    for pair in train:
        if (same := asked.get((pair.database, plain(pair.question)))) is not None:
            found.append(Leak(pair, same, "the same question"))
        elif (same := queries.get((pair.database, _spelt(pair.query)))) is not None:
            found.append(Leak(pair, same, "the same SQL"))
    return found


def _spelt(query: str) -> str:
    """SQL without what spelling leaves open: case, blanks, the last semicolon."""
    return "".join(query.casefold().split()).rstrip(";")


def write_mixture(mixture: Mixture, folder: Path) -> None:
    """train.jsonl, validation.jsonl and report.json."""
    folder.mkdir(parents=True, exist_ok=True)
    write_pairs(folder / "train.jsonl", mixture.train)
    write_pairs(folder / "validation.jsonl", mixture.validation)
    (folder / "report.json").write_text(json.dumps(mixture.report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def command(
    domain: Annotated[Path, typer.Option(help="Pairs about your data, as streamlink_sql.training.augment writes them.")],
    out: Annotated[Path, typer.Option(help="The folder to write.")],
    opened: Annotated[
        Path | None, typer.Option("--open", help="A set over many databases, in Spider's form; else one is made in OUT/open.")
    ] = None,
    ratio: Annotated[str, typer.Option(help="Parts of your data and of other data.")] = "1:1",
    count: Annotated[int | None, typer.Option(help="How many pairs in all; else as many as there are.", min=1)] = None,
    validation: Annotated[float, typer.Option(help="The share that is set aside, whole templates.", min=0, max=0.5)] = 0.05,
    held_out: Annotated[Path | None, typer.Option(help="Questions that must not be trained on: JSON lines.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed and pairs give the same mixture.")] = 7,
) -> None:
    """Mixes pairs about your data with pairs about other databases, for training."""
    try:
        parts, pairs = read_ratio(ratio), read_pairs(domain)
        others = read_open(opened) if opened else _made(out / "open", parts, len(pairs), count, seed)
        apart = read_pairs(held_out) if held_out else []
        mixture = mix(pairs, others, parts, seed, count=count, validation=validation, held_out=apart)
        write_mixture(mixture, out)
    except StreamLinkError as error:
        print(error.detail, file=sys.stderr)
        raise typer.Exit(error.exit_status) from error
    print(json.dumps(mixture.report, ensure_ascii=False))


def _made(folder: Path, ratio: Ratio, pairs: int, count: int | None, seed: int) -> tuple[Pair, ...]:
    """As many pairs about our own schemas as the ratio needs."""
    own, others = ratio
    wanted = count * others // sum(ratio) if count is not None else pairs * others // own if own else pairs
    if not wanted:
        return ()
    with Progress(console=Console(stderr=True)) as progress:
        return open_pairs(folder, wanted, seed, progress)


if __name__ == "__main__":
    typer.run(command)
