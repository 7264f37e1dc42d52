"""Responses of other parsers' test suites, end to end: each sent a byte at a time."""
# ctest: timeout=300
import pytest

import suites

pytestmark = pytest.mark.whole("its vectors have pieces of their own: whole, byte by byte, at each CRLF")


@pytest.mark.parametrize("suite", ["http1-llhttp", "http1-pico"])
def test_responses(tmp_path, suite):
    #= RFC9112 6.3
    #= RFC9112 7.1
    #= RFC9112 8
    suites.run_responses(tmp_path, suite, "dribble")
