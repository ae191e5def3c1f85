"""bounds.py RELANCE: rule files and events within all limits of size, made to take as long and as much memory as they
can. Each case ends by itself, with whatever answer, within its seconds of CPU time and its megabytes. A kind of input
has a case each; single limits are tested where they are kept. The cases of ../shared are run, too, where they are."""
import importlib.util
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile

SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared" / "cases" / "bounds" / "bounds.py"
SCENARIOS = pathlib.Path(__file__).resolve().parents[2] / "rules" / "scenarios"
ADDRESS_SPACE = 4 << 30  # what no case may need
PATIENCE = 5             # how much longer than a release build on an idle machine a shared case may take here

FIELDS = {"note": "string", "other": "string", "tags": "list(string)", "n": "int"}
SEND = [{"send": "email"}]
CHECK, DUMP, COVERAGE = ["check"], ["check", "--dump"], ["test", "--coverage"]


def rules_of(*conditions, **more):
    rules = {f"r{i}": {"on": "e", "if": condition, "do": SEND} for i, condition in enumerate(conditions)}
    return {"events": {"e": FIELDS}, "rules": rules, **more}


def sending(expression):
    return {"events": {"e": FIELDS}, "rules": {"r": {"on": "e", "do": [{"send": "x", "with": {"x": "${" + expression + "}"}}]}}}


def bound(depth, value, use):
    """cel.bind over cel.bind: `value` holds {0}, the name of the one before."""
    for i in reversed(range(depth)):
        use = f"cel.bind(v{i + 1}, {value.format(f'v{i}')}, {use})"
    return f"cel.bind(v0, [0], {use})"


def large_set():
    """What a large shop may have, all at once: 10,000 rules, 8,000 counts, 1,000 event types of 20 fields."""
    events = {f"e{i}": {f"f{i % 50}_{j}": "string" for j in range(20)} for i in range(1000)}
    counts = {f"c{i}": {"on": f"e{i % 1000}", "over": "7d", "if": f"event.f{i % 50}_1 != ''"} for i in range(8000)}
    rules = {f"r{i}": {"on": f"e{i % 1000}", "if": f"event.f{i % 50}_0 == 'x' && c{i % 8000}() > 1", "key": "event.id",
                       "do": [{"after": "1h", "if": f"!has(last.e{(i + 1) % 1000})", "send": "email",
                               "with": {"text": f"for ${{trigger.f{i % 50}_2}}"}}]} for i in range(10000)}
    return {"events": events, "counts": counts, "rules": rules}


def happenings(count, note, step_s=1):
    return [{"type": "e", "customer": "c", "time": 1772445600000 + 1000 * step_s * i, "note": note(i), "n": i} for i in range(count)]


def shopping(count, name):
    """One customer who looks, fills carts and orders, over and over, each time another product."""
    for i in range(count):
        items = [{"product": name(i), "price": 9.5, "qty": 1}]
        yield {"id": f"e{i}", "customer": "c", "time": 1772445600000 + 500 * i, "cart": f"k{i // 40}",
               **({"type": "purchase", "order": f"o{i}", "total": 20.5, "items": items} if i % 10 == 9 else
                  {"type": "add_to_cart", "items": items} if i % 10 > 5 else {"type": "view", "product": name(i)})}


GROWING = {"events": {"e": FIELDS},
           "customer": {"log": {"type": "list(string)", "on": "e", "value": "customer.?log.orValue([]) + [event.note]"}},
           "rules": {"r": {"on": "e", "if": "size(customer.log) == 1", "do": SEND}}}

# name: (command or None for a replay, rules, events, CPU seconds, MB). Seconds are ten times what they are on a machine
# of 2020, or more: what is caught is work that grows without a bound.
CASES = {
    "a large set": (CHECK, large_set, None, 10, 256),
    "a large set, its programs": (DUMP, large_set, None, 15, 256),
    "a large set, its coverage": (COVERAGE, large_set, None, 20, 512),
    "20,000 rules with a mistake each": (CHECK, lambda: rules_of(*["event.nott == 'x'"] * 20000), None, 10, 256),
    "names that are nearly right": (CHECK, lambda: {
        "events": {f"an_event_with_a_name_of_some_length_{i:04}": {} for i in range(4000)},
        "rules": {f"r{i}": {"on": f"an_event_with_a_name_of_some_lenght_{i:04}", "do": SEND} for i in range(10000)}}, None, 15, 256),
    "a million tokens that are none": (CHECK, lambda: rules_of(*["$" * 60000] * 17), None, 10, 128),
    "constants that are large": (CHECK, lambda: rules_of(*["[" + ", ".join(["lists.range(250000)"] * 100) + "] == []"] * 200), None, 15, 384),
    "constants that take long": (CHECK, lambda: rules_of(*["lists.range(50000).map(i, [i]).distinct() == [] || " + " + ".join(["lists.range(9000).distinct()"] * 100) + " == []"] * 50), None, 20, 256),
    "a chain of a thousand names": (CHECK, lambda: rules_of(*["a" + ".a" * 1000 + " == 1"] * 500), None, 10, 128),
    "lists of empty lists": (CHECK, lambda: rules_of(*["[" + ", ".join(["[]", "{}"] * 8000) + "].size() == 1"] * 20), None, 10, 128),
    "types within types": (CHECK, lambda: rules_of(*[bound(60, "[[[[[[[[{0}]]]]]]]]", "v59 + 1")] * 200), None, 10, 128),
    "maps of maps": (CHECK, lambda: rules_of(bound(60, "{{{0}: {0}}}", "v59 == v59"), bound(60, "{{dyn({0}): {0}}}", "v59 == v59")), None, 5, 128),
    "patterns with large programs": (CHECK, lambda: rules_of(*[f"event.note.matches('(?i)\\\\pL{{1,{i % 9 + 1}}}\\\\PL{i}')" for i in range(20000)]), None, 20, 256),
    "long lists of constants": (DUMP, lambda: rules_of(*["event.n in [" + ", ".join(map(str, range(9000))) + "]"] * 100), None, 15, 256),
    "maps of constants": (CHECK, lambda: rules_of(*["{" + ", ".join(f"{i}: 1" for i in range(6000)) + "}.size() == event.n"] * 100), None, 15, 256),
    "a payload of many pieces": (CHECK, lambda: {"events": {"e": FIELDS}, "rules": {"r": {"on": "e", "do": [
        {"send": "x", "with": {"x": "\t${1}" * 150000}}]}}}, None, 10, 384),
    "brackets that never end in a payload": (CHECK, lambda: {"events": {"e": FIELDS}, "rules": {"r": {"on": "e", "do": [
        {"send": "x", "with": {"x": "${(" * 1000000}}]}}}, None, 10, 256),
    "conditions that may contradict": (CHECK, lambda: {"events": {"e": FIELDS}, "rules": {f"r{i}": {
        "on": "e", "if": " && ".join(f"event.n != {j}" for j in range(3000)), "while": " && ".join(f"trigger.n != {j}" for j in range(3000)),
        "do": SEND} for i in range(50)}}, None, 10, 256),
    "segments that all depend on all": (CHECK, lambda: {
        "events": {"e": FIELDS}, "rules": {}, "counts": {f"c{i}": {"on": "e"} for i in range(10000)},
        "segments": {f"s{i}": " || ".join([f"segments.s{j}" for j in range(i)] + [f"c{i}() > 1"]) for i in range(600)}}, None, 15, 256),
    "limits and many sends": (CHECK, lambda: {
        "events": {"e": FIELDS}, "limits": [{"max": "1 per 1h", "send": f"x{i}"} for i in range(256)],
        "rules": {f"r{i}": {"on": "e", "do": SEND * 5} for i in range(15000)}}, None, 15, 256),
    "lists of all event types": (CHECK, lambda: {
        "events": {f"e{i}": {} for i in range(4000)},
        "rules": {f"r{i}": {"on": [f"e{j}" for j in reversed(range(4000))], "if": "event.nope == 1", "do": SEND} for i in range(150)}}, None, 10, 256),
    "a test that expects a thousand others": (COVERAGE, lambda: {"events": {"e": FIELDS}, "rules": {"r": {"on": "e", "do": SEND, "tests": [{
        "name": "t", "from": "2026-03-02T10:00:00Z", "given": [{"t": f"{i}s", "e": {"n": i}} for i in range(1000)],
        "expect": [{"t": f"{i}s", "send": "push"} for i in range(1000)]}]}}}, None, 20, 256),
    "brackets": (CHECK, lambda: "[" * 8000000, None, 5, 128),
    "values": (CHECK, lambda: "[" + "1," * 4000000 + "1]", None, 5, 128),
    "keys given twice": (CHECK, lambda: '{"rules":{' + ",".join(f'"r{i % 50000}":{{}}' for i in range(200000)) + "}}", None, 10, 384),
    "texts that each grow a little": (None, lambda: rules_of("event.note.lowerAscii() == 'x'"),
                                      lambda: happenings(200, lambda i: "A" * (200000 + 700 * i)), 10, 64),
    "a list that grows with each event": (None, lambda: GROWING, lambda: happenings(1500, lambda i: "a" * 500), 30, 128),
    "one large event and many small ones": (None, lambda: rules_of("event.note.upperAscii() == 'x'"),
                                            lambda: happenings(300, lambda i: "a" * (900000 if i == 0 else 10)), 5, 64),
    "a hundred thousand events of one customer": (None, lambda: SCENARIOS, lambda: shopping(100000, lambda i: f"p{i}"), 10, 64),
    "ten thousand of one whose state is full": (None, lambda: SCENARIOS, lambda: shopping(10000, lambda i: f"p{i}" + "x" * 900), 10, 64),
    "a value that holds itself twice, over and over": (None, lambda: sending(bound(26, "[{0}, {0}]", "v26")), lambda: happenings(3, str), 5, 64),
}


def limits(seconds):
    def apply():
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    return apply


def measured(command, seconds):
    """Status, CPU seconds and megabytes of a command."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=limits(seconds))
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss >> 10


def run_case(relance, folder, command, rules, events, seconds, megabytes):
    """'' when it stays within its bounds, else what it did."""
    made = rules()
    path = made if isinstance(made, pathlib.Path) else folder / "rules.jsonc"
    if path != made:
        path.write_text(made if isinstance(made, str) else json.dumps(made))
    args = [relance, *(command or []), str(path)]
    if not command:
        (folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events()))
        args = [relance, "replay", "--rules", str(path), "--until", "1d", str(folder / "events.jsonl")]
    status, used, peak = measured(args, seconds)
    if status not in (0, 1, 2):
        return f"ended with {status} after {used:.1f} s, {peak} MB (at most {seconds} s)"
    return f"{peak} MB (at most {megabytes} MB)" if peak > megabytes else ""


def run_shared(relance):
    """The cases beside the project: how many passed and failed."""
    spec = importlib.util.spec_from_file_location("shared_bounds", SHARED)
    shared = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(shared)
    good = [shared.run(relance, name, rules, events, seconds * PATIENCE, megabytes)
            for name, (rules, events, seconds, megabytes) in shared.CASES.items()]
    return sum(good), len(good) - sum(good)


def main():
    relance, names = sys.argv[1], sys.argv[2:]
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, case in CASES.items():
            if names and name not in names:
                continue
            wrong = run_case(relance, pathlib.Path(folder), *case)
            passed, failed = passed + (not wrong), failed + bool(wrong)
            if wrong:
                print(f"FAILED {name}: {wrong}", flush=True)
    if not names and SHARED.exists():
        more, bad = run_shared(relance)
        passed, failed = passed + more, failed + bad
    elif not names:
        print(f"the cases of {SHARED} are not there and not run")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
