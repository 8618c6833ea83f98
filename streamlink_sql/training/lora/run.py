"""Trains an adapter. Reads as it runs: settings, examples, model, loop, checks, save.

A run can be stopped at any moment and goes on with the very step that it was at: the examples, their order, the weights, the optimizer and
the random numbers are those of a run that was never stopped. It ends with its last epoch, when its time is used up, or when the execution
accuracy on held-out questions has not risen for some checks. What it leaves is the adapter of the last check that no other is clearly
better than: of few held-out questions the best score is mostly luck, and the rate falls to nothing towards the end.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from streamlink_sql.cards import CARD, write_card
from streamlink_sql.errors import BadRequest, CannotAnswer
from streamlink_sql.evaluate.questions import evaluate_questions
from streamlink_sql.evaluate.sets import Answering, GoldQuestion, Source
from streamlink_sql.generators.extract import find_sql
from streamlink_sql.generators.hugging_face import prompt_tokens
from streamlink_sql.training.lora import causal, files
from streamlink_sql.training.lora.causal import Shape
from streamlink_sql.training.lora.examples import Example, Plan, Sources, example_of, prompted, without_long
from streamlink_sql.training.pairs import Pair, write_pairs
from streamlink_sql.training.stopping import Stop

LEAST_RATE = 0.01
"""What part of the highest learning rate is left in the end."""


@dataclass(frozen=True)
class Settings:
    """How to train. What is held out is about the user's data; it is asked every `check_steps` steps, `patience` times without a gain."""

    model: Path
    sources: Sources
    out: Path
    shape: Shape = field(default_factory=Shape)
    plan: Plan = field(default_factory=Plan)
    epochs: float = 2.0
    minutes: float | None = None
    rate: float = 2e-4
    warm_up: float = 0.03
    longest: int = 4096
    check_steps: int = 100
    patience: int = 3
    save_minutes: float = 5.0


@dataclass
class Progress:
    """How far a run is; kept in its checkpoint. `checks` hold step, seconds, `ex` and its interval, and the loss since the one before."""

    epoch: int = 0
    done: int = 0
    """Steps of this epoch."""
    step: int = 0
    seconds: float = 0.0
    examples: int = 0
    tokens: int = 0
    loss: float = 0.0
    before: dict[str, Any] | None = None
    checks: list[dict[str, Any]] = field(default_factory=list)

    @property
    def chosen(self) -> dict[str, Any] | None:
        """The last check within one standard error of the highest accuracy (the rule of Breiman et al. 1984, section 3.4.3)."""
        top = max((check["ex"] for check in self.checks), default=0.0)
        return next((check for check in reversed(self.checks) if check["ex"] >= top - math.sqrt(top * (1 - top) / check["count"])), None)

    def is_stuck(self, patience: int) -> bool:
        """Whether so many checks went by since the first one of the highest accuracy."""
        scores = [check["ex"] for check in self.checks]
        return bool(scores) and len(scores) - 1 - scores.index(max(scores)) >= patience


@dataclass(frozen=True)
class Prepared:
    """What is learned and what is asked, as tokens: the same however often a run is stopped. `data_sha256` is the hash of the pairs."""

    examples: list[Example]
    held_out: list[tuple[str, tuple[int, ...]]]
    left_out: int
    data_sha256: str


Watch = Callable[["Run"], None]


class Run:
    """A training run: its model, its optimizer and how far it is. What it needs while under way lies in the sub-folder `work`."""

    def __init__(self, settings: Settings, pairs: Sequence[Pair], held_out: Sequence[Pair] = ()) -> None:
        self.work = settings.out / "work"
        self.work.mkdir(parents=True, exist_ok=True)
        self._checkpoint, self._chosen = self.work / "last.pt", self.work / "chosen.pt"
        saved = torch.load(self._checkpoint, weights_only=True, map_location="cpu") if self._checkpoint.exists() else None
        self.settings = settings = replace(settings, shape=_with_precision(settings.shape, saved))
        self.tokenizer = causal.load_tokenizer(settings.model)
        self.prepared = self._prepare(pairs, held_out)
        self.marks = {"data": self.prepared.data_sha256, "base": files.hash_of_model(settings.model), **_essence(settings)}
        if saved is not None and saved["marks"] != self.marks:
            changed = sorted(name for name in self.marks if saved["marks"].get(name) != self.marks[name])
            raise BadRequest(
                f"{settings.out} holds a training with other {', '.join(changed)}. Go on as it began, or choose another folder."
            )
        torch.manual_seed(settings.plan.seed)
        self.model = causal.adapted(causal.load_base(settings.model, settings.shape), settings.shape).train()
        self.weights = causal.trained(self.model)
        if settings.model.is_file() and (
            reason := files.without_place((name for name, _ in self.weights), self.model.get_base_model().config)
        ):
            raise BadRequest(f"{settings.model} is run by llama.cpp. {reason}", setting="model")
        self.optimizer = torch.optim.AdamW([weight for _, weight in self.weights], lr=settings.rate, weight_decay=0.0)
        self.progress = Progress()
        if saved is not None:
            self._resume(saved)
        self.steps = self._count_steps()
        self._began = time.monotonic() - self.progress.seconds

    def _prepare(self, pairs: Sequence[Pair], held_out: Sequence[Pair]) -> Prepared:
        """Reads the schemas and makes tokens of all, or takes what an earlier call has made."""
        kept, mark = self.work / "examples.pt", _hash_of_pairs(pairs, held_out)
        write_pairs(self.work / "held_out.jsonl", held_out)
        if kept.exists() and (found := torch.load(kept, weights_only=True))["data_sha256"] == mark:
            return Prepared([Example(*each) for each in found["examples"]], found["held_out"], found["left_out"], mark)
        bar = tqdm(prompted(pairs, self.settings.sources), total=len(pairs), desc="prompts", unit=" pairs", mininterval=5)
        found = [example_of(self.tokenizer, pair, messages) for pair, messages in bar]
        examples = without_long(found, self.settings.longest)
        asked = [
            (pair.question, tuple(prompt_tokens(self.tokenizer, messages))) for pair, messages in prompted(held_out, self.settings.sources)
        ]
        prepared = Prepared(examples, asked, len(found) - len(examples), mark)
        torch.save({**asdict(prepared), "examples": [(each.database, each.prompt, each.target) for each in examples]}, kept)
        return prepared

    def _resume(self, saved: Mapping[str, Any]) -> None:
        with torch.no_grad():
            for name, weight in self.weights:
                weight.copy_(saved["adapter"][name])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.progress = Progress(**saved["progress"])
        torch.set_rng_state(saved["random"])
        if torch.cuda.is_available():
            torch.cuda.set_rng_state_all(saved["random_cuda"])

    def _count_steps(self) -> int:
        """Steps of all epochs, the last one perhaps in part."""
        whole, part = divmod(self.settings.epochs, 1)
        count = sum(len(self._steps_of(epoch)) for epoch in range(int(whole)))
        return max(1, count + round(part * len(self._steps_of(int(whole)))))

    def _steps_of(self, epoch: int) -> list[list[list[int]]]:
        return self.settings.plan.steps(self.prepared.examples, epoch)

    @property
    def share(self) -> float:
        """The share of the run that is done, 0 to 1: by steps or by time, whichever is further."""
        by_time = self.progress.seconds / (self.settings.minutes * 60) if self.settings.minutes else 0.0
        return min(1.0, max(self.progress.step / self.steps, by_time))

    @property
    def is_over(self) -> bool:
        """Whether there is no more to learn."""
        return self.share >= 1 or self.progress.is_stuck(self.settings.patience)

    def learn(self, chunks: Sequence[Sequence[int]]) -> None:
        """One step."""
        progress, settings = self.progress, self.settings
        step = [[self.prepared.examples[number] for number in chunk] for chunk in chunks]
        targets = sum(len(example.target) for chunk in step for example in chunk)
        rate = settings.rate * min(1.0, (progress.step + 1) / max(1, settings.warm_up * self.steps)) * max(1 - self.share, LEAST_RATE)
        loss = 0.0
        for chunk in step:
            with causal.computing(self.model, settings.shape):
                part = causal.target_loss(self.model, chunk, shared=not settings.shape.checkpointing) / targets
            part.backward()
            loss += part.item()
        torch.nn.utils.clip_grad_norm_([weight for _, weight in self.weights], 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        progress.step, progress.done = progress.step + 1, progress.done + 1
        progress.examples += sum(map(len, step))
        progress.tokens += targets
        progress.loss = 0.95 * progress.loss + 0.05 * loss if progress.loss else loss

    def tick(self) -> None:
        """Brings the clock up to date."""
        self.progress.seconds = time.monotonic() - self._began

    def next_epoch(self) -> None:
        """Begins the next epoch."""
        self.progress.epoch, self.progress.done = self.progress.epoch + 1, 0

    def chunks_left(self) -> list[list[list[int]]]:
        """The steps of this epoch that are still to come."""
        return list(islice(self._steps_of(self.progress.epoch), self.progress.done, None))

    def save(self) -> None:
        """Writes a checkpoint: the old file stays until the new one is whole."""
        self.tick()
        state = {
            "marks": self.marks,
            "adapter": self.adapter(),
            "optimizer": self.optimizer.state_dict(),
            "progress": asdict(self.progress),
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }
        _write(state, self._checkpoint)

    def adapter(self) -> dict[str, Tensor]:
        """The adapter's weights as they are now."""
        return {name: weight.detach().cpu().clone() for name, weight in self.weights}

    def check(self, watch: Watch) -> None:
        """Asks the held-out questions and keeps the adapter where it would be chosen now: one that is not will not be later."""
        self.tick()
        progress, found = self.progress, self._score()
        progress.checks.append({"step": progress.step, "seconds": round(progress.seconds), "loss": round(progress.loss, 4), **found})
        print(json.dumps(progress.checks[-1]), flush=True)
        if progress.chosen is progress.checks[-1]:
            _write(self.adapter(), self._chosen)
        watch(self)
        self.save()

    def check_before(self, watch: Watch) -> None:
        """Asks the held-out questions of the base model, once."""
        if self.progress.before is None:
            with self.model.disable_adapter():
                self.progress.before = self._score()
                watch(self)
            print(json.dumps({"before": self.progress.before}), flush=True)
            self.save()

    def _score(self) -> dict[str, Any]:
        """Execution accuracy of first drafts on the held-out questions."""
        said = self.drafts([prompt for _, prompt in self.prepared.held_out])
        questions = [question for question, _ in self.prepared.held_out]
        return score(dict(zip(questions, said, strict=True)), self.work / "held_out.jsonl", self.settings.sources.data)

    def drafts(self, prompts: Sequence[tuple[int, ...]]) -> list[str]:
        """The first SQL that the model writes for each prompt, empty where it writes none."""
        with (
            causal.computing(self.model, self.settings.shape),
            tqdm(total=len(prompts), desc="check", unit=" questions", leave=False) as bar,
        ):
            return [find_sql(text).sql for text in causal.written(self.model, self.tokenizer, prompts, told=bar.update)]

    def finish(self) -> None:
        """Writes the adapter of the chosen check, or of the end where nothing was held out, with its card; the checkpoint goes."""
        self.tick()
        if self.progress.chosen is not None:
            chosen = torch.load(self._chosen, weights_only=True)
            with torch.no_grad():
                for name, weight in self.weights:
                    weight.copy_(chosen[name])
        self.model.save_pretrained(str(self.settings.out))
        files.write_gguf(self.settings.out, self.model.get_base_model().config)
        write_card(self.settings.out, self._card())
        shutil.rmtree(self.work)

    def _card(self) -> dict[str, Any]:
        progress = self.progress
        return {
            "kind": "causal",
            "base": self.settings.model.name,
            "base_sha256": self.marks["base"],
            "data_sha256": self.prepared.data_sha256,
            "seed": self.settings.plan.seed,
            "settings": _essence(self.settings) | {"minutes": self.settings.minutes, "patience": self.settings.patience},
            "pairs": {"learned": len(self.prepared.examples), "too_long": self.prepared.left_out, "held_out": len(self.prepared.held_out)},
            "share_of_parameters": round(causal.share_trained(self.model), 5),
            "steps": progress.step,
            "examples": progress.examples,
            "seconds": round(progress.seconds),
            "loss": round(progress.loss, 4),
            "scores": {"before": progress.before, "after": progress.chosen, "checks": progress.checks},
        }


def _with_precision(shape: Shape, saved: Mapping[str, Any] | None) -> Shape:
    """The shape with the precision that a run goes on in or begins in: it stays the same wherever the run goes on."""
    if shape.precision != "auto":
        return shape
    if saved is not None:
        return replace(shape, precision=saved["marks"]["shape"]["precision"])
    return replace(shape, precision=next(name for name, dtype in causal.PRECISIONS.items() if dtype == shape.dtype))


def _essence(settings: Settings) -> dict[str, Any]:
    """What decides what a run learns, as JSON has it."""
    told = {"shape": asdict(settings.shape), "plan": asdict(settings.plan)}
    told |= {name: getattr(settings, name) for name in ("epochs", "rate", "warm_up", "longest", "check_steps")}
    essence: dict[str, Any] = json.loads(json.dumps(told))
    return essence


def _hash_of_pairs(pairs: Sequence[Pair], held_out: Sequence[Pair]) -> str:
    told = [[(pair.database, pair.question, pair.query) for pair in some] for some in (pairs, held_out)]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()


def _write(state: Any, path: Path) -> None:
    temporary = path.with_suffix(".part")
    torch.save(state, temporary)
    temporary.replace(path)


def score(drafts: Mapping[str, str], questions: Path, data: str) -> dict[str, Any]:
    """Execution accuracy of drafts by question on a file of questions with gold SQL, with its interval."""

    def generate(question: GoldQuestion) -> str:
        if not (sql := drafts[question.text]):
            raise CannotAnswer("The model wrote no SQL.")
        return sql

    found = evaluate_questions(questions, Source(data), Answering(generate=generate))
    return {"ex": found["ex"], "ex_interval": list(found["ex_interval"]), "em": found["em"], "count": found["count"]}


def train(settings: Settings, pairs: Sequence[Pair], held_out: Sequence[Pair] = (), watch: Watch = lambda _: None) -> int:
    """Trains until there is no more to learn; returns 0, or 128 and the signal that stopped it. A finished folder stays as it is.

    Held-out pairs about other databases are left out. `watch` is called with the run before the first step and after each check.
    """
    if (settings.out / CARD).exists():
        return 0
    run = Run(settings, pairs, [pair for pair in held_out if not pair.database])
    with Stop() as stop:
        if run.prepared.held_out:
            run.check_before(watch)
        _loop(run, stop, watch)
    if stop.asked is not None:
        run.save()
        return 128 + stop.asked
    run.finish()
    return 0


def _loop(run: Run, stop: Stop, watch: Watch) -> None:
    """Step after step, with a checkpoint every few minutes and a check every so many steps."""
    settings, progress = run.settings, run.progress
    saved = progress.seconds
    with tqdm(total=run.steps, initial=progress.step, unit=" steps", mininterval=5) as bar:
        while True:
            for chunks in run.chunks_left():
                if stop.asked is not None or run.is_over:
                    return
                run.learn(chunks)
                run.tick()
                speed = f"{progress.examples / progress.seconds * 3600:,.0f} examples/h"
                bar.set_postfix(refresh=False, loss=f"{progress.loss:.3f}", rate=speed)
                bar.update()
                if run.prepared.held_out and (progress.step % settings.check_steps == 0 or run.share >= 1):
                    run.check(watch)
                elif progress.seconds - saved > settings.save_minutes * 60:
                    saved = progress.seconds
                    run.save()
            if run.is_over:
                return
            run.next_epoch()
