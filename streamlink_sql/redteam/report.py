"""The report on attacks: figures by class, as JSON and as one HTML page without anything remote. Runs nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from streamlink_sql.redteam.trial import EFFECTS, LAYERS, Layer, Outcome, Trial

NO_CLASS = "without a class"
_WIDTH, _LEFT, _ROW, _BAR = 900, 190, 34, 12
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_COLOURS = {"refused": "#2f6f9f", "stopped": "#7fb3a6", "effect": "#c0392b"}
_SAID = {"refused": "refused by the gate", "stopped": "stopped by the engine", "effect": "took effect"}


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """The attacks of one class: None for what was not tried. `gate`, `engine` and `both` count those that took effect."""

    name: str
    attacks: int
    refused: int | None
    stopped: int | None
    gate: int | None
    engine: int | None
    both: int | None


def by_class(trial: Trial) -> list[ClassFigures]:
    """The figures of each class, in the order of the files, and of all together."""
    attacks = [each for each in trial.outcomes if each.text.attack]
    names = list(dict.fromkeys(each.text.group or NO_CLASS for each in attacks))
    found = [_figures(name, [each for each in attacks if (each.text.group or NO_CLASS) == name], trial.layers) for name in names]
    return [*found, _figures("all", attacks, trial.layers)]


def _figures(name: str, attacks: Sequence[Outcome], layers: Sequence[Layer]) -> ClassFigures:
    effects = {layer: sum(each.took_effect(layer) for each in attacks) if layer in layers else None for layer in LAYERS}
    refused = None if effects["gate"] is None else len(attacks) - effects["gate"]
    stopped = None if effects["engine"] is None else len(attacks) - effects["engine"]
    return ClassFigures(name, len(attacks), refused, stopped, effects["gate"], effects["engine"], effects["both"])


def legitimate(trial: Trial) -> dict[str, int | None]:
    """How many legitimate queries there are, and how many of them are refused or fail in each layer."""
    queries = [each for each in trial.outcomes if not each.text.attack]
    failed = {layer: sum(bool(getattr(each, layer).code) for each in queries) if layer in trial.layers else None for layer in LAYERS}
    return {"queries": len(queries)} | {str(layer): count for layer, count in failed.items()}


def canaries(trial: Trial) -> dict[str, dict[str, int]]:
    """How often each kind of effect was seen, by layer; none where every canary is well."""
    layers = [layer for layer in ("engine", "both") if layer in trial.layers]
    if not layers:
        return {}
    tried = {layer: [each for outcome in trial.outcomes if (each := getattr(outcome, layer))] for layer in layers}
    return {effect: {layer: sum(effect in each.effects for each in tried[layer]) for layer in layers} for effect in EFFECTS}


def got_through(trials: Iterable[Trial]) -> list[Outcome]:
    """What took effect with both layers."""
    return [each for trial in trials for each in trial.outcomes if bool(each.both and each.both.effects)]


def body(trials: Sequence[Trial]) -> dict[str, Any]:
    """The report as JSON."""
    return {"took_effect": len(got_through(trials)), "engines": [_engine(trial) for trial in trials]}


def _engine(trial: Trial) -> dict[str, Any]:
    return {
        "engine": trial.dialect,
        "version": trial.version,
        "protection": trial.protection,
        "layers": list(trial.layers),
        "notes": list(trial.notes),
        "classes": [
            {
                "class": each.name,
                "attacks": each.attacks,
                "refused_by_gate": each.refused,
                "stopped_by_engine": each.stopped,
                "took_effect": {layer: getattr(each, layer) for layer in LAYERS},
            }
            for each in by_class(trial)
        ],
        "legitimate": legitimate(trial),
        "canaries": canaries(trial),
        "noted": [_noted(each, trial.layers) for each in noted(trial)],
    }


def noted(trial: Trial) -> list[Outcome]:
    """Attacks that took effect in any layer, and legitimate queries that failed in any."""

    def bad(outcome: Outcome, layer: Layer) -> bool:
        tried = getattr(outcome, layer)
        return outcome.took_effect(layer) if outcome.text.attack else bool(tried and (tried.code or tried.effects))

    return [each for each in trial.outcomes if any(bad(each, layer) for layer in trial.layers)]


def _noted(outcome: Outcome, layers: Sequence[Layer]) -> dict[str, Any]:
    text = outcome.text
    tried = {str(layer): each for layer in layers if (each := getattr(outcome, layer))}
    found: dict[str, Any] = {layer: {"code": each.code, "effects": list(each.effects)} for layer, each in tried.items()}
    return {"file": outcome.file, "id": text.id, "class": text.group, "attack": text.attack, "text": text.text} | found


def page(trials: Sequence[Trial], title: str) -> str:
    """The report as one HTML page: every text is escaped, and nothing is fetched."""
    said = (
        "No attack took effect with both layers."
        if not got_through(trials)
        else f"{len(got_through(trials))} took effect with both layers."
    )
    parts = "".join(_section(trial) for trial in trials)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{escape(title)}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #222; }}
table {{ border-collapse: collapse; margin: 1rem 0; }}
th, td {{ padding: .2rem .7rem; border-bottom: 1px solid #ddd; text-align: right; }}
th:first-child, td:first-child, td.text {{ text-align: left; }}
td.text {{ font-family: ui-monospace, monospace; font-size: 13px; white-space: pre-wrap; overflow-wrap: anywhere; }}
svg {{ max-width: 100%; height: auto; }}
</style>
</head>
<body>
<h1>{escape(title)}</h1>
<p><strong>{escape(said)}</strong></p>
{parts}</body>
</html>
"""


def _section(trial: Trial) -> str:
    head = f"<h2>{escape(trial.version or trial.dialect)}</h2>\n"
    notes = "".join(f"<p>{escape(note)}</p>\n" for note in (*trial.notes, *([trial.protection] if trial.protection else [])))
    figures = by_class(trial)
    columns = (
        "class",
        "attacks",
        "refused by the gate",
        "stopped by the engine alone",
        "passed the gate",
        "effect, engine alone",
        "effect, both",
    )
    rows = [(e.name, e.attacks, e.refused, e.stopped, e.gate, e.engine, e.both) for e in figures]
    checked = [(effect, *counts.values()) for effect, counts in canaries(trial).items() if counts]
    layers = [layer for layer in ("engine", "both") if layer in trial.layers]
    well = "<h3>Canaries</h3>\n" + _table(("effects seen", *layers), checked) if checked else ""
    fine = legitimate(trial)
    allowed = ("<h3>Legitimate queries refused or failed</h3>\n" + _table(tuple(fine), [tuple(fine.values())])) if fine["queries"] else ""
    listed = [(e.text.text, f"{e.file}, {e.text.id}", _became(e, trial.layers)) for e in noted(trial)]
    lists = "<h3>To look at</h3>\n" + _table(("text", "where", "what became of it"), listed) if listed else ""
    return head + notes + _chart(figures, trial.layers) + _table(columns, rows) + well + allowed + lists


def _became(outcome: Outcome, layers: Sequence[Layer]) -> str:
    tried = ((layer, getattr(outcome, layer)) for layer in layers)
    return "; ".join(f"{layer}: {', '.join(each.effects) or each.code or 'passed'}" for layer, each in tried if each)


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    lines = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>\n" for row in rows)
    return f"<table>\n<tr>{head}</tr>\n{lines}</table>\n"


def _cell(cell: object) -> str:
    return (
        f'<td class="text">{escape(_CONTROL.sub("�", cell))}</td>' if isinstance(cell, str) else f"<td>{'–' if cell is None else cell}</td>"
    )


def _chart(figures: Sequence[ClassFigures], layers: Sequence[Layer]) -> str:
    """Two bars a class: what the layers together did with its attacks, and what the engine alone did."""
    shown = [each for each in figures if each.name != "all"]
    height, lines = 30 + _ROW * len(shown), list[str]()
    for at, (kind, colour) in enumerate(_COLOURS.items()):
        lines.append(f'<rect x="{_LEFT + 200 * at}" y="4" width="{_BAR}" height="{_BAR}" fill="{colour}"/>')
        lines.append(f'<text x="{_LEFT + 200 * at + 18}" y="14">{_SAID[kind]}</text>')
    for row, each in enumerate(shown):
        top = 30 + _ROW * row
        lines.append(f'<text x="0" y="{top + 16}">{escape(each.name)} ({each.attacks})</text>')
        bars = _bars(each)
        for at, parts in enumerate(bars):
            left = float(_LEFT)
            for kind, count in parts.items():
                width = (_WIDTH - _LEFT) * count / max(1, each.attacks)
                if count:
                    said = f"{escape(each.name)}: {count} of {each.attacks} {_SAID[kind]}"
                    place = f'x="{left:.1f}" y="{top + at * (_BAR + 2)}" width="{width:.1f}" height="{_BAR}"'
                    lines.append(f'<rect {place} fill="{_COLOURS[kind]}"><title>{said}</title></rect>')
                left += width
    two = "Upper bar: gate and engine; lower bar: the engine alone." if {"gate", "both", "engine"} <= set(layers) else ""
    drawn = "\n".join(lines)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" role="img" aria-label="Attacks by class" '
        f'font-size="13" font-family="system-ui, sans-serif">\n{drawn}\n</svg>\n<p>{two}</p>\n'
    )


def _bars(each: ClassFigures) -> list[dict[str, int]]:
    """The parts of each bar. Attacks that passed a gate with no engine behind it count as having taken effect."""
    bars = []
    if each.refused is not None:
        effect = each.both if each.both is not None else each.gate or 0
        bars.append({"refused": each.refused, "stopped": each.attacks - each.refused - effect, "effect": effect})
    elif each.both is not None:
        bars.append({"stopped": each.attacks - each.both, "effect": each.both})
    if each.stopped is not None and each.engine is not None:
        bars.append({"stopped": each.stopped, "effect": each.engine})
    return bars
