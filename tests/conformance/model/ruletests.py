"""The tests in rule files (LANGUAGE.md §5), as the reference model runs them."""
import datetime
import json

import page
import rules as language
import state
import world
from cel import Ts


class TestWorld(world.World):
    """Notes the customer's local time with each decision."""

    def decide(self, c, of, outcome, **more):
        super().decide(c, of, outcome, **more)
        self.decisions[-1]["local"] = datetime.datetime.fromtimestamp(c.now // 1000, self.zone(c)).replace(tzinfo=None)

    def begin(self, name, attributes, time):
        """The clock starts; attributes are set, and segments take their values silently."""
        c = state.Customer(name)
        self.customers[c.who] = c
        self.clock = c.now = time
        for attribute, value in attributes.items():
            type_ = self.rules.attributes[attribute].type
            self.write(c, attribute, page.coerce(world.as_read(value), type_, self.rules.types), time)
        self.compute_segments(c)
        c.told = dict(c.segments)
        self.look_at_dates(c)


def tests_of(path):
    """(place, test, the rule set that it runs) of all files."""
    files = language.read_files(path)
    whole = language.unite(raw for _, raw in files)
    for name, raw in files:
        own = {**whole, "limits": raw.get("limits", []), "tz": raw.get("tz", "UTC")}
        there = raw.get("rules", {})
        for test in raw.get("tests", []):
            yield name, test, chosen(whole, own, test, there)
        for rule in there:
            for test in there[rule].get("tests", []):
                yield f"{name}, {rule}", test, chosen(whole, own, test, [rule])


def chosen(whole, own, test, rules):
    """The set with the rules that the test means: with all that the set has, where it names them."""
    names = test.get("rules")
    if names == "*":
        return whole
    raw, rules = (own, rules) if names is None else (whole, names)
    return {**raw, "rules": {name: rule for name, rule in whole["rules"].items() if name in rules}}


def play(test, raw):
    """The sends and goals of a test."""
    start = page.instant(test["from"])
    attributes = dict(test.get("customer", {}))
    name = attributes.pop("id", "c1")
    here = TestWorld(language.RuleSet(raw, test.get("variant")))
    here.begin(name, attributes, Ts(start))
    for number, entry in enumerate(test["given"]):
        (type_, fields), = ((k, v) for k, v in entry.items() if k not in ("t", "visitor", "customer"))
        time = world.print_instant(start + page.duration(entry["t"]))
        whose = {k: entry[k] for k in ("visitor", "customer") if k in entry} or {"customer": name}
        event = {"id": f"given {number}", **whose, **fields, "type": type_, "time": time}
        here.record(json.dumps(event), number)
    here.run_until(start + page.duration(test.get("until", "120d")))
    return [line for line in here.decisions if line["outcome"] in ("sent", "held", "goal")]


def run(test, raw):
    """'' where what was decided is what was expected."""
    got, start = play(test, raw), page.instant(test["from"])
    if len(got) == len(test["expect"]) and all(is_as(want, line, start) for want, line in zip(test["expect"], got)):
        return ""
    return "\n".join([f"  - {want}" for want in test["expect"]] + [f"  + {line}" for line in got])


def expectation(line, start):
    """A decision as `expect` has it; None where it is not on a whole second."""
    ms = page.instant(line["time"]) - start
    when = {"t": f"{ms // 1000}s"} if ms % 86400000 else {"at": str(line["local"])}
    what = {"goal": line["value"]} if line["outcome"] == "goal" else {
        "send": line["send"], **({"with": line["with"]} if "with" in line else {}),
        **({"held": True} if line["outcome"] == "held" else {})}
    return None if ms % 1000 else {**when, "rule": line["rule"], **what}


def is_as(want, line, start):
    when = page.instant(line["time"]) == start + page.duration(want["t"]) if "t" in want else \
        line["local"] == datetime.datetime.fromisoformat(want["at"])
    outcome = "goal" if "goal" in want else "held" if want.get("held") else "sent"
    return (when and line["outcome"] == outcome and want.get("rule", line["rule"]) == line["rule"]
            and want.get("send") == line.get("send") and is_part(want.get("goal"), line.get("value"))
            and ("with" not in want or is_part(want["with"], line.get("with"))))


def is_part(want, got):
    """Objects by subset, lists by length and elements, numbers by value."""
    if isinstance(want, dict) and isinstance(got, dict):
        return all(key in got and is_part(value, got[key]) for key, value in want.items())
    if isinstance(want, list) and isinstance(got, list):
        return len(want) == len(got) and all(map(is_part, want, got))
    return isinstance(want, bool) == isinstance(got, bool) and want == got
