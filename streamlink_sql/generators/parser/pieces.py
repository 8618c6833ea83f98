"""The encoder's tokenizer, one word or phrase at a time. Loads no model."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from tokenizers import Tokenizer

from streamlink_sql.errors import ModelUnavailable


class Pieces:
    """Word pieces of a `tokenizer.json`."""

    def __init__(self, path: Path) -> None:
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises nothing narrower
            raise ModelUnavailable(f"The tokenizer {path} cannot be read: {error}") from error
        self._path = path
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self.cls_id = self._special("[CLS]")
        self.sep_id = self._special("[SEP]")
        self._cached = lru_cache(maxsize=50_000)(self._ids)

    def ids(self, text: str) -> tuple[int, ...]:
        """Ids of `text` without special tokens."""
        return self._cached(text)

    def _special(self, piece: str) -> int:
        number: int | None = self._tokenizer.token_to_id(piece)
        if number is None:
            raise ModelUnavailable(f"The tokenizer {self._path} has no piece {piece}.")
        return number

    def _ids(self, text: str) -> tuple[int, ...]:
        return tuple(self._tokenizer.encode(text, add_special_tokens=False).ids)
