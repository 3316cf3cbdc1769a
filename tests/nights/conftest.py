"""A real PostgreSQL with a small demo site, copied for every test that changes it."""

import pytest

from sudare import grants, postgres
from sudare.demo.site import DEMO_DAY, make_site
from tests.nights.sites import DAY_BEFORE, STEPS, Site, run

MEMBERS, POSTINGS = 3_000, 12_000


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> postgres.Embedded:
    """An embedded PostgreSQL that holds the demo site, as `sudare demo` leaves it."""
    embedded = postgres.start(tmp_path_factory.mktemp("home"))
    make_site(embedded.urls["site"], members=MEMBERS, postings=POSTINGS, seed=7, until=DEMO_DAY)
    grants.apply(embedded.urls["site"])
    return embedded


@pytest.fixture
def site(server, tmp_path) -> Site:
    """A fresh copy of the demo site, and a directory for its nights."""
    return Site(server, tmp_path)


@pytest.fixture(scope="session")
def two_nights(server, tmp_path_factory) -> Site:
    """A site with two published nights; what lies between the steps of the second is still there."""
    base = Site(server, tmp_path_factory.mktemp("two_nights"))
    run(base.night(DAY_BEFORE))
    run(base.night(), *STEPS[:-1])
    return base


@pytest.fixture
def lived(two_nights, tmp_path) -> Site:
    """A copy of the site with two published nights, to be changed."""
    return two_nights.copy(tmp_path)
