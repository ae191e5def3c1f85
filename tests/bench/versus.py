"""Two builds of the engine in turn on one stream: sh tests/bench/run.sh versus.py OLD NEW [WORKLOAD [EVENTS [PAIRS]]]

OLD and NEW are folders of builds, say those of a `git worktree` and of this tree; WORKLOAD is carts, shop or tls. What the tests use
beside the engine is of the release that run.sh builds. A pair runs both with one worker, the first of them by turns, and prints new/old of
the events per CPU-second, Redis's CPU counted; the medians come last. A machine's own speed drifts by half within the hour, and little
within a pair.
"""
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from bench import contests, figures
from support import kafka, place

ROW = "Relance, 1 worker"


def run(build, contest, stream):
    """One run of this build's engine."""
    program = place.program
    place.program = lambda name: str(build / "bin" / name) if name == "relance" else program(name)
    try:
        return contest.rows[ROW](stream)
    finally:
        place.program = program


def pair(builds, contest, stream, number):
    turn = builds[::-1] if number % 2 else builds
    runs = {build: run(build, contest, stream) for build in turn}
    if not all(map(figures.is_exact, runs.values())):
        raise RuntimeError("what was decided is not the answer")
    return [runs[build] for build in builds]


def main(old, new, workload="carts", events="1000000", pairs="7"):
    contest, builds = contests.contests()[workload], [pathlib.Path(old).resolve(), pathlib.Path(new).resolve()]
    ratios = []
    try:
        with contest.stream(int(events)) as stream:
            for number in range(int(pairs)):
                before, now = pair(builds, contest, stream, number)
                ratios.append(now.cpu_rate / before.cpu_rate)
                print(f"{number + 1}: {before.cpu_rate:,.0f}, then {now.cpu_rate:,.0f} per CPU-second; {before.seconds:.1f} s, then {now.seconds:.1f} s; "
                      f"{before.peak / figures.MB:,.0f} MB, then {now.peak / figures.MB:,.0f} MB; new/old {ratios[-1]:.3f}", flush=True)
    finally:
        kafka.close()
    print(f"{contest.name}, {int(events):,} events: median of {pairs} pairs {statistics.median(ratios):.3f}, {min(ratios):.3f} to {max(ratios):.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
