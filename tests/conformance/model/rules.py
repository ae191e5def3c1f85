"""A rule set as the reference model wants it: files united, defaults filled in, expressions parsed."""
import math
import pathlib

import cel
import page


def listed(value):
    return [] if value is None else value if isinstance(value, list) else [value]


# ---- files

def read_files(path):
    """[(path, content)] of a file or folder, sorted by the bytes of the paths."""
    path = pathlib.Path(path)
    found = [path] if path.is_file() else [
        p for p in path.rglob("*") if p.suffix in (".json", ".jsonc") and not any(
            part.startswith(".") for part in p.relative_to(path).parts)]
    return [(str(p), page.read_rules(p.read_text(encoding="utf-8")))
            for p in sorted(found, key=lambda p: str(p).encode())]


EQUAL = ["counts", "lists", "affinities", "segments", "let", "tables"]      # under one name the same
ONCE = ["tz", "stale", "credit", "holidays"]


def unite(contents):
    """Several files as one."""
    contents = list(contents)
    out = {"files": len(contents)}
    for raw in contents:
        for part in [*EQUAL, "rules"]:
            out.setdefault(part, {}).update(raw.get(part, {}))
        for part in ("types", "events"):
            for name, fields in raw.get(part, {}).items():
                out.setdefault(part, {}).setdefault(name, {}).update(fields)
        for name, attribute in raw.get("customer", {}).items():
            unite_attribute(out.setdefault("customer", {}), name, attribute)
        out.setdefault("limits", []).extend(raw.get("limits", []))
        out.update((name, raw[name]) for name in ONCE if name in raw)
    return out


def unite_attribute(attributes, name, attribute):
    """Its "place in the order … is where its source stands"."""
    if isinstance(attribute, dict) and "on" in attribute:
        attributes.pop(name, None)
    attributes.setdefault(name, attribute)


# ---- what a rule is made of

class Reader:
    """Parses expressions: with the `let`s that hold there; all of them are remembered."""

    def __init__(self, lets=(), trees=None):
        self.lets, self.trees = dict(lets), [] if trees is None else trees

    def declare(self, raw):
        """The `let`s of a set or of a rule: each stands there "as if it were put in in brackets"."""
        for name, text in raw.items():
            self.lets[name] = cel.parse(text, self.lets)

    def cel(self, text):
        tree = cel.parse(text, self.lets)
        self.trees.append(tree)
        return tree

    def maybe(self, text):
        return None if text is None else self.cel(text)

    def template(self, value):
        return page.template(value, self.cel)

    def either(self, text, literal):
        """(literal, None), or of a text that is one `${CEL}`: (None, its tree)."""
        if text.startswith("${"):
            (_, tree), = page.split_template(text, self.cel)
            return None, tree
        return literal(text), None


class Step:
    def __init__(self, raw, read):
        self.after, self.after_cel = read.either(raw.get("after", "0m"), page.duration)
        self.at, self.at_cel = read.either(raw["at"], page.at_text) if "at" in raw else (None, None)
        self.before = page.duration(raw["before"]) if "before" in raw else None
        self.wait = Matcher(raw["wait"], read) if "wait" in raw else None
        self.within = page.duration(raw["within"]) if self.wait else None
        self.ends_unanswered = raw.get("else") == "end"
        self.if_ = read.maybe(raw.get("if"))
        self.send = raw.get("send")
        self.with_ = read.template(raw["with"]) if "with" in raw else None
        self.set = {name: read.template(value) for name, value in raw.get("set", {}).items()}


class Matcher:
    """One entry of `cancel`, a `wait`, or the `goal`: which events, of which key, if what."""

    def __init__(self, raw, read):
        raw = raw if isinstance(raw, dict) else {"on": raw}
        self.on = listed(raw["on"])
        self.key, self.if_ = read.maybe(raw.get("key")), read.maybe(raw.get("if"))


class Goal(Matcher):
    def __init__(self, raw, read):
        super().__init__(raw, read)
        self.within = page.duration(raw["within"])
        self.value = read.cel(str(raw.get("value", "1.0")))


class Cooldown:
    def __init__(self, raw):
        raw = raw if isinstance(raw, dict) else {"for": raw}
        self.length = math.inf if raw["for"] == "ever" else page.duration(raw["for"])
        self.per_key = raw.get("per") == "key"


class Rule:
    def __init__(self, name, raw, set_read, stale):
        read = Reader(set_read.lets, set_read.trees)
        read.declare(raw.get("let", {}))
        self.name, self.priority, self.tags = name, raw.get("priority", 0), raw.get("tags", [])
        self.order = (-self.priority, name.encode())
        on = raw["on"]
        self.date_kind, self.date = None, None
        if isinstance(on, dict):
            (self.date_kind, text), = on.items()
            self.date = read.cel(text)
        words = [] if self.date else listed(on)
        self.events = [word for word in words if " " not in word]
        self.segments = [tuple(word.split(" ")) for word in words if " " in word]
        self.if_, self.while_ = read.maybe(raw.get("if")), read.maybe(raw.get("while"))
        self.key, self.again = read.maybe(raw.get("key")), raw.get("again", "ignore")
        self.cancel = [Matcher(c, read) for c in listed(raw.get("cancel"))]
        self.steps = [Step(s, read) for s in raw["do"]]
        self.goal = Goal(raw["goal"], read) if "goal" in raw else None
        self.split, self.salt = raw.get("split"), raw.get("salt", name)
        self.cooldown = Cooldown(raw["cooldown"]) if "cooldown" in raw else None
        self.stale = page.duration(raw.get("stale", stale))
        self.visitors = raw.get("visitors", False)

    def leads(self):
        """The steps that count from the date."""
        return [step for step in self.steps if step.before is not None]


class Quiet:
    """Spans of time: on which days they begin, and from when to when."""

    def __init__(self, text, holidays):
        self.holidays = [day.split("-") for day in holidays] if text == "holidays" else None
        days, blank, times = text.rpartition(" ")
        start, dash, end = times.partition("-")
        if not (dash and ":" in start):
            days, start, end = text, "00:00", "24:00"
        self.days = page.days_of_the_week(days) if days and self.holidays is None else None
        self.start = page.time_of_day(start)
        self.end = page.time_of_day(end) if end != "24:00" else 24 * 60

    def begins_on(self, day):
        if self.holidays is not None:
            return any([f"{day.year:04}", f"{day.month:02}", f"{day.day:02}"][-len(parts):] == parts
                       for parts in self.holidays)
        return self.days is None or day.weekday() in self.days


class Limit:
    def __init__(self, raw, read, holidays):
        self.kind = next(kind for kind in ("quiet", "max", "never", "hold") if kind in raw)
        self.text = raw[self.kind]
        self.why = raw.get("name", self.text)
        self.quiet = Quiet(self.text, holidays) if self.kind == "quiet" else None
        self.max = self.text if self.kind == "max" else None
        self.most, self.period = (int(self.max.split()[0]), self.max.split()[2]) if self.max else (None, None)
        self.send, self.if_, self.defer = raw.get("send"), read.maybe(raw.get("if")), raw.get("else") == "defer"


WIDTHS = [86400000, 21600000, 3600000, 600000, 60000, 10000, 1000]


class Count:
    def __init__(self, raw, read):
        self.on = listed(raw["on"])
        self.if_, self.by, self.sum = (read.maybe(raw.get(k)) for k in ("if", "by", "sum"))
        self.keep = raw.get("keep")
        self.over = page.duration(raw["over"]) if "over" in raw else None
        self.bucket = next((b for b in WIDTHS if self.over and self.over >= 96 * b), 1000)


class List:
    def __init__(self, raw, read):
        self.on, self.keep = listed(raw["on"]), raw.get("keep", 10)
        self.if_, self.by = (read.maybe(raw.get(k)) for k in ("if", "by"))
        self.over = page.duration(raw["over"]) if "over" in raw else None


class Attribute:
    def __init__(self, raw, read):
        raw = raw if isinstance(raw, dict) else {"type": raw}
        self.type, self.on = raw["type"], listed(raw.get("on"))
        self.value, self.first = read.maybe(raw.get("value")), raw.get("keep") == "first"


def table(rows):
    """A number with a point makes all of them doubles."""
    doubles = any(isinstance(value, float) for value in rows.values())
    return {key: float(value) if doubles else value for key, value in rows.items()}


class RuleSet:
    """`variant`: the one that a test wants of every rule that has it."""

    def __init__(self, raw, variant=None):
        self.raw, self.variant, self.files = raw, variant, raw["files"]
        read = Reader()
        read.declare(raw.get("let", {}))
        self.tz = page.zone(raw.get("tz", "UTC"))
        self.tz_name = raw.get("tz", "UTC")
        self.credit_last = raw.get("credit") == "last"
        self.types = raw.get("types", {})
        self.tables = {name: table(rows) for name, rows in raw.get("tables", {}).items()}
        self.attributes = {name: Attribute(a, read) for name, a in raw.get("customer", {}).items()}
        self.plain = {name: a.type for name, a in self.attributes.items() if not a.on}
        declared = raw.get("events", {})
        self.events = {**declared, "identify": {**self.plain, **declared.get("identify", {})}}
        self.counts = {name: Count(c, read) for name, c in raw.get("counts", {}).items()}
        self.lists = {name: List(one, read) for name, one in raw.get("lists", {}).items()}
        self.affinities = list(raw.get("affinities", {}))  # of which nothing has been learnt
        self.segments = {name: read.cel(text) for name, text in raw.get("segments", {}).items()}
        self.limits = [Limit(limit, read, raw.get("holidays", [])) for limit in raw.get("limits", [])]
        self.rules = [Rule(name, r, read, raw.get("stale", "1d")) for name, r in raw.get("rules", {}).items()]
        self.rules.sort(key=lambda rule: rule.order)
        self.by_name = {rule.name: rule for rule in self.rules}
        self.named = self.named_events(read.trees)
        self.cancelling = {type_ for rule in self.rules for m in rule.cancel for type_ in m.on}
        self.tracked = self.tracked_counts()

    def tracked_counts(self):
        """The counts that "tracked" segments read, also through others."""
        found, left = set(), [name for rule in self.rules for _, name in rule.segments]
        while left:
            name = left.pop()
            if name not in found:
                found.add(name)
                left += cel.fields_read(self.segments[name], "segments")
        return set().union(*(cel.calls(self.segments[name]) for name in found)) & set(self.counts)

    def named_events(self, trees):
        """An event of a type that nothing names "and whose `last` nobody reads costs no state"."""
        named = {"identify"} if self.plain else set()
        for rule in self.rules:
            named.update(rule.events, rule.goal.on if rule.goal else [], *(c.on for c in rule.cancel),
                         *(step.wait.on for step in rule.steps if step.wait))
        named.update(*(one.on for one in self.lists.values()))
        named.update(*(c.on for c in self.counts.values()), *(a.on for a in self.attributes.values()))
        return named | cel.fields_read(trees, "last")
