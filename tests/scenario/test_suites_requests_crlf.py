"""Requests of other parsers' test suites, end to end: each stream split at its CRLFs."""
# ctest: timeout=300
import pytest

import suites

pytestmark = pytest.mark.whole("its vectors have pieces of their own: whole, byte by byte, at each CRLF")


@pytest.mark.parametrize("suite", ["http1-llhttp", "http1-pico", "http1-gunicorn", "http1-desync-guardian"])
def test_requests(tmp_path, suite):
    #= RFC9112 2.2
    #= RFC9112 6.1
    #= RFC9112 6.3
    #= RFC9112 7.1
    suites.run_requests(tmp_path, suite, "crlf")
