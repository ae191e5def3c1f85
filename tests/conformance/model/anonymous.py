"""Gives a share of the seeds visitors: to what generate.py has made of a seed it adds conditions that ask whether
the customer is known, rules that perform for visitors, too, and makes part of the events a visitor's, or of both. All
other seeds stay as they are."""
import json
import random

SHARE, SHARE_OF_CROWDS = 0.4, 0.8  # crowds are rare, and what they fill to the bound can only be merged beyond it by a link
NONE = [None, "", "null", "undefined", "anonymous", "-1", -1, 0, "000-0", "00000000-0000-0000-0000-000000000000", True, {},
        "v" * 257]
KNOWN = ["customer.known", "!customer.known", "customer.known || {}", "!customer.known || {}", "customer.known && {}"]


def with_visitors(seed, files, lines, options):
    chance = random.Random(f"visitors of {seed}")
    crowd = any("many" in raw.get("rules", {}) for raw in files.values())
    if chance.random() >= (SHARE_OF_CROWDS if crowd else SHARE):
        return files, lines, options
    return Anonymous(chance, crowd).whole(files, lines, options)


class Anonymous:
    def __init__(self, chance, crowd):
        self.chance, self.crowd = chance, crowd
        self.one = chance.choice

    def maybe(self, probability):
        return self.chance.random() < probability

    def whole(self, files, lines, options):
        files = json.loads(json.dumps(files))
        self.segments(files.values())
        for raw in files.values():
            for rule in raw.get("rules", {}).values():
                self.rule(rule)
            for limit in raw.get("limits", []):
                self.ask(limit, 0.1)
        if self.maybe(0.3):
            options = ["--forget-visitors-after", self.one(["1h", "12h", "1d", "3d", "400d"]), *options]
        return files, self.events(lines), options

    # ---- rules

    def segments(self, files):
        """What several files say of one segment has to be the same."""
        known = {name: self.one(KNOWN) for name in ("loyal", "active", "gold", "gone", "dear") if self.maybe(0.12)}
        for raw in files:
            for name, text in raw.get("segments", {}).items():
                if name in known:
                    raw["segments"][name] = known[name].format(f"({text})")

    def rule(self, rule):
        if self.maybe(0.7 if self.crowd else 0.4):
            rule["visitors"] = self.maybe(0.9)
        self.ask(rule, 0.08)
        self.ask(rule, 0.1, "while")
        for step in rule["do"]:
            self.ask(step, 0.1 * ("wait" not in step))
            if isinstance(step.get("with"), dict) and self.maybe(0.2):
                step["with"]["known"] = "${customer.known}"

    def ask(self, of, probability, keyword="if"):
        if self.maybe(probability):
            of[keyword] = self.one(KNOWN).format(f"({of.get(keyword, 'true')})")

    # ---- events

    def events(self, lines):
        self.visitors, self.alone, self.both = self.one([
            (["v1"], 0.5, 0.06), (["v1", "c1", "ç"], 0.45, 0.12), (["v1", 7, "v3", "v4"], 0.6, 0.1),
            (["v1", "v2"], 0.3, 0.03), ([f"v{n}" for n in range(20)], 0.3, 0.5)])
        self.devices = not self.crowd and self.maybe(0.25)  # which many people share
        if self.devices:
            self.visitors, self.alone, self.both = self.visitors[:2], 0.3, 0.3
        if self.crowd:
            self.visitors, self.alone, self.both = ["v1", "v2"][:self.one([1, 2])], 0.5, 0.06
        out = []
        for line in lines:
            try:
                event = json.loads(line)
                event["customer"], event["time"], event["type"]
            except (ValueError, KeyError, TypeError):
                out.append(line)
                continue
            self.assign(event)
            out.append(json.dumps(event, ensure_ascii=False))
            if self.maybe(self.both / 3):
                out.append(json.dumps(self.login(event), ensure_ascii=False))
        return out

    def assign(self, event):
        draw = self.chance.random()
        if draw < self.alone and not (self.devices and event["type"] == "forget"):  # who shares remembers it longer
            del event["customer"]
            event["visitor"] = self.one(self.visitors)
            if self.maybe(0.02):
                event["customer"] = None
        elif draw < self.alone + self.both:
            event["visitor"] = self.one(self.visitors)
            if self.devices:
                event["customer"] = f"c{self.chance.randrange(1, 12)}"
        elif self.maybe(0.04):
            event["visitor"] = self.one(NONE)
            if self.maybe(0.2):
                del event["customer"]

    def login(self, event):
        """An event of a type that nobody declares, which links all the same."""
        customer = f"c{self.chance.randrange(1, 12)}" if self.devices else event.get("customer") or "c1"
        return {"type": "login", "time": event["time"], "customer": customer, "visitor": self.one(self.visitors)}
