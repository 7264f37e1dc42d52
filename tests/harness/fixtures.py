"""Fixtures of every folder of tests: its conftest.py takes them in."""
import pytest

from .gateway import Gateway
from .origin import Origin


@pytest.fixture
def origin():
    with Origin() as o:
        yield o


@pytest.fixture
def make_gateway(tmp_path, origin):
    """make_gateway(**options of Gateway): stopped after the test; sanitizer reports fail it."""
    made = []

    def make(at=None, **options):
        gw = Gateway(tmp_path / f"gw{len(made)}", at or origin.url, **options)
        made.append(gw)
        return gw

    yield make
    for gw in made:
        gw.__exit__(None, None, None)


@pytest.fixture
def gateway(make_gateway):
    return make_gateway(protected=["A012345678"])


@pytest.fixture(params=[None, 1], ids=["whole", "bytes"])
def pieces(request):
    """Every scenario as it is, and in pieces of one byte."""
    return request.param
