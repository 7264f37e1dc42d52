"""`./dev build release` where the profile cannot be made: it goes on without one and says so, except where it is judged, and
except where somebody interrupted it. In a tree of its own whose compiler is a stand-in: what is tried is `dev`, not gcc."""
# ctest: release
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import pytest
from harness import gateway as g
from harness.client import wait_until

pytestmark = pytest.mark.whole("no request of these tests goes through a gateway")

# Writes down what it was asked; --build waits while the file `slow` stands, and then ends as Ninja does when it is interrupted.
CMAKE = """#!/bin/sh
echo "$*" >> asked
trap 'exit 2' INT
case "$*" in *build*training*) while [ -e slow ]; do sleep 0.05; done ;; esac
"""


@pytest.fixture
def tree(tmp_path):
    for name in ("dev", "packages.txt"):
        shutil.copy(g.ROOT / name, tmp_path)
    (tmp_path / "packages.txt").write_text("# [build] nothing to install\n")
    for folder in ("bin", "src", "tests/training"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "bin/cmake").write_text(CMAKE)
    (tmp_path / "bin/cmake").chmod(0o755)
    (tmp_path / "tests/training/train.py").write_text("import sys; sys.exit('nothing was counted')\n")
    return tmp_path


def begin(tree, ci=None, command=("build", "release")):
    env = {**os.environ, "PATH": f"{tree}/bin:{os.environ['PATH']}"}
    env.pop("CI", None)
    if ci:
        env["CI"] = ci
    # As from a terminal: a group of its own, in which an interrupt ends everybody.
    return subprocess.Popen(["./dev", *command], cwd=tree, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            start_new_session=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))


def asked(tree):
    path = tree / "asked"
    return path.read_text() if path.exists() else ""


def test_a_failed_training_is_a_plain_build(tree):
    dev = begin(tree)
    said = dev.communicate(timeout=60)[0]
    assert dev.returncode == 0, said
    assert "nothing was counted" in said and "the training failed (see above): going on without a profile" in said
    assert "--build --preset release" in asked(tree)


def test_a_failed_training_fails_where_it_is_judged(tree):
    for dev in (begin(tree, ci="true"), begin(tree, command=["train"])):
        said = dev.communicate(timeout=60)[0]
        assert dev.returncode != 0 and "going on" not in said, said
    assert "--preset release" not in asked(tree)


def test_an_interrupt_is_no_failed_training(tree):
    (tree / "slow").touch()
    dev = begin(tree)
    assert wait_until(lambda: "--build --preset training" in asked(tree))
    os.killpg(dev.pid, signal.SIGINT)
    (tree / "slow").unlink()
    said = dev.communicate(timeout=60)[0]
    assert dev.returncode == 130 and "going on" not in said, said
    assert "--preset release" not in asked(tree)


# train.py itself, with this build in the place of one that counts; whatever goes wrong, it ends and nothing of it is left.
TRAIN = """
import sys
sys.argv = ["train.py", {build!r}, {out!r}]
sys.path.insert(0, {training!r})
import train
train.PERSONS = 8
{break_it}
train.main()
"""


@pytest.mark.parametrize("break_it, error", [
    ("train.CLIENTS = 0", "ValueError"),  # after the gateway has started
    ("train.TIMEOUT = 3; train.answers = lambda protected: {}[0]", "TimeoutError"),  # the origin does not come, nor say so
])
def test_a_training_that_goes_wrong_ends_and_leaves_nothing(tmp_path, break_it, error):
    build = tmp_path / "build"
    build.mkdir()
    (build / "gate1367").symlink_to(g.BIN)
    (build / "test-certs").symlink_to(g.certificates())
    (build / "train-of-one-that-was-killed").mkdir()
    text = TRAIN.format(build=str(build), out=str(tmp_path / "profile"), training=str(g.ROOT / "tests/training"), break_it=break_it)
    done = subprocess.run([sys.executable, "-c", text], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and error in done.stderr, done.stderr
    assert not list(build.glob("train-*")) and not (tmp_path / "profile").exists()
    assert not [p for p in pathlib.Path("/proc").glob("[0-9]*") if here(p, build)]


def here(process, directory):
    try:
        return os.readlink(process / "cwd").startswith(str(directory))
    except OSError:
        return False
