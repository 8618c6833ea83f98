"""The patents demo: a data set of any size and questions about it. Importing this loads nothing heavy and reads no file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

QUESTIONS: Final = Path(__file__).with_name("questions.jsonl")
"""One hundred questions with gold SQL, in the form that `evaluate questions` reads."""

SAMPLE_QUESTIONS: Final[tuple[str, ...]] = (
    "How many patents are there?",
    "How many patents were published per year since 2015?",
    "What are the top 10 assignees by number of patents?",
    "How many patents from Germany were granted in 2020?",
    "Show the 5 most cited patents whose title contains battery",
    "What is the average number of claims per CPC section?",
    "Which 5 countries published the most patents in the last 3 years, with the number?",
    "How many patents do Japanese universities hold?",
)
"""What `make demo` asks, from easy to less easy."""
