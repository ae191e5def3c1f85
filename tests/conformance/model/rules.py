"""A rule file as the reference model wants it: defaults filled in, expressions parsed."""
import cel
import page


def listed(value):
    return [] if value is None else value if isinstance(value, list) else [value]


def expression(text):
    return None if text is None else cel.parse(text)


class Step:
    def __init__(self, raw):
        self.after = page.duration(raw.get("after", "0m"))
        self.at = page.time_of_day(raw["at"]) if "at" in raw else None
        self.if_ = expression(raw.get("if"))
        self.send = raw.get("send")
        self.with_ = page.template(raw["with"]) if "with" in raw else None
        self.set = {name: page.template(value) for name, value in raw.get("set", {}).items()}


class Matcher:
    """One entry of `cancel`, or the `goal`: which events, of which key, if what."""

    def __init__(self, raw):
        raw = raw if isinstance(raw, dict) else {"on": raw}
        self.on = listed(raw["on"])
        self.key, self.if_ = expression(raw.get("key")), expression(raw.get("if"))
        reads = cel.names_read(self.if_) if self.if_ else set()
        self.reads_only_event_and_customer = not reads & {
            "trigger", "triggers", "run", "segments", "last", "rule", "now"} and not any(
            name.endswith("()") and name[:-2] not in cel.FUNCTIONS and name != "has()" for name in reads)


class Goal(Matcher):
    def __init__(self, raw):
        super().__init__(raw)
        self.within = page.duration(raw["within"])
        self.value = cel.parse(str(raw.get("value", "1.0")))


class Rule:
    def __init__(self, name, raw, stale):
        self.name, self.priority = name, raw.get("priority", 0)
        self.order = (-self.priority, name.encode())
        on = raw["on"]
        self.date = {k: cel.parse(v) for k, v in on.items()} if isinstance(on, dict) else {}
        self.events, self.segment = ([] if self.date else listed(on)), None
        if isinstance(on, str) and " " in on:
            self.events, self.segment = [], tuple(on.split(" "))
        self.if_, self.while_ = expression(raw.get("if")), expression(raw.get("while"))
        self.key, self.again = expression(raw.get("key")), raw.get("again", "ignore")
        self.cancel = [Matcher(c) for c in listed(raw.get("cancel"))]
        self.steps = [Step(s) for s in raw["do"]]
        self.goal = Goal(raw["goal"]) if "goal" in raw else None
        self.split, self.salt = raw.get("split"), raw.get("salt", name)
        self.cooldown = page.duration(raw["cooldown"]) if "cooldown" in raw else None
        self.stale = page.duration(raw.get("stale", stale))

    def leads(self):
        """Does the trigger itself fall due earlier than the date? (LANGUAGE.md §3.3)"""
        return bool(self.date) and self.steps[0].after < 0


class Limit:
    def __init__(self, raw):
        self.quiet = [page.time_of_day(t) for t in raw["quiet"].split("-")] if "quiet" in raw else None
        self.max = raw.get("max")
        self.most, self.period = (int(self.max.split()[0]), self.max.split()[2]) if self.max else (None, None)
        self.send, self.if_, self.defer = raw.get("send"), expression(raw.get("if")), raw.get("else") == "defer"


class Count:
    def __init__(self, raw):
        self.on = listed(raw["on"])
        self.if_, self.by, self.sum = (expression(raw.get(k)) for k in ("if", "by", "sum"))
        self.keep = raw.get("keep")
        self.over = page.duration(raw["over"]) if "over" in raw else None
        self.bucket = next((1000 * s for s in (86400, 21600, 3600, 600, 60, 10)
                            if self.over and self.over >= 96 * 1000 * s), 1000)


class Attribute:
    def __init__(self, raw):
        raw = raw if isinstance(raw, dict) else {"type": raw}
        self.type, self.on = raw["type"], listed(raw.get("on"))
        self.value, self.first = expression(raw.get("value")), raw.get("keep") == "first"


class RuleSet:
    def __init__(self, raw):
        self.raw = raw
        self.tz = page.zone(raw.get("tz", "UTC"))
        self.tz_name = raw.get("tz", "UTC")
        self.types = raw.get("types", {})
        self.attributes = {name: Attribute(a) for name, a in raw.get("customer", {}).items()}
        plain = {name: a.type for name, a in self.attributes.items() if not a.on}
        self.plain = plain
        self.events = {**raw.get("events", {}), "identify": {**plain, **raw.get("events", {}).get("identify", {})}}
        self.counts = {name: Count(c) for name, c in raw.get("counts", {}).items()}
        self.segments = {name: cel.parse(text) for name, text in raw.get("segments", {}).items()}
        self.limits = [Limit(limit) for limit in raw.get("limits", [])]
        self.rules = [Rule(name, r, raw.get("stale", "1d")) for name, r in raw.get("rules", {}).items()]
        self.rules.sort(key=lambda rule: rule.order)
        self.named = self.named_events(str(raw))

    def named_events(self, text):
        """"An event of a type that no rule, count, attribute or segment names and whose `last` nobody reads costs no
        state\""""
        named = {"identify"} if self.plain else set()
        for rule in self.rules:
            named.update(rule.events, rule.goal.on if rule.goal else [], *(c.on for c in rule.cancel))
        named.update(*(c.on for c in self.counts.values()), *(a.on for a in self.attributes.values()))
        return named | {name for name in self.events if f"last.{name}" in text}
