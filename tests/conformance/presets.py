"""presets.py MAP_TOOL: the tests that stand in the presets; and the mappings that their comments show compile.

An event is as expected when its members are those expected, but for `id` and `time` where nothing is expected of them: the
record gave none."""
import itertools
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.mapping import PRESETS, outcomes, read_jsonc, record  # noqa: E402


def alike(wanted, found):
    made_up = {"id", "time"} - set(wanted)
    return wanted == {name: value for name, value in found.items() if name not in made_up}


def passes(wanted, outcome):
    events = outcome.get("events", [])
    if wanted == "dead":
        return "dead" in outcome or any("dead" in event for event in events)
    return "dead" not in outcome and len(wanted) == len(events) and all(map(alike, wanted, events))


def shown(name):
    """The mappings in the comment that opens a preset."""
    lines = itertools.takewhile(lambda line: line.startswith("//"), (PRESETS / f"{name}.jsonc").read_text().splitlines())
    text = "\n".join(line[2:] for line in lines)
    at = text.find('{"extends"')
    while at >= 0:
        depth = 0
        end = next(i for i, c in enumerate(text) if i >= at and (depth := depth + (c == "{") - (c == "}")) == 0 and c == "}")
        yield text[at:end + 1]
        at = text.find('{"extends"', end)


def compile_shown(tool, name):
    """How many of them are wrong."""
    failed = 0
    for text in shown(name):
        with tempfile.NamedTemporaryFile("w", suffix=".jsonc") as file:
            file.write(text)
            file.flush()
            try:
                outcomes(tool, pathlib.Path(file.name), [])
            except RuntimeError as error:
                print(f"{name}: {text}\n{error}")
                failed += 1
    return failed


def run(tool, name):
    """How many passed, how many failed."""
    tests = read_jsonc(PRESETS / f"{name}.jsonc")["tests"]
    given = [record(t["given"]["value"], t["given"].get("headers"), t["given"].get("key")) for t in tests]
    failed = 0
    for test, outcome in zip(tests, outcomes(tool, name, given)):
        if not passes(test["expect"], outcome):
            print(f"{name}: {test['name']}:\n  expected {test['expect']}\n  found    {outcome}")
            failed += 1
    return len(tests) - failed, failed + compile_shown(tool, name)


def main():
    names = sys.argv[2:] or sorted(path.stem for path in PRESETS.glob("*.jsonc"))
    counts = [run(sys.argv[1], name) for name in names]
    passed, failed = (sum(column) for column in zip(*counts))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
