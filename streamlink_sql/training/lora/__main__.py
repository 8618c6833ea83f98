"""Trains a LoRA adapter for a language model, and merges it: `python -m streamlink_sql.training.lora --help`.

    train   from pairs, or a folder that `streamlink_sql.training.mixture` wrote, to a folder with the adapter and its card
    merge   the base model and an adapter into one model

A second call of `train` with the same --out goes on with the very step at which the last one stopped; Ctrl-C or SIGTERM save first.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from streamlink_sql.cards import read_card
from streamlink_sql.errors import StreamLinkError
from streamlink_sql.training.pairs import read_pairs

try:
    from streamlink_sql.training.lora import files
    from streamlink_sql.training.lora.causal import Shape
    from streamlink_sql.training.lora.examples import Plan, Sources
    from streamlink_sql.training.lora.run import Settings, train
except ImportError as error:
    sys.exit(f"Adapters are trained by the packages torch, transformers and peft: pip install 'streamlink-sql[hf]'. ({error})")


def _training(add: argparse.ArgumentParser) -> None:
    """The options of `train`."""
    of = add.add_argument
    of("--model", type=Path, required=True, help="the base: a Hugging Face folder or a GGUF file")
    of("--data", required=True, metavar="PATH", help="the data that the pairs are about")
    of(
        "--pairs",
        type=Path,
        required=True,
        nargs="+",
        metavar="FILE",
        help="JSON lines with `question`, `query` and, of other data, `db_id`",
    )
    of("--others", type=Path, metavar="DIR", help="DB.duckdb or DB.sqlite files of the pairs that name another database")
    of("--held-out", type=Path, metavar="FILE", help="pairs about the data that are asked now and then; training stops by them")
    of("--out", type=Path, required=True, metavar="DIR", help="folder for the adapter; a training that was stopped there goes on")
    of("--rank", type=int, default=Shape.rank, help="rank of the adapter (default: %(default)s)")
    of("--alpha", type=int, default=Shape.alpha, help="how much it weighs, divided by the rank (default: %(default)s)")
    of("--dropout", type=float, default=Shape.dropout, help="default: %(default)s")
    of(
        "--targets",
        nargs="+",
        default=["all-linear"],
        metavar="LAYER",
        help="names of layers, such as q_proj v_proj (default: all linear ones)",
    )
    of(
        "--precision",
        choices=("auto", "bf16", "fp32"),
        default=Shape.precision,
        help="how the base is held; auto is what this machine is faster in (default: %(default)s)",
    )
    of("--four-bit", action="store_true", help="hold the base in four bits; needs a GPU and bitsandbytes")
    of("--gradient-checkpointing", action="store_true", help="less memory, more time: every prompt is then read whole, and twice")
    of("--epochs", type=float, default=Settings.epochs, help="default: %(default)s")
    of("--minutes", type=float, help="stop after this time in all, earlier calls counted in")
    of("--rate", type=float, default=Settings.rate, help="highest learning rate (default: %(default)s)")
    of("--chunk", type=int, default=Plan.chunk, help="examples of one database that are read at once (default: %(default)s)")
    of("--step", type=int, default=Plan.step, help="examples that a step learns from (default: %(default)s)")
    of(
        "--chunk-tokens",
        type=int,
        default=Plan.most_tokens,
        help="tokens in a chunk at most, which decides the memory (default: %(default)s)",
    )
    of("--longest", type=int, default=Settings.longest, help="tokens of a pair at most, its prompt included (default: %(default)s)")
    of("--check-steps", type=int, default=Settings.check_steps, help="steps between questions that are held out (default: %(default)s)")
    of("--patience", type=int, default=Settings.patience, help="checks without a gain before it stops (default: %(default)s)")
    of("--save-minutes", type=float, default=Settings.save_minutes, help="time between checkpoints (default: %(default)s)")
    of("--seed", type=int, default=Plan.seed, help="default: %(default)s")


def _settings(told: argparse.Namespace) -> Settings:
    shape = Shape(told.rank, told.alpha, told.dropout, tuple(told.targets), told.precision, told.four_bit, told.gradient_checkpointing)
    plan = Plan(told.chunk, told.chunk_tokens, told.step, told.seed)
    named = ("model", "out", "epochs", "minutes", "rate", "longest", "check_steps", "patience", "save_minutes")
    return Settings(sources=Sources(told.data, told.others), shape=shape, plan=plan, **{name: getattr(told, name) for name in named})


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m streamlink_sql.training.lora", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    _training(commands.add_parser("train", help="train an adapter"))
    merging = commands.add_parser("merge", help="write the base with an adapter worked into it")
    for name, about in (("--model", "the base"), ("--adapter", "the adapter's folder"), ("--out", "a new folder")):
        merging.add_argument(name, type=Path, required=True, help=about)
    merging.add_argument("--precision", choices=("bf16", "fp32"), default="bf16", help="how it is written (default: %(default)s)")
    told = parser.parse_args(arguments)
    try:
        if told.command == "merge":
            files.merge(told.model, told.adapter, told.out, told.precision)
            return 0
        pairs = [pair for file in told.pairs for pair in read_pairs(file)]
        status = train(_settings(told), pairs, read_pairs(told.held_out) if told.held_out else [])
        if status == 0:
            print(json.dumps(read_card(told.out)))
        return status
    except StreamLinkError as error:
        print(error.detail, file=sys.stderr)
        return error.exit_status


if __name__ == "__main__":
    sys.exit(main())
