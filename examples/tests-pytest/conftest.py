"""One issuer for all tests, without faults at the end of each; an API of its own for each."""

import threading
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from api import api
from double import Double


@pytest.fixture(scope="session")
def issuer():
    double = Double()
    yield double
    double.stop()


@pytest.fixture
def double(issuer):
    yield issuer
    issuer.steer("DELETE", "state")


@pytest.fixture
def call(double):
    """Calls an API that is new for each test, so that each begins without keys; answers the status."""
    server = api(double.issuer, double.audience)
    threading.Thread(target=server.serve_forever, args=[0.02]).start()

    def status(token=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            with urlopen(Request(f"http://127.0.0.1:{server.server_port}/messages", headers=headers)) as answer:
                return answer.status
        except HTTPError as refused:
            return refused.code

    yield status
    server.shutdown()
    server.server_close()
