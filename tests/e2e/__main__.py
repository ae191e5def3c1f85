"""The program against real Kafka and real Redis: python3 tests/e2e [--long] [--lane NAME] [PATTERN...]

Every module beside this file holds tests; a PATTERN picks tests by part of their name. They share a broker
of each version that they ask for. What is not built makes its tests fail, not vanish.
--long: those that have a longer form, in that form. --lane: one part of them.
"""
import argparse
import importlib
import os
import pathlib
import signal
import sys

sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])
from support import kafka, suite

# What measures time runs alone; the others make four parts of about the same length that may run side by side, each with a
# broker of its own.
LANES = {
    "timing": ["latency", "stopping", "endings"],
    "sieges": ["cluster", "redis_failover", "faults", "wrong_redis"],
    "faults": ["faults_table", "pressure", "large_states", "crashes", "due_at_once", "recovery", "resharding", "zones",
               "links", "reading", "publishing"],
    "servers": ["intake", "learning", "senders", "redis_rights", "redis_tls", "kafka_rights", "kafka_login", "secrets",
                "misplaced", "tracing", "standing", "bench", "rees46", "worth"],
    "commands": ["mapping_run", "refusals", "reload", "bad_input", "logs", "watching", "serving", "alerting", "state_page",
                 "state_bytes", "audit", "decisions", "explain", "forgetting", "visitors", "hostile", "browser", "full_disk",
                 "models"],
}


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--lane", action="append", choices=LANES)
    parser.add_argument("patterns", nargs="*")
    return parser.parse_args()


def unlisted():
    """Modules beside this file that hold tests and stand in no lane."""
    listed = {name for lane in LANES.values() for name in lane}
    return [path.stem for path in pathlib.Path(__file__).parent.glob("[a-z]*.py")
            if path.stem not in listed and "(unittest.TestCase)" in path.read_text()]


def main():
    if unlisted():
        sys.exit(f"in no lane, so never run: {', '.join(unlisted())}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended
    wanted = options()
    if wanted.long:
        os.environ["RELANCE_LONG"] = "1"
    if wanted.lane != ["timing"]:
        kafka.hurry()
    modules = [importlib.import_module(f"e2e.{name}") for lane in wanted.lane or LANES for name in LANES[lane]]
    try:
        return suite.run(*modules, patterns=wanted.patterns)
    finally:
        kafka.close()


if __name__ == "__main__":
    sys.exit(main())
