"""The card of an adapter: what it was made of, how, and what it scored. Its being there says that the folder is whole. Judges nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from streamlink_sql.errors import BadRequest, NotFound

CARD = "card.json"


def read_card(folder: Path) -> dict[str, Any]:
    """What an adapter says of itself; raises NotFound where it has no card, BadRequest where that is no JSON object."""
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except OSError as error:
        raise NotFound(f"{folder} holds no adapter: its {CARD} cannot be read ({error.strerror}).", setting="adapter") from error
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"{folder} holds no adapter: its {CARD} is not JSON ({error}).", setting="adapter") from error
    if not isinstance(card, dict):
        raise BadRequest(f"{folder} holds no adapter: its {CARD} is no object.", setting="adapter")
    return card


def write_card(folder: Path, card: Mapping[str, Any]) -> None:
    """Writes the card, whole or not at all; it comes last, as the folder counts as finished from then on."""
    part = folder / f".{CARD}"
    part.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(folder / CARD)
