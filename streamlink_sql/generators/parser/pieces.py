"""The encoder's tokenizer, one word or phrase at a time. Loads no model."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from tokenizers import Tokenizer


class Pieces:
    """Word pieces of a `tokenizer.json`."""

    def __init__(self, path: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(path))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self.cls_id = self._tokenizer.token_to_id("[CLS]")
        self.sep_id = self._tokenizer.token_to_id("[SEP]")
        self.pad_id = self._tokenizer.token_to_id("[PAD]")
        self._cached = lru_cache(maxsize=50_000)(self._ids)

    def ids(self, text: str) -> tuple[int, ...]:
        """Ids of `text` without special tokens."""
        return self._cached(text)

    def _ids(self, text: str) -> tuple[int, ...]:
        return tuple(self._tokenizer.encode(text, add_special_tokens=False).ids)
