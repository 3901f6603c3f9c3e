import pytest
from hypothesis import settings
from revisions import REVISIONS
from variants import VARIANTS, Variant

# How long an example takes depends on what else the machine does.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> Variant:
    return Variant(request.param)


@pytest.fixture(params=REVISIONS, ids=lambda number: f"revision-{number}")
def revision(request: pytest.FixtureRequest) -> int:
    return int(request.param)
