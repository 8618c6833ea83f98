"""From feedback to a better model: accepted questions become many pairs, these an adapter, and the gate says whether it may answer.

out/                 the adapter with its card.json, once it is whole: what `--adapter` takes
out/work/            what is done so far; the same call goes on there
out/work/flagged.jsonl   pairs that a person should look at; with `"reviewed": true` on their lines they are learned from
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

import platformdirs
from filelock import FileLock

from streamlink_sql import __version__
from streamlink_sql.assemble import open_generator
from streamlink_sql.cards import CARD, read_card, write_card
from streamlink_sql.errors import BadRequest, Cancelled, ModelUnavailable
from streamlink_sql.evaluate.sets import Answering, database_file
from streamlink_sql.generators.parser.adapter import hash_of_base
from streamlink_sql.settings import load_settings
from streamlink_sql.store.store import Store
from streamlink_sql.store.versions import Version, Versions, card_of_version, files_of, fingerprint
from streamlink_sql.training.augment import Plan, augment
from streamlink_sql.training.augment.augmenting import DIRECTIONS, Direction
from streamlink_sql.training.domain import Domain, open_domain
from streamlink_sql.training.gating import Gate, measured, timed, verdict
from streamlink_sql.training.mixture import Mixture, Ratio, mix, open_pairs, read_open
from streamlink_sql.training.pairs import Pair, as_line, hash_of_pairs, read_pairs, shape_of, write_pairs
from streamlink_sql.training.screening import Screened, screen
from streamlink_sql.training.words import with_words

HELD_OUT_SHARE, LEAST_HELD_OUT = 0.25, 4
"""Without questions of their own to judge by, this share of the accepted ones is held out, where that is so many at least."""
OTHERS, OF_EACH = 10, 24
"""The gate asks about so many other databases, nothing of which is learned, so many questions each."""
OPENED, DATABASES = 3000, "databases"
"""So many pairs about other databases are made by templates, once for all adaptations. With the questions that people wrote about the same
databases they are four times as many at least; where more are needed, a multiple of it is made."""
TRAINERS = {"parser": "streamlink_sql.training.promote:train_parser", "causal": "streamlink_sql.training.promote:train_causal"}
"""Kind of a model -> what trains an adapter for it."""
PACKAGES = {"parser": ("torch", "train"), "causal": ("peft", "hf")}
"""Kind of a model -> a package that its training needs, and the extra that brings it."""
Tick = Callable[[str, int, int | None], None]
"""Hears what is going on, how far it is, and of how many where that is known."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to adapt to what. `accepted` may be empty: then all pairs are made from the data alone. Without `held_out`, some of the accepted
    ones are held out. `minutes` are for training alone; None leaves them to the trainer.
    """

    data: str
    accepted: Sequence[Pair]
    out: Path
    held_out: Sequence[Pair] | None = None
    model: str = "parser"
    glossary: Path | None = None
    count: int = 2000
    ratio: Ratio = (1, 1)
    directions: tuple[Direction, ...] = DIRECTIONS
    minutes: float | None = None
    seed: int = 7
    opened: Path | None = None
    """A set over many databases, in Spider's form, for the open half; None is ours."""

    @property
    def kind(self) -> str:
        """What is adapted; BadRequest for a model that runs elsewhere."""
        if self.model == "parser":
            return "parser"
        if self.model.lower().endswith(".gguf") or Path(self.model).expanduser().is_dir():
            return "causal"
        raise BadRequest(f"{self.model} cannot be adapted: the parser can, a GGUF file, or a Hugging Face folder.", setting="model")

    @property
    def marks(self) -> dict[str, Any]:
        """What decides the outcome: work that was begun with other marks is not gone on with."""
        pairs = {
            name: hash_of_pairs(pairs)[:16] for name, pairs in (("questions", self.accepted), ("held-out questions", self.held_out or ()))
        }
        told = {name: getattr(self, name) for name in ("data", "model", "count", "seed", "minutes")}
        places = {"glossary": self.glossary and str(self.glossary), "open": self.opened and str(self.opened)}
        return {**pairs, **told, **places, "ratio": list(self.ratio), "directions": list(self.directions)}


@dataclass(frozen=True)
class Lesson:
    """What a trainer gets: the mixture, the data it is about, and where the databases of its other pairs lie."""

    job: Job
    mixture: Mixture
    domain: Domain
    opened: Path
    out: Path


@dataclass
class Work:
    """What is done so far, in a folder."""

    folder: Path
    marks: Mapping[str, Any]
    done: dict[str, Any] = field(default_factory=dict)
    earlier_s: float = 0.0
    began: float = field(default_factory=time.monotonic)

    @classmethod
    def at(cls, folder: Path, marks: Mapping[str, Any]) -> Work:
        """Goes on in a folder, or begins there; BadRequest where something else was begun."""
        _make(folder)
        state = folder / "state.json"
        if not state.is_file():
            return cls(folder, marks)
        told = json.loads(state.read_text(encoding="utf-8"))
        changed = sorted(name for name in marks if told["marks"].get(name) != marks[name])
        if changed:
            raise BadRequest(
                f"{folder.parent} holds an adaptation with other {', '.join(changed)}. Go on as it began, or name another folder.",
                setting="out",
            )
        return cls(folder, marks, told["done"], told["seconds"])

    @property
    def seconds(self) -> float:
        """How long it has been worked on, earlier calls counted in."""
        return self.earlier_s + time.monotonic() - self.began

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """What a step gives, which is done once however often the run is stopped."""
        if name not in self.done:
            try:
                self.done[name] = json.loads(json.dumps(make()))
            finally:
                self.save()
        return self.done[name]

    def save(self) -> None:
        """Writes the state, whole or not at all."""
        part = self.folder / "state.part"
        part.write_text(json.dumps({"marks": self.marks, "done": self.done, "seconds": self.seconds}), encoding="utf-8")
        part.replace(self.folder / "state.json")


def adapt(job: Job, tick: Tick = lambda *_: None) -> dict[str, Any]:
    """Makes the adapter in `job.out` and returns its card, with `scores` and what the gate says of it. What was begun there goes on.

    Raises BadRequest, ModelUnavailable where a package is missing, Cancelled where training was stopped.
    """
    must_be_trainable(job.kind)
    _must_open(job)
    with open_domain(job.data, job.glossary) as domain:
        contents = domain.stamp if Path(job.data).exists() else ""  # what a server tells changes with time alone
        work = Work.at(job.out / "work", {**job.marks, "weights of the model": hash_of(job), "contents of the data": contents})
        work.once("finished", lambda: _made(job, work, domain, tick))
    return read_card(job.out)


def _made(job: Job, work: Work, domain: Domain, tick: Tick) -> bool:
    """All the steps, in order."""
    screened = work.once("screened", lambda: _screened(job, work.folder, domain))
    held_out, learned = (read_pairs(work.folder / name) for name in ("held_out.jsonl", "learned.jsonl"))
    told = with_words(domain, learned) if job.kind == "parser" else domain  # its adapters carry words
    augmented = work.once("augmented", lambda: _augmented(job, work.folder, learned, told, tick))
    pairs = read_pairs(work.folder / "pairs.jsonl")
    folder, found = _opened(job, len(pairs) * job.ratio[1] // max(1, job.ratio[0]), tick)
    opened, others = _others(folder, found, job.seed)
    mixture = mix(pairs, opened, job.ratio, job.seed, held_out=held_out)
    lesson = Lesson(job, mixture, told, folder, work.folder / "trained")
    gate = Gate(held_out, others, work.folder)
    plain = Answering(job.model, glossary=job.glossary)
    adapted = replace(plain, adapter=lesson.out)
    before = work.once("before", lambda: measured(plain, gate, domain, job.data, tick))
    work.once("trained", lambda: _trained(lesson, tick))
    after = work.once("after", lambda: measured(adapted, gate, domain, job.data, tick))
    asked = [pair.question for pair in held_out or pairs]
    latency = work.once("latency", lambda: timed(plain, adapted, asked, domain))
    card = read_card(lesson.out)
    card |= {"validation": card.get("scores"), "scores": _scores(before, after, latency), "gate": verdict(before, after, latency)}
    card |= {"pairs": {**screened, **augmented, "mixture": dict(mixture.report)}, "seconds": round(work.seconds, 1)}
    _finish(lesson.out, job.out, card)
    return True


def from_feedback(store: Store, out: Path) -> tuple[list[Pair], int]:
    """The pairs that people vouched for, and the place of the newest verdict; what an adaptation in `out` began with stays as it was."""
    work = out / "work"
    kept, place = work / "accepted.jsonl", work / "feedback"
    if not place.is_file():
        newest = store.newest_feedback()
        pairs = [Pair(each["question"], each["query"], template=shape_of(each["query"]), way="accepted") for each in store.accepted_pairs()]
        if not pairs:
            raise BadRequest("Nobody has said yet that an answer was right. Accept some on the page, or name a file with --questions.")
        _make(work)
        write_pairs(kept, dict.fromkeys(pairs))
        place.write_text(str(newest), encoding="ascii")
    return read_pairs(kept), int(place.read_text(encoding="ascii"))


def _make(folder: Path) -> None:
    """Makes the folder of what is done so far; BadRequest where that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadRequest(f"{folder} cannot be made: {error.strerror}. Name another folder.", setting="out") from error


def keep(out: Path, versions: Versions, *, by: str, feedback: int | None = None, promote: bool = False) -> Version:
    """Takes what `adapt` has made over as a version, and promotes it where that is wanted and the gate let it pass."""
    known = fingerprint(out)
    version = next((each for each in versions.all() if each.name == known), None)
    if version is None:
        version = versions.add(out, passed=bool(card_of_version(out)["gate"]["passed"]), by=by, feedback=feedback)
    current = versions.promoted()
    if promote and version.passed and (current is None or current.number != version.number):
        versions.promote(version.number, by=by)
    return version


def must_be_trainable(kind: str) -> None:
    """Raises ModelUnavailable where what training needs is not installed."""
    package, extra = PACKAGES[kind]
    if find_spec(package) is None:
        raise ModelUnavailable(f"Adapting this model needs {package}, which is not installed. Run: pip install 'streamlink-sql[{extra}]'")


def _must_open(job: Job) -> None:
    """Raises what is wrong with the model or the set of other databases, before there is work that would be lost on them."""
    told: dict[str, Any] = {"model": job.model}
    open_generator(load_settings(**told)).close()
    if job.opened is not None:
        read_open(job.opened)


def hash_of(job: Job) -> str:
    """What tells the weights of the model from all others."""
    if job.kind == "parser":
        from streamlink_sql.generators.parser.runtime import WEIGHTS

        return hash_of_base(WEIGHTS)
    from streamlink_sql.training.lora.files import hash_of_model

    return hash_of_model(Path(job.model).expanduser())


def _screened(job: Job, folder: Path, domain: Domain) -> dict[str, Any]:
    """Which of the accepted pairs are learned from, which are held out, and which a person should look at."""
    found: Screened = screen(job.accepted, domain)
    held_out, learned = split(found.kept, job.seed) if job.held_out is None else (list(job.held_out), list(found.kept))
    write_pairs(folder / "held_out.jsonl", held_out)
    write_pairs(folder / "learned.jsonl", learned)
    flagged = [{**json.loads(as_line(each.pair)), "reasons": list(each.reasons)} for each in found.flagged]
    refused = [{**json.loads(as_line(each.pair)), "code": each.code, "message": each.message} for each in found.refused]
    for name, lines in (("flagged", flagged), ("refused", refused)):
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    told = {"accepted": len(job.accepted), "refused": len(refused), "flagged": len(flagged)}
    return {**told, "learned": len(learned), "held_out": len(held_out)}


def split(pairs: Sequence[Pair], seed: int) -> tuple[list[Pair], list[Pair]]:
    """Accepted pairs to judge by and to learn from: no template is in both, and none is held out where there are too few."""
    templates = sorted({pair.template for pair in pairs})
    Random(seed).shuffle(templates)
    wanted, aside, count = HELD_OUT_SHARE * len(pairs), set[str](), 0
    for template in templates:
        if count >= wanted:
            break
        aside.add(template)
        count += sum(pair.template == template for pair in pairs)
    if wanted < LEAST_HELD_OUT or len(aside) == len(templates):
        return [], list(pairs)
    return [pair for pair in pairs if pair.template in aside], [pair for pair in pairs if pair.template not in aside]


def _augmented(job: Job, folder: Path, learned: Sequence[Pair], domain: Domain, tick: Tick) -> dict[str, Any]:
    """Writes many pairs about the data, and tells how they came about."""
    plan = Plan(job.count, job.seed, job.directions, resume=folder / "augmenting.jsonl")
    made = augment(domain, learned, plan, lambda count: tick("making pairs", count, job.count))
    if not made.pairs:
        raise BadRequest(f"There is nothing to learn from: no question about {job.data} could be made that has an answer.", setting="data")
    write_pairs(folder / "pairs.jsonl", made.pairs)
    return {"made": len(made.pairs), "augmentation": dict(made.report)}


def _opened(job: Job, count: int, tick: Tick) -> tuple[Path, list[Pair]]:
    """A folder of other databases with at least so many pairs about them, if it is ours; made once for all adaptations."""
    if job.opened is not None:
        return job.opened, list(read_open(job.opened))
    tick("pairs about other databases", 0, None)
    count = max(OPENED, -(-count // (4 * OPENED)) * OPENED)
    folder = Path(platformdirs.user_cache_dir("streamlink-sql", appauthor=False)) / f"open-{__version__}-{count}"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        return folder, list(open_pairs(folder, count))


def _others(folder: Path, found: Sequence[Pair], seed: int) -> tuple[list[Pair], dict[Path, list[Pair]]]:
    """Pairs about other databases: those to learn from, and those of some databases that are kept for the gate."""
    names = sorted({pair.database for pair in found})
    kept = sorted(Random(seed).sample(names, min(OTHERS, len(names) // 2)))
    asked = {_database(folder, name): [pair for pair in found if pair.database == name][:OF_EACH] for name in kept}
    return [pair for pair in found if pair.database not in kept], asked


def _database(folder: Path, name: str) -> Path:
    """The file of a database of a set."""
    duckdb = folder / DATABASES / f"{name}.duckdb"
    return duckdb if duckdb.is_file() else database_file(folder / DATABASES, name)


def _trained(lesson: Lesson, tick: Tick) -> dict[str, Any]:
    """Has the adapter trained; what was begun goes on."""
    tick("training", 0, None)
    module, _, name = TRAINERS[lesson.job.kind].partition(":")
    getattr(import_module(module), name)(lesson)
    return read_card(lesson.out)


def train_parser(lesson: Lesson) -> None:
    """An adapter for the embedded parser."""
    from streamlink_sql.training.parser_adapter import Tuning, adapt

    tuning = Tuning(seed=lesson.job.seed)
    if lesson.job.minutes is not None:
        tuning = replace(tuning, minutes=lesson.job.minutes)
    adapt(lesson.mixture, lesson.domain, lesson.opened, lesson.out, tuning)


def train_causal(lesson: Lesson) -> None:
    """An adapter for a language model."""
    from streamlink_sql.training.lora.examples import Sources
    from streamlink_sql.training.lora.run import Settings, train

    job, checks = lesson.job, [pair for pair in lesson.mixture.validation if not pair.database]
    sources = Sources(job.data, lesson.opened / DATABASES)
    settings = Settings(Path(job.model).expanduser(), sources, lesson.out, minutes=job.minutes)
    if train(settings, lesson.mixture.train, checks):
        raise Cancelled("Training was stopped.")


def _scores(before: Mapping[str, Any], after: Mapping[str, Any], latency: Mapping[str, float]) -> dict[str, Any]:
    """The figures of the gate as cards and reports have them."""
    told: dict[str, Any] = {"before": before["held_out"], "after": after["held_out"], "latency": dict(latency)}
    return told | {name: {"before": before[name], "after": after[name]} for name in ("open", "refused")}


def _finish(trained: Path, out: Path, card: Mapping[str, Any]) -> None:
    """Puts the adapter where it is looked for: its card comes last, and with it the folder counts as whole."""
    for file in files_of(trained):
        if file.name != CARD:
            shutil.copyfile(file, out / file.name)
    write_card(out, card)
