"""What a LoRA adapter does for a small language model on one domain, from pairs to the served answer. Stopped at any moment, it goes on.

    python -m benchmarks.lora_experiment patents --data PATENTS --accepted FILE --test FILE --model MODEL.gguf --out DIR
    python -m benchmarks.lora_experiment world_1 --spider DIR --model MODEL.gguf --out DIR
    python -m benchmarks.lora_experiment report --out DIR

A database of Spider's development set gives half of its questions as accepted ones and is tested by the other half; questions with the
same SQL stay together. The adapter learns from pairs made of the accepted ones (or those of --pairs), is stopped by pairs of its own that
it does not learn, and is asked the test questions at every check (the curve) and, before and after, through StreamLink on llama.cpp: the
model as GGUF with the adapter as GGUF. DIR/DOMAIN.json holds the figures, DIR/report.html the plot. Needs streamlink-sql[hf,llama].
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from streamlink_sql.cards import read_card
from streamlink_sql.evaluate.questions import evaluate_questions
from streamlink_sql.evaluate.sets import Answering, GoldQuestion, Source, database_file, read_questions
from streamlink_sql.generators.hugging_face import prompt_tokens
from streamlink_sql.training.augment import Plan as AugmentPlan
from streamlink_sql.training.augment import augment
from streamlink_sql.training.domain import open_domain
from streamlink_sql.training.lora import causal
from streamlink_sql.training.lora.causal import Shape
from streamlink_sql.training.lora.examples import Plan, Sources, prompted
from streamlink_sql.training.lora.run import Run, Settings, score, train
from streamlink_sql.training.mixture import mix, open_pairs, write_mixture
from streamlink_sql.training.pairs import Pair, read_pairs, write_pairs

COMPARED = 20
"""Test questions on which the merged model is held against the unmerged one."""

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>LoRA</title>
<body style="font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto">
<h1>Execution accuracy by steps</h1>
{}"""


class Domain:
    """The files of one domain's experiment."""

    def __init__(self, told: argparse.Namespace) -> None:
        self.told, self.name = told, told.domain
        self.folder: Path = told.out / self.name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = told.data or str(database_file(told.spider / "databases", self.name))
        self.accepted, self.test = self.folder / "accepted.jsonl", self.folder / "test.jsonl"
        self.curve, self.figures = self.folder / "curve.jsonl", told.out / f"{self.name}.json"
        self.adapter = self.folder / "adapter"

    def split(self) -> None:
        """The accepted questions and those of the test."""
        if self.test.exists():
            return
        if self.told.test:
            accepted, test = read_pairs(self.told.accepted), read_pairs(self.told.test)
        else:
            own = [question for question in read_questions(self.told.spider / "dev.jsonl") if question.db_id == self.name]
            accepted, test = halves(own, self.told.seed)
        write_pairs(self.accepted, accepted)
        write_pairs(self.test, test)

    def pairs(self) -> tuple[list[Pair], list[Pair], Path | None]:
        """What is learned, what it is stopped by, and where the data of other databases lies."""
        if self.told.pairs:
            told = read_pairs(self.told.pairs)
            stopping = read_pairs(self.told.stopping)
            return told, stopping, self.told.others
        opened, made, own = self.folder.parent / "open", self.folder / "mixture", self.folder / "own.jsonl"
        if not own.exists():
            with open_domain(self.data) as domain:
                write_pairs(own, augment(domain, read_pairs(self.accepted), AugmentPlan(self.told.count, self.told.seed)).pairs)
        if not (made / "report.json").exists():
            others = of_few(open_pairs(opened, self.told.count, self.told.seed), self.told.count, self.told.chunk)
            write_mixture(mix(read_pairs(own), others, seed=self.told.seed, held_out=read_pairs(self.test)), made)
        stopping = [pair for pair in read_pairs(made / "validation.jsonl") if not pair.database][: self.told.check_questions]
        return read_pairs(made / "train.jsonl"), stopping, opened / "databases"


def of_few(pairs: Sequence[Pair], count: int, each: int) -> list[Pair]:
    """At least `count` pairs of few databases, chunks of `each` from one, as the schema of a chunk is most of what is read."""
    by_database: dict[str, list[Pair]] = {}
    for pair in pairs:
        by_database.setdefault(pair.database, []).append(pair)
    chosen: list[Pair] = []
    for some in by_database.values():
        if len(chosen) < count:
            chosen += some[: len(some) // each * each]
    return chosen


def halves(questions: Sequence[GoldQuestion], seed: int) -> tuple[list[Pair], list[Pair]]:
    """Accepted and test questions, one half each; the same SQL is in one half only."""
    by_query: dict[str, list[GoldQuestion]] = {}
    for question in questions:
        by_query.setdefault(" ".join(question.query.casefold().split()), []).append(question)
    groups = list(by_query.values())
    random.Random(seed).shuffle(groups)
    accepted: list[Pair] = []
    test: list[Pair] = []
    for group in groups:
        half = accepted if len(accepted) < len(questions) / 2 else test
        half += [Pair(question.text, question.query, way="accepted") for question in group]
    return accepted, test


def trained(domain: Domain) -> int:
    """Trains the adapter; each check adds a point to the curve."""
    told = domain.told
    learned, stopping, others = domain.pairs()
    sources = Sources(domain.data, others)
    settings = Settings(
        told.model,
        sources,
        domain.adapter,
        Shape(rank=told.rank, alpha=2 * told.rank, dropout=told.dropout),
        Plan(chunk=told.chunk, step=told.step, seed=told.seed),
        epochs=told.epochs,
        rate=told.rate,
        check_steps=told.check_steps,
        patience=told.patience,
    )
    test = read_pairs(domain.test)
    prompts: list[tuple[int, ...]] = []

    def watch(run: Run) -> None:
        if not prompts:
            prompts.extend(tuple(prompt_tokens(run.tokenizer, messages)) for _, messages in prompted(test, sources))
        began = time.monotonic()
        drafts = dict(zip((pair.question for pair in test), run.drafts(prompts), strict=True))
        point = {"step": run.progress.step, "examples": run.progress.examples, "hours": round(run.progress.seconds / 3600, 3)}
        point |= score(drafts, domain.test, domain.data) | {"loss": round(run.progress.loss, 4)}
        with domain.curve.open("a") as out:
            out.write(json.dumps(point) + "\n")
        print(json.dumps(point | {"asking_s": round(time.monotonic() - began)}), flush=True)

    return train(settings, learned, stopping, watch)


def once(domain: Domain, name: str, make: Callable[[], Any]) -> Any:
    """A figure, made if it is not there yet."""
    known = json.loads(domain.figures.read_text()) if domain.figures.exists() else {}
    if name not in known:
        known[name] = make()
        domain.figures.write_text(json.dumps(known, indent=1) + "\n")
    return known[name]


def served(domain: Domain, adapter: Path | None) -> dict[str, Any]:
    """The test questions asked through StreamLink, with llama.cpp in the process."""
    found = evaluate_questions(domain.test, Source(domain.data), Answering(str(domain.told.model), adapter), progress=_dots)
    return {name: found[name] for name in ("ex", "ex_interval", "em", "em_interval", "count", "ms_median", "ms_p95", "problems")}


def _dots(done: int, count: int) -> None:
    print(f"\r{done} of {count}", end="" if done < count else "\n", file=sys.stderr)


def merged_is_equal(domain: Domain) -> dict[str, Any]:
    """Whether the merged model writes what the base with its adapter writes, and how far their numbers are apart, in float32."""
    from peft import PeftModel

    told = domain.told
    tokenizer = causal.load_tokenizer(told.model)
    some = read_pairs(domain.test)[:COMPARED]
    prompts = [tuple(prompt_tokens(tokenizer, messages)) for _, messages in prompted(some, Sources(domain.data))]
    plain = causal.load_base(told.model, Shape(precision="fp32"))
    unmerged = PeftModel.from_pretrained(plain, str(domain.adapter)).eval()
    before = causal.written(unmerged, tokenizer, prompts)
    numbers = _logits(unmerged, prompts[0])
    merged = unmerged.merge_and_unload().eval()
    after = causal.written(merged, tokenizer, prompts)
    apart = float((_logits(merged, prompts[0]) - numbers).abs().max())
    return {"compared": len(prompts), "equal": sum(map(str.__eq__, before, after)), "largest_difference_of_logits": apart}


def _logits(model: Any, prompt: Sequence[int]) -> Any:
    with torch.inference_mode():
        return model(input_ids=torch.tensor([prompt])).logits


def report(out: Path) -> None:
    """All domains: a table, and the curves as one page."""
    found = {file.stem: json.loads(file.read_text()) for file in sorted(out.glob("*.json"))}
    found = {name: figures for name, figures in found.items() if "after" in figures}
    table = Table("domain", "questions", "before", "after", "share of parameters", "merged equal", "steps", "examples an hour")
    for name, figures in found.items():
        card = figures["card"]
        before, after = (
            "{ex:.1%} ({0:.1%} to {1:.1%})".format(*part["ex_interval"], **part) for part in (figures["before"], figures["after"])
        )
        equal = f"{figures['merged']['equal']} of {figures['merged']['compared']}"
        speed = f"{card['examples'] / card['seconds'] * 3600:,.0f}"
        table.add_row(
            name, str(figures["after"]["count"]), before, after, f"{card['share_of_parameters']:.2%}", equal, f"{card['steps']:,}", speed
        )
    Console(width=160).print(table)
    sections = "".join(f"<h2>{escape(name)}</h2>\n{_chart(figures['curve'])}" for name, figures in found.items())
    (out / "report.html").write_text(PAGE.format(sections))


def _chart(curve: Sequence[dict[str, Any]]) -> str:
    """Accuracy over steps with its 95 % interval."""
    width, height, left = 900, 320, 50
    most = max(point["step"] for point in curve) or 1

    def place(step: float, share: float) -> str:
        return f"{left + step / most * (width - left - 10):.1f},{(1 - share) * (height - 30) + 5:.1f}"

    band = [place(point["step"], point["ex_interval"][1]) for point in curve]
    band += [place(point["step"], point["ex_interval"][0]) for point in reversed(curve)]
    drawn = [f'<polygon points="{" ".join(band)}" fill="#9cf" opacity=".4"/>']
    drawn += [f'<polyline points="{" ".join(place(p["step"], p["ex"]) for p in curve)}" fill="none" stroke="#06c" stroke-width="2"/>']
    drawn += [f'<text x="0" y="{(1 - share) * (height - 30) + 10:.0f}">{share:.0%}</text>' for share in (0, 0.25, 0.5, 0.75, 1)]
    drawn += [f'<text x="{width}" y="{height - 5}" text-anchor="end">{most:,} steps</text>']
    label = 'role="img" aria-label="Execution accuracy by steps" font-size="13" font-family="system-ui, sans-serif"'
    return f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" {label}>\n' + "\n".join(drawn) + "\n</svg>\n"


def read_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("domain", help="a database of Spider's development set, any other name with --data, or `report`")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--spider", type=Path)
    parser.add_argument("--data")
    parser.add_argument("--accepted", type=Path)
    parser.add_argument("--test", type=Path)
    parser.add_argument("--pairs", type=Path, help="learn from these pairs instead of making some")
    parser.add_argument("--stopping", type=Path, help="with --pairs: the pairs that training stops by")
    parser.add_argument("--others", type=Path, help="with --pairs: the databases that they name")
    parser.add_argument(
        "--count", type=int, default=1000, help="pairs to make about the domain (default: %(default)s), and as many about others"
    )
    parser.add_argument("--epochs", type=float, default=2)
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--dropout", type=float, default=0.0, help="default: %(default)s, as it costs time and memory on a CPU")
    parser.add_argument("--chunk", type=int, default=12)
    parser.add_argument("--step", type=int, default=32)
    parser.add_argument("--check-steps", type=int, default=16)
    parser.add_argument("--check-questions", type=int, default=60)
    parser.add_argument("--patience", type=int, default=4)
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args(arguments)


def main() -> int:
    """One domain, or the report."""
    told = read_arguments(None)
    if told.domain == "report":
        report(told.out)
        return 0
    domain = Domain(told)
    domain.split()
    if status := trained(domain):
        return status
    once(domain, "card", lambda: read_card(domain.adapter))
    points = {point["step"]: point for point in map(json.loads, domain.curve.read_text().splitlines())}
    once(domain, "curve", lambda: [points[step] for step in sorted(points)])
    once(domain, "before", lambda: served(domain, None))
    once(domain, "after", lambda: served(domain, domain.adapter))
    once(domain, "merged", lambda: merged_is_equal(domain))
    report(told.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
