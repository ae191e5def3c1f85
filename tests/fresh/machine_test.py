"""Shows that the stage `fresh` can refuse: what a build says is noise, and obstacles are no passes."""
import contextlib
import importlib.util
import io
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from support import run, suite

specification = importlib.util.spec_from_file_location("fresh", HERE / "__main__.py")
fresh = importlib.util.module_from_spec(specification)
specification.loader.exec_module(fresh)

DEMO = """install.sh: installing gcc
dpkg: warning: what packages say is not our affair
debconf: delaying package configuration, since apt-utils is not installed
demo.sh: configuring
{}demo.sh: building
{}Starting a Redis, a stand-in for Kafka and the engine …
Mon 04:58  wanda     puts Enamel mug into cart k-3
5 events, 3 actions. The metrics, as `relance metrics` prints them:
"""
CMAKE = "CMake Warning (dev) at CMakeLists.txt:3:\n"
LTO = "lto-wrapper: warning: using serial compilation of 13 LTRANS jobs\n"

# (what the demonstration says, its exit status, part of what is wrong with it; None: nothing)
DEMOS = [
    (DEMO.format("", ""), 0, None),
    (DEMO.format("", ""), 1, "ended with status 1"),
    (DEMO.format(CMAKE, ""), 0, "building is not silent"),
    (DEMO.format("", LTO), 0, "building is not silent"),
    (DEMO.format("", "a line\n"), 0, "building is not silent"),
    (DEMO.format("", "") + "warning: something\n", 0, "the demonstration warns"),
    (DEMO.format("", "").replace("3 actions", "0 actions"), 0, "there were no actions"),
    ("demo.sh: configuring\n", 0, "it has not built"),
    ("", 0, "it has not built"),
]
VERSIONS = [
    ("relance 0.1.0\n", 0, None),
    ("relance 0.1.0\n", 127, "status 127"),
    ("relance\n", 0, "status 0"),
    ("", 0, "status 0"),
]
UNITS = [
    ("== unit\n  built\n12 passed, 0 failed, 2 skipped\n", 0, None),
    ("12 passed, 1 failed\n", 1, "12 passed, 1 failed"),
    ("12 passed, 0 failed\n", 1, "1 failed"),
    ("nothing\n", 0, "no totals"),
]


class Fresh(unittest.TestCase):
    def judge(self, step, said, status, wrong):
        fresh.inside = lambda root, command: (said, status)
        with self.subTest(step=step.__name__, said=said, status=status):
            if wrong is None:
                self.assertGreater(step(None, "trixie").passed, 0)
            else:
                with self.assertRaisesRegex(fresh.Failure, wrong):
                    step(None, "trixie")

    def test_a_step_passes_only_with_what_it_wants(self):
        for step, cases in ((fresh.step_demo, DEMOS), (fresh.step_version, VERSIONS), (fresh.step_unit, UNITS)):
            for said, status, wrong in cases:
                self.judge(step, said, status, wrong)

    def test_an_obstacle_is_told_and_skipped(self):
        def none(release):
            raise fresh.Obstacle("only root can make a chroot")
        fresh.look_for_obstacles = none
        told = io.StringIO()
        with contextlib.redirect_stdout(told):
            status = fresh.main("", "trixie")
        self.assertEqual(status, run.SKIPPED)
        self.assertEqual(told.getvalue(), "skipped, nothing was tried on trixie: only root can make a chroot\n")

    def test_a_release_that_debootstrap_does_not_know_is_an_obstacle(self):
        with self.assertRaises(fresh.Obstacle):
            fresh.look_for_obstacles("no-such-release")


if __name__ == "__main__":
    sys.exit(suite.run(sys.modules[__name__]))
