import os
import sys
from collections.abc import Generator

import pytest
import trustme
from hypothesis import settings
from revisions import REVISIONS
from variants import VARIANTS, Variant

from conversations_client._client.many import shared_backoff

# The duration of an example depends on the load of the machine. Every run has the same examples, so
# that a change doesn't fail by chance; scripts/nightly looks for new ones.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("new", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(autouse=True)
def the_trace_function_stays() -> Generator[None]:
    """Fail a test after which coverage would measure nothing."""
    before = sys.gettrace()
    yield
    assert sys.gettrace() is before


@pytest.fixture(autouse=True)
def no_backoffs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the backoffs of earlier tests, whose server may have had the same port."""
    monkeypatch.setattr(shared_backoff, "_backoffs", {})


@pytest.fixture(params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> Variant:
    return Variant(request.param)


@pytest.fixture(params=REVISIONS, ids=lambda number: f"revision-{number}")
def revision(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A certificate authority that only tests trust."""
    return trustme.CA()
