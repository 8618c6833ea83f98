"""Serves a GGUF model by llama.cpp's own OpenAI-compatible server until its standard input closes. Prints the address once it answers.

    python scripts/llama_server.py MODEL.gguf [--port 0] [--context 8192] [--threads N]

Needs the package xllamacpp, which is no part of the runtime.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import xllamacpp


def main() -> None:
    """Serves until whoever started it goes away."""
    parser = argparse.ArgumentParser(description="Serve a GGUF model over HTTP.")
    parser.add_argument("model", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--context", type=int, default=8192)
    parser.add_argument("--threads", type=int, default=max(1, (os.cpu_count() or 2) - 1), help="by default all cores but one")
    told = parser.parse_args()
    params = xllamacpp.CommonParams()
    params.model.path = str(told.model)
    params.model_alias = {told.model.stem}
    params.port = told.port
    params.n_ctx = told.context
    params.n_parallel = 1
    params.cpuparams.n_threads = told.threads
    server = xllamacpp.Server(params)
    sys.stdout.write(f"{server.listening_address}/v1#{told.model.stem}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
