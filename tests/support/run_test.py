"""Shows that the runner believes nobody too easily: what a program printed and how it ended, and what counts."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import place, run, suite
from support.run import Program, Totals

CRITERION = "[\x1b[0;34m====\x1b[0m] Synthesis: Tested: 3 | Passing: {} | Failing: {} | Crashing: {} \n"

LEAK = """
Direct leak of 48 byte(s) in 1 object(s) allocated from:
    #0 0x7f88fbab83b7 in __interceptor_calloc ../../../../src/libsanitizer/asan/asan_malloc_linux.cpp:77
{}    #2 0x7f88fc198332  (/lib/x86_64-linux-gnu/libcriterion.so.3+0x1a332)

SUMMARY: AddressSanitizer: 48 byte(s) leaked in 1 allocation(s).
"""
OURS = "    #1 0x5611094ef31b in arena_copy rules/base/arena.c:31\n"

# (output, exit status, totals)
CASES = [
    ("3 passed, 0 failed\n", 0, Totals(3, 0)),
    ("something\ngolden: 3 passed, 1 failed, 2 skipped\n", 1, Totals(3, 1, 2)),
    ("1 passed, 0 failed\n3 passed, 0 failed\n", 0, Totals(3, 0)),  # the last line counts
    (CRITERION.format(3, 0, 0), 0, Totals(3, 0)),
    (CRITERION.format(1, 1, 1), 1, Totals(1, 2)),
    ("[SKIP] base::zones: no zone files\n" + CRITERION.format(3, 0, 0), 0, Totals(3, 0, 1)),
    ("3 passed, 0 failed\n", 1, Totals(3, 1)),                      # the status says otherwise
    (CRITERION.format(3, 0, 0), -11, Totals(3, 1)),                 # crashed after its last word
    (LEAK.format("") + CRITERION.format(3, 0, 0), 1, Totals(3, 0)),    # Criterion's own
    (LEAK.format("") + CRITERION.format(2, 1, 0), 1, Totals(2, 1)),
    (LEAK.format("") + CRITERION.format(3, 0, 0), -11, Totals(3, 1)),
    (LEAK.format(OURS) + CRITERION.format(3, 0, 0), 1, Totals(3, 1)),
    (LEAK.format(OURS) + CRITERION.format(3, 0, 0), 0, Totals(3, 1)),  # reported by a worker: the runner does not know
    (LEAK.format("") + LEAK.format(OURS) + CRITERION.format(3, 0, 0), 1, Totals(3, 1)),
    ("all is well\n", 0, Totals(0, 1)),                             # no totals
    ("", 0, Totals(0, 1)),
    ("0 passed, 0 failed\n", 0, Totals(0, 1)),                      # ran nothing
    ("0 passed, 0 failed, 4 skipped\n", 0, Totals(0, 0, 4)),
    ("no ../shared here\n", run.SKIPPED, Totals(0, 0, 1)),
    ("12 passed, 0 failed in a sentence\n", 0, Totals(0, 1)),
]


class Runner(unittest.TestCase):
    def test_believes_output_and_status_together(self):
        for output, status, totals in CASES:
            with self.subTest(output=output, status=status):
                self.assertEqual(run.read_totals(output, status)[0], totals)

    def test_what_takes_too_long_has_failed_and_leaves_nothing_behind(self):
        output, status = run.execute(Program("slow", ["sh", "-c", "echo 1 passed, 0 failed; sleep 60 & sleep 60"], 0.3))
        self.assertEqual(run.read_totals(output, status)[0], Totals(1, 1))
        self.assertIn("ended after its limit", output)

    def test_what_failed_tests_have_said_is_told_once_more(self):
        said = "".join(f"line {n}\n" for n in range(50))
        self.assertEqual(run.excerpts(f"{said}ok      one  (0.1 s)\nthe reason\nFAILED  two  (0.1 s)\n{said}ok      three  (0.1 s)\n1 passed, 1 failed\n"),
                         ["the reason", "FAILED  two  (0.1 s)"])
        self.assertEqual(run.excerpts(f"  ok      one\n  FAILED  two\n    | {said}    | why\n  ok      three\n"), ["  FAILED  two", "    | line 0", "    | why"])
        self.assertEqual(run.excerpts(f"{said}TimeoutError: not within 5 s"), [f"line {n}" for n in range(36, 50)] + ["TimeoutError: not within 5 s"])
        self.assertEqual(run.excerpts(""), [])

    def test_a_program_that_is_not_built_has_failed(self):
        self.assertEqual(run.run_one(Program("nowhere")), Totals(0, 1))
        self.assertEqual(run.run_one(Program("nowhere", ["/nowhere/unit_cel"])), Totals(0, 1))


class Waiting(unittest.TestCase):
    """What moves is waited for, and what stands still or moves for ever is not."""

    def test_a_wait_lasts_as_long_as_there_is_movement(self):
        steps = iter(range(40))
        self.assertTrue(place.wait_while_moving(lambda: next(steps) == 39, lambda: object(), 0.2, 60, "the end", 0.01))

    def test_what_stands_still_is_given_up(self):
        with self.assertRaisesRegex(TimeoutError, "nothing has moved for 0.1 s, and not yet: the end"):
            place.wait_while_moving(lambda: False, lambda: "here", 0.1, 60, "the end", 0.01)

    def test_what_moves_and_never_arrives_is_given_up(self):
        with self.assertRaisesRegex(TimeoutError, "it moves, but not within 0.2 s: the end"):
            place.wait_while_moving(lambda: False, lambda: object(), 60, 0.2, "the end", 0.01)


if __name__ == "__main__":
    sys.exit(suite.run(sys.modules[__name__]))
