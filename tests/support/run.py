"""Builds and runs every test: what `sh tests/run.sh [STAGE...]` does once everything is installed.

A stage is a function below with its story as its docstring. It runs programs; a program closes its output
with its totals, in Criterion's form or as `N passed, N failed[, N skipped]`, and is believed only as far as
its exit status agrees. What passes gets one line, what fails is shown whole. A program that prints no totals,
runs no test, is not built or takes too long has failed: nothing here can be green by saying nothing.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
CORES = str(os.cpu_count() or 1)
FUZZ_SECONDS = 30  # each fuzz target
FAULT_SECONDS = 60  # the simulator, with seeds that nobody has seen
SANITIZED_FAULT_SECONDS = 20  # and under sanitizers
SKIPPED = 77       # exit status of a program that cannot run here and has said why

PLAIN = re.compile(r"^(?:\S+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.M)
CRITERION = re.compile(r"Synthesis: Tested: (\d+) \| Passing: (\d+) \| Failing: (\d+) \| Crashing: (\d+)")
CRITERION_SKIP = re.compile(r"^\[SKIP\]", re.M)
LEAK = re.compile(r"^(?:Direct|Indirect) leak of .*\n((?: +#\d+ .*\n)+)", re.M)  # with its frames
NOT_OURS = re.compile(r"libcriterion\.so|in (?:__interceptor_)?(?:m|c|re)alloc\b")  # frames of Criterion and of allocators
NOISE = re.compile(r"^\[\d+/\d+\]|^/\S+ -D")  # of a build: progress, command lines
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
VERDICT = re.compile(r"^\s*(?:ok|skipped|FAILED) ")  # the line that ends what a test has said
EXCERPT = 15  # lines of what a failed test has said
WRONG = []   # of each program that has failed: its name, and excerpts


@dataclass
class Totals:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other):
        return Totals(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self):
        text = f"{self.passed} passed, {self.failed} failed"
        return text + (f", {self.skipped} skipped" if self.skipped else "")


@dataclass
class Program:
    """Something to run: its name, its command (None: it is not built), and how long it may take."""
    name: str
    command: list = None
    limit_s: float = 300
    cwd: str = str(ROOT)
    env: dict = field(default_factory=dict)
    live: bool = False  # show its output while it runs


def read_leaks(output):
    """Does a sanitizer report leaks, and is a line of ours in one of them? Criterion's runner leaks 48 bytes for some
    sets of suites, and then ends with the sanitizer's status; a test that leaks is reported by its worker, which
    does not tell the runner."""
    leaks = LEAK.findall(output)
    return bool(leaks), any(not NOT_OURS.search(frame) for frames in leaks for frame in frames.splitlines())


def read_totals(output, status):
    """What a program's output claims, corrected by its exit status; and a word on what is wrong with it."""
    output = COLOUR.sub("", output)
    leaks, ours = read_leaks(output)
    if leaks and not ours and status == 1:
        status = 0
    criterion, plain = CRITERION.findall(output), PLAIN.findall(output)
    if status == SKIPPED:
        return Totals(skipped=1), ""
    if criterion:
        rows = [[int(n) for n in row] for row in criterion]
        totals = Totals(sum(r[1] for r in rows), sum(r[2] + r[3] for r in rows), len(CRITERION_SKIP.findall(output)))
    elif plain:
        totals = Totals(*(int(n or 0) for n in plain[-1]))
    else:
        return Totals(failed=1), f"ended with status {status} and no totals"
    if ours:
        return totals + Totals(failed=1), "leaks memory"
    if status != 0 and totals.failed == 0:
        return totals + Totals(failed=1), f"ended with status {status} although nothing failed"
    if totals == Totals():
        return Totals(failed=1), "ran no test"
    return totals, ""


def execute(program):
    """Runs one program to its end or its limit; gives its output and status. Its output goes to a file, so that
    nothing it leaves running can keep us waiting, and it gets a process group of its own, to be ended whole."""
    end = time.monotonic() + program.limit_s
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        process = subprocess.Popen(program.command, cwd=program.cwd, env={**os.environ, **program.env},
                                   stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
        shown = 0
        while process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
            if program.live:
                shown = show_from(output, shown)
        late = process.poll() is None
        end_group(process.pid)
        process.wait()
        if program.live:
            show_from(output, shown)
        output.seek(0)
        text = output.read()
    return text + (f"\nended after its limit of {program.limit_s:.0f} s\n" if late else ""), process.returncode


def show_from(file, position):
    """Shows the whole lines of a growing file behind `position`; where they end."""
    text = os.pread(file.fileno(), 1 << 20, position)
    whole = text[:text.rfind(b"\n") + 1]
    for line in whole.decode(errors="replace").splitlines():
        print("    " + line, flush=True)
    return position + len(whole)


def end_group(leader):
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        pass


def excerpts(output):
    """The last lines of what each failed test has said, before its verdict or quoted behind it; of the whole where no test is named."""
    found, said, failed = [], [], False
    for line in COLOUR.sub("", output).splitlines():
        said.append(line[:200])
        if VERDICT.match(line):
            failed = "FAILED" in line[:12]
            found += said[-EXCERPT:] if failed else []
            said = []
        elif failed and line.startswith("    | "):
            found.append(said.pop())
    return found or said[-EXCERPT:]


def tell_wrong():
    """Once more, at the end, where whoever looks sees it first."""
    for name, lines in WRONG:
        print(f"\nFAILED  {name}\n" + "".join(f"    | {line}\n" for line in lines[-4 * EXCERPT:]), end="")


def run_one(program):
    """Runs one program and reports it; returns its totals."""
    if not program.command or not shutil.which(program.command[0]):
        print(f"  FAILED  {program.name}: it is not built", flush=True)
        WRONG.append((program.name, ["it is not built"]))
        return Totals(failed=1)
    begin = time.monotonic()
    output, status = execute(program)
    totals, wrong = read_totals(output, status)
    word = "FAILED" if totals.failed else "ok" if totals.passed else "skipped"
    report = f"  {word:7} {program.name}: {totals}  ({time.monotonic() - begin:.1f} s)"
    if (totals.failed and not program.live) or word == "skipped":
        report += "\n" + "".join(f"    | {line}\n" for line in output.splitlines())
    print(report + (f"\n    {program.name} {wrong}" if wrong else ""), flush=True)
    if totals.failed:
        WRONG.append((program.name, excerpts(output) + ([wrong] if wrong else [])))
    return totals


def run_all(programs, workers=1):
    with ThreadPoolExecutor(workers) as pool:
        return sum(pool.map(run_one, programs), Totals())


# ---- building

BUILT = set()
BUILDING = threading.Lock()


def configure_and_build(preset, *targets):
    """Configures and builds a preset, going on after errors so that one broken module hides no other's
    tests. A failure counts as one failed test and shows what the compiler said."""
    begin = time.monotonic()
    for command in (["cmake", "--preset", preset],
                    ["cmake", "--build", "--preset", preset, "-j", CORES, *(["--target", *targets] if targets else []),
                     "--", "-k", "0"]):
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace")
        if done.returncode != 0:
            errors = [line for line in done.stdout.splitlines() if not NOISE.match(line)]
            print(f"  FAILED  build {preset}\n" + "".join(f"    | {line}\n" for line in errors), flush=True)
            WRONG.append((f"build {preset}", errors))
            return Totals(failed=1)
    print(f"  built   {preset}  ({time.monotonic() - begin:.1f} s)", flush=True)
    return Totals()


def build(preset, *targets):
    """The same, whoever asks first; who asks meanwhile waits for it."""
    with BUILDING:
        if (preset, targets) in BUILT:
            return Totals()
        BUILT.add((preset, targets))
        return configure_and_build(preset, *targets)


def registered(preset, env=None):
    """Every test that the build files have registered with add_test."""
    listing = subprocess.run(["ctest", "--test-dir", str(BUILD / preset), "--show-only=json-v1"],
                             capture_output=True, text=True)
    if listing.returncode != 0:
        return []
    programs = []
    for test in json.loads(listing.stdout)["tests"]:
        properties = {p["name"]: p["value"] for p in test.get("properties", [])}
        programs.append(Program(test["name"], test.get("command"), float(properties.get("TIMEOUT", 300)),
                                properties.get("WORKING_DIRECTORY", str(ROOT)), env or {}))
    return programs


# ---- the stages

def stage_unit():
    """The build of every day (gcc), and every unit, golden and conformance test."""
    return build("dev") + run_all(registered("dev"), int(CORES))


def stage_lint():
    """What can be read off the sources and objects: rooms, purity, names, references and tables in
    pages, form, the compose file, shell scripts."""
    totals = build("dev")
    lint = ROOT / "tests" / "lint"
    return totals + run_all([
        Program("this runner, its own test", ["python3", str(ROOT / "tests" / "support" / "run_test.py")]),
        Program("bare machines, their own test", ["python3", str(ROOT / "tests" / "fresh" / "machine_test.py")]),
        Program("lint layers", ["python3", str(lint / "layers.py")]),
        Program("lint layers, its own test", ["python3", str(lint / "layers_test.py")]),
        Program("lint purity", ["python3", str(lint / "purity.py"), str(BUILD / "dev")]),
        Program("lint purity, its own test", ["python3", str(lint / "purity_test.py")]),
        Program("lint names", ["python3", str(lint / "names.py")]),
        Program("lint references", ["python3", str(lint / "references.py")]),
        Program("lint references, its own test", ["python3", str(lint / "references_test.py")]),
        Program("lint prints", ["python3", str(lint / "prints.py")]),
        Program("lint pages", ["python3", str(lint / "pages.py")]),
        Program("lint pages, its own test", ["python3", str(lint / "pages_test.py")]),
        Program("lint view", ["python3", str(lint / "view.py")]),
        Program("lint view, its own test", ["python3", str(lint / "view_test.py")]),
        Program("lint form", ["python3", str(lint / "form.py"), *sources(".c", ".cc", ".h")]),
        Program("lint deploy", ["python3", str(lint / "deploy.py")]),
        Program("lint deploy, its own test", ["python3", str(lint / "deploy_test.py")]),
        claim("docker-compose.yml is valid", ["docker-compose", "-f", "docker-compose.yml", "config", "-q"]),
        claim("shell scripts have no findings", ["shellcheck", *sources(".sh"), str(ROOT / ".ci/run"),
                                               *(str(ROOT / "consumer/package" / name) for name in ("postinst", "prerm", "postrm"))]),
    ])


def stage_asan():
    """Everything once more under AddressSanitizer and UBSan: the same tests, the simulator, and bad input end to end."""
    totals = build("asan") + run_all([
        *registered("asan", SANITIZED),
        fault_sim("fault_sim, sanitized, seeds that found something", "asan", "--regressions"),
        fault_sim(f"fault_sim, sanitized, {SANITIZED_FAULT_SECONDS} s of fresh seeds", "asan", "--seconds", str(SANITIZED_FAULT_SECONDS)),
    ], int(CORES))
    return totals + run_one(e2e("e2e, sanitized", "asan", "bad_input", "watching"))


def stage_clang():
    """The second compiler with the same warnings, and the unit tests as it compiles them."""
    totals = build("clang")
    return totals + run_all([p for p in registered("clang") if p.name.startswith("unit_")], int(CORES))


def stage_fuzz():
    """Every fuzz target for half a minute, from the corpus kept in tests/fuzz/corpus/NAME."""
    totals = build("fuzz", "fuzzers")
    targets = sorted((BUILD / "fuzz" / "bin").glob("fuzz_*"))
    if not targets:
        print("  no fuzz targets")
    return totals + run_all([fuzz_program(target, FUZZ_SECONDS) for target in targets], int(CORES))


def stage_fault():
    """The shell over models of Kafka and Redis: seeds that found something once, deliberate bugs, fresh seeds."""
    return build("dev") + run_all([
        fault_sim("fault_sim, seeds that found something", "dev", "--regressions"),
        fault_sim("fault_sim finds deliberate bugs", "dev", "--sabotage"),
        fault_sim(f"fault_sim, {FAULT_SECONDS} s of fresh seeds", "dev", "--seconds", str(FAULT_SECONDS)),
    ])


def stage_timing():
    """The program against real Kafka and real Redis: what measures time, with nothing else beside it."""
    return build("dev") + run_one(e2e("e2e, timing", "dev", "--lane=timing"))


def stage_e2e():
    """The program against real Kafka and real Redis: all the rest."""
    lanes = [e2e(f"e2e, {lane}", "dev", f"--lane={lane}") for lane in ("sieges", "faults", "servers", "commands")]
    return build("dev") + run_all(lanes, len(lanes))


def stage_fresh():
    """The README's commands on bare Debians 12 and 13, in chroots from the committed tree; packages there, and the unit tests on 13."""
    return build("dev") + run_all([fresh("bookworm", "demo", "version", "runtime", "package"),
                               fresh("trixie", "demo", "version", "runtime", "package", "unit")], 2)


STAGES = {"unit": stage_unit, "lint": stage_lint, "asan": stage_asan, "clang": stage_clang, "fuzz": stage_fuzz,
          "fault": stage_fault, "timing": stage_timing, "e2e": stage_e2e, "fresh": stage_fresh}
BESIDE = {"lint": "unit", "clang": "asan", "fault": "fuzz", "fresh": "e2e"}  # a stage that runs together with the one before it
SANITIZED = {"ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1", "UBSAN_OPTIONS": "print_stacktrace=1"}


def sources(*endings):
    return sorted(str(path) for folder in ("include", "consumer", "rules", "tests") for path in (ROOT / folder).rglob("*")
                  if path.suffix in endings)


def e2e(name, preset, *patterns):
    return Program(name, ["python3", str(ROOT / "tests" / "e2e"), *patterns], 1800,
                   env={**SANITIZED, "RELANCE_BUILD": str(BUILD / preset)}, live=True)


def fault_sim(name, preset, *arguments):
    return Program(name, [str(BUILD / preset / "bin" / "fault_sim"), *arguments], env=SANITIZED)


def fresh(release, *steps):
    name = f"bare {release}: {', '.join(steps)}"
    return Program(name, ["nice", "-n", "10", "python3", str(ROOT / "tests" / "fresh"), release, *steps], 2700)


def claim(name, command):
    """A tool that says by its exit status alone whether a claim holds, as a program with totals."""
    script = 'if "$@"; then echo "1 passed, 0 failed"; else echo "0 passed, 1 failed"; exit 1; fi'
    return Program(name, ["sh", "-c", script, "sh", *command])


def fuzz_program(target, seconds):
    """One target, on a scratch copy of its corpus so that a run leaves no files in the sources."""
    kept = ROOT / "tests" / "fuzz" / "corpus" / target.name.removeprefix("fuzz_")
    scratch = BUILD / "fuzz" / "corpus" / target.name
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    run = claim(f"{target.name}, {seconds} s",
                [str(target), f"-max_total_time={seconds}", "-rss_limit_mb=2048", "-timeout=10", "-verbosity=0",
                 str(scratch), *([str(kept)] if kept.is_dir() else [])])
    run.env, run.cwd, run.limit_s = SANITIZED, str(scratch), seconds + 120
    return run


def side_by_side(stages):
    """The stages in their order, as groups that run together: what builds on bare machines, at a low priority, takes
    the time in which the end-to-end tests wait, and each of the others that of one whose last programs leave a core idle."""
    groups = []
    for name in stages:
        if groups and BESIDE.get(name) in groups[-1]:
            groups[-1].append(name)
        else:
            groups.append([name])
    return groups


def main():
    parser = argparse.ArgumentParser(prog="tests/run.sh", formatter_class=argparse.RawDescriptionHelpFormatter,
                                     description="Builds and runs the tests. Without STAGE: all of them.",
                                     epilog="\n".join(f"  {name:6} {stage.__doc__}" for name, stage in STAGES.items()))
    parser.add_argument("stages", nargs="*", metavar="STAGE", choices=[*STAGES, []])
    totals, begin = Totals(), time.monotonic()
    for names in side_by_side(parser.parse_args().stages or list(STAGES)):
        print(f"== {' and '.join(names)}", flush=True)
        with ThreadPoolExecutor(len(names)) as pool:
            totals += sum(pool.map(lambda name: STAGES[name](), names), Totals())
    tell_wrong()
    print(f"\nall of it took {time.monotonic() - begin:.0f} s")
    print(totals)
    return 1 if totals.failed or not totals.passed else 0


if __name__ == "__main__":
    sys.exit(main())
