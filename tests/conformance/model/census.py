"""What the random rule sets and streams of generate.py make happen: in how many seeds, and how often. A sentence of
the rule language that no seed reaches is one that the comparison says nothing about.

The model is asked, not the rule file: a keyword counts where a rule that has it has decided something, a bound where
it was met."""
import collections

import page
import world

ROWS = [row.strip() for row in """
    outcome started; outcome rearmed; outcome restarted; outcome overtaken; outcome cooling; outcome full;
    outcome sent; outcome held; outcome skipped; outcome capped; outcome deferred; outcome stale; outcome failed;
    outcome cancelled; outcome ended; outcome finished; outcome goal;
    on an event; on several events; on enter; on leave; on yearly; on date; on identify; again ignore; again rearm;
    again restart; again, of a run that was deferred;
    if; key; key, a list; key, a list of several distinct; key, no text; while; cooldown; priority, the same twice;
    split; split, held; stale of a rule; stale of the set;
    cancel, by name; cancel, key; cancel, list of keys; cancel, if; cancel, several events; cancel, two entries;
    cancel, by an event that triggers too; cancel, by identify; overtaken, by a key; overtaken, whatever the key;
    goal, with key; goal, without key; goal, without key, of several windows; goal, if; goal, value;
    goal, value is an error; goal, of a held send; goal, several events;
    after; after, in days; after, negative; after, negative, with at; after, negative, already past; at; at, after 0;
    at, in a gap; at, a time that comes twice; step if; send and set; set alone; set, null; set, fails; set tz;
    set, of another type; with; with, deep; four steps;
    quiet, passes; quiet, blocks; quiet over midnight, passes; quiet over midnight, blocks; max per duration, passes;
    max per duration, blocks; max per day, passes; max per day, blocks; max per week, passes; max per week, blocks;
    max per month, passes; max per month, blocks; max, defer; max, drop;
    limit, send; limit, if; limit, if is an error; limit, if is false; three limits; deferred twice;
    deferred, then while ends it; held under limits;
    attribute with a source; attribute, keep first; attribute, an older write; identify; identify, null; tz unknown;
    tz not declared; tz with a source; tz of the set not given; with, no object; key, of whole numbers;
    count, over; count, for life; count, by; count, by, a list; count, sum; count, if; count, late, into its bucket;
    segment changes with time; segment changes by set; segment of segments; segment left at the bound of rounds;
    event, late; event, late trigger; event, same time; event, duplicate; event, of no declared type;
    event, of no use; event, dead letter; event, without id; event, a null; event, a bad value;
    forget; forget, with live runs; yearly, 29 February; yearly, 28 February instead; yearly, an impossible day;
    date, again for another date;
    more than 64 ids in 24 h; more than 64 ids, and one comes again; more than 256 values of by;
    more than 16 cancels remembered; more than 32 triggers; more than 256 runs; more than 256 goal windows;
    an id comes again after 24 h;
""".split(";") if row.strip()]
KNOWN = set(ROWS)


class Census:
    def __init__(self):
        self.seeds, self.times = collections.Counter(), collections.Counter()

    def take(self, watched):
        """What happened in one World."""
        self.seeds.update(watched.met.keys())
        self.times.update(watched.met)

    def missing(self):
        return [row for row in ROWS if not self.seeds[row]]

    def table(self):
        width = max(map(len, ROWS))
        return "\n".join(f"{row:{width}} {self.seeds[row]:6} {self.times[row]:8}" for row in ROWS)


class Watched(world.World):
    """A World that notes what it does."""

    def __init__(self, rules, lateness=0, wall=None):
        super().__init__(rules, lateness, wall)
        self.raw, self.met = rules.raw, collections.Counter()
        self.all_ids, self.times_seen = collections.defaultdict(dict), set()
        same = collections.Counter(rule.priority for rule in rules.rules)
        self.twins = {rule.name for rule in rules.rules if same[rule.priority] > 1}

    def note(self, row, yes=True):
        assert row in KNOWN, row
        if yes:
            self.met[row] += 1

    # ---- events

    def read(self, line, number):
        event = super().read(line, number)
        self.note("event, dead letter", event is None)
        if event is not None:
            raw = page.read_json(line)
            self.note("event, without id", "id" not in raw)
            self.note("event, a null", None in raw.values())
            known = self.rules.events.get(event["type"], {})
            self.note("event, a bad value", any(raw.get(f) is not None and f not in event for f in known))
            declared, named = event["type"] in self.rules.events, event["type"] in self.rules.named
            self.note("event, of no declared type", not declared and event["type"] != "forget")
            self.note("event, of no use", declared and not named)
        return event

    def event(self, event):
        c = self.customers.get(event["customer"])
        if event["type"] == "forget":
            self.note("forget", c)
            self.note("forget, with live runs", c and c.runs)
            self.all_ids.pop(event["customer"], None)
            return super().event(event)
        if event["type"] not in self.rules.named:
            return super().event(event)
        before = c and c.now
        known = self.all_ids[event["customer"]].get(event["id"])
        remembered = {} if c is None else dict(c.ids)
        full = c is not None and len(c.ids) == world.IDS and c.ids[0][1] >= c.now - page.DAY
        self.late = event["time"] < self.clock
        super().event(event)
        c = self.customers[event["customer"]]
        again = c.now == before and known is not None and event["id"] in remembered
        if c.ids[-1] == (event["id"], c.now) and not again:
            self.note("event, late", self.late)
            self.note("event, same time", (c.name, event["time"]) in self.times_seen)
            self.note("more than 64 ids in 24 h", full)
            self.note("more than 64 ids, and one comes again", known is not None and c.now - known <= page.DAY)
            self.note("an id comes again after 24 h", known is not None and c.now - known > page.DAY)
            self.all_ids[c.name][event["id"]] = c.now
            self.times_seen.add((c.name, event["time"]))
        else:
            self.note("event, duplicate")

    def take(self, c, event):
        if event["type"] == "identify":
            self.note("identify")
            self.note("identify, null", any(c.attributes.get(name, (None, 0))[0] is not None for name in event.nulls))
            self.note("tz unknown", "tz" in event and page.zone(event["tz"]) is None)
            self.note("tz not declared", "tz" not in self.rules.attributes)
            self.note("tz of the set not given", "tz" not in self.raw)
        super().take(c, event)

    def write(self, c, name, value, time):
        attribute = self.rules.attributes[name]
        old = c.attributes.get(name)
        self.note("attribute with a source", attribute.on)
        self.note("tz with a source", attribute.on and name == "tz")
        self.note("attribute, keep first", attribute.first and old)
        self.note("attribute, an older write", old and not attribute.first and time < old[1])
        super().write(c, name, value, time)

    def count(self, c, name, count, event):
        before = {by: list(entries) for by, entries in c.counted.get(name, {}).items()}
        super().count(c, name, count, event)
        after = c.counted.get(name, {})
        if after == before:
            self.note("count, if", count.if_)
            return
        self.note("count, over", count.over)
        self.note("count, for life", not count.over)
        self.note("count, by", count.by)
        self.note("count, by, a list", count.by and len(after) > len(before) + 1)
        self.note("count, sum", count.sum)
        self.note("count, late, into its bucket", count.over and self.late)
        self.note("more than 256 values of by", set(before) - set(after))

    # ---- segments and dates

    def segments_wait(self, c, due):
        before = dict(c.segments)
        super().segments_wait(c, due)
        self.note("segment changes with time", before != c.segments)

    def set(self, c, step):
        before, old = dict(c.segments), dict(c.attributes)
        super().set(c, step)
        self.note("segment changes by set", before != c.segments)
        self.note("set alone", step.set and step.send is None)
        self.note("send and set", step.set and step.send)
        for name, value in self.values_to_set.items():
            self.note("set, null", value is None and old.get(name, (None, 0))[0] is not None)
            self.note("set, fails", isinstance(value, world.CelError))
            self.note("set, of another type", not isinstance(value, world.CelError) and value is not None
                      and c.attributes.get(name) is old.get(name))
            self.note("set tz", name == "tz" and c.attributes.get(name) is not old.get(name))

    def settle(self, c, limit, left=()):
        super().settle(c, limit, left)
        self.note("segment left at the bound of rounds", self.changed(c, left))

    def date_wait(self, c, rule):
        state = c.dates[rule.name]
        coming, fired, value = state.coming, state.fired, state.seen[0]
        super().date_wait(c, rule)
        if "yearly" in rule.date:
            self.note("yearly, 29 February", (coming.month, coming.day) == (2, 29))
            self.note("yearly, 28 February instead", value.endswith("02-29") and coming.day == 28)
        self.note("date, again for another date", "date" in rule.date and fired is not None)
        self.note("after, negative, already past", rule.leads() and self.raw_due(c, rule, coming) < c.now)

    def raw_due(self, c, rule, value):
        return super().step_due(c, rule.steps[0], value)

    def look_at_date(self, c, rule):
        super().look_at_date(c, rule)
        value = c.dates[rule.name].seen[0]
        self.note("yearly, an impossible day", "yearly" in rule.date and value is not None and not list(
            world.anniversaries(value, page.local_day(c.now, self.zone(c)))))

    # ---- cancels and goals

    def cancel(self, c, event):
        before, count = list(c.cancels), len(self.decisions)
        super().cancel(c, event)
        oldest = c.newest - max(world.HOUR, self.lateness)
        self.note("more than 16 cancels remembered", [e for e in before if e[0] >= oldest and e not in c.cancels])
        for line in self.decisions[count:]:
            rule = next(r for r in self.rules.rules if r.name == line["rule"])
            self.note("cancel, two entries", len(rule.cancel) > 1)
            self.note("cancel, by an event that triggers too", event["type"] in rule.events)
            self.note("cancel, by identify", event["type"] == "identify")
            for matcher in (m for m in rule.cancel if event["type"] in m.on):
                self.note("cancel, by name", matcher.key is None and matcher.if_ is None)
                self.note("cancel, key", matcher.key)
                self.note("cancel, list of keys", matcher.key and len(self.keys(
                    matcher.key, self.all_variables(c, rule, event=event))) > 1)
                self.note("cancel, if", matcher.if_)
                self.note("cancel, several events", len(matcher.on) > 1)

    def overtaken(self, c, rule, key, trigger):
        found = super().overtaken(c, rule, key, trigger)
        if found:
            every = any(trigger["time"] < time and rule is of and keys is None
                        for time, cancels in c.cancels for of, keys in cancels)
            self.note("overtaken, whatever the key" if every else "overtaken, by a key")
        return found

    def reach_goals(self, c, event):
        before, count = list(c.windows), len(self.decisions)
        super().reach_goals(c, event)
        for line in self.decisions[count:]:
            rule = next(r for r in self.rules.rules if r.name == line["rule"])
            self.note("goal, with key" if rule.goal.key else "goal, without key")
            windows = sum(window.rule is rule for window in before)
            self.note("goal, without key, of several windows", not rule.goal.key and windows > 1)
            self.note("goal, if", rule.goal.if_)
            raw = self.raw["rules"][rule.name]["goal"]
            self.note("goal, value", "value" in raw)
            self.note("goal, value is an error", "value" in raw and line["value"] == 0 and isinstance(
                self.attempt(rule.goal.value, self.all_variables(c, rule, event=event)), world.CelError))
            self.note("goal, of a held send", line.get("variant") == "holdout")
            self.note("goal, several events", len(rule.goal.on) > 1)

    # ---- triggers and steps

    def trigger(self, c, rule, event, limit):
        count = len(self.decisions)
        super().trigger(c, rule, event, limit)
        if len(self.decisions) > count:
            self.note("on several events" if len(rule.events) > 1 else f"on {next(iter(rule.date), 'an event')}"
                      if rule.segment is None else f"on {rule.segment[0]}")
            self.note("on identify", event["type"] == "identify")
            self.note("event, late trigger", "id" in event and self.late)

    def trigger_again(self, c, run, event, limit):
        deferred = run.deferred
        self.note("again ignore", run.rule.again == "ignore")
        self.note("more than 32 triggers", run.rule.again != "ignore" and len(run.triggers) == world.TRIGGERS)
        count = len(self.decisions)
        super().trigger_again(c, run, event, limit)
        if len(self.decisions) > count:
            self.note(f"again {run.rule.again}")
            self.note("again, of a run that was deferred", deferred)

    def step_due(self, c, step, base, not_before=False):
        due = super().step_due(c, step, base, not_before)
        if step.at is not None:
            then = page.datetime.datetime.fromtimestamp(due // 1000, self.zone(c))
            self.note("at, in a gap", then.hour * 60 + then.minute != step.at)
            self.note("at, a time that comes twice", then.replace(fold=1).utcoffset() != then.utcoffset())
            self.note("at, after 0", not step.after)
            self.note("after, negative, with at", step.after < 0)
        return due

    def perform(self, c, run):
        deferred, count = run.deferred, len(self.decisions)
        step = run.rule.steps[run.step - 1]
        super().perform(c, run)
        outcome = self.decisions[count]["outcome"] if len(self.decisions) > count else None
        self.note("deferred twice", deferred and outcome == "deferred")
        self.note("deferred, then while ends it", deferred and outcome == "ended")
        if outcome in ("sent", "held"):
            self.note("with", step.with_)
            self.note("with, no object", step.with_ and step.with_[0] != "dict")
            self.note("with, deep", step.with_ and step.with_[0] == "dict" and "deep" in step.with_[1])
            self.note("four steps", run.step > 4)
            self.note("held under limits", outcome == "held" and self.rules.limits)
            self.note("at", step.at is not None)
            self.note("after", step.after > 0)
            self.note("after, in days", step.after and step.at is not None)
            self.note("after, negative", step.after < 0)
            self.note("step if", step.if_)

    def concerns(self, limit, step, variables):
        found = super().concerns(limit, step, variables)
        if limit.if_ and (limit.send is None or limit.send == step.send):
            value = self.attempt(limit.if_, variables)
            self.note("limit, if is an error", isinstance(value, world.CelError))
            self.note("limit, if is false", value is False)
        return found

    def limited(self, c, place, limit):
        outcome, more = super().limited(c, place, limit)
        if limit.quiet:
            kind = "quiet over midnight" if limit.quiet[0] > limit.quiet[1] else "quiet"
        else:
            kind = f"max per {limit.period if limit.period in ('day', 'week', 'month') else 'duration'}"
        self.note(f"{kind}, {'blocks' if outcome else 'passes'}")
        if outcome:
            self.note("max, defer" if limit.defer else "max, drop", limit.max)
            self.note("limit, send", limit.send)
            self.note("limit, if", limit.if_)
            self.note("three limits", len(self.rules.limits) > 2)
        return outcome, more

    def sent(self, c, run, step, variables, outcome):
        full = len(c.windows) == world.WINDOWS
        super().sent(c, run, step, variables, outcome)
        self.note("more than 256 goal windows", full and run.rule.goal)

    def compute_segments(self, c):
        super().compute_segments(c)
        self.note("segment of segments", any("segments." in text and c.segments[name]
                                             for name, text in self.raw["segments"].items()))

    def decide(self, c, of, outcome, **more):
        super().decide(c, of, outcome, **more)
        self.note(f"outcome {outcome}")
        self.note("more than 256 runs", outcome == "full")
        raw = self.raw["rules"][of.rule.name]
        self.note("if", "if" in raw)
        self.note("key", of.key)
        self.note("key, a list", any(part in raw.get("key", "") for part in ("map(", "tags", "[")))
        self.note("key, of whole numbers", "grid" in raw.get("key", ""))
        self.note("key, no text", raw.get("key") in ("event.n", "event.ok", "event.u", "7"))
        self.note("while", outcome == "ended")
        self.note("cooldown", outcome == "cooling")
        self.note("priority, the same twice", of.rule.name in self.twins)
        self.note("split", raw.get("split"))
        self.note("split, held", outcome == "held")
        self.note("stale of a rule", outcome == "stale" and "stale" in raw)
        self.note("stale of the set", outcome == "stale" and "stale" not in raw and "stale" in self.raw)
        if outcome == "started":
            self.note("key, a list of several distinct", len([
                line for line in self.decisions[-3:] if (line["rule"], line["outcome"], line["time"]) == (
                    of.rule.name, "started", self.decisions[-1]["time"])]) > 1)
