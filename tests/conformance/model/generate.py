"""Random rule sets and streams of events for the comparison of model and engine: generate(seed) always gives the
same. Small worlds on purpose (few customers, products, carts; round times), so that things meet: equal instants,
equal keys, full caps, clock changes, ends of years and of months."""
import datetime
import json
import random

import anonymous

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
    "n": "int", "r": "double", "seen": "list(string)", "pause": "duration", "day": "string", "when": "string",
    "first_p": {"type": "string", "on": "see", "value": "event.p", "keep": "first"},
    "total": {"type": "double", "on": ["pay", "undo"], "value": "event.total", "keep": "last"},
    "doubled": {"type": "double", "on": "pay", "value": "customer.total * 2.0"},
    "loudest": {"type": "string", "on": "identify", "value": "event.name + '!'"},
}
ABOUT_EVENT = {  # conditions on a trigger or event: the field that they need, with its type
    "p": ["{e}.p != 'p1'", "{e}.p in ['p1', 'p2']", "sees({e}.p) >= 2", "sees({e}.p) < 3 && puts({e}.p) == 0",
          "{e}.p in tables.groups && tables.least[{e}.p] > 1", "cheapest({e}.p).orValue(99.0) < 10.0"],
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
ALWAYS_KEYS = ["'k1'", "['k1', 'k2', 'k1']", "7", "who", "event.type"]
OF_CUSTOMER = ["customer.ok", "!has(customer.ok) || customer.ok", "customer.n < 4", "customer.plan == 'gold'",
               "has(customer.name)", "customer.id != 'c2'", "has(customer.total) && customer.total < 50.0",
               "customer.first_p != 'p2'", "has(customer.n) ? customer.n >= 1 : true", "customer.pause > duration('1m')",
               "rich", "rich && !has(customer.plan)", "customer.plan in tables.rates && tables.rates[customer.plan] > 1.0",
               "tables.on[?customer.id].orValue(true)", "customer.?plan.orValue('none') != 'free'"]
OF_COUNTS = ["pays() >= 1", "pays() < 3", "spend() < 80.0", "clicks() < 9", "sees('p1') > 0", "volume() > 25.0",
             "qty('p1') < 5.0", "steps() > 2.0", "tagged('hot') < 3", "pays() + clicks() > 3 || puts('p2') == 0", "keen",
             "dearest().orValue(0.0) > 10.0", "dearest().hasValue()", "dearest().value() < 60.0",
             "cheapest('p1').orValue(99.0) < 9.9", "odd_one().optMap(v, v < 15.0).orValue(true)",
             "sees('p1') < tables.least.p1"]
OF_LAST = ["has(last.pay) ? last.pay.total >= 20.0 : true", "!has(last.undo)", "last.pay.total < 70.0",
           "has(last.pay.total) || has(last.undo.total)"]
OF_NOW = ["has(last.tap) && now - last.tap.time < duration('2h')", "now.getMinutes() < 40", "now.getDayOfWeek() != 0",
          "now.getHours('America/New_York') > 6"]
OF_SEGMENTS = ["segments.loyal", "!segments.loyal", "segments.active || segments.gold", "!segments.gone"]
OF_RULE = ["rule.priority < 50", "rule.name != 'r1 ä'", "!('news' in rule.tags)", "size(rule.tags) > 0"]
OF_RUN = ["run.step < 2", "run.variant != 'b'", "now - run.started < duration('6h')", "size(triggers) < 3",
          "size(run.key) > 1 || run.step == 1", "run.sent < 2", "run.outcome != 'skipped'",
          "run.outcome == 'sent' || run.step == 1", "run.answered || run.step < 3", "run.action == '' || run.sent > 1",
          "!(run.outcome in ['capped', 'blocked', 'held'])"]
OF_WINDOW = ["run.key != 'k1'", "run.variant != 'b'", "run.key == '' || event.time.getMinutes() % 2 == 0"]
OF_LIMIT = ["run.key != 'k2'", "run.step == 1", "last.pay.total > 9.0", "bucket('control', 100) < 40", "'news' in rule.tags", "run.sent > 0", "run.outcome == 'sent'", "rich"]
SEGMENTS = {
    "loyal": ["pays() >= 2 && spend() >= 30.0", "spend() > 40.0", "pays() > 0"],
    "dear": ["dearest().orValue(0.0) > 25.0", "odd_one().hasValue()", "rich", "cheapest('p1').orValue(99.0) < 9.9"],
    "active": ["clicks() >= 2", "clicks() >= 2 && sees('p1') > 0", "sees('p1') + sees('p2') >= 2"],
    "gold": ["customer.plan == 'gold'", "segments.loyal && customer.n > 0", "customer.n % 2 == 1"],
    "gone": ["!segments.active && has(last.see)", "spend() < 20.0 && has(last.pay)", "puts('p1') == 0 && has(last.put)"],
}
OF_CANCEL = ["event.time - run.started > duration('20m')", "trigger.time < event.time", "run.step > 1",
             "size(triggers) > 1", "run.key != 'k1'", "trigger.type != event.type", "rule.priority > 0",
             "now - trigger.time < duration('3h')", "has(last.see)", "run.variant != 'a'", "run.sent == 0",
             "run.started == trigger.time", "keen"]
SHORT = ["30s", "1m", "10m", "30m", "1h", "1h30m", "2h", "4h"]
LONG = ["1d", "2d", "5d", "7d", "30d"]
DAYS = ["sat,sun", "mon-fri", "fri-mon", "mon,wed-thu,sun", "tue", "sun"]
TIMES = ["00:00", "00:30", "01:30", "02:15", "02:30", "03:00", "09:00", "17:45", "23:30"]
PAYLOADS = ["t-${run.variant}", "${run.key}", "k=${run.key};", "${run.step}", "${rule.name}/${run.step}", "${now}",
            "${run.started}", "at ${trigger.time}", "${now - run.started}", "${spend()}", "s=${spend() / 3.0}",
            "${pays()}", "n=${pays()} ${steps()}", "${volume() * 0.5} ${1.0}", "${customer.first_p}", "${customer.name}",
            "Hi ${has(customer.name) ? customer.name : 'you'}", "${'{' + customer.id + '}'}", "cost $$5 or $5", "$",
            "${{'b': 1, 'a': [true]}}", "${has(customer.seen) ? customer.seen : []}", "${size(triggers)}",
            "${triggers.map(t, t.type)}", "${last.see.p}", "${has(last.see) ? last.see.p : ''}", "${last.pay.items}",
            "${triggers.map(t, t.time)}",
            "${segments.loyal}", "${bucket('z', 1000)}", "${[1.5, 2.25].sum()}", "${trigger.type}", "${customer.loudest}",
            "${run.sent}", "${run.outcome}", "a=${run.action}", "${run.answered}", "${rule.tags}", "${dearest()}",
            "${dearest()}", "x ${dearest()}", "${customer.?name}", "${[?customer.?name, ?customer.?plan]}",
            "${tables.rates[?customer.plan].orValue(0.5)}", "${tables.names[customer.id]}", "${tables.groups.p1}",
            "${tables.rates[?customer.?plan.orValue('')]}", "${cheapest('p1').optMap(v, v * 2.0)}", "${who}", "${keen ? 1 : 0}",
            "${{'a': 1.5, ?'b': customer.?n.optMap(v, double(v))}}", "${odd_one()}",
            "${string(spend() * 1e18)}", "${spend() * 1e-8}", "${customer.tz}", "${tagged('hot')}", "${customer.doubled}"]
SETS = {"plan": ["gold", "free", None, "${customer.plan == 'gold' ? 'free' : 'gold'}"],
        "n": [0, "7", "${int(customer.id)}", "${customer.n + 1}", "${has(customer.n) ? customer.n + 1 : 1}", None], "ok": [True, "false", None],
        "r": [0.25, "${spend()}", "${pays()}", "${dearest()}", "${odd_one()}"], "born": ["03-30", "2001-04-25", "${customer.born}"],
        "ends": ["${now + duration('30h')}", "2026-11-01T12:00:00Z", None], "name": ["Z", "${customer.plan}", None],
        "seen": [["a", "b"], "${segments.loyal ? ['x'] : []}"], "tz": ["Asia/Tokyo", "America/New_York", None],
        "pause": ["10m", "${duration(customer.id)}", "${who}", "${duration('90s')}"],
        "day": ["2026-06-30", "${customer.day}", None, "2026-02-30"],
        "when": ["09:00", "${customer.when}", None]}
AFTERS = ["${customer.pause}", "${duration('1500ms')}", "${now - trigger.time}", "${trigger.time - now}",
          "${run.sent > 0 ? duration('1h') : duration('10m')}", "${run.started - now + duration('2h')}",
          "${segments.loyal ? duration('30m') : duration('2h')}", "${duration(string(customer.n) + 'h')}"]
ATS = ["${customer.when}", "${has(customer.when) ? customer.when : '10:00'}",
       "${run.step > 1 ? 'sat,sun 11:00' : '08:30'}", "${'0' + string(customer.n) + ':30'}"]
BEFORES = ["0d", "1h", "12h", "1d", "1d6h", "2d", "3d", "1w"]
QUIETS = ["21:00-08:00", "12:00-14:00", "00:00-09:30", "22:30-02:30", "02:15-03:15", "20:00-24:00", "23:00-00:00",
          "sat,sun", "sun", "mon,tue", "holidays", "holidays", "fri-mon 18:00-10:00", "sat 00:00-24:00",
          "sun 01:30-03:00", "mon-fri 21:00-07:30", "fri-sat 23:00-02:30"]
TABLES = {"rates": {"gold": 1.5, "free": 1}, "least": {"p1": 2, "p2": 1, "p3": 3}, "names": {"c1": "Eins", "ç4": "Vier"},
          "on": {"c1": True, "c2": False}, "groups": {"p1": ["hot", "new"], "p2": []}}
SPLITS = [{"a": 1, "b": 1}, {"a": 45, "b": 45, "holdout": 10}, {"holdout": 1}, {"a": 1, "holdout": 1},
          {"holdout": 1, "x": 2, "y": 0}]
HOUR = 3600000


def generate(seed):
    """({name: rule file as a value}, lines of events, options of `relance replay`)."""
    return anonymous.with_visitors(seed, *of_customers(seed))


def of_customers(seed):
    """The same, before a share of the seeds is given visitors."""
    return Generator(random.Random(seed)).whole()


def rule_test(seed, events):
    """What happened to a customer, as a test in a rule file that expects nothing yet. `events` are [(seconds, type,
    fields, whose)], all of which fit."""
    chance = random.Random(seed)
    start = events[0][0]
    test = {"name": "as the model has it", "from": instant(start * 1000), "until": chance.choice(["2d", "10d", "40d"]),
            "customer": {"n": chance.choice([1, 5]), "day": instant(start * 1000 + chance.choice([50, 80]) * HOUR)[:10]},
            "given": [{"t": f"{max(time - start, 0)}s", type_: fields, **whose} for time, type_, fields, whose in events],
            "expect": []}
    if chance.random() < 0.5:
        test["variant"] = chance.choice(["a", "holdout"])
    if chance.random() < 0.5:
        test["rules"] = "*"
    return test


class Generator:
    def __init__(self, chance):
        self.chance = chance
        self.one = chance.choice

    def maybe(self, probability):
        return self.chance.random() < probability

    def whole(self):
        self.night = self.maybe(0.35)  # in which clocks change
        self.zone, start = self.one(CHANGES) if self.night else (self.one(ZONES[:-1]), self.one(STARTS))
        self.crowd, self.busy = self.maybe(0.04), self.maybe(0.15)  # so many at once, one after the other
        self.flood = not self.busy and self.maybe(0.06)  # so many that not all of their ids are remembered
        self.many = self.crowd or self.flood
        self.moving = self.maybe(0.25)  # dates, and customers
        self.round = self.maybe(0.3)  # times that meet to the millisecond
        self.leap = start.startswith("2028")
        self.answer = None
        self.start = start = int(datetime.datetime.fromisoformat(start + "+00:00").timestamp()) * 1000
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
        if self.maybe(0.3):
            options += ["--only", ",".join(ALL if self.maybe(0.8) else ALL[:4])]
        return self.files(rules), lines, options

    # ---- files

    def files(self, rules):
        """{name: content}: mostly one; or what is united of several."""
        if not self.maybe(0.2):
            return {"": rules}
        names = [".jsonc", "a.jsonc", "b.jsonc", "b/c.json"][1:self.one([3, 4])]
        out = {name: {} for name in names}
        for part, content in rules.items():
            if part in ("events", "types", "customer"):
                for name, fields in content.items():
                    self.share_out(out, part, name, fields)
            elif isinstance(content, dict):
                for name, value in content.items():
                    for file in self.some(names) if part in ("counts", "segments", "tables") else [self.one(names)]:
                        out[file].setdefault(part, {})[name] = value
            elif part == "limits":
                for limit in content:
                    out[self.one(names)].setdefault(part, []).append(limit)
            else:
                out[self.one(names)][part] = content
        lets = out[names[0]].setdefault("let", {})  # each may use those in front of it
        lets.update({name: text for file in names for name, text in out[file].pop("let", {}).items()})
        out[names[0]]["let"] = {name: lets[name] for name in LETS}
        return out

    def some(self, names):
        return self.chance.sample(names, self.one([1, 1, 2]))

    def share_out(self, out, part, name, fields):
        """Each file names some of the fields, one of them an attribute's source; and all do together."""
        files = self.some(list(out))
        if part == "customer":
            out[files[0]].setdefault(part, {})[name] = fields
            for file in files[1:]:
                out[file].setdefault(part, {})[name] = fields["type"] if isinstance(fields, dict) else fields
            return
        for file in files:
            out[file].setdefault(part, {})[name] = {f: t for f, t in fields.items() if self.maybe(0.7)}
        out[files[0]][part][name] = {**out[files[0]][part][name], **fields}

    # ---- rules

    def rule_set(self):
        names = [f"r{n} {self.one(['a', 'Z', 'ä'])}" for n in range(1, self.chance.randrange(2, 9))]
        self.chance.shuffle(names)
        segments = {name: self.one(texts) for name, texts in SEGMENTS.items()}
        rules = {name: self.rule() for name in names}
        if self.moving:
            rules["term"], rules["terms"] = self.of_dates(), self.of_dates()
            rules["mover"] = self.of_moves()
        if self.maybe(0.35):
            rules["reply"] = self.of_answers()
        if self.maybe(0.05):
            segments["gold"] = "customer.n % 2 == 1"
            rules.update(self.pendulum())
        if self.crowd:
            rules["many"] = self.of_many()
        if self.maybe(0.6 if self.busy else 0.15):
            rules["cart"] = self.of_carts()
        if self.maybe(0.3) and not self.crowd:
            rules["news"] = self.of_news()
        if (self.busy or self.flood) and self.maybe(0.7):
            rules["gone quiet"] = self.of_visits()
        return {
            "tz": self.zone, **({"stale": self.one(SHORT + LONG)} if self.maybe(0.4) else {}),
            "types": {"item": {"p": "string", "price": "double", "qty": "int"}},
            "events": EVENTS, "customer": ATTRIBUTES, "counts": self.counts(),
            "segments": segments, "tables": TABLES, "let": LETS,
            **({"credit": self.one(["last", "last", "last", "each"])} if self.maybe(0.6) else {}), "holidays": self.holidays(),
            "limits": self.limits(),
            "rules": rules,
        }

    def holidays(self):
        days = [instant(self.start + n * 24 * HOUR)[:10] for n in (0, 1, 2, 3, 5)]
        return [self.one([day, day[5:]]) for day in self.chance.sample(days, self.one([1, 2, 3]))] + ["02-29"]

    def of_dates(self):
        """Reminders of a date that moves."""
        first = self.one(["customer.day", "customer.day", "customer.ends", "customer.ends + duration('36h')", "last.odd.at"])
        on = {"yearly": "customer.born"} if self.maybe(0.3) else {"date": first}
        steps = [{"before": before, **({"at": self.one(TIMES)} if before[1:] in ("d", "w") and self.maybe(0.5) else {}),
                  **({"if": self.one(OF_CUSTOMER + OF_RUN)} if self.maybe(0.2) else {}),
                  **({"set": self.moves()} if self.maybe(0.4) else {}),
                  "send": self.one(["email", "sms", "push"]), "with": {
                      "date": "${trigger.time}", "due": "${run.started}", "o": "${run.outcome}"}}
                 for before in self.chance.sample(BEFORES, self.one([1, 2, 3]))]
        self.answer, self.key, self.fields, self.dated = None, None, [], True
        if self.maybe(0.3):
            steps.insert(self.one([0, len(steps)]), self.step(0, []))
        return {"on": on, "again": self.one(["ignore", "rearm", "restart", "collect"]),
                **({"key": self.one(["'k1'", "['k1', 'k2']"])} if self.maybe(0.3) else {}),
                **({"cancel": self.one(["pay", ["pay", {"on": "undo", "if": self.one(OF_CANCEL)}]])} if self.maybe(0.4) else {}),
                "do": steps}

    def moves(self):
        """What makes a date or the customer move."""
        hours = self.one([3, 20, 50, 72, 100])
        then = f"now + duration('{hours}h')"
        return self.one([{"day": f"${{string({then}).substring(0, 10)}}"}, {"ends": f"${{{then}}}"},
                         {"born": f"${{string({then}).substring(5, 10)}}"}, {"tz": self.one(ZONES)}, {"day": None}, {"ends": None}])

    def of_moves(self):
        """Dates that move by a step of another rule."""
        return {"on": self.one(["see", "put", "tap", "identify"]), "priority": self.one([0, 60, -10]),
                "do": [{"after": self.one(["0m", "0m", "1h", "12h"]), "set": self.moves()}]}

    def of_answers(self):
        """Asks, waits for the answer, and goes on."""
        key = {"key": "event.k"} if self.maybe(0.7) else {}
        wait = {"wait": {"on": self.one(["pay", "undo", ["pay", "undo"]]), **key,
                         **({"if": self.one(["event.total > 9.0", "trigger.time < event.time", *OF_CUSTOMER])}
                            if self.maybe(0.3) else {})},
                "within": self.one(SHORT if self.maybe(0.5) else ["1m", "10m", "1h"]), **({"else": self.one(["end", "end", "go on"])} if self.maybe(0.5) else {})}
        told = {"send": self.one(["email", "push"]), "with": {
            "yes": "${run.answered}", "t": "${answer.?total}", "o": "${run.outcome}",
            "k": self.one(["${has(answer.k) ? answer.k : 'none'}", "${answer.k}"])}}
        asks = [{"after": self.one(["0m", "10m"]), "send": "sms"}] * self.maybe(0.5)
        return {"on": self.one(["put", "put", "pay"]), **key, "again": self.one(["ignore", "rearm", "restart", "collect"]),
                **({"goal": {"on": "pay", "within": self.one(LONG), "value": "event.total"}} if self.maybe(0.5) else {}),
                "do": [*asks, wait, *[told] * self.maybe(0.8), *[wait, told] * self.maybe(0.3)]}

    def pendulum(self):
        """Two rules that let a customer in and out of a segment, more often than there are rounds."""
        step = {"if": "customer.n < 60", "set": {"n": "${customer.n + 1}"},
                **({"send": "push"} if self.maybe(0.5) else {})}
        return {"in": {"on": "enter gold", "do": [step], "priority": self.one([0, 10])},
                "out": {"on": "leave gold", "do": [{**step, **({"after": "10m"} if self.maybe(0.2) else {})}]}}

    def of_many(self):
        """A rule with more runs and goal windows than a customer may have."""
        later = [{"after": self.one(["1h", "2d"]), "send": self.one(["letter", "push"])}] if self.maybe(0.5) else []
        cooldown = {"cooldown": {"for": self.one(["1h", "2d", "ever"]), "per": "key"}} if self.maybe(0.6) else {}
        return {"on": "tap", "key": "event.tags", **cooldown, **({"again": "rearm"} if self.maybe(0.5) else {}),
                "do": [{"send": "letter"}, *later],
                "goal": {"on": self.one(["tap", "pay"]), "key": "['t1', 't101']", "within": self.one(LONG)}}

    def of_news(self):
        """A send for every event: what limits are for."""
        wait = {"after": self.one(["9m", "10m", "1h", "2h", "1d"])} if self.maybe(0.4) else {}
        return {"on": self.one([["see", "put", "pay", "tap"], ["put", "pay"], "see"]), "key": "event.id",
                **({"split": self.one(SPLITS)} if self.maybe(0.4) else {}),
                **({"goal": {"on": self.one(["pay", "undo", "see"]), "within": self.one(LONG + SHORT)}} if self.maybe(0.4) else {}),
                "do": [{**wait, "send": self.one(["email", "sms", "push"])}]}

    def of_visits(self):
        """Nothing has been seen for a while, after more visits than are remembered."""
        said = {"all": "${size(triggers)}", "types": "${triggers.map(t, t.type)}", "first": "${triggers[0].time}"}
        return {"on": ["see", "tap", "put"], "again": self.one(["rearm", "collect"]),
                "do": [{"after": self.one(["2h", "1d"]), "send": "push", "with": said}]}

    def of_carts(self):
        """The rule that every shop has; late events overtake each other in it."""
        return {"on": "put", "key": "event.k", "again": self.one(["ignore", "rearm", "restart", "collect"]),
                "cancel": [{"on": self.one(["pay", "undo", ["pay", "undo"]]), "key": "event.k",
                            **({"if": self.one(OF_CANCEL)} if self.maybe(0.3) else {})}],
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
            "dearest": {"on": self.one(["pay", ["pay", "undo"]]), "sum": "event.total",
                        "keep": self.one(["last", "min", "max"]), **(over() if self.maybe(0.5) else {})},
            "cheapest": {"on": "put", "by": "event.items.map(i, i.p)", "sum": "event.items[0].price",
                         "keep": self.one(["last", "min", "max"]), **(over() if self.maybe(0.6) else {})},
            "odd_one": {"on": "pay", "sum": "event.total == 5.0 ? 0.0 / (event.total - 5.0) : event.total", **over(),
                        "keep": self.one(["last", "min", "max"])},
            "qty": {"on": "put", "by": "event.items.map(i, i.p)", "sum": "double(event.items.map(i, i.qty).sum())", **over()},
        }

    def limits(self):
        out = [self.limit() for _ in range(self.one([0, 0, 1] if self.crowd else [0, 1, 1, 2, 3, 5]))]
        if self.moving and not self.many and self.maybe(0.5):
            out.insert(0, self.one([{"max": "1 per day", "else": "defer"}, {"max": "1 per week", "else": "defer"}, *[
                {"quiet": quiet} for quiet in ("sat,sun", "holidays", "fri-mon 18:00-10:00", "00:00-09:30", "mon,tue")]]))
        if self.maybe(0.06):
            out[1:1] = [{"hold": "control", "if": self.one(OF_LIMIT)}, {"hold": "probe", "name": "not its group"}]
        return out

    def limit(self):
        draw = self.chance.random()
        if draw < 0.35:
            out = {"quiet": self.one(QUIETS)}
        elif draw < 0.75:
            period = self.one(["1m", "10m", "10m", "1h", "2h", "1d", "7d"] + ["day", "week", "month"] * 2)
            out = {"max": f"{self.one([1, 1, 2, 3])} per {period}"}
            if self.maybe(0.4) and not self.many:  # 256 runs that wait for the same room decide for minutes
                out["else"] = self.one(["defer", "defer", "drop"])
        else:
            out = self.one([{"never": "no consent"}, {"hold": "control"}, {"hold": "probe"}])
        bars = draw >= 0.75
        if self.maybe(0.5):
            out["send"] = self.one(["email", "sms", "push"])
        if self.maybe(0.9 if bars else 0.4):
            out["if"] = self.one(OF_CUSTOMER + OF_LAST + OF_NOW * 2 + OF_SEGMENTS + OF_RULE * 3 + OF_RUN + OF_LIMIT * 2)
            if "triggers" in out["if"]:
                out["if"] = "rich"
        if self.maybe(0.2):
            out["name"] = self.one(["night", "cap", "ünrest"])
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
            rule["again"] = self.one(["ignore", "rearm", "rearm", "restart", "collect"])
        if self.maybe(0.6):
            rule["cancel"] = [self.cancel(rule.get("key")) for _ in range(self.one([1, 1, 2]))]
        lets = []
        if self.maybe(0.2):
            rule["let"] = {"late": "now - run.started > duration('1h')", "many": "size(triggers) > 2",
                           "late_or_many": "late || many"}
            lets = ["!late", "late_or_many", "many && rich"] * 4
        if self.maybe(0.4):
            rule["while"] = self.condition(about_trigger + OF_CUSTOMER + OF_COUNTS + OF_LAST + OF_NOW * 3 + OF_SEGMENTS
                                           + OF_RUN + lets)
        if self.maybe(0.25):
            length = self.one(SHORT + LONG + ["ever"] * 4)
            rule["cooldown"] = length if length != "ever" and self.maybe(0.4) else {
                "for": length, **({"per": self.one(["customer", "key", "key"]) if "key" in rule else "customer"}
                                  if self.maybe(0.9) else {})}
        if self.maybe(0.3):
            rule["tags"] = self.one([["news"], ["news", "promo"], []])
        for keyword, probability, values in (("stale", 0.3, SHORT + LONG), ("salt", 0.2, ["s1", "s2", ""]),
                                             ("priority", 0.6, [-5, 0, 10, 50, 95]), ("split", 0.3, SPLITS)):
            if self.maybe(probability):
                rule[keyword] = self.one(values)
        self.answer, self.key = None, rule.get("key")
        rule["do"] = [self.step(place, about_trigger + lets) for place in range(self.one([1, 1, 2, 2, 3, 4]))]
        if self.maybe(0.5) and any("send" in step for step in rule["do"]):
            rule["goal"] = self.goal(rule.get("key"))
        return rule

    def trigger(self):
        """(`on`, the fields that all its events share, is it a date?)."""
        draw = self.chance.random()
        if draw < 0.45:
            type_ = "tap" if self.crowd else self.one(
                ["see", "see", "put", "put", "pay", "pay", "undo", "tap", "odd", "odd", "identify"])
            return type_, list(EVENTS.get(type_, {})), False
        if draw < 0.6:
            types, fields = self.one([(["put", "pay"], ["k", "items"]), (["pay", "undo"], ["k", "total"]),
                                      (["see", "put", "tap"], ["n"]), (["see", "pay", "tap", "identify"], [])])
            return types, fields, False
        if draw < 0.75:
            words = self.chance.sample([f"{word} {name}" for word in ("enter", "enter", "leave") for name in SEGMENTS], 3)
            return (words[0] if self.maybe(0.6) else list(dict.fromkeys(words[:self.one([2, 3])]))), [], False
        if draw < 0.88:
            days = ["'03-29'", "'2020-02-29'", "'02-29'", "'10-25'", "'12-31'", *["'02-29'"] * 4 * self.leap]
            days += ["customer.born"] * 5 + ["customer.born.substring(5)"] + ["has(last.pay) ? '2026-03-08' : '02-30'"]
            return {"yearly": self.one(days)}, [], True
        return {"date": self.one(["customer.ends", "customer.ends", "customer.ends + duration('36h')",
                                  "last.odd.at", "customer.day", "customer.day"])}, [], True

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
            out["if"] = self.one(about * 2 + OF_CUSTOMER + OF_COUNTS + OF_LAST + OF_NOW + OF_RULE + OF_WINDOW * 3)
        if self.maybe(0.5):
            out["value"] = self.one((["event.total", "event.total * 0.5"] if "total" in fields else []) + [
                "2.5", "double(pays())", "spend()", "customer.r", "last.pay.total", "0.0",
                "double(size(run.key))", "run.variant == 'a' ? 2.0 : 1.0", "tables.rates[customer.plan]"])
        return out

    def step(self, place, about_trigger):
        if self.maybe(0.12):
            return self.wait()
        step = self.due()
        about_answer = [f"has(answer.{f})" for f in self.answer or []] + ["run.answered"] * (self.answer is not None)
        if self.maybe(0.3):
            step["if"] = self.one(about_trigger + about_answer * 5 + OF_CUSTOMER + OF_COUNTS + OF_LAST + OF_NOW
                                  + OF_SEGMENTS + OF_RUN + OF_RULE)
        if self.maybe(0.85):
            step["send"] = self.one(["email", "email", "sms", "push"])
            if self.maybe(0.6):
                step["with"] = self.payload()
        if "send" not in step or self.maybe(0.25):
            step["set"] = {name: self.one(SETS[name]) for name in self.chance.sample(list(SETS), self.one([1, 1, 2]))}
        return step

    def due(self):
        """When the step is due."""
        step = {}
        if self.dated and self.maybe(0.35):
            step["before"] = self.one(BEFORES)
            if step["before"][1:] in ("d", "w") and self.maybe(0.5):
                step["at"] = self.one(TIMES)
        elif self.maybe(0.5 if self.night else 0.25):
            step["at"] = self.one(TIMES[1:6] if self.night else TIMES)
            if self.maybe(0.15 if self.night else 0.3):
                step["at"] = self.one([f"{self.one(DAYS)} {step['at']}", self.one(ATS)])
            if self.maybe(0.6):
                step["after"] = self.one(["0d", "1d", "2d", "1w"])
        elif self.maybe(0.75):
            step["after"] = self.one(["0m", *SHORT, *SHORT, "1d", "2d", "1d12h", *AFTERS])
        return step

    def wait(self):
        types, fields = self.other_events(self.key)
        wait = {"on": types}
        if self.key and self.maybe(0.6):
            wait["key"] = self.other_key(self.key, fields)
        if self.maybe(0.3):
            about = [text.format(e="event") for f in fields for text in ABOUT_EVENT.get(f, [])]
            wait["if"] = self.one(about * 2 + OF_CUSTOMER + OF_COUNTS + OF_LAST + OF_SEGMENTS + OF_CANCEL)
        self.answer = fields
        return {"wait": types if isinstance(types, str) and len(wait) == 1 else wait, "within": self.one(SHORT + LONG[:2]),
                **({"else": self.one(["end", "end", "go on"])} if self.maybe(0.4) else {})}

    def payload(self):
        about = [f"${{trigger.{f}}}" for f in self.fields] + [f"${{trigger.?{f}}}" for f in self.fields[:2]]
        about += [text for f in self.answer or [] for text in (f"${{answer.{f}}}", f"${{answer.?{f}}}")]
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
        pace = [0, 0, 1] if self.busy else [0, 1, 1, 5] if self.flood else [0, 10, 60, 240, 720] if self.moving and self.maybe(0.6) else self.one(
            [[0, 0, 1, 5, 10], [0, 1, 10, 30, 60], [0, 10, 60, 240, 720], [30, 60, 600, 1440, 4320]])
        alone = self.busy or self.crowd or self.flood
        customers = ["c1", "c2", self.one(["c3", 12]), "ç4"][:1 if alone else self.one([1, 2, 3, 4])]
        count = (10, 25) if self.crowd else (300, 400) if self.flood else (100, 180) if self.busy else (10, 120)
        self.types = self.some_types()
        for n in range(self.chance.randrange(*count)):
            time += self.one(pace) * 60000 + (
                self.chance.randrange(90000) if self.maybe(0.2) and not self.round else 0)
            event = self.event(time + self.one([0] * 8 + [-1, 1]), customers)  # just before and behind each bound
            if self.maybe(0.9):
                event["id"] = f"e{n}" if self.maybe(0.95) else n
            rows.append((time, event))
            if self.maybe(0.15 if self.flood else 0.08):
                again = dict(event, **({"time": event["time"] if self.maybe(0.7) else time + 60000}))
                if self.maybe(0.1):
                    again["type"] = self.one(["see", "tap"])  # an id that two types have
                rows.append((time + self.one([0, 60000, HOUR, self.one([3, 6]) * HOUR if self.flood else 30 * HOUR]), again))
        reach = max(lateness, 60000) if self.maybe(0.7) else 0
        shuffled = sorted(rows, key=lambda row: row[0] + (self.chance.randrange(reach + 1) * self.one([0, 1, 1, 2])
                                                         if reach else 0))
        return [self.line(event) for _, event in shuffled]

    def some_types(self):
        if self.flood:
            return self.one([["see", "put", "pay", "undo", "tap", "identify"], ["see"] * 6 + ["put", "tap"]])
        return ["see"] * 5 + ["put"] * 4 + ["pay"] * 4 + ["undo", "tap", "tap", "odd", "mute", "ghost"] + [
            "identify"] * (10 if self.moving else 3)

    def line(self, event):
        if self.maybe(0.01):
            return self.one(["{", "[]", '{"type": "see"}', '{"type": "see", "customer": "c1", "time": "soon"}', ""])
        return json.dumps(event, ensure_ascii=False)

    def event(self, time, customers):
        type_ = "tap" if self.crowd and self.maybe(0.4) else self.one(self.types)
        if self.maybe(0.002 if self.flood else 0.01):
            type_ = "forget"
        event = {"type": type_, "customer": self.one(customers), "time": instant(time) if self.maybe(0.8) else time}
        if self.maybe(0.05):
            event["time"] = time / 1000 if time % 1000 else time // 1000
        makers = {**FIELDS, **(IDENTIFY if type_ == "identify" else {})}
        for field in EVENTS.get(type_, IDENTIFY if type_ == "identify" else {}):
            if self.maybe(0.92 if type_ != "identify" else 0.6 if self.moving and field in MOVING else 0.35):
                event[field] = makers[field](self, time)
        return event

    def many_tags(self):
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
    "tags": lambda g, t: g.many_tags() if g.crowd else g.one(
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
MOVING = ["tz", "day", "ends", "born"]
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
    "pause": lambda g, t: g.one(["30s", "1h", "x", "-5m"]),
    "day": lambda g, t: g.one([instant(t + g.one([-1, 0, 0, 1, 1, 2, 2, 3, 5, 8]) * 24 * HOUR)[:10]] * 8
                              + ["2026-06-31", "x", None]),
    "when": lambda g, t: g.one(["09:00", "sat,sun 09:15", "00:30", "8:00", "mon-fri 17:30", None]),
}


LETS = {"rich": "!has(customer.n) || customer.n > 1", "keen": "clicks() > 2 || pays() > 1 // counts",
        "who": "customer.id + '!'", "both": "rich && keen"}
ALL = ["sent", "set", "held", "goal", "started", "rearmed", "restarted", "collected", "overtaken", "cooling", "full",
       "skipped", "capped", "blocked", "deferred", "stale", "failed", "answered", "unanswered", "cancelled", "ended",
       "finished"]


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
