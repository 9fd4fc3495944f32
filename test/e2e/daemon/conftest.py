import contextlib

import pytest


@pytest.fixture
def keep():
    """A function that starts a `Daemon`, which ends with the test. Ask for it after the platform, which
    is to end later."""
    with contextlib.ExitStack() as stack:
        yield stack.enter_context
