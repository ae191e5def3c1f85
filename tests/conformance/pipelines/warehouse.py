"""Jitsu's events and what Jitsu makes of them for a warehouse, names with underscores: our preset `segment` gives the same events
for both, ids included."""
import json

from support.mapping import SHARED, outcomes, record

JITSU = SHARED / "pipelines" / "jitsu"


def check(tool, passed, failed):
    for name in ("page", "identify", "track", "group"):
        bodies = [json.loads((JITSU / f"datalayout-{name}{form}.json").read_text()) for form in ("", "ExpectedSingleTable")]
        [ours, theirs] = outcomes(tool, "segment", [record(body) for body in bodies])
        if ours == theirs:
            passed()
        else:
            failed(f"jitsu {name}: {ours} against {theirs}")
