"""What a fault cost: the store compared with what askers were told, the rate of answers over time, and the report as table and page."""

from __future__ import annotations

import datetime
import io
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.fault_load import ANSWERED, Load, Story
from streamlink_sql.store.store import TAKEN_OVER, Store

MOST_S = 60.0
"""An accepted question has ended by then."""
WINDOW_S, ENOUGH = 10, 0.7
"""The normal rate is back with the first answer of two windows in a row, of so many seconds each, with this share of the normal answers."""
ENDS = frozenset({"answered", "refused", "failed"})
NAMELESS = frozenset({"internal", ""})
"""Codes that name no cause."""


@dataclass(frozen=True, slots=True)
class Span:
    """When the load began, when the fault struck, when askers stopped asking: seconds of the wall clock."""

    began: float
    struck: float
    ended: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """One fault and what came of it."""

    fault: str
    what: str
    accepted: int
    """Questions that are in the history, or whose askers were told so."""
    answered: int
    failed: Mapping[str, int]
    """Questions that ended with a problem, by its code."""
    taken_over: int
    lost: tuple[str, ...]
    """Accepted questions that are not in the history, did not end, ended too late or without a cause, or whose end the history and their
    asker know differently."""
    audit_lost: tuple[str, ...]
    feedback: int
    feedback_failed: int
    feedback_lost: int
    wrong_rows: tuple[str, ...]
    longest_s: float
    """From acceptance to the end."""
    normal_rate: float
    """Answers a second before the fault."""
    recovery_s: float | None
    error_rate: float
    """Of the questions that ended between the fault and the recovery, those that ended with a problem."""
    pages: int
    """Loads of the page through Nginx."""
    pages_failed: int
    replica_gap_s: float
    """The longest time for which a page replica, asked at its own address, did not answer."""
    timeline: tuple[tuple[int, int], ...] = field(repr=False)
    """For each second of the load: answers, problems."""
    struck_s: float = 0.0

    @classmethod
    def of(cls, fault: str, what: str, span: Span, load: Load, store: Store, expected: Mapping[str, list[tuple[object, ...]]]) -> Outcome:
        """Compares what askers noted with the store."""
        audit = defaultdict[str, list[dict[str, Any]]](list)
        ours = {story.id for story in load.stories}
        for line in store.audit_lines():
            if line["id"] in ours:
                audit[line["id"]].append(line)
        entries = _entries(store, ours)
        pairs = {pair["id"] for pair in store.accepted_pairs()}
        lost = [said for story in load.stories if (said := _loss(story, entries.get(story.id), audit[story.id]))]
        unsaid = [said for id_, entry in entries.items() if (said := _unsaid(entry, audit[id_]))]
        given = [story for story in load.stories if story.feedback == "kept"]
        wrong = [story for story in load.stories if story.code == ANSWERED and story.rows != expected[story.text]]
        pages = [each for each in load.pages if each[1].endswith("/")]
        timeline = _timeline(load.stories, span)
        recovery, normal = recovered(timeline, span.struck - span.began)
        until = span.struck + (span.ended - span.struck if recovery is None else recovery)
        during = [story for story in load.stories if span.struck <= story.ended <= max(until, span.struck + WINDOW_S)]
        return cls(
            fault=fault,
            what=what,
            accepted=sum(story.is_accepted or story.id in entries for story in load.stories),
            answered=sum(story.code == ANSWERED for story in load.stories),
            failed=Counter(story.code for story in load.stories if story.code != ANSWERED),
            taken_over=sum(line["event"] == TAKEN_OVER for lines in audit.values() for line in lines),
            lost=tuple(lost),
            audit_lost=(*unsaid, *store.verify()[2]),
            feedback=len(given),
            feedback_failed=sum(story.feedback not in ("", "kept") for story in load.stories),
            feedback_lost=sum(story.id not in pairs for story in given),
            wrong_rows=tuple(f"{story.text} ({story.id})" for story in wrong),
            longest_s=round(max((_took(entry, audit[id_]) for id_, entry in entries.items()), default=0.0), 1),
            normal_rate=round(normal, 2),
            recovery_s=None if recovery is None else round(recovery, 1),
            error_rate=round(sum(story.code != ANSWERED for story in during) / max(1, len(during)), 3),
            pages=len(pages),
            pages_failed=sum(status != 200 for _, _, status in pages),
            replica_gap_s=round(_gap([each for each in load.pages if not each[1].endswith("/")]), 1),
            timeline=tuple(timeline),
            struck_s=round(span.struck - span.began, 1),
        )

    @property
    def harm(self) -> int:
        """How much was lost or wrong; 0 is what is promised."""
        return len(self.lost) + len(self.audit_lost) + self.feedback_lost + len(self.wrong_rows)

    def body(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "failed": dict(self.failed)}


def recovered(timeline: Sequence[tuple[int, int]], struck_s: float) -> tuple[float | None, float]:
    """Seconds from the fault until answers come at the normal rate again, None where they do not; and that rate."""
    struck = int(struck_s)
    normal = sum(answers for answers, _ in timeline[:struck]) / max(1, struck)
    least = ENOUGH * normal * WINDOW_S
    for second in range(struck, len(timeline) - 2 * WINDOW_S + 1) if normal else ():
        windows = (timeline[start : start + WINDOW_S] for start in (second, second + WINDOW_S))
        if all(sum(answers for answers, _ in window) >= least for window in windows):
            first = next((later for later in range(second, len(timeline)) if timeline[later][0]), second)
            return float(first - struck), normal
    return None, normal


def _timeline(stories: Sequence[Story], span: Span) -> list[tuple[int, int]]:
    """Answers and problems of every second in which people asked."""
    seconds = [[0, 0] for _ in range(int(span.ended - span.began) + 1)]
    for story in stories:
        at = int(story.ended - span.began)
        if 0 <= at < len(seconds):
            seconds[at][story.code != ANSWERED] += 1
    return [(answers, problems) for answers, problems in seconds]


def _entries(store: Store, ids: set[str]) -> dict[str, dict[str, Any]]:
    """What the history has of these questions."""
    found, before = dict[str, dict[str, Any]](), None
    while len(found) < len(ids):
        page_ = store.history(limit=1000, before=before)
        found |= {entry["id"]: entry for entry in page_ if entry["id"] in ids}
        if len(page_) < 1000:
            break
        before = page_[-1]["id"]
    return found


def _loss(story: Story, entry: Mapping[str, Any] | None, lines: Sequence[Mapping[str, Any]]) -> str:
    """How a question was lost, or nothing. One that is not in the history was not accepted, unless its asker or the audit knows better."""
    if entry is None:
        return f"{story.id} was accepted and is not in the history" if story.is_accepted or lines else ""
    state, code = entry["state"], str(entry.get("code", ""))
    if state not in ("answered", "problem"):
        return f"{story.id} is still {state}"
    if state == "problem" and code in NAMELESS:
        return f"{story.id} ended without a cause: {entry.get('detail')}"
    if (state == "answered") != (story.code == ANSWERED) and story.code != "server_unavailable":
        return f"{story.id}: the history says {state} {code}, its asker heard {story.code}"
    took = _took(entry, lines)
    return f"{story.id} took {took:.0f} s" if took > MOST_S else ""


def _unsaid(entry: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> str:
    """What the audit does not say of a question, or nothing."""
    events = [line["event"] for line in lines]
    ends = sum(event in ENDS for event in events)
    if ends == 0 or events[-1] not in ENDS:
        return f"{entry['id']}: its end is not in the audit ({', '.join(events)})"
    if entry["state"] == "answered" and "approved" not in events:
        return f"{entry['id']} ran without a line before it ({', '.join(events)})"
    return ""


def _took(entry: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> float:
    """Seconds from acceptance to the last line of the audit; endless where there is none."""
    ends = [line["at"] for line in lines if line["event"] in ENDS]
    return (_moment(max(ends)) - _moment(entry["asked_at"])) if ends else float("inf")


def _moment(text: str) -> float:
    return datetime.datetime.fromisoformat(text).timestamp()


def _gap(pages: Sequence[tuple[float, str, int]]) -> float:
    """The longest time between two loads of the same address that went well."""
    longest, last = 0.0, dict[str, float]()
    for began, where, status in sorted(pages):
        if status == 200:
            longest = max(longest, began - last.get(where, began))
            last[where] = began
    return longest


COLUMNS = (
    "fault",
    "accepted",
    "answered",
    "failed",
    "taken over",
    "lost",
    "audit lost",
    "feedback kept",
    "feedback lost",
    "wrong rows",
    "longest s",
    "answers/s before",
    "recovery s",
    "errors till then",
    "pages failed",
    "page replica away s",
)


def cells(each: Outcome) -> tuple[str, ...]:
    """The figures of a fault as the columns show them."""
    failed = ", ".join(f"{count} {code}" for code, count in sorted(each.failed.items())) or "0"
    recovery = "none" if each.recovery_s is None else f"{each.recovery_s:g}"
    figures = (each.taken_over, len(each.lost), len(each.audit_lost), each.feedback, each.feedback_lost, len(each.wrong_rows))
    rate, errors, pages = f"{each.normal_rate:g}", f"{each.error_rate:.1%}", f"{each.pages_failed} of {each.pages}"
    return (
        each.fault,
        str(each.accepted),
        str(each.answered),
        failed,
        *map(str, figures),
        f"{each.longest_s:g}",
        rate,
        recovery,
        errors,
        pages,
        f"{each.replica_gap_s:g}",
    )


def table(outcomes: Sequence[Outcome]) -> str:
    """The figures as a table for a terminal, and below it everything that was lost."""
    shown = Table(*COLUMNS)
    for each in outcomes:
        shown.add_row(*cells(each))
    console = Console(file=io.StringIO(), width=200)
    console.print(shown)
    for each in outcomes:
        for said in (*each.lost, *each.audit_lost, *each.wrong_rows):
            console.print(f"{each.fault}: {said}", markup=False, highlight=False)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().rstrip()


_STEP, _HEIGHT, _LEFT = 6, 120, 30


def page(outcomes: Sequence[Outcome]) -> str:
    """The report as one HTML page, with a plot of answers and problems over time for each fault; nothing is fetched."""
    head = "".join(f"<th>{escape(column)}</th>" for column in COLUMNS)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells(each))}</tr>\n" for each in outcomes)
    said = (
        "Nothing was lost, and no answer was wrong."
        if not any(each.harm for each in outcomes)
        else "Something was lost or wrong: see the table."
    )
    plots = "".join(f"<h2>{escape(each.what)}</h2>\n{_plot(each)}" for each in outcomes)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Faults under load</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 90rem; margin: 2rem auto; padding: 0 1rem; color: #222; }}
table {{ border-collapse: collapse; margin: 1rem 0; font-size: 12px; }}
th, td {{ padding: .2rem .4rem; border-bottom: 1px solid #ddd; text-align: right; vertical-align: top; }}
th:first-child, td:first-child {{ text-align: left; }}
svg {{ width: 100%; height: auto; max-height: 14rem; }}
</style>
</head>
<body>
<h1>Faults under load</h1>
<p><strong>{said}</strong></p>
<table>
<tr>{head}</tr>
{rows}</table>
<p>Answers (blue) and problems (red) of every second; the line is the fault, the dotted one the recovery.</p>
{plots}</body>
</html>
"""


def _plot(each: Outcome) -> str:
    """A bar a second: answers, and problems on top of them."""
    width = _LEFT + _STEP * len(each.timeline)
    most = max((answers + problems for answers, problems in each.timeline), default=1) or 1
    scale = (_HEIGHT - 24) / most
    base = _HEIGHT - 14
    lines = [f'<text x="0" y="16">{most}</text>', f'<text x="0" y="{base}">0</text>']
    for second, (answers, problems) in enumerate(each.timeline):
        left, top = _LEFT + _STEP * second, base - scale * answers
        for y, count, colour, what in ((top, answers, "#2f6f9f", "answers"), (top - scale * problems, problems, "#c0392b", "problems")):
            if count:
                place = f'x="{left}" y="{y:.1f}" width="{_STEP - 1}" height="{scale * count:.1f}"'
                lines.append(f'<rect {place} fill="{colour}"><title>second {second}: {count} {what}</title></rect>')
    marks = [(each.struck_s, "")] + ([(each.struck_s + each.recovery_s, ' stroke-dasharray="3 3"')] if each.recovery_s else [])
    for seconds, style in marks:
        x = _LEFT + _STEP * seconds
        lines.append(f'<line x1="{x:.1f}" y1="2" x2="{x:.1f}" y2="{base}" stroke="#222"{style}/>')
    lines += [f'<text x="{_LEFT + _STEP * second}" y="{_HEIGHT}">{second} s</text>' for second in range(0, len(each.timeline), 30)]
    drawn = "\n".join(lines)
    return (
        f'<svg viewBox="0 0 {width} {_HEIGHT}" width="{width}" height="{_HEIGHT}" role="img" aria-label="{escape(each.fault)}: answers and '
        f'problems over time" font-size="11" font-family="system-ui, sans-serif">\n{drawn}\n</svg>\n'
    )
