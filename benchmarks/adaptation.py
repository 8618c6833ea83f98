"""What `streamlink-sql adapt` gains on four domains that the parser never saw, and what it costs elsewhere. Runs for hours, and resumes.

    python -m benchmarks.adaptation --spider SPIDER --patents DATA --patents-held-out FILE.jsonl --out work/adaptation [--ablations]

Domains: the patents demo (its 100 questions accepted, those of the file held out) and three databases of Spider's development set (half of
the questions accepted, half held out, split by gold SQL, so that paraphrases stay together). Each is adapted with 0, 20 and all accepted
questions; then its held-out questions and those over the other development databases are asked through the control unit. With
--ablations, two domains also with other ratios of own to open pairs, and with less augmentation.

OUT/results.json keeps what is measured: a cell that is there is not run again, one that was stopped goes on. OUT/*.svg show it.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from benchmarks.curves import Point, svg
from streamlink_sql.evaluate.natural_names import natural_names, write_glossary
from streamlink_sql.evaluate.questions import evaluate_questions
from streamlink_sql.evaluate.scores import wilson
from streamlink_sql.evaluate.sets import Answering, Source, read_json_lines
from streamlink_sql.generators.parser.adapter import hash_of_base
from streamlink_sql.generators.parser.runtime import WEIGHTS
from streamlink_sql.training.augment.augmenting import DIRECTIONS, Direction
from streamlink_sql.training.mixture import read_ratio
from streamlink_sql.training.pairs import Pair, read_pairs, write_pairs
from streamlink_sql.training.parser_adapter import Tuning
from streamlink_sql.training.promote import Job, adapt

ACCEPTED = Path(__file__).parent.parent / "streamlink_sql" / "demo" / "questions.jsonl"
SPIDER_DOMAINS = ("world_1", "car_1", "dog_kennels")
PATENTS = "patents"
AMOUNTS: dict[str, int | None] = {"0": 0, "20": 20, "all": None}
"""How many accepted questions; None is all."""
RATIOS = ("1:0", "3:1", "1:1", "1:3", "0:1")
WAYS: dict[str, tuple[Direction, ...]] = {"none": (), "forward": ("forward",), "backward": ("backward",), "both": DIRECTIONS}
SPLIT_SEED = 6
RESAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Domain:
    """One source with its questions."""

    name: str
    data: Path
    accepted: tuple[Pair, ...]
    held_out: tuple[Pair, ...]
    glossary: Path | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One adaptation: which domain, with how many accepted questions, in which ratio, augmented how."""

    domain: str
    amount: int | None
    ratio: str = "1:1"
    way: str = "both"

    @property
    def name(self) -> str:
        """A name for a folder."""
        return f"{self.domain}-{'all' if self.amount is None else self.amount}-{self.ratio.replace(':', 'to')}-{self.way}"


class Results:
    """What is measured, in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def keep(self, name: str, value: dict[str, Any]) -> None:
        """Adds one figure; the file is there whole or not at all."""
        self.found[name] = value
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(self.found, indent=1) + "\n", encoding="utf-8")
        part.replace(self.path)


def halves(pairs: Sequence[Pair]) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    """Two halves; questions with the same SQL are in the same one."""
    queries = sorted({" ".join(pair.query.casefold().split()) for pair in pairs})
    random.Random(SPLIT_SEED).shuffle(queries)
    first: set[str] = set()
    for query in queries:
        if 2 * sum(" ".join(pair.query.casefold().split()) in first for pair in pairs) >= len(pairs):
            break
        first.add(query)
    inside = [" ".join(pair.query.casefold().split()) in first for pair in pairs]
    return tuple(p for p, is_in in zip(pairs, inside, strict=True) if is_in), tuple(
        p for p, is_in in zip(pairs, inside, strict=True) if not is_in
    )


def domains_of(given: argparse.Namespace) -> Iterator[Domain]:
    """The domains that were asked for."""
    entries = natural_names(given.spider / "tables.json")
    dev = read_pairs(given.spider / "dev.jsonl")
    for name in given.domains:
        if name == PATENTS:
            held_out = tuple(read_pairs(given.patents_held_out))
            glossary = given.patents / "glossary.toml"
            yield Domain(name, given.patents, tuple(read_pairs(ACCEPTED)), held_out, glossary if glossary.is_file() else None)
        else:
            own = [Pair(p.question, p.query, template=p.template, way="accepted") for p in dev if p.database == name]
            glossary = write_glossary(entries[name], given.out / f"{name}.toml")
            yield Domain(name, given.spider / "databases" / f"{name}.sqlite", *halves(own), glossary)


def scores(pairs: Sequence[Pair], source: Source, adapter: Path | None, work: Path) -> dict[str, Any]:
    """Accuracy over some questions, and whether each was answered rightly."""
    file, wrong = work / "asked.jsonl", work / "wrong.jsonl"
    write_pairs(file, pairs)
    found = evaluate_questions(file, source, Answering("parser", adapter), keep_distinct=source.databases is None, errors=wrong)
    missed = {line["id"] for _, line in read_json_lines(wrong)}
    right = [int(str(number) not in missed) for number in range(1, len(pairs) + 1)]
    return {name: found[name] for name in ("em", "ex", "count", "ms_median")} | {"right": right}


class Bench:
    """Measures cells."""

    def __init__(self, given: argparse.Namespace, domains: Sequence[Domain]) -> None:
        self.given, self.domains = given, {domain.name: domain for domain in domains}
        self.results = Results(given.out / "results.json")
        told = {"weights": hash_of_base(WEIGHTS)[:16], "tuning": asdict(Tuning())}
        if self.results.found and self.results.found.get("with") != told:
            sys.exit(
                f"{self.results.path} was measured with other weights or another tuning of the parser. Name another folder with --out."
            )
        self.results.keep("with", told)
        self.spider = Source(tables=given.spider / "tables.json", databases=given.spider / "databases")
        others = [pair for pair in read_pairs(given.spider / "dev.jsonl") if pair.database not in SPIDER_DOMAINS]
        self.others = others[:: max(1, len(others) // given.others)] if given.others else others

    def base(self) -> None:
        """What the parser does before."""
        for name, domain in self.domains.items():
            if f"before {name}" not in self.results.found:
                self.results.keep(f"before {name}", self.held_out(domain, None, self.given.out))
        if "before others" not in self.results.found:
            self.results.keep("before others", scores(self.others, self.spider, None, self.given.out))

    def held_out(self, domain: Domain, adapter: Path | None, work: Path) -> dict[str, Any]:
        """The held-out questions of a domain."""
        if domain.name == PATENTS:
            return scores(domain.held_out, Source(domain.data), adapter, work)
        pairs = [Pair(p.question, p.query, template=p.template, database=domain.name) for p in domain.held_out]
        return scores(pairs, self.spider, adapter, work)

    def run(self, cell: Cell) -> None:
        """Adapts and measures; what is known is not measured again."""
        if cell.name in self.results.found:
            return
        domain, out = self.domains[cell.domain], self.given.out / cell.name
        accepted = domain.accepted if cell.amount is None else tuple(random.Random(SPLIT_SEED).sample(domain.accepted, cell.amount))
        job = Job(
            str(domain.data),
            accepted,
            out,
            held_out=domain.held_out,
            glossary=domain.glossary,
            count=self.given.count,
            ratio=read_ratio(cell.ratio),
            directions=WAYS[cell.way],
            minutes=self.given.minutes,
        )
        began = time.strftime("%H:%M")
        print(f"{began} {cell.name}", file=sys.stderr, flush=True)
        card = adapt(job)
        measured = {"held_out": self.held_out(domain, out, out), "others": scores(self.others, self.spider, out, out)}
        told = {name: card[name] for name in ("seconds", "gate", "validation")}
        self.results.keep(cell.name, {**measured, **told, "latency": card["scores"]["latency"], "accepted": len(accepted)})


def pooled(results: Results, cells: Sequence[Cell]) -> dict[str, Any] | None:
    """Held-out questions of several domains together: before, after, the gain with an interval by resampling; None if one is missing."""
    found = results.found
    if any(cell.name not in found for cell in cells):
        return None
    before = [right for cell in cells for right in found[f"before {cell.domain}"]["right"]]
    after = [right for cell in cells for right in found[cell.name]["held_out"]["right"]]
    gains = [last - first for first, last in zip(before, after, strict=True)]
    rng = random.Random(1)
    means = sorted(sum(rng.choices(gains, k=len(gains))) / len(gains) for _ in range(RESAMPLES))
    interval = means[round(0.025 * RESAMPLES)], means[round(0.975 * RESAMPLES) - 1]
    shares = {name: (sum(right) / len(right), *wilson(sum(right), len(right))) for name, right in (("before", before), ("after", after))}
    elsewhere = [found[cell.name]["others"]["ex"] - found["before others"]["ex"] for cell in cells]
    seconds = max(found[cell.name]["seconds"] for cell in cells)
    gain = (sum(gains) / len(gains), *interval)
    return {**shares, "gain": gain, "count": len(gains), "elsewhere": min(elsewhere), "seconds": seconds}


def show(results: Results, title: str, rows: Mapping[str, Sequence[Cell]]) -> None:
    """One table: a row for every set of cells."""
    heads = ("questions", "before", "after", "gain, points", "95 %", "elsewhere, points (worst)", "seconds (longest)")
    table = Table(Column("", no_wrap=True), *heads, title=title)
    for name, cells in rows.items():
        each = pooled(results, cells)
        if each is not None:
            gain, low, high = (100 * part for part in each["gain"])
            shares = (f"{each[when][0]:.1%} ({each[when][1]:.1%} to {each[when][2]:.1%})" for when in ("before", "after"))
            more = f"{low:+.1f} to {high:+.1f}", f"{100 * each['elsewhere']:+.1f}", f"{each['seconds']:.0f}"
            table.add_row(name, str(each["count"]), *shares, f"{gain:+.1f}", *more)
    Console(width=150).print(table)


def draw(results: Results, path: Path, title: str, places: Sequence[str], curves: Mapping[str, Sequence[Sequence[Cell]]]) -> None:
    """One picture: the share that is right after adapting, for each place along the axis."""

    def after(cells: Sequence[Cell]) -> Point | None:
        each = pooled(results, cells)
        return None if each is None else each["after"]

    path.write_text(
        svg(title, places, {name: [after(cells) for cells in places_of] for name, places_of in curves.items()}), encoding="utf-8"
    )


def report(results: Results, names: Sequence[str], ablated: Sequence[str], out: Path) -> None:
    """All tables and pictures of what is there."""
    said = {amount: f"{told} accepted" for told, amount in AMOUNTS.items()}
    rows = {f"{name}, {said[amount]}": [Cell(name, amount)] for name in names for amount in said}
    rows |= {f"together, {said[amount]}": [Cell(name, amount) for name in names] for amount in said}
    show(results, "adaptation", rows)
    curves = {name: [[Cell(name, amount)] for amount in said] for name in names}
    curves["together"] = [[Cell(name, amount) for name in names] for amount in said]
    draw(results, out / "accepted.svg", "Held-out questions answered, by accepted questions", list(said.values()), curves)
    if ablated:
        by_ratio = {ratio: [Cell(name, None, ratio) for name in ablated] for ratio in RATIOS}
        by_way = {way: [Cell(name, None, way=way) for name in ablated] for way in WAYS}
        show(results, "ratio of own to open pairs", by_ratio)
        show(results, "augmentation", by_way)
        each_ratio = {name: [[Cell(name, None, ratio)] for ratio in RATIOS] for name in ablated}
        each_way = {name: [[Cell(name, None, way=way)] for way in WAYS] for name in ablated}
        draw(results, out / "ratio.svg", "Held-out questions answered, by ratio of own to open pairs", RATIOS, each_ratio)
        draw(results, out / "augmentation.svg", "Held-out questions answered, by augmentation", list(WAYS), each_way)


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--spider", type=Path, required=True, help="Spider's folder: dev.jsonl, tables.json and databases/")
    add("--patents", type=Path, help="the data of the patents demo")
    add("--patents-held-out", type=Path, metavar="FILE", help="questions about it that are not the demo's: JSON lines")
    add("--out", type=Path, required=True, metavar="DIR", help="folder for adapters, figures and pictures")
    add("--domains", nargs="+", default=[PATENTS, *SPIDER_DOMAINS], metavar="NAME", help="default: %(default)s")
    add("--ablations", action="store_true", help="other ratios and less augmentation, too")
    add("--ablated", nargs="*", default=[PATENTS, SPIDER_DOMAINS[0]], metavar="NAME", help="on these domains (default: %(default)s)")
    add(
        "--amounts",
        nargs="+",
        default=list(AMOUNTS),
        choices=AMOUNTS,
        metavar="N",
        help="adapt with so many accepted ones (default: 0 20 all)",
    )
    add("--count", type=int, default=2000, help="pairs to make for a domain (default: %(default)s)")
    add("--minutes", type=float, help="minutes of training (default: the trainer's own)")
    add("--others", type=int, default=0, help="ask about so many questions over other databases only")
    add("--report", action="store_true", help="run nothing: show what is there")
    given = parser.parse_args()
    if PATENTS in given.domains and not (given.patents and given.patents_held_out):
        parser.error("the domain patents needs --patents and --patents-held-out")
    return given


def main() -> int:
    """Measures what is not known yet, and shows it all."""
    given = read_arguments()
    given.out.mkdir(parents=True, exist_ok=True)
    ablated = [name for name in given.ablated if name in given.domains] if given.ablations else []
    if not given.report:
        bench = Bench(given, list(domains_of(given)))
        bench.base()
        cells = [Cell(name, amount) for told, amount in reversed(AMOUNTS.items()) if told in given.amounts for name in given.domains]
        cells += [Cell(name, None, ratio) for ratio in RATIOS for name in ablated]
        cells += [Cell(name, None, way=way) for way in WAYS for name in ablated]
        for cell in cells:
            bench.run(cell)
    report(Results(given.out / "results.json"), given.domains, ablated, given.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
