"""run.py RELANCE MAP_TOOL: what other people test of the pipelines that the presets read. Who says "this in, that out" has their first form
and their second; our presets have to give the same events for both."""
import functools
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parents[1]))
import bodies  # noqa: E402
import formats  # noqa: E402
import pairs  # noqa: E402
import visitors  # noqa: E402
import warehouse  # noqa: E402
from support.mapping import PRESETS, SHARED, outcomes  # noqa: E402


def everything(tool, passed, failed):
    """Every body through every preset, its own or not, and the same again: the same events with the same ids."""
    records = [record for _, _, record in bodies.bodies()]
    for preset in sorted(path.stem for path in PRESETS.glob("*.jsonc")):
        if outcomes(tool, preset, records) == outcomes(tool, preset, records):
            passed()
        else:
            failed(f"{preset}: not the same the second time")


def main():
    if not SHARED.is_dir():
        print(f"skipped: {SHARED} is not here")
        return 77
    counts = {"passed": 0, "failed": 0}

    def passed():
        counts["passed"] += 1

    def failed(what):
        counts["failed"] += 1
        print(what)

    relance, tool = sys.argv[1:]
    for check in (pairs.check, formats.check, functools.partial(visitors.check, relance), warehouse.check, everything):
        check(tool, passed, failed)
    print(f"{counts['passed']} passed, {counts['failed']} failed")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
