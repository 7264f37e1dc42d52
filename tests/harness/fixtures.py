"""Fixtures of every folder of tests: its conftest.py takes them in."""
import pytest

from . import client, origin as origins
from .gateway import SANITIZED, Gateway
from .origin import Origin


@pytest.fixture
def origin():
    with Origin() as o:
        yield o


@pytest.fixture
def make_gateway(request, tmp_path, origin):
    """make_gateway(**options of Gateway): stopped after the test; sanitizer reports fail it. `packs` is the file's PACKS, where it
    has some."""
    made = []

    def make(at=None, **options):
        options.setdefault("packs", getattr(request.module, "PACKS", None))
        gw = Gateway(tmp_path / f"gw{len(made)}", at or origin.url, **options)
        made.append(gw)
        return gw

    yield make
    for gw in made:
        gw.__exit__(None, None, None)


@pytest.fixture
def gateway(make_gateway):
    return make_gateway(protected=["A012345678"])


@pytest.fixture
def pieces(request, monkeypatch):
    """What every client and every origin of the test sends in: None, or pieces of one byte."""
    monkeypatch.setattr(client, "PIECES", request.param)
    monkeypatch.setattr(origins, "PIECES", request.param)
    return request.param


def pytest_configure(config):
    config.addinivalue_line("markers", "whole(reason): not also run in pieces of one byte, because …")


def pytest_generate_tests(metafunc):
    """Every scenario as it is, and in pieces of one byte, but for those that say why not. Under sanitizers only those that
    name the fixture: the splits are the same, and the time is not."""
    whole = list(metafunc.definition.iter_markers("whole"))
    for mark in whole:
        assert len(mark.args) == 1 and len(mark.args[0]) > 10, f"{metafunc.definition.nodeid}: whole() needs a reason"
    assert not whole or "pieces" not in metafunc.function.__code__.co_varnames[:metafunc.function.__code__.co_argcount], \
        f"{metafunc.definition.nodeid}: takes pieces, and says that it is not run in them"
    named = "pieces" in metafunc.fixturenames
    if not named:
        metafunc.fixturenames.insert(0, "pieces")
    once = whole or (SANITIZED and not named)
    sizes, names = ([None], ["whole"]) if once else ([None, 1], ["whole", "bytes"])
    metafunc.parametrize("pieces", sizes, ids=names, indirect=True)
