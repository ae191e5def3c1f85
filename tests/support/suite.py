"""Runs unittest cases the way every test program here reports: a line a test, then `N passed, N failed`."""
import fnmatch
import sys
import time
import unittest


class Report(unittest.TextTestResult):
    """One line for each test; what failed is told in full at once. A failed subtest fails its test."""

    def __init__(self):
        super().__init__(unittest.runner._WritelnDecorator(sys.stdout), False, 0)
        self.passed, self.bad = 0, set()

    def startTest(self, test):
        super().startTest(test)
        self.begin = time.monotonic()

    def stopTest(self, test):
        super().stopTest(test)
        skipped = [reason for case, reason in self.skipped if case is test]
        word = "FAILED" if test.id() in self.bad else "skipped" if skipped else "ok"
        self.passed += word == "ok"
        reason = f": {skipped[0]}" if skipped else ""
        print(f"{word:7} {test.id().removeprefix('__main__.')}{reason}  ({time.monotonic() - self.begin:.1f} s)",
              flush=True)

    def told(self, test, err):
        self.bad.add(test.id())
        print(self._exc_info_to_string(err, test), flush=True)

    def addError(self, test, err):
        self.told(test, err)
        if not hasattr(test, "_testMethodName"):  # setUpClass or setUpModule: its tests do not even start
            print(f"FAILED  {test.id()}", flush=True)

    def addFailure(self, test, err):
        self.told(test, err)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            print(f"in {subtest._subDescription()}:")
            self.told(test, err)


def select(tests, patterns):
    """The tests of a suite whose full name matches one of the patterns; all where there are none."""
    for test in tests:
        if isinstance(test, unittest.TestSuite):
            yield from select(test, patterns)
        elif not patterns or any(fnmatch.fnmatch(test.id(), f"*{pattern}*") for pattern in patterns):
            yield test


def run(*modules, patterns=()):
    """Runs the tests of some modules; the program's exit status."""
    loader = unittest.defaultTestLoader
    chosen = [test for module in modules for test in select(loader.loadTestsFromModule(module), patterns)]
    report = Report()
    unittest.TestSuite(chosen).run(report)
    print(f"{report.passed} passed, {len(report.bad)} failed"
          + (f", {len(report.skipped)} skipped" if report.skipped else ""), flush=True)
    return 1 if report.bad or not (report.passed or report.skipped) else 0
