"""Trains the embedded parser: `python -m streamlink_sql.training.parser --help`. Reads as it runs: settings, data, model, loop, save.

Resumable: a second call with the same --out goes on with the very batch at which the last one stopped; Ctrl-C or SIGTERM save first.
Runs on CUDA where there is one, else on the CPU; in bfloat16 where that is faster. The learning rate falls with the share of --minutes
(or --steps) that is used up, so a run has the same shape on any machine.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from streamlink_sql.errors import BadRequest, StreamLinkError
from streamlink_sql.generators.parser.pieces import Pieces
from streamlink_sql.generators.parser.runtime import WEIGHTS
from streamlink_sql.training import example_files, parser_adapter
from streamlink_sql.training.batches import Batch, Place, Source, Stream
from streamlink_sql.training.example_files import HELD_OUT, NEVER_TRAINED, TrainingData
from streamlink_sql.training.held_out import held_out_score
from streamlink_sql.training.network import ParserNetwork, ParserShape
from streamlink_sql.training.precision import fast
from streamlink_sql.training.pretrained import load_encoder
from streamlink_sql.training.shipped import shipped_network
from streamlink_sql.training.stopping import Stop

QUICK_CHECK = 200
"""Held-out questions that are asked during training; at the end it is all of them."""


@dataclass
class Settings:
    """How to train. `start` is the folder of a pretrained encoder, or of a shipped parser where `from_shipped`."""

    data: Path
    start: Path
    out: Path
    from_shipped: bool = False
    minutes: float = 90
    steps: int | None = None
    batch_pieces: int = 2000
    encoder_rate: float = 1e-4
    rate: float = 7e-4
    warm_up: int = 200
    frozen_layers: int = 0
    weights: dict[str, float] = field(default_factory=lambda: {"train": 1.0})
    seed: int = 1
    check_minutes: float = 12
    shape: ParserShape = field(default_factory=ParserShape)


def loss_of(network: ParserNetwork, batch: Batch) -> Tensor:
    """Cross entropy of the actions under the grammar's mask, summed over a sequence, plus the cost of guessing which items are used."""
    scores, used = network(batch.inputs, batch.previous, batch.states)
    scores = scores.float().masked_fill(~batch.permitted, -1e9)
    actions = F.cross_entropy(scores.flatten(0, 1), batch.targets.flatten(), ignore_index=-100, reduction="sum")
    linking = F.binary_cross_entropy_with_logits(used.float()[batch.is_schema], batch.used[batch.is_schema], reduction="sum")
    return (actions + 0.3 * linking) / batch.targets.shape[0]


def optimizer_of(network: ParserNetwork, settings: Settings) -> torch.optim.AdamW:
    """AdamW with a lower rate for the pretrained encoder; the word embeddings and the lowest layers stay as they are."""
    frozen = [network.encoder.words, network.encoder.positions, *network.encoder.layers[: settings.frozen_layers]]
    for module in frozen:
        module.requires_grad_(False)
    pretrained = [p for p in network.encoder.parameters() if p.requires_grad]
    known = {id(p) for p in network.encoder.parameters()}
    new = [p for p in network.parameters() if id(p) not in known]
    groups = [{"params": pretrained, "peak": settings.encoder_rate}, {"params": new, "peak": settings.rate}]
    return torch.optim.AdamW(groups, lr=1e-4, weight_decay=0.01, fused=True)


def set_rates(optimizer: torch.optim.Optimizer, step: int, share: float, settings: Settings) -> None:
    """Warm-up by steps, then linear decay by the share of the time that is used up."""
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * min(1.0, (step + 1) / settings.warm_up) * max(1.0 - share, 0.01)


def untrained(settings: Settings) -> ParserNetwork:
    """The network that a new run starts from."""
    if settings.from_shipped:
        return shipped_network(settings.start)
    network = ParserNetwork(settings.shape)
    load_encoder(network, settings.start)
    return network


@dataclass
class Progress:
    """How far a run is; kept in its checkpoint."""

    step: int = 0
    seconds: float = 0.0
    examples: int = 0
    loss: float = 0.0
    place: Place = (0, 0)


class Run:
    """A training run: its network, its optimizer and how far it is."""

    def __init__(self, settings: Settings, data: TrainingData | None = None) -> None:
        self.settings = settings
        self.data = data or example_files.read(settings.data)
        self.pieces = Pieces(settings.start / "tokenizer.json")
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.checkpoint = settings.out / "last.pt"
        settings.out.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(settings.seed)
        saved = torch.load(self.checkpoint, weights_only=True, map_location="cpu") if self.checkpoint.exists() else None
        self.network = self.begun(saved).to(self.device).train()
        self.optimizer = self.optimizer_for(self.network)
        self.progress = Progress()
        if saved is not None:
            self._resume(saved)
        self._sources = sources_of(self.data, settings.weights)
        self.began = time.monotonic() - self.progress.seconds

    def begun(self, saved: Mapping[str, Any] | None) -> ParserNetwork:
        """The network to train on, as it was saved."""
        return untrained(self.settings) if saved is None else network_of(saved)

    def optimizer_for(self, network: ParserNetwork) -> torch.optim.AdamW:
        """What changes the network."""
        return optimizer_of(network, self.settings)

    def trained(self) -> dict[str, Any]:
        """What of the network a checkpoint holds."""
        return {"network": self.network.state_dict(), "shape": asdict(self.network.shape)}

    def _resume(self, saved: Mapping[str, Any]) -> None:
        self.optimizer.load_state_dict(saved["optimizer"])
        known = {name: saved[name] for name in ("step", "seconds", "examples", "loss") if name in saved}
        self.progress = Progress(**known, place=tuple(saved.get("place", (saved["step"], 0))))
        if "random" in saved:
            torch.set_rng_state(saved["random"])

    @property
    def share(self) -> float:
        """The share of the run that is done, 0 to 1."""
        if self.settings.steps is not None:
            return min(1.0, self.progress.step / self.settings.steps)
        return min(1.0, self.progress.seconds / (self.settings.minutes * 60))

    def batches(self) -> Iterator[Batch]:
        """The batches that come next, made by a process of its own."""
        stream = Stream(
            self._sources,
            self.pieces,
            most_pieces=self.settings.batch_pieces,
            seed=self.settings.seed,
            start=self.progress.place,
        )
        own = torch.Generator()  # the global one must stand the same in a resumed run
        return iter(
            torch.utils.data.DataLoader(
                stream, batch_size=None, num_workers=1, prefetch_factor=24, worker_init_fn=_outlive_signals, generator=own
            )
        )

    def learn(self, batch: Batch) -> None:
        """One step."""
        progress = self.progress
        set_rates(self.optimizer, progress.step, self.share, self.settings)
        with fast(self.device):
            loss = loss_of(self.network, batch.to(self.device))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        progress.step += 1
        progress.examples += len(batch.targets)
        progress.loss = 0.98 * progress.loss + 0.02 * loss.item() if progress.loss else loss.item()
        progress.place = batch.place
        progress.seconds = time.monotonic() - self.began

    def save(self) -> None:
        """Writes a checkpoint: the old file stays until the new one is whole."""
        state = {**self.trained(), "optimizer": self.optimizer.state_dict()}
        temporary = self.checkpoint.with_suffix(".part")
        torch.save({**state, **asdict(self.progress), "random": torch.get_rng_state()}, temporary)
        temporary.replace(self.checkpoint)

    def report(self, stop: Stop, most: int | None = None) -> None:
        """Prints where the run is and its score on the held-out questions, as a line of JSON."""
        score = None
        if HELD_OUT in self.data.sets:
            examples = self.data.sets[HELD_OUT].examples[:most]
            score = held_out_score(self.network, examples, self.data.databases_of(HELD_OUT), self.pieces, lambda: stop.asked is not None)
        done = self.progress
        line = {"minute": round(done.seconds / 60, 1), "step": done.step, "examples": done.examples, "loss": round(done.loss, 3)}
        print(json.dumps({**line, "held_out" if most else "held_out_all": score}), flush=True)


def network_of(saved: Mapping[str, Any]) -> ParserNetwork:
    """The network of a checkpoint."""
    network = ParserNetwork(ParserShape.of(saved["shape"]) if "shape" in saved else None)
    network.load_state_dict(saved["network"])
    return network


def sources_of(data: TrainingData, weights: Mapping[str, float]) -> dict[str, Source]:
    """The sets to draw from."""
    if unknown := set(weights) - set(data.sets) | set(weights) & NEVER_TRAINED:
        known = ", ".join(sorted(set(data.sets) - NEVER_TRAINED))
        raise BadRequest(f"There is no set {', '.join(sorted(unknown))} to train on. Known sets: {known}.")
    sources = {name: Source(data.sets[name].examples, data.databases_of(name), weight) for name, weight in weights.items()}
    if not any(source.weight > 0 and source.examples for source in sources.values()):
        raise BadRequest("The chosen sets have no examples.")
    return sources


def _outlive_signals(_worker: int) -> None:
    """Ctrl-C reaches the process that makes batches as well: it must not die before the main one has saved."""
    for number in Stop.signals:
        signal.signal(number, signal.SIG_IGN)


def train(settings: Settings) -> int:
    """Trains until the minutes or steps are used up; returns 0, or 128 and the signal that stopped it."""
    run = Run(settings)
    checked = run.progress.seconds
    with Stop() as stop, tqdm(total=100, unit="%", mininterval=20) as bar:
        batches = run.batches()
        while run.share < 1 and stop.asked is None:
            run.learn(next(batches))
            bar.n = round(100 * run.share, 1)
            bar.set_postfix(
                step=run.progress.step, loss=f"{run.progress.loss:.2f}", rate=f"{run.progress.examples / run.progress.seconds:.1f}/s"
            )
            if run.progress.seconds - checked > settings.check_minutes * 60:
                checked = run.progress.seconds
                run.save()
                run.report(stop, QUICK_CHECK)
        run.save()
        if stop.asked is None:
            run.report(stop)
    return 0 if stop.asked is None else 128 + stop.asked


def read_settings(arguments: Sequence[str] | None) -> Settings:
    """The command line as settings."""
    parser = argparse.ArgumentParser(
        prog="python -m streamlink_sql.training.parser", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--adapt", action="store_true", help="adapt the shipped parser to your own data instead: `--adapt --help` tells how")
    add("--data", type=Path, required=True, metavar="DIR", help="training sets, made by `python -m streamlink_sql.training.parser_sets`")
    start = parser.add_mutually_exclusive_group(required=True)
    start.add_argument("--encoder", type=Path, metavar="DIR", help="start from a BERT-shaped encoder: model.onnx and tokenizer.json")
    start.add_argument(
        "--from-shipped",
        type=Path,
        nargs="?",
        const=WEIGHTS,
        metavar="DIR",
        help="start from a shipped parser, the package's own by default",
    )
    add("--out", type=Path, required=True, metavar="DIR", help="folder for checkpoints; an existing one is resumed")
    add("--minutes", type=float, default=Settings.minutes, help="time to train in all, earlier calls counted in (default: %(default)s)")
    add("--steps", type=int, help="train this many steps in all instead")
    add("--weights", default="train=1", metavar="SET=N,...", help="how often each set is drawn, such as train=6,others=1,synth=3")
    add("--rate", type=float, default=Settings.rate, help="highest learning rate (default: %(default)s)")
    add("--encoder-rate", type=float, default=Settings.encoder_rate, help="that of the encoder (default: %(default)s)")
    add("--warm-up", type=int, default=Settings.warm_up, help="steps until the highest rate (default: %(default)s)")
    add("--frozen-layers", type=int, default=0, help="lowest encoder layers that stay as they are, which saves time")
    add("--batch-pieces", type=int, default=Settings.batch_pieces, help="padded word pieces in a batch (default: %(default)s)")
    add("--check-minutes", type=float, default=Settings.check_minutes, help="time between checkpoints (default: %(default)s)")
    add("--seed", type=int, default=Settings.seed, help="default: %(default)s")
    given = vars(parser.parse_args(arguments))
    del given["adapt"]
    encoder, shipped = given.pop("encoder"), given.pop("from_shipped")
    try:
        weights = {name: float(share) for name, share in (part.split("=") for part in given.pop("weights").split(","))}
    except ValueError:
        parser.error("--weights wants SET=NUMBER, with commas between them")
    return Settings(**given, start=encoder or shipped, from_shipped=shipped is not None, weights=weights)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    given = sys.argv[1:] if arguments is None else arguments
    if "--adapt" in given:
        return parser_adapter.main(given)
    settings = read_settings(given)
    print(json.dumps(asdict(settings), default=str))
    try:
        return train(settings)
    except StreamLinkError as error:
        print(error.detail, file=sys.stderr)
        return error.exit_status


if __name__ == "__main__":
    sys.exit(main())
