"""The program against real Kafka and real Redis: python3 tests/e2e [--long] [PATTERN...]

Every module beside this file holds tests; a PATTERN picks tests by part of their name. They share one broker at
a time, so those that want another version come last. What is not built makes its tests fail, not vanish.
--long: those that have a longer form, in that form.
"""
import importlib
import os
import pathlib
import signal
import sys

sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])
from support import kafka, suite

MODULES = ["refusals", "reload", "bad_input", "watching", "stopping", "latency", "crashes", "rees46",
           "audit", "explain", "forgetting", "redis_rights", "kafka_rights", "secrets", "hostile", "recovery", "resharding",
           "faults", "faults_table", "pressure"]


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended
    words = sys.argv[1:]
    if "--long" in words:
        words.remove("--long")
        os.environ["RELANCE_LONG"] = "1"
    modules = [importlib.import_module(f"e2e.{name}") for name in MODULES]
    try:
        return suite.run(*modules, patterns=words)
    finally:
        kafka.close()


if __name__ == "__main__":
    sys.exit(main())
