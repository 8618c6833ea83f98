"""Curves with their intervals as an SVG picture, by hand: nothing is needed to draw it, nothing is fetched to show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

Point = tuple[float, float, float]
"""A share, and the lower and upper end of its interval."""
COLOURS = ("#1f6f8b", "#c8553d", "#588157", "#7b5ea7", "#b08900")
WIDTH, HEIGHT, LEFT, TOP, BELOW, BESIDE = 760, 420, 60, 40, 50, 190


def svg(title: str, places: Sequence[str], curves: Mapping[str, Sequence[Point | None]]) -> str:
    """A picture of shares, 0 to 1, at named places along the x axis; None is a gap."""
    shown = [point for curve in curves.values() for point in curve if point is not None]
    low, high = min((p[1] for p in shown), default=0.0), max((p[2] for p in shown), default=1.0)
    low, high = max(0.0, int(low * 10) / 10), min(1.0, int(high * 10 + 1) / 10)

    def x(number: int) -> float:
        return LEFT + (WIDTH - LEFT - BESIDE) * (number + 0.5) / max(1, len(places))

    def y(share: float) -> float:
        return TOP + (HEIGHT - TOP - BELOW) * (high - share) / (high - low)

    parts = [_text(LEFT, 22, title, size=15)]
    for tenth in range(round(low * 10), round(high * 10) + 1):
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - BESIDE}" y1="{y(tenth / 10):.1f}" y2="{y(tenth / 10):.1f}" stroke="#ddd"/>')
        parts.append(_text(LEFT - 8, y(tenth / 10) + 4, f"{10 * tenth} %", anchor="end"))
    parts += [_text(x(number), HEIGHT - BELOW + 22, place, anchor="middle") for number, place in enumerate(places)]
    for index, (name, curve) in enumerate(curves.items()):
        colour, aside = COLOURS[index % len(COLOURS)], 5.0 * (index - (len(curves) - 1) / 2)
        known = [(x(number) + aside, point) for number, point in enumerate(curve) if point is not None]
        line = " ".join(f"{at:.1f},{y(point[0]):.1f}" for at, point in known)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for at, (share, lower, upper) in known:
            parts.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{y(lower):.1f}" y2="{y(upper):.1f}" stroke="{colour}"/>')
            parts.append(f'<circle cx="{at:.1f}" cy="{y(share):.1f}" r="3.5" fill="{colour}"/>')
        parts.append(_text(WIDTH - BESIDE + 16, TOP + 20 * index + 12, name, colour=colour))
    inside = "\n".join(parts)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">\n{inside}\n</svg>\n'


def _text(x: float, y: float, text: str, *, anchor: str = "start", colour: str = "#333", size: int = 12) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" font-size="{size}">{escape(text)}</text>'
