"""Measures answers against gold SQL. Enters at `control.answer` like every front door; changes no data."""
