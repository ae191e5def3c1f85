"""The program against real Kafka and real Redis: python3 tests/e2e [PATTERN...]

Every module beside this file holds tests; a PATTERN picks tests by part of their name. They share one broker at
a time, so those that want another version come last. What is not built makes its tests fail, not vanish.
"""
import importlib
import pathlib
import signal
import sys

sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])
from support import kafka, suite

MODULES = ["refusals", "bad_input", "watching", "stopping", "latency", "crashes", "rees46"]


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended
    modules = [importlib.import_module(f"e2e.{name}") for name in MODULES]
    try:
        return suite.run(*modules, patterns=sys.argv[1:])
    finally:
        kafka.close()


if __name__ == "__main__":
    sys.exit(main())
