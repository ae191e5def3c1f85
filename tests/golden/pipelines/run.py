"""run.py MAP_TOOL [--write]: what the presets make of the public bodies of ../shared/data, compared with outcomes.txt.

A line is a body, its preset and what becomes of it: the events, with whom they are about and what rules read most;
`passed over`, with what the record is called; or `dead`, with the sentence. outcomes.txt holds nothing of the bodies but
what they become. Each line was read by somebody who asked whether it is right, so a line that changes is to be read again."""
import difflib
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "conformance" / "pipelines"))
sys.path.insert(0, str(HERE.parents[1]))
from bodies import bodies  # noqa: E402
from support.mapping import SHARED, outcomes  # noqa: E402

OUTCOMES = HERE / "outcomes.txt"
SHOWN = ("order", "total", "currency", "coupon", "cart", "product", "price", "query", "rating", "offer", "campaign", "channel",
         "email_ok", "tz")
NAMED = ("url", "referrer", "name", "category", "email", "first_name", "birthday", "text")  # told as being there


def event(it):
    if "dead" in it:
        return f"dead ({it['dead']}): {it['sentence']}"
    told = [it["type"]] + [f"{kind}={it[kind]}" for kind in ("customer", "visitor") if kind in it]
    told += [f"{name}={it[name]}" for name in SHOWN if name in it] + [name for name in NAMED if name in it]
    known = {"id", "time", "type", "customer", "visitor", "items", *SHOWN, *NAMED}
    told += sorted(set(it) - known)
    if "items" in it:
        told.append("items=" + ",".join(f"{i.get('product', '?')}x{i.get('qty', '?')}" for i in it["items"]))
    return " ".join(told)


def outcome(it):
    if "unmapped" in it:
        return f"passed over: {it['unmapped'] or 'it has no name'}"
    if "dead" in it:
        return event(it)
    misfits = "".join(f" ! {misfit.split(':')[0]}" for misfit in it["invalid"])
    return (" + ".join(event(e) for e in it["events"]) or "no event") + misfits


def table(tool):
    by_preset = {}
    for name, preset, record in bodies():
        by_preset.setdefault(preset, []).append((name, record))
    rows = {}
    for preset, named in by_preset.items():
        for (name, _), it in zip(named, outcomes(tool, preset, [record for _, record in named])):
            rows[name] = f"{name} | {preset} | {outcome(it)}\n"
    return "".join(rows[name] for name, _, _ in bodies())


def main():
    if not SHARED.is_dir():
        print(f"skipped: {SHARED} is not here")
        return 77
    found = table(sys.argv[1])
    if "--write" in sys.argv:
        OUTCOMES.write_text(found)
        return 0
    wanted = OUTCOMES.read_text()
    if found == wanted:
        print(f"{len(found.splitlines())} passed, 0 failed")
        return 0
    sys.stdout.writelines(difflib.unified_diff(wanted.splitlines(True), found.splitlines(True), "outcomes.txt", "found", n=0))
    return 1


if __name__ == "__main__":
    sys.exit(main())
