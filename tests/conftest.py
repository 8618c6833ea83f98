"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("any pace", settings(), deadline=None)  # on a busy machine any one example may take long
settings.load_profile("any pace")
