"""A real PostgreSQL with a small demo site, copied for every test that changes it."""

import pytest

from sudare import grants, postgres
from sudare.demo.site import DEMO_DAY, make_site
from tests.delivery.servers import s3_server, sftp_server, store
from tests.nights.sites import FIRST_NIGHT, STEPS, UNTIL_GATED, Site, run

__all__ = ["s3_server", "sftp_server", "store"]

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
def one_night(server, tmp_path_factory) -> Site:
    """A site with its first night published; only to be copied and looked at, like those below."""
    first = Site(server, tmp_path_factory.mktemp("one_night"))
    run(first.night(FIRST_NIGHT))
    return first


@pytest.fixture(scope="session")
def gated(one_night, tmp_path_factory) -> Site:
    """After a gap of three nights, the next one: counted, disclosed and gated, and not yet published."""
    next_one = one_night.copy(tmp_path_factory.mktemp("gated"))
    run(next_one.night(), *UNTIL_GATED)
    return next_one


@pytest.fixture(scope="session")
def two_nights(gated, tmp_path_factory) -> Site:
    """A site with two published nights; what lies between the steps of the second is still there."""
    both = gated.copy(tmp_path_factory.mktemp("two_nights"))
    run(both.night(), *STEPS[len(UNTIL_GATED) : -1])
    return both


@pytest.fixture
def after_one(one_night, tmp_path) -> Site:
    """A copy of the site with one published night, to be changed."""
    return one_night.copy(tmp_path)


@pytest.fixture
def ready(gated, tmp_path) -> Site:
    """A copy of the site whose second night only has to be published."""
    return gated.copy(tmp_path)


@pytest.fixture
def lived(two_nights, tmp_path) -> Site:
    """A copy of the site with two published nights, to be changed."""
    return two_nights.copy(tmp_path)
