import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.fixtures import (gateway, make_gateway, origin, pieces, pytest_configure,  # noqa: E402, F401
                              pytest_generate_tests)
