"""What holds for all tests."""

from __future__ import annotations

import signal

from hypothesis import settings

signal.signal(
    signal.SIGINT, signal.default_int_handler
)  # a shell starts background jobs with Ctrl-C ignored, and what they start inherits it
settings.register_profile("any pace", settings(), deadline=None)  # on a busy machine any one example may take long
settings.load_profile("any pace")
