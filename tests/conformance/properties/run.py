"""run.py RELANCE FORGETFUL [PROPERTY…]: what has to hold of every rule set and every stream of events.

    run.py RELANCE FORGETFUL --seeds 1-60 --seconds 10      the fixed seeds, then fresh ones while time lasts
    run.py RELANCE FORGETFUL quiet caps --seed N --keep DIR one seed; its files stay in DIR
    run.py RELANCE FORGETFUL --sabotage                     each property, shown decisions that break it, has to say so

Rule sets and streams are those of model/generate.py. A property says how much it has checked; one that checked
little over the fixed seeds has failed, for it would hold of anything. The clock of --seconds is the processor's,
of this process and of those that it started."""
import argparse
import os
import pathlib
import random
import sys
import tempfile
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import dates  # noqa: E402
import cooldowns  # noqa: E402
import limits  # noqa: E402
import runs  # noqa: E402
import sabotage  # noqa: E402
import twins  # noqa: E402
import zones  # noqa: E402
from scene import Broken, Scene, Tools  # noqa: E402


@dataclass
class Property:
    holds: object  # of a Scene: how much was checked, or Broken
    least: float   # to be checked a seed, over the fixed ones; of one seed no more than ten times that is counted


PROPERTIES = {name: Property(*row) for name, row in {
    "quiet": (limits.quiet, 1), "caps": (limits.caps, 2), "never": (limits.never, 1), "hold": (limits.hold, 1),
    "cooldowns": (cooldowns.cooldowns, 1), "runs": (runs.runs, 20), "ids": (runs.ids, 10),
    "twice": (twins.twice, 50), "split": (twins.split, 20), "names": (twins.names, 50), "again": (twins.again, 50),
    "noise": (twins.noise, 50), "future": (twins.future, 100), "forgetful": (twins.forgetful, 100),
    "files": (twins.files, 50), "dates": (dates.dates, 2),
}.items()}


PREPARE = [zones.send_where_set, limits.ask_what_lines_tell, limits.have_a_gate, cooldowns.cool_down, dates.remind,
           dates.say_the_date]


def parse(words):
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("relance")
    parser.add_argument("forgetful")
    parser.add_argument("names", nargs="*", choices=[*PROPERTIES, []])
    parser.add_argument("--seeds", default="1-60")
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--keep")
    parser.add_argument("--sabotage", action="store_true")
    options = parser.parse_intermixed_args(words)
    options.names = options.names or list(PROPERTIES)
    options.tools = Tools(options.relance, options.forgetful)
    return options


def seeds(options):
    first, last = [options.seed] * 2 if options.seed is not None else map(int, options.seeds.split("-"))
    return range(first, last + 1)


def fresh_seeds(options):
    while options.seed is None and sum(os.times()[:4]) < options.seconds:
        yield random.SystemRandom().randrange(10**6, 10**12)


class Report:
    def __init__(self, options):
        self.options, self.seeds = options, 0
        self.checked, self.counted, self.broken = (dict.fromkeys(options.names, 0) for _ in range(3))

    def play(self, seed):
        """Every property, of one seed."""
        self.seeds += 1
        with tempfile.TemporaryDirectory() as folder:
            scene = Scene(self.options.tools, seed, self.options.keep or folder, PREPARE)
            for name in self.options.names:
                try:
                    checked = PROPERTIES[name].holds(scene)
                    self.checked[name] += checked
                    self.counted[name] += min(checked, 10 * PROPERTIES[name].least)
                except Broken as broken:
                    self.broken[name] += 1
                    print(f"seed {seed}, {name}: {broken}\n  again: python3 {HERE / 'run.py'} {self.options.relance} "
                          f"{self.options.forgetful} {name} --seed {seed} --keep DIR", flush=True)

    def look_at_how_much(self):
        """After the fixed seeds."""
        for name in self.options.names:
            if self.counted[name] < PROPERTIES[name].least * self.seeds and self.options.seed is None:
                self.broken[name] += 1
                print(f"{name}: only {self.checked[name]} checked in {self.seeds} seeds")

    def end(self):
        for name in self.options.names:
            print(f"{'FAILED' if self.broken[name] else 'ok':7} {name}: {self.checked[name]} checked")
        failed = sum(map(bool, self.broken.values()))
        print(f"{self.seeds} seeds\n{len(self.options.names) - failed} passed, {failed} failed")
        return 1 if failed else 0


def spoil(options):
    """Each property against decisions that break it."""
    passed = failed = 0
    for name in options.names:
        for how, said in sabotage.OF[name].items():
            found = any(is_found(options, name, how, said, seed) for seed in seeds(options))
            passed, failed = passed + found, failed + (not found)
            print(f"{'ok' if found else 'FAILED':7} {name} finds out: {how.__doc__}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def is_found(options, name, how, said, seed):
    with tempfile.TemporaryDirectory() as folder:
        scene = Scene(options.tools, seed, folder, PREPARE)
        PROPERTIES[name].holds(scene)  # it does, as things are
        how(scene)
        try:
            PROPERTIES[name].holds(scene)
        except Broken as broken:
            return said in str(broken)
    return False


def main():
    options = parse(sys.argv[1:])
    if options.sabotage:
        return spoil(options)
    report = Report(options)
    for seed in seeds(options):
        report.play(seed)
    report.look_at_how_much()
    for seed in fresh_seeds(options):
        report.play(seed)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
