"""Whom a column means that calls people by what they do: `assignee_no`, `created_by`. Knows names alone."""

from __future__ import annotations

from streamlink_sql.catalog.values import stem


def _stems(words: str) -> frozenset[str]:
    return frozenset(map(stem, words.split()))


_ANYONE = _stems("person people user member account contact profile individual")
_STAFF = _ANYONE | _stems("employee staff worker personnel colleague crew officer agent clerk")
_CLIENTS = _ANYONE | _stems("customer client buyer guest patient subscriber passenger")
_WHOM = {
    **dict.fromkeys(
        _stems("author creator sender recipient receiver reporter requester requestor organizer organiser host follower friend"), _ANYONE
    ),
    **dict.fromkeys(_stems("buyer payer purchaser orderer"), _CLIENTS),
    **dict.fromkeys(
        _stems(
            "assignee manager supervisor boss owner approver reviewer technician lead leader head handler operator inspector editor "
            "creator author seller salesperson representative rep agent dispatcher recruiter mentor coordinator requester reporter"
        ),
        _STAFF,
    ),
}
_DONE_BY = _stems(
    "assigned created opened closed approved reviewed handled reported requested sold written updated signed managed prepared checked"
)


def people_meant(words: tuple[str, ...]) -> frozenset[str]:
    """Words of which a table's name has one where it holds the people that a column of these stemmed words means; none for others."""
    if len(words) > 1 and words[-1] in ("by", "to") and words[-2] in _DONE_BY:
        return _STAFF
    return _WHOM.get(words[-1], frozenset()) if words else frozenset()
