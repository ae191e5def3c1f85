"""Random rule sets and streams of events for the comparison of model and engine: generate(seed) always gives the
same. Small worlds on purpose (few customers, products, carts; round times), so that things meet: equal instants,
equal keys, full caps, clock changes, ends of years and of months."""
import datetime
import json
import random

ZONES = ["UTC", "Europe/Berlin", "Europe/London", "America/New_York", "America/Los_Angeles", "Australia/Lord_Howe",
         "Africa/Cairo", "Asia/Kolkata", "America/Havana", "Pacific/Auckland", "Asia/Tokyo", "Nowhere/Land"]
STARTS = ["2026-03-27T18:00:00", "2026-10-24T10:00:00", "2026-03-07T20:00:00", "2026-10-31T12:00:00",
          "2028-02-27T09:00:00", "2026-12-30T16:00:00", "2026-04-23T12:00:00", "2026-10-29T06:00:00",
          "2026-06-28T22:00:00", "2026-04-04T01:00:00", "2028-02-28T05:00:00", "2028-02-28T20:00:00",
          "2027-02-26T20:00:00"]
CHANGES = [("Europe/Berlin", "2026-03-28T16:00:00"), ("Europe/Berlin", "2026-10-24T18:00:00"),
           ("America/New_York", "2026-03-07T20:00:00"), ("America/New_York", "2026-10-31T20:00:00"),
           ("America/Havana", "2026-03-07T22:00:00"), ("America/Havana", "2026-10-31T22:00:00"),
           ("Australia/Lord_Howe", "2026-04-04T06:00:00"), ("Australia/Lord_Howe", "2026-10-03T06:00:00"),
           ("Pacific/Auckland", "2026-04-04T04:00:00"), ("Africa/Cairo", "2026-04-23T12:00:00")]  # of clocks, that night
EVENTS = {
    "see": {"p": "string", "n": "int", "wait": "duration"},
    "put": {"k": "string", "items": "list(item)", "n": "int"},
    "pay": {"k": "string", "total": "double", "items": "list(item)"},
    "undo": {"k": "string", "total": "double"},
    "tap": {"tags": "list(string)", "ok": "bool", "n": "int", "zone": "string"},
    "odd": {"u": "uint", "m": "map(string, int)", "raw": "bytes", "at": "timestamp", "best": "item",
            "grid": "list(list(int))", "named": "map(string, item)"},
    "mute": {"x": "int"},
}
ATTRIBUTES = {
    "tz": "string", "ok": "bool", "name": "string", "born": "string", "ends": "timestamp", "plan": "string",
    "n": "int", "r": "double", "seen": "list(string)", "pause": "duration",
    "first_p": {"type": "string", "on": "see", "value": "event.p", "keep": "first"},
    "total": {"type": "double", "on": ["pay", "undo"], "value": "event.total", "keep": "last"},
    "doubled": {"type": "double", "on": "pay", "value": "customer.total * 2.0"},
    "loudest": {"type": "string", "on": "identify", "value": "event.name + '!'"},
}
ABOUT_EVENT = {  # conditions on a trigger or event: the field that they need, with its type
    "p": ["{e}.p != 'p1'", "{e}.p in ['p1', 'p2']", "sees({e}.p) >= 2", "sees({e}.p) < 3 && puts({e}.p) == 0"],
    "n": ["{e}.n % 2 == 0", "has({e}.n) && {e}.n > 1", "{e}.n - 1 < 2 || {e}.type == 'see'"],
    "k": ["{e}.k != 'k1'", "size({e}.k) == 2", "{e}.k + 'x' != 'k2x'"],
    "items": ["size({e}.items) > 0", "{e}.items.exists(i, i.price > 9.0)", "{e}.items.all(i, i.qty < 3)",
              "{e}.items.map(i, i.price * double(i.qty)).sum() >= 20.0", "'p2' in {e}.items.map(i, i.p)"],
    "total": ["{e}.total >= 20.0", "has({e}.total) && {e}.total < 60.0", "{e}.total / 2.0 > customer.r"],
    "tags": ["'hot' in {e}.tags", "size({e}.tags) > 1", "tagged('hot') > 1",
             "{e}.tags.all(t, tagged(t) < 2)"],
    "ok": ["{e}.ok", "!{e}.ok || customer.ok"], "zone": ["{e}.zone != 'UTC'"],
    "u": ["{e}.u > 2u"], "m": ["{e}.m['a'] > 1", "'b' in {e}.m"], "best": ["{e}.best.price > 9.0", "has({e}.best.qty)"],
    "at": ["{e}.at > {e}.time"], "grid": ["{e}.grid.exists(row, row.sum() > 3)"],
    "named": ["{e}.named['a'].price > 3.0"], "wait": ["{e}.wait > duration('5m')"], "x": ["{e}.x > 0"],
}
KEYS = {"p": ["event.p", "event.p + '-' + customer.id"], "n": ["event.n"], "k": ["event.k"],
        "items": ["event.items.map(i, i.p)"], "tags": ["event.tags"], "ok": ["event.ok"], "u": ["event.u"],
        "grid": ["event.grid.map(row, size(row))"]}
ALWAYS_KEYS = ["'k1'", "['k1', 'k2', 'k1']", "7", "event.type"]
OF_CUSTOMER = ["customer.ok", "!has(customer.ok) || customer.ok", "customer.n < 4", "customer.plan == 'gold'",
               "has(customer.name)", "customer.id != 'c2'", "has(customer.total) && customer.total < 50.0",
               "customer.first_p != 'p2'", "has(customer.n) ? customer.n >= 1 : true", "customer.pause > duration('1m')"]
OF_COUNTS = ["pays() >= 1", "pays() < 3", "spend() < 80.0", "clicks() < 9", "sees('p1') > 0", "volume() > 25.0",
             "qty('p1') < 5.0", "steps() > 2.0", "tagged('hot') < 3", "pays() + clicks() > 3 || puts('p2') == 0"]
OF_LAST = ["has(last.pay) ? last.pay.total >= 20.0 : true", "!has(last.undo)", "last.pay.total < 70.0"]
OF_NOW = ["has(last.tap) && now - last.tap.time < duration('2h')", "now.getMinutes() < 40", "now.getDayOfWeek() != 0",
          "now.getHours('America/New_York') > 6"]
OF_SEGMENTS = ["segments.loyal", "!segments.loyal", "segments.active || segments.gold", "!segments.gone"]
OF_RULE = ["rule.priority < 50", "rule.name != 'r1 ä'"]
OF_RUN = ["run.step < 2", "run.variant != 'b'", "now - run.started < duration('6h')", "size(triggers) < 3",
          "size(run.key) > 1 || run.step == 1"]
SEGMENTS = {
    "loyal": ["pays() >= 2 && spend() >= 30.0", "spend() > 40.0", "pays() > 0"],
    "active": ["clicks() >= 2", "clicks() >= 2 && sees('p1') > 0", "sees('p1') + sees('p2') >= 2"],
    "gold": ["customer.plan == 'gold'", "segments.loyal && customer.n > 0", "customer.n % 2 == 1"],
    "gone": ["!segments.active && has(last.see)", "spend() < 20.0 && has(last.pay)", "puts('p1') == 0 && has(last.put)"],
}
OF_CANCEL = ["event.time - run.started > duration('20m')", "trigger.time < event.time", "run.step > 1",
             "size(triggers) > 1", "run.key != 'k1'", "trigger.type != event.type", "rule.priority > 0",
             "now - trigger.time < duration('3h')", "has(last.see)", "run.variant != 'a'"]
SHORT = ["30s", "1m", "10m", "30m", "1h", "1h30m", "2h", "4h"]
LONG = ["1d", "2d", "5d", "7d", "30d"]
TIMES = ["00:00", "00:30", "01:30", "02:15", "02:30", "03:00", "09:00", "17:45", "23:30"]
PAYLOADS = ["t-${run.variant}", "${run.key}", "k=${run.key};", "${run.step}", "${rule.name}/${run.step}", "${now}",
            "${run.started}", "at ${trigger.time}", "${now - run.started}", "${spend()}", "s=${spend() / 3.0}",
            "${pays()}", "n=${pays()} ${steps()}", "${volume() * 0.5} ${1.0}", "${customer.first_p}", "${customer.name}",
            "Hi ${has(customer.name) ? customer.name : 'you'}", "${'{' + customer.id + '}'}", "cost $$5 or $5", "$",
            "${{'b': 1, 'a': [true]}}", "${has(customer.seen) ? customer.seen : []}", "${size(triggers)}",
            "${triggers.map(t, t.type)}", "${last.see.p}", "${has(last.see) ? last.see.p : ''}", "${last.pay.items}",
            "${triggers.map(t, t.time)}",
            "${segments.loyal}", "${bucket('z', 1000)}", "${[1.5, 2.25].sum()}", "${trigger.type}", "${customer.loudest}",
            "${string(spend() * 1e18)}", "${spend() * 1e-8}", "${customer.tz}", "${tagged('hot')}", "${customer.doubled}"]
SETS = {"plan": ["gold", "free", None, "${customer.plan == 'gold' ? 'free' : 'gold'}"],
        "n": [0, "7", "x", "${customer.n + 1}", "${has(customer.n) ? customer.n + 1 : 1}", None], "ok": [True, "false", None],
        "r": [0.25, "${spend()}", "${pays()}"], "born": ["03-30", "2001-04-25", "${customer.born}"],
        "ends": ["${now + duration('30h')}", "2026-11-01T12:00:00Z", None], "name": ["Z", "${customer.plan}", None],
        "seen": [["a", "b"], "${segments.loyal ? ['x'] : []}"], "tz": ["Asia/Tokyo", "America/New_York", None],
        "pause": ["10m", "x", "${duration('90s')}"]}
SPLITS = [{"a": 1, "b": 1}, {"a": 45, "b": 45, "holdout": 10}, {"holdout": 1}, {"a": 1, "holdout": 1},
          {"holdout": 1, "x": 2, "y": 0}]
HOUR = 3600000


def generate(seed):
    """(rule set as a value, lines of events, options of `relance replay`)."""
    return Generator(random.Random(seed)).whole()


class Generator:
    def __init__(self, chance):
        self.chance = chance
        self.one = chance.choice

    def maybe(self, probability):
        return self.chance.random() < probability

    def whole(self):
        self.night = self.maybe(0.35)  # in which clocks change
        self.zone, start = self.one(CHANGES) if self.night else (self.one(ZONES[:-1]), self.one(STARTS))
        self.crowd, self.busy = self.maybe(0.04), self.maybe(0.12)  # so many at once, one after the other
        self.leap = start.startswith("2028")
        start = int(datetime.datetime.fromisoformat(start + "+00:00").timestamp()) * 1000
        rules = self.rule_set()
        if self.maybe(0.12):
            rules = self.one([without_zones, zones_from_events])(rules)
        if self.maybe(0.05):
            del rules["tz"]
        lateness = self.one([0, 600000, HOUR, HOUR] if self.busy else [0, 0, 60000, 600000, HOUR, 12 * HOUR])
        lines = self.events(start, lateness)
        options = ["--lateness", f"{lateness // 1000}s"] if lateness else []
        if self.maybe(0.9):
            options += ["--until", self.one(["1h", "2d", "10d", "40d", "400d", instant(start + 60 * HOUR)])]
        if self.maybe(0.15):
            options += ["--wall", instant(start + self.chance.randrange(-HOUR, 200 * HOUR))]
        return rules, lines, options

    # ---- rules

    def rule_set(self):
        names = [f"r{n} {self.one(['a', 'Z', 'ä'])}" for n in range(1, self.chance.randrange(2, 9))]
        self.chance.shuffle(names)
        segments = {name: self.one(texts) for name, texts in SEGMENTS.items()}
        rules = {name: self.rule() for name in names}
        if self.maybe(0.05):
            segments["gold"] = "customer.n % 2 == 1"
            rules.update(self.pendulum())
        if self.crowd:
            rules["many"] = self.of_many()
        if self.maybe(0.4 if self.busy else 0.1):
            rules["cart"] = self.of_carts()
        if self.maybe(0.3) and not self.crowd:
            rules["news"] = self.of_news()
        if self.busy and self.maybe(0.5):
            rules["gone quiet"] = self.of_visits()
        return {
            "tz": self.zone, **({"stale": self.one(SHORT + LONG)} if self.maybe(0.4) else {}),
            "types": {"item": {"p": "string", "price": "double", "qty": "int"}},
            "events": EVENTS, "customer": ATTRIBUTES, "counts": self.counts(),
            "segments": segments,
            "limits": [self.limit() for _ in range(self.one([0, 0, 1] if self.crowd else [0, 1, 1, 2, 3, 5]))],
            "rules": rules,
        }

    def pendulum(self):
        """Two rules that let a customer in and out of a segment, more often than there are rounds."""
        step = {"if": "customer.n < 60", "set": {"n": "${customer.n + 1}"},
                **({"send": "push"} if self.maybe(0.5) else {})}
        return {"in": {"on": "enter gold", "do": [step], "priority": self.one([0, 10])},
                "out": {"on": "leave gold", "do": [{**step, **({"after": "10m"} if self.maybe(0.2) else {})}]}}

    def of_many(self):
        """A rule with more runs and goal windows than a customer may have."""
        later = [{"after": self.one(["1h", "2d"]), "send": self.one(["letter", "push"])}] if self.maybe(0.5) else []
        return {"on": "tap", "key": "event.tags", **({"again": "rearm"} if self.maybe(0.5) else {}),
                "do": [{"send": "letter"}, *later],
                "goal": {"on": self.one(["tap", "pay"]), "key": "['t1', 't101']", "within": self.one(LONG)}}

    def of_news(self):
        """A send for every event: what limits are for."""
        wait = {"after": self.one(["9m", "10m", "1h", "2h", "1d"])} if self.maybe(0.4) else {}
        return {"on": self.one([["see", "put", "pay", "tap"], ["put", "pay"], "see"]), "key": "event.id",
                **({"split": self.one(SPLITS)} if self.maybe(0.3) else {}),
                "do": [{**wait, "send": self.one(["email", "sms", "push"])}]}

    def of_visits(self):
        """Nothing has been seen for a while, after more visits than are remembered."""
        said = {"all": "${size(triggers)}", "types": "${triggers.map(t, t.type)}", "first": "${triggers[0].time}"}
        return {"on": ["see", "tap"], "again": "rearm",
                "do": [{"after": self.one(["2h", "1d"]), "send": "push", "with": said}]}

    def of_carts(self):
        """The rule that every shop has; late events overtake each other in it."""
        return {"on": "put", "key": "event.k", "again": self.one(["ignore", "rearm", "restart"]),
                "cancel": [{"on": self.one(["pay", "undo", ["pay", "undo"]]), "key": "event.k"}],
                "do": [{"after": self.one(SHORT), "send": "email", "with": {
                    "k": "${run.key}", "n": "${size(triggers)}", "since": "${run.started}", "last": "${trigger.time}"}}],
                "goal": {"on": "pay", "key": "event.k", "within": self.one(LONG), "value": "event.total"}}

    def counts(self):
        over = lambda: {"over": self.one(["10s", "30s", "10m", "1h", "90m", "1d", "5d", "30d"])}  # noqa: E731
        return {
            "sees": {"on": "see", "by": "event.p", **over()},
            "puts": {"on": "put", "by": "event.items.map(i, i.p)", **over()},
            "pays": {"on": "pay", **(over() if self.maybe(0.3) else {})},
            "spend": {"on": "pay", "sum": "event.total", **over()},
            "clicks": {"on": ["tap", "see"], "if": "event.type != 'tap' || event.time.getMinutes() % 2 == 0", **over()},
            "volume": {"on": ["pay", "undo"], "if": self.one(["event.total > 5.0", "!has(customer.ok) || customer.ok"]),
                       "sum": "event.total * 0.1"},
            "tagged": {"on": "tap", "by": "event.tags"},
            "steps": {"on": ["see", "tap"], "sum": "event.n", **(over() if self.maybe(0.5) else {})},
            "qty": {"on": "put", "by": "event.items.map(i, i.p)", "sum": "double(event.items.map(i, i.qty).sum())", **over()},
        }

    def limit(self):
        if self.maybe(0.4):
            out = {"quiet": self.one(["21:00-08:00", "12:00-14:00", "00:00-09:30", "22:30-02:30", "02:15-03:15"])}
        else:
            period = self.one(["1m", "10m", "10m", "1h", "2h", "1d", "7d"] + ["day", "week", "month"] * 2)
            out = {"max": f"{self.one([1, 1, 2, 3])} per {period}"}
            if self.maybe(0.4) and not self.crowd:  # 256 runs that wait for the same room decide for minutes
                out["else"] = self.one(["defer", "defer", "drop"])
        if self.maybe(0.5):
            out["send"] = self.one(["email", "sms", "push"])
        if self.maybe(0.4):
            out["if"] = self.one(OF_CUSTOMER + OF_LAST + OF_NOW * 2 + OF_SEGMENTS + OF_RULE * 4 + OF_RUN[:3] * 2)
        return out

    def rule(self):
        self.on, self.fields, self.dated = self.trigger()
        reads_event = [text.format(e="event") for f in self.fields for text in ABOUT_EVENT.get(f, [])]
        about_trigger = [text.format(e="trigger") for f in self.fields for text in ABOUT_EVENT.get(f, [])]
        rule = {"on": self.on}
        if self.maybe(0.4):
            rule["if"] = self.condition(reads_event * 2 + about_trigger + OF_CUSTOMER + OF_COUNTS + OF_LAST + OF_NOW + OF_SEGMENTS
                                        + OF_RULE)
        if self.maybe(0.4 if self.busy else 0.6):
            rule["key"] = self.one([k for f in self.fields for k in KEYS.get(f, [])] * 3 + ALWAYS_KEYS[:3]
                                   + (ALWAYS_KEYS[3:] if self.fields else []))
            if self.crowd and "tags" in self.fields:
                rule["key"] = "event.tags"
        if self.maybe(0.6) or self.busy:
            rule["again"] = self.one(["ignore", "rearm", "rearm", "restart"])
        if self.maybe(0.6):
            rule["cancel"] = [self.cancel(rule.get("key")) for _ in range(self.one([1, 1, 2]))]
        if self.maybe(0.4):
            rule["while"] = self.condition(about_trigger + OF_CUSTOMER + OF_COUNTS + OF_LAST + OF_NOW * 3 + OF_SEGMENTS
                                           + OF_RUN)
        for keyword, probability, values in (("cooldown", 0.25, SHORT + LONG), ("stale", 0.3, SHORT + LONG),
                                             ("priority", 0.6, [-5, 0, 10, 50, 95]), ("split", 0.3, SPLITS)):
            if self.maybe(probability):
                rule[keyword] = self.one(values)
        rule["do"] = [self.step(place, about_trigger) for place in range(self.one([1, 1, 2, 2, 3, 4]))]
        if self.maybe(0.5) and any("send" in step for step in rule["do"]):
            rule["goal"] = self.goal(rule.get("key"))
        return rule

    def trigger(self):
        """(`on`, the fields that all its events share, is it a date?)."""
        draw = self.chance.random()
        if draw < 0.45:
            type_ = "tap" if self.crowd else self.one(
                ["see", "see", "put", "put", "pay", "pay", "undo", "tap", "odd", "identify"])
            return type_, list(EVENTS.get(type_, {})), False
        if draw < 0.6:
            types, fields = self.one([(["put", "pay"], ["k", "items"]), (["pay", "undo"], ["k", "total"]),
                                      (["see", "put", "tap"], ["n"]), (["see", "pay", "tap", "identify"], [])])
            return types, fields, False
        if draw < 0.75:
            return f"{self.one(['enter', 'enter', 'leave'])} {self.one(list(SEGMENTS))}", [], False
        if draw < 0.88:
            days = ["'03-29'", "'2020-02-29'", "'02-29'", "'10-25'", "'12-31'", *["'02-29'"] * 4 * self.leap]
            days += ["customer.born"] * 5 + ["has(last.pay) ? '2026-03-08' : '02-30'"]
            return {"yearly": self.one(days)}, [], True
        return {"date": self.one(["customer.ends", "customer.ends", "customer.ends + duration('36h')",
                                  "last.odd.at"])}, [], True

    def condition(self, texts):
        draw = self.chance.random()
        if draw < 0.75:
            return self.one(texts)
        return f"({self.one(texts)}) {self.one(['&&', '||'])} ({self.one(texts)})"

    def other_events(self, key):
        """Events for `cancel` and `goal`, and the fields that they share: often those that have the rule's key."""
        all_ = [(t, list(EVENTS[t])) for t in ("see", "put", "pay", "pay", "undo", "tap")] + [
            (["put", "pay"], ["k", "items"]), (["see", "tap"], ["n"]), ("identify", [])]
        keyed = [(types, fields) for types, fields in all_ if any(key in KEYS.get(f, []) for f in fields)]
        return self.one(keyed if keyed and self.maybe(0.6) else all_)

    def other_key(self, key, fields):
        """For an event with these fields: often the rule's own, so that they meet."""
        if any(key in KEYS.get(f, []) for f in fields) and self.maybe(0.7):
            return key
        return self.one([k for f in fields for k in KEYS.get(f, [])] * 3 + ["['k1', 'p1']", "'k1'"])

    def cancel(self, key):
        types, fields = self.other_events(key)
        if isinstance(types, str) and self.maybe(0.35):
            return types
        out = {"on": types}
        if key and self.maybe(0.65):
            out["key"] = self.other_key(key, fields)
        if self.maybe(0.4):
            about = [text.format(e="event") for f in fields for text in ABOUT_EVENT.get(f, [])]
            out["if"] = self.one(about * 2 + OF_CUSTOMER + OF_COUNTS + OF_LAST + OF_CANCEL)
        return out

    def goal(self, key):
        types, fields = self.other_events(key)
        out = {"on": types, "within": self.one(SHORT + LONG * 2)}
        if key and self.maybe(0.5):
            out["key"] = self.other_key(key, fields)
        if self.maybe(0.3):
            about = [text.format(e="event") for f in fields for text in ABOUT_EVENT.get(f, [])]
            out["if"] = self.one(about * 2 + OF_CUSTOMER + OF_COUNTS + OF_LAST + OF_NOW + OF_RULE)
        if self.maybe(0.5):
            out["value"] = self.one((["event.total", "event.total * 0.5"] if "total" in fields else []) + [
                "2.5", "double(pays())", "spend()", "customer.r", "last.pay.total", "0.0"])
        return out

    def step(self, place, about_trigger):
        step = {}
        if self.maybe(0.4 if self.night else 0.25):
            step["at"] = self.one(TIMES[:6] if self.night else TIMES)
            if self.maybe(0.6):
                step["after"] = self.one(["0d", "1d", "2d", "1w"])
        elif self.maybe(0.75):
            step["after"] = self.one(["0m", *SHORT, *SHORT, "1d", "2d", "1d12h"])
        if place == 0 and "date" in self.on and self.dated and self.maybe(0.5):
            step["after"] = self.one(["-1d", "-3d"] if "at" in step else ["-1h", "-1d", "-36h".replace("36h", "1d12h")])
        if self.maybe(0.3):
            step["if"] = self.one(about_trigger + OF_CUSTOMER + OF_COUNTS + OF_LAST + OF_NOW + OF_SEGMENTS + OF_RUN
                                  + OF_RULE)
        if self.maybe(0.85):
            step["send"] = self.one(["email", "email", "sms", "push"])
            if self.maybe(0.6):
                step["with"] = self.payload()
        if "send" not in step or self.maybe(0.25):
            step["set"] = {name: self.one(SETS[name]) for name in self.chance.sample(list(SETS), self.one([1, 1, 2]))}
        return step

    def payload(self):
        about = [f"${{trigger.{f}}}" for f in self.fields]
        values = [self.one(PAYLOADS + about * 2) for _ in range(self.one([1, 2, 3]))]
        out = {f"f{n}": value for n, value in enumerate(values)}
        if self.maybe(0.1):
            return self.one([values, values[0], [*values, 1e21, -0.5, None], {"${now}": values[0], "": {}}])
        if self.maybe(0.2):
            out["deep"] = [self.one(PAYLOADS), {"x": [1, 2.5, None, True], "y": self.one(PAYLOADS)}]
        return out

    # ---- events

    def events(self, start, lateness):
        time, rows = start, []
        pace = [0, 0, 1] if self.busy else self.one(
            [[0, 0, 1, 5, 10], [0, 1, 10, 30, 60], [0, 10, 60, 240, 720], [30, 60, 600, 1440, 4320]])
        customers = ["c1", "c2", self.one(["c3", 12]), "ç4"][:1 if self.busy or self.crowd else self.one([1, 2, 3, 4])]
        count = (10, 25) if self.crowd else (100, 180) if self.busy else (10, 120)
        for n in range(self.chance.randrange(*count)):
            time += self.one(pace) * 60000 + (self.chance.randrange(90000) if self.maybe(0.2) else 0)
            event = self.event(time + self.one([0] * 8 + [-1, 1]), customers)  # just before and behind each bound
            if self.maybe(0.9):
                event["id"] = f"e{n}" if self.maybe(0.95) else n
            rows.append((time, event))
            if self.maybe(0.08):
                again = dict(event, **({"time": event["time"] if self.maybe(0.7) else time + 60000}))
                rows.append((time + self.one([0, 60000, HOUR, 30 * HOUR]), again))
        reach = max(lateness, 60000) if self.maybe(0.7) else 0
        shuffled = sorted(rows, key=lambda row: row[0] + (self.chance.randrange(reach + 1) * self.one([0, 1, 1, 2])
                                                         if reach else 0))
        return [self.line(event) for _, event in shuffled]

    def line(self, event):
        if self.maybe(0.01):
            return self.one(["{", "[]", '{"type": "see"}', '{"type": "see", "customer": "c1", "time": "soon"}', ""])
        return json.dumps(event, ensure_ascii=False)

    def event(self, time, customers):
        type_ = "tap" if self.crowd and self.maybe(0.4) else self.one(
            ["see"] * 5 + ["put"] * 4 + ["pay"] * 4 + ["undo", "tap", "tap", "odd", "mute", "ghost"] + ["identify"] * 3)
        if self.maybe(0.01):
            type_ = "forget"
        event = {"type": type_, "customer": self.one(customers), "time": instant(time) if self.maybe(0.8) else time}
        makers = {**FIELDS, **(IDENTIFY if type_ == "identify" else {})}
        for field in EVENTS.get(type_, IDENTIFY if type_ == "identify" else {}):
            if self.maybe(0.92 if type_ != "identify" else 0.35):
                event[field] = makers[field](self, time)
        return event

    def many(self):
        """More tags than are remembered, in a few events."""
        first = self.one([0, 0, 100, 200])
        return [f"t{n}" for n in range(first, first + self.one([1, 130, 200, 260]))]

    def items(self):
        out = []
        for _ in range(self.one([0, 1, 1, 2, 3])):
            item = {"p": self.one(["p1", "p2", "p3"]), "price": self.one([5, 9.5, 20.25, "7.75"]), "qty": self.one([1, 2, "3", 1.0])}
            if self.maybe(0.1):
                item.pop(self.one(list(item)))
            out.append(item)
        return out


FIELDS = {
    "p": lambda g, t: g.one(["p1", "p1", "p2", "p3", 5]), "n": lambda g, t: g.one([0, 1, 2, 3, "4", 2.0, "x", 1.5, 2**53 + 1]),
    "wait": lambda g, t: g.one(["10m", "1h30m", "x", "-5m"]), "k": lambda g, t: g.one(["k1", "k2", "k2", "k3", 17]),
    "items": lambda g, t: g.items(), "total": lambda g, t: g.one([5, 10, 20.5, 30, "12.25", 60.1, -1, "x", 0.1, 1e21, -0.0]),
    "tags": lambda g, t: g.many() if g.crowd else g.one(
        [[], ["hot"], ["hot", "new"], ["new", "hot", "new"], "hot", ["a", True]]),
    "ok": lambda g, t: g.one([True, False, "true", 1]), "zone": lambda g, t: g.one(ZONES), "u": lambda g, t: g.one([1, 3, "4", 2**63 + 1, -1]),
    "m": lambda g, t: g.one([{}, {"a": 1, "b": 2}, {"a": "3"}, {"a": "x"}]),
    "raw": lambda g, t: g.one(["aGk=", "AAECAw==", "", "?"]),
    "at": lambda g, t: g.one([instant(t + g.chance.randrange(-48, 200) * HOUR), t + g.chance.randrange(100) * HOUR]),
    "best": lambda g, t: g.one([{"p": "p1", "price": 10, "qty": 1}, {"price": "2.5"}, {}]),
    "grid": lambda g, t: g.one([[], [[]], [[1, 2], ["3"]], [[1], 2]]),
    "named": lambda g, t: g.one([{}, {"a": {"p": "p1", "price": "4.5"}, "": {"qty": 2}}, {"a": 1}]),
    "x": lambda g, t: g.one([0, 1]),
}
IDENTIFY = {
    "tz": lambda g, t: g.one(ZONES), "ok": lambda g, t: g.one([True, True, False, None]),
    "name": lambda g, t: g.one(["Ann", "Bob", None]), "born": lambda g, t: g.one(
        ["1990-03-29", "03-30", "2000-02-29", "02-29", "02-30", "10-25", "2026-12-31", "01-01", "11-01", "x"]
        + [instant(t + n * 24 * HOUR)[:10].replace("2026", str(2027 - n)) for n in (0, 1, 1, 2, 3)]),
    "ends": lambda g, t: g.one(
        [*[instant(t + g.chance.randrange(-24, 120) * HOUR)] * 4, instant(t), None, None, "9998-12-31T23:00:00Z",
         "0002-01-01T00:00:00Z"]),
    "plan": lambda g, t: g.one(["gold", "gold", "free", None]), "n": lambda g, t: g.one([0, 1, 2, 5, "x"]),
    "r": lambda g, t: g.one([0.5, 2, 12]), "seen": lambda g, t: g.one([[], ["p1"]]),
    "pause": lambda g, t: g.one(["30s", "1h", "x"]),
}


def without_zones(rules):
    """The same for customers who have no zone of their own."""
    rules = zones_from_events(json.loads(json.dumps(rules).replace("customer.tz", "customer.id")))
    del rules["customer"]["tz"]
    return rules


def zones_from_events(rules):
    """The same where the zone is not set, but comes with an event."""
    rules["customer"] = {**rules["customer"], "tz": {"type": "string", "on": "tap", "value": "event.zone"}}
    for step in (step for rule in rules["rules"].values() for step in rule["do"]):
        if step.get("set", {}).pop("tz", step) is not step and not step["set"]:
            step["set"] = {"ok": True}
    return rules


def instant(ms):
    then = datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    return then + (f".{ms % 1000:03}Z" if ms % 1000 else "Z")
