"""What the random rule sets and streams of generate.py make happen: in how many seeds, and how often. A sentence of
the rule language that no seed reaches is one that the comparison says nothing about.

The model is asked, not the rule file: a keyword counts where a rule that has it has decided something, a bound where
it was met."""
import collections

import dates
import page
import state
import world

ROWS = [row.strip() for row in """
    outcome started; outcome rearmed; outcome restarted; outcome collected; outcome overtaken; outcome cooling; outcome full;
    outcome sent; outcome held; outcome skipped; outcome capped; outcome blocked; outcome deferred; outcome stale;
    outcome failed; outcome answered; outcome unanswered; outcome cancelled; outcome ended; outcome finished; outcome goal;
    outcome set;
    on an event; on several events; on enter; on leave; on a list of segments; on a list, several at once; on yearly;
    on date; on identify; again ignore; again rearm; again restart; again collect; again, of a run that was deferred;
    a late trigger is ignored; a late trigger joins; a late trigger joins after those of its time; a late trigger is let go;
    a late trigger of a live run is overtaken;
    if; key; key, a list; key, a list of several distinct; key, no text; while; priority, the same twice; let of the set;
    let of a rule; rule.tags; tables; salt; files, several;
    cooldown; cooldown, per key; cooldown, for ever; cooldown, object per customer; cooldown, before the first send;
    more than 256 keys in cooldown;
    split; split, held; stale of a rule; stale of the set;
    cancel, by name; cancel, key; cancel, list of keys; cancel, if; cancel, several events; cancel, two entries;
    cancel, by an event that triggers too; cancel, by identify; overtaken, by a key; overtaken, whatever the key;
    overtaken, by if; overtaken, by what is forgotten; overtaken, a date;
    goal, with key; goal, without key; goal, without key, of several windows; goal, if; goal, value;
    goal, value is an error; goal, of a held send; goal, several events; credit last, one of several;
    credit last, without key, of several windows;
    after; after, in days; after, as CEL; after, as CEL, fails; at; at, after 0; at, on days; at, as CEL; at, as CEL, fails;
    at, in a gap; at, a time that comes twice; step if; send and set; set alone; set, null; set, fails; set tz; set, left out;
    set, of another type; with; with, deep; four steps; with, an empty optional;
    before; before, with at; before, skipped at once; date, as a text; date, due before it; date, known late;
    follows a date; follows a zone; follows what is set; follows, and is passed over; follows, deferred;
    follows no more, deferred; follows, has not moved; follows, is cancelled; a run that performs does not follow;
    wait, by name; wait, key; wait, if; wait, several events; wait, two of them; wait, answered with its last instant;
    wait, ends; wait, goes on; wait, rearmed; wait, over at once; answer read; run.sent read; run.outcome read;
    run.answered read; run.action read;
    quiet, passes; quiet, blocks; quiet over midnight, passes; quiet over midnight, blocks; quiet of days, passes;
    quiet of days, blocks; quiet on holidays, passes; quiet on holidays, blocks; quiet, begun on an earlier day;
    max per duration, passes;
    max per duration, blocks; max per day, passes; max per day, blocks; max per week, passes; max per week, blocks;
    max per month, passes; max per month, blocks; max, defer; max, drop; never, blocks; hold, holds; hold, of two the first;
    hold, if is an error; held, and blocked; held by a group and holdout; limit, name;
    limit, send; limit, if; limit, if is an error; limit, if is false; three limits; deferred twice;
    deferred, then while ends it; held under limits; deferred to one instant, the longest waiting first;
    attribute with a source; attribute, keep first; attribute, an older write; identify; identify, null; tz unknown;
    tz not declared; tz with a source; tz of the set not given; with, no object; key, of whole numbers;
    count, over; count, for life; count, by; count, by, a list; count, by, values that have left the window; count, sum;
    count, if; count, late, into its bucket;
    count, keep last; count, keep min; count, keep max; count, keep, over; count, keep, no number;
    segment changes with time; segment changes by set; segment of segments; segment left at the bound of rounds;
    event, late; event, late trigger; event, same time; event, duplicate; event, of no declared type;
    event, of no use; event, dead letter; event, without id; event, a null; event, a bad value; event, time in seconds;
    event, an id of another type; forget; forget, with live runs;
    yearly, 29 February; yearly, 28 February instead; yearly, an impossible day; date, again for another date;
    more than 64 ids of a type in 24 h; more than 64 ids, and one comes again; more than 256 ids; more than 256 values of by;
    more than 32 cancels remembered; more than 32 triggers; more than 256 runs; more than 256 goal windows;
    an id comes again after 24 h; ids of more than 24 h ago go;
    visitor, alone; visitor, is none; visitor, and a customer null; visitor, known as a customer; customer.known; visitors;
    parked; parked, and triggered again; parked, and cancelled; parked, and follows a date; performed for a visitor;
    link; link, by a type that nothing looks at; link, of nothing; link, of nothing but now; link, of what is forgotten by age;
    link, from another customer; link, of a customer again; link, of a ninth customer; link, of one that is shared;
    link, of the 17th visitor; link, over by age; link, none by a duplicate; a duplicate that the visitor brought;
    forget, a visitor; forget, a visitor who is known; forget, a customer with visitors; a visitor is forgotten by age;
    merge, attribute of the visitor; merge, attribute of the customer; merge, attribute keep first; merge, attribute same time;
    merge, last of the visitor; merge, last of the customer; merge, last same time; merge, count of one bucket;
    merge, count for life; merge, count sum; merge, count keep last; merge, count keep min; merge, count keep max;
    merge, count of one value of by; merge, more than 256 values of by;
    merge, run moves; merge, run is armed; merge, run is performed at once; merge, wait begins anew;
    merge, wait of the customer goes on; merge, run before a date; merge, full;
    merge, ignore the visitor's; merge, ignore the customer's; merge, rearm to the visitor's; merge, rearm to the customer's;
    merge, restart to the visitor's; merge, restart to the customer's; merge, collect into the visitor's;
    merge, collect into the customer's; merge, triggers same time; merge, more than 32 triggers; merge, both of a date;
    merge, cancelled; merge, overtaken; merge, cancelled by time alone; merge, overtaken by time alone;
    merge, more than 32 cancels remembered; merge, cooldown; merge, cooldown per key; merge, more than 256 keys in cooldown;
    merge, sends under a limit; merge, windows; merge, window of one key; merge, more than 256 goal windows; merge, ids;
    merge, more than 64 ids of a type; merge, segments entered or left; merge, told of the visitor; merge, date of the visitor;
    merge, date fired of the visitor; merge, now of the visitor; merge, run of another variant;
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

    def __init__(self, rules, *options):
        super().__init__(rules, *options)
        self.raw, self.met = rules.raw, collections.Counter()
        self.all_ids, self.times_seen = collections.defaultdict(dict), set()
        same = collections.Counter(rule.priority for rule in rules.rules)
        self.twins = {rule.name for rule in rules.rules if same[rule.priority] > 1}
        self.texts = {name: str(rule) for name, rule in self.raw["rules"].items()}
        self.late = self.setting = self.merging = False
        self.linked_by = None

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
            self.note("visitor, is none", "visitor" in raw and event.visitor is None)
            self.note("visitor, and a customer null", raw.get("customer", "") is None)
            self.note("event, time in seconds", isinstance(raw["time"], page.Number) and float(raw["time"]) < 1e11)
        return event

    def forget(self, event):
        name, known = (event["customer"], True) if event["customer"] is not None else (event.visitor, False)
        c = self.customers.get(state.Customer(name, known).who)
        self.note("forget", c)
        self.note("forget, with live runs", c and c.runs)
        self.note("forget, a visitor", not known)
        self.note("forget, a visitor who is known", not known and self.customer_of(name))
        self.note("forget, a customer with visitors", c and c.visitors)
        self.all_ids.pop(c and c.who, None)
        super().forget(event)

    def deal_with(self, c, event):
        self.late, name = event["time"] < self.clock, (event["type"], event["id"])
        before = {(type_, id_, then) for type_, id_, then in c.ids}
        count = len(self.decisions), c.newest
        super().deal_with(c, event)
        self.note_id(c, name, before, (*name, c.now) in c.ids and ((*name, c.now) not in before or count != (
            len(self.decisions), c.newest)))

    def note_id(self, c, name, before, new):
        known = self.all_ids[c.who]
        if not new:
            self.note("event, duplicate")
            return
        self.note("event, late", self.late)
        self.note("event, same time", (c.who, c.now) in self.times_seen)
        gone = before - set(c.ids)
        fresh = {entry for entry in gone if entry[2] >= c.now - page.DAY}
        self.note("more than 64 ids of a type in 24 h", fresh)
        self.note("ids of more than 24 h ago go", gone - fresh)
        self.note("more than 256 ids", len(before) == world.IDS)
        self.note("event, an id of another type", any(id_ == name[1] and type_ != name[0] for type_, id_ in known))
        then = known.get(name)
        self.note("more than 64 ids, and one comes again", then is not None and c.now - then <= page.DAY)
        self.note("an id comes again after 24 h", then is not None and c.now - then > page.DAY)
        known[name] = c.now
        self.times_seen.add((c.who, c.now))

    # ---- visitors

    def whose(self, event):
        visitor, alone = event.visitor, event["customer"] is None
        link = self.links.get(visitor)
        c = super().whose(event)
        self.note("visitor, alone", alone)
        self.note("visitor, known as a customer", alone and c.known)
        self.note("link, over by age", link and link.customer and self.customer_of(visitor) is None)
        return c

    def forget_visitor(self, v):
        self.note("a visitor is forgotten by age", self.is_forgotten(v))
        super().forget_visitor(v)

    def is_duplicate(self, c, event):
        found = super().is_duplicate(c, event)
        self.note("a duplicate that the visitor brought", found and self.linked_by is event)
        self.note("link, none by a duplicate", found and event.visitor and c.known and self.linked_by is not event
                  and self.customer_of(event.visitor) != c.name)
        return found

    def link(self, c, visitor, event):
        v, link = self.somebody(visitor, known=False), self.links.get(visitor)
        named, forgotten, count = event["type"] in self.rules.named, self.is_forgotten(v), len(c.visitors)
        before, shared, ever = (link.customer, link.shared, list(link.ever)) if link else (None, False, [])
        self.linked_by = event
        super().link(c, visitor, event)
        link = self.links[visitor]
        self.note("link, of what is forgotten by age", forgotten)
        self.note("link, of one that is shared", shared)
        self.note("link, of a ninth customer", link.shared and not shared)
        if not link.shared:
            self.note("link")
            self.note("link, by a type that nothing looks at", not named)
            self.note("link, of nothing", v.newest is None)
            self.note("link, of nothing but now", v.newest is not None and v.now is None)
            self.note("link, from another customer", before and before != c.name)
            self.note("link, of a customer again", c.name in ever)
            self.note("link, of the 17th visitor", count == len(c.visitors))

    def merge(self, c, v, event):
        self.note("merge, now of the visitor", v.now > self.now_of(c, event))
        waiting = {run: run.due for run in c.runs if run.present.wait}
        self.merging = True
        self.note_parts(c, v)
        super().merge(c, v, event)
        self.merging = False
        self.note("merge, wait of the customer goes on", any(run.due == due and run.live for run, due in waiting.items()))

    def note_parts(self, c, v):
        self.note("merge, cooldown", set(c.last_send) & set(v.last_send))
        self.note("merge, cooldown per key", set(c.key_sends) & set(v.key_sends))
        self.note("merge, more than 256 keys in cooldown", len(set(c.key_sends) | set(v.key_sends)) > world.COOLDOWNS)
        self.note("merge, sends under a limit", set(c.sends) & set(v.sends))
        windows = [{(window.rule, window.key) for window in of.windows} for of in (c, v)]
        self.note("merge, windows", all(windows))
        self.note("merge, window of one key", windows[0] & windows[1])
        self.note("merge, more than 256 goal windows", len(windows[0] | windows[1]) > world.WINDOWS)
        self.note("merge, ids", c.ids and v.ids)
        types = collections.Counter(type_ for type_, *_ in c.ids + v.ids)
        self.note("merge, more than 64 ids of a type", any(n > world.IDS_OF_A_TYPE for n in types.values()))
        self.note("merge, told of the visitor", set(v.told) - set(c.told))
        self.note("merge, more than 32 cancels remembered", c.cancels and v.cancels and len(
            c.cancels + v.cancels) > world.CANCELS)

    def merge_attributes(self, c, v):
        for name in set(c.attributes) & set(v.attributes):
            ours, theirs = c.attributes[name][1], v.attributes[name][1]
            self.note("merge, attribute same time", ours == theirs)
            first = self.rules.attributes[name].first
            self.note("merge, attribute keep first", first)
            self.note("merge, attribute of the visitor" if theirs > ours else "merge, attribute of the customer", not first)
        for type_ in set(c.last) & set(v.last):
            ours, theirs = c.last[type_]["time"], v.last[type_]["time"]
            self.note("merge, last same time", ours == theirs)
            self.note("merge, last of the visitor" if theirs > ours else "merge, last of the customer")
        super().merge_attributes(c, v)

    def merge_counts(self, c, v):
        for name, count in self.rules.counts.items():
            ours, theirs = c.counted.get(name, {}), v.counted.get(name, {})
            self.note("merge, more than 256 values of by", len(ours.keys() | theirs.keys()) > world.VALUES)
            for value in ours.keys() & theirs.keys():
                self.note("merge, count for life", not count.over)
                self.note("merge, count sum", count.sum and not count.keep)
                if count.keep:
                    self.note(f"merge, count keep {count.keep}")
                self.note("merge, count of one value of by", count.by)
                self.note("merge, count of one bucket", count.over and {b for b, *_ in ours[value]} & {
                    b for b, *_ in theirs[value]})
        super().merge_counts(c, v)

    def merge_dates(self, c, v):
        before, fired = {name: date.seen for name, date in c.dates.items()}, {
            name: date.fired for name, date in c.dates.items()}
        super().merge_dates(c, v)
        for name, date in c.dates.items():
            self.note("merge, date of the visitor", name in v.dates and date.seen != before.get(name))
            self.note("merge, date fired of the visitor", date.fired is not None and name in v.dates and
                      date.fired == v.dates[name].fired != fired.get(name))

    def merge_runs(self, c, v):
        count = len(self.decisions)
        came = super().merge_runs(c, v)
        self.note("merge, full", any(line["outcome"] == "full" for line in self.decisions[count:]))
        for run in came:
            self.note("merge, run moves")
            self.note("merge, run is armed", run.parked)
            self.note("merge, wait begins anew", run.present.wait and not run.parked)
            self.note("merge, run before a date", run.present.before is not None)
            self.note("merge, run of another variant", run.variant != self.variant(run.rule, c))
        return came

    def is_ended_by(self, c, other, run):
        found, cut = super().is_ended_by(c, other, run), other.forgotten
        other.forgotten = {}
        alone = found and not super().is_ended_by(c, other, run)
        other.forgotten = cut
        word = "overtaken" if other is c else "cancelled"
        self.note(f"merge, {word} by time alone" if alone else f"merge, {word}", found)
        return found

    def joins(self, c, theirs):
        ours = next((run for run in c.runs if (run.rule, run.key) == (theirs.rule, theirs.key)), None)
        times = ours and [{trigger.at for trigger in run.triggers} for run in (ours, theirs)]
        count = ours and len(ours.triggers + theirs.triggers)
        takes, again = super().joins(c, theirs), theirs.rule.again
        if ours:
            whose = "the visitor's" if takes else "the customer's"
            self.note(f"merge, {again}{dict(ignore='', collect=' into').get(again, ' to')} {whose}")
            self.note("merge, triggers same time", again != "ignore" and times[0] & times[1])
            self.note("merge, more than 32 triggers", again != "ignore" and count > world.TRIGGERS)
            self.note("merge, both of a date", again != "ignore" and theirs.rule.date)
        return takes

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
            self.note("count, keep, no number", name == "odd_one" and event.get("total") == 5.0)
            return
        self.note("count, over", count.over)
        self.note("count, for life", not count.over)
        self.note("count, by", count.by)
        self.note("count, by, a list", count.by and len(after) > len(before) + 1)
        self.note("count, sum", count.sum)
        self.note("count, late, into its bucket", count.over and self.late)
        gone = set(before) - set(after)
        self.note("more than 256 values of by", gone and len(after) == state.VALUES)
        self.note("count, by, values that have left the window", gone and len(after) < state.VALUES)

    def counted(self, c, name, value=""):
        found = super().counted(c, name, value)
        count = self.rules.counts[name]
        if count.keep and found:
            self.note(f"count, keep {count.keep}")
            self.note("count, keep, over", count.over)
        return found

    # ---- segments and dates

    def segments_wait(self, c, due):
        before = dict(c.segments)
        super().segments_wait(c, due)
        self.note("segment changes with time", before != c.segments)

    def set(self, c, run, step):
        before, old = dict(c.segments), dict(c.attributes)
        self.setting = True
        super().set(c, run, step)
        self.setting = False
        self.note("segment changes by set", before != c.segments)
        self.note("set alone", step.set and step.send is None)
        self.note("send and set", step.set and step.send)
        for name, value in self.values_to_set.items():
            fails = isinstance(value, world.CelError)
            self.note("set, null", value is None and old.get(name, (None, 0))[0] is not None)
            self.note("set, fails", fails)
            self.note("set, left out", value is page.LEFT_OUT)
            self.note("set, of another type", not fails and value not in (None, page.LEFT_OUT)
                      and c.attributes.get(name) is old.get(name))
            self.note("set tz", name == "tz" and c.attributes.get(name) is not old.get(name))

    def settle(self, c, limit, left=()):
        super().settle(c, limit, left)
        self.note("segment left at the bound of rounds", self.changed(c, left))

    def date_wait(self, c, rule):
        known = c.dates[rule.name]
        due, wanted, coming, fired, value = known.due, known.wanted, known.coming, known.fired, known.seen[0]
        super().date_wait(c, rule)
        if rule.date_kind == "yearly":
            self.note("yearly, 29 February", (coming.day.month, coming.day.day) == (2, 29))
            self.note("yearly, 28 February instead", value.endswith("02-29") and coming.day.day == 28)
        else:
            self.note("date, again for another date", fired is not None)
            self.note("date, as a text", isinstance(value, str))
        self.note("date, due before it", due < coming.instant)
        self.note("date, known late", wanted < due)

    def look_at_date(self, c, rule):
        super().look_at_date(c, rule)
        value = c.dates[rule.name].seen[0]
        self.note("yearly, an impossible day", rule.date_kind == "yearly" and value is not None and not list(
            dates.anniversaries(value, page.local_day(c.now, self.zone(c)))))

    def follow(self, c, rule, known, anew):
        live, present = list(c.runs), [run for run in c.runs if run.rule is rule and run.present.before is not None]
        self.note("a run that performs does not follow", anew and any(run.performs for run in present))
        self.note("follows what is set", self.setting and any(not run.performs for run in present))
        self.following = "follows a date" if anew else "follows a zone"
        super().follow(c, rule, known, anew)
        self.note("follows, is cancelled", len(c.runs) < len(live))

    def move(self, c, run, date):
        due, deferred = run.due, run.deferred
        super().move(c, run, date)
        self.note("parked, and follows a date", run.parked)
        self.note(self.following, run.due != due)
        self.note("follows, has not moved", run.due == due and not deferred)
        self.note("follows, and is passed over", run.past)
        self.note("follows, deferred", deferred and not run.deferred)
        self.note("follows no more, deferred", deferred and run.deferred)

    # ---- cancels and goals

    def cancel(self, c, event):
        count, parked = len(self.decisions), [run for run in c.runs if run.parked]
        super().cancel(c, event)
        self.note("parked, and cancelled", any(not run.live for run in parked))
        for line in self.decisions[count:]:
            rule = next(r for r in self.rules.rules if r.name == line["rule"])
            self.note("cancel, two entries", len(rule.cancel) > 1)
            self.note("cancel, by an event that triggers too", event["type"] in rule.events)
            self.note("cancel, by identify", event["type"] == "identify")
            for matcher, keys in self.matching(c, rule, rule.cancel, event):
                self.note("cancel, by name", matcher.key is None and matcher.if_ is None)
                self.note("cancel, key", matcher.key)
                self.note("cancel, list of keys", matcher.key and len(keys) > 1)
                self.note("cancel, if", matcher.if_)
                self.note("cancel, several events", len(matcher.on) > 1)

    def forget_cancels(self, c):
        oldest = c.newest - max(world.HOUR, self.lateness)
        self.note("more than 32 cancels remembered", sum(e["time"] >= oldest for e in c.cancels) > world.CANCELS)
        super().forget_cancels(c)

    def overtaken(self, c, rule, key, trigger):
        found = super().overtaken(c, rule, key, trigger)
        if found:
            run = state.Run(rule, key, trigger, "")
            newer = [m for e in c.cancels if trigger.at < e["time"] for m, keys in self.matching(c, rule, rule.cancel, e)
                     if self.matches(c, run, [(m, keys)], e)]
            self.note("overtaken, by what is forgotten", not newer)
            self.note("overtaken, whatever the key", any(m.key is None for m in newer))
            self.note("overtaken, by a key", newer and all(m.key for m in newer))
            self.note("overtaken, by if", newer and all(m.if_ for m in newer))
            self.note("overtaken, a date", rule.date)
        return found

    def reach_goals(self, c, event):
        before, count = list(c.windows), len(self.decisions)
        super().reach_goals(c, event)
        for line in self.decisions[count:]:
            rule = next(r for r in self.rules.rules if r.name == line["rule"])
            self.note("goal, with key" if rule.goal.key else "goal, without key")
            windows = sum(window.rule is rule for window in before)
            self.note("goal, without key, of several windows", not rule.goal.key and windows > 1)
            self.note("credit last, without key, of several windows",
                      self.rules.credit_last and not rule.goal.key and windows > 1)
            self.note("credit last, one of several", self.rules.credit_last and any(
                w.rule is not rule and event["type"] in w.rule.goal.on for w in c.windows))
            self.note("goal, if", rule.goal.if_)
            raw = self.raw["rules"][rule.name]["goal"]
            self.note("goal, value", "value" in raw)
            window = next(w for w in before if w.rule is rule and w.key == line.get("key", ""))
            self.note("goal, value is an error", "value" in raw and line["value"] == 0 and isinstance(
                self.attempt(rule.goal.value, self.window_variables(c, window, event)), world.CelError))
            self.note("goal, of a held send", line.get("variant") == "holdout")
            self.note("goal, several events", len(rule.goal.on) > 1)

    def answer_waits(self, c, event, limit):
        waiting = [(run, run.present, run.step, run.due) for run in c.runs if run.present.wait]
        super().answer_waits(c, event, limit)
        for run, step, place, due in waiting:
            if run.answer is event or (run.answered and run.step == place + 1):
                self.note("wait, key", step.wait.key)
                self.note("wait, if", step.wait.if_)
                self.note("wait, by name", step.wait.key is None and step.wait.if_ is None)
                self.note("wait, several events", len(step.wait.on) > 1)
                self.note("wait, answered with its last instant", event["time"] == due)

    # ---- triggers and steps

    def tell(self, c, limit, changes):
        count = len(self.decisions)
        super().tell(c, limit, changes)
        self.note("merge, segments entered or left", self.merging and len(self.decisions) > count)
        lists = {rule.name for rule in self.rules.rules if len(rule.segments) > 1}
        met = collections.Counter(line["rule"] for line in self.decisions[count:] if line["rule"] in lists
                                  and line["outcome"] in ("started", "rearmed", "restarted", "collected"))
        self.note("on a list of segments", met)
        self.note("on a list, several at once", any(times > 1 for times in met.values()))

    def trigger(self, c, rule, event, limit):
        count = len(self.decisions)
        super().trigger(c, rule, event, limit)
        if len(self.decisions) > count:
            self.note("on several events" if len(rule.events) > 1 else f"on {rule.date_kind or 'an event'}"
                      if not rule.segments else f"on {event['type'].split()[0]}")
            self.note("on identify", event["type"] == "identify")
            self.note("event, late trigger", "id" in event and self.late)

    def trigger_late(self, c, run, event):
        before, count = list(run.triggers), len(self.decisions)
        super().trigger_late(c, run, event)
        said = [line["outcome"] for line in self.decisions[count:]]
        self.note("a late trigger is ignored", run.rule.again == "ignore")
        self.note("a late trigger joins", "collected" in said)
        self.note("a late trigger joins after those of its time", "collected" in said and any(
            other.at == event.at for other in before))
        self.note("a late trigger of a live run is overtaken", "overtaken" in said)
        self.note("a late trigger is let go", not said and run.rule.again != "ignore")

    def trigger_again(self, c, run, event, limit):
        deferred, waits = run.deferred, run.present.wait
        self.note("again ignore", run.rule.again == "ignore")
        self.note("more than 32 triggers", run.rule.again != "ignore" and len(run.triggers) == world.TRIGGERS)
        count = len(self.decisions)
        super().trigger_again(c, run, event, limit)
        if len(self.decisions) > count:
            self.note(f"again {run.rule.again}")
            self.note("parked, and triggered again", run.parked)
            self.note("again, of a run that was deferred", deferred)
            self.note("wait, rearmed", waits and run.rule.again == "rearm")

    def wait(self, c, run, base):
        step, place = run.present, run.step
        super().wait(c, run, base)
        self.note("parked", run.parked)
        self.note("before, skipped at once", step.before is not None and run.step > place)

    def attempt_due(self, c, run, step, base):
        due = super().attempt_due(c, run, step, base)
        self.note("after, as CEL" if due is not None else "after, as CEL, fails", step.after_cel)
        self.note("at, as CEL" if due is not None else "at, as CEL, fails", step.at_cel)
        return due

    def due_at(self, c, base, after, days, minutes, not_before):
        due = super().due_at(c, base, after, days, minutes, not_before)
        then = page.datetime.datetime.fromtimestamp(due // 1000, self.zone(c))
        self.note("at, in a gap", then.hour * 60 + then.minute != minutes)
        self.note("at, a time that comes twice", then.replace(fold=1).utcoffset() != then.utcoffset())
        self.note("at, after 0", not after)
        self.note("at, on days", days)
        return due

    def go_on(self, c, run, limit):
        self.note("wait, over at once", run.live and run.present.wait and run.due <= limit and "id" in run.trigger
                  and run.due < c.now)
        super().go_on(c, run, limit)

    def unanswered(self, c, run):
        self.note("wait, ends" if run.present.ends_unanswered else "wait, goes on")
        self.note("wait, two of them", sum(step.wait is not None for step in run.rule.steps) > 1)
        super().unanswered(c, run)

    def perform(self, c, run):
        deferred, count, due = run.deferred, len(self.decisions), run.due
        step, waiting = run.present, [other for other in c.runs if other is not run and other.due == run.due]
        self.note("deferred to one instant, the longest waiting first", deferred and any(
            other.deferred and other.rule.priority == run.rule.priority and other.waited != run.waited for other in waiting))
        super().perform(c, run)
        self.note("performed for a visitor", not c.known)
        self.note("merge, run is performed at once", self.merging)
        outcome = self.decisions[count]["outcome"] if len(self.decisions) > count else None
        self.note("deferred twice", deferred and outcome == "deferred")
        self.note("deferred, then while ends it", deferred and outcome == "ended")
        if outcome in ("sent", "held"):
            self.note_sent(run, step, self.decisions[count], due)

    def note_sent(self, run, step, line, due):
        with_ = str(self.raw["rules"][run.rule.name]["do"][line["step"] - 1].get("with", ""))
        self.note("with", step.with_)
        self.note("with, no object", step.with_ and step.with_[0] != "dict")
        self.note("with, deep", step.with_ and step.with_[0] == "dict" and "deep" in step.with_[1])
        self.note("with, an empty optional", step.with_ and step.with_[0] == "dict" and len(
            step.with_[1]) > len(line["with"]))
        self.note("four steps", line["step"] == 4)
        self.note("held under limits", line["outcome"] == "held" and self.rules.limits)
        self.note("held by a group and holdout", "group" in line and line.get("variant") == "holdout")
        self.note("at", step.at is not None)
        self.note("after", step.after)
        self.note("after, in days", step.after and step.at is not None)
        self.note("before", step.before is not None)
        self.note("before, with at", step.before is not None and step.at)
        self.note("step if", step.if_)
        self.note("answer read", "answer." in with_ and "run.answered" in with_ and run.answered)
        for word in ("sent", "outcome", "answered", "action"):
            self.note(f"run.{word} read", f"run.{word}" in with_)

    def concerns(self, limit, step, variables):
        found = super().concerns(limit, step, variables)
        if limit.if_ and (limit.send is None or limit.send == step.send):
            value = self.attempt(limit.if_, variables)
            self.note("hold, if is an error" if limit.kind == "hold" else "limit, if is an error",
                      isinstance(value, world.CelError))
            self.note("limit, if is false", value is False)
            if limit.kind == "hold" and found:
                self.note("hold, holds")
                self.note("hold, of two the first", self.held_by)
                self.held_by = True
        return found

    def step_outcome(self, c, run, step, variables):
        self.held_by = False
        return super().step_outcome(c, run, step, variables)

    def limited(self, c, place, limit):
        outcome, more = super().limited(c, place, limit)
        if limit.quiet:
            quiet = limit.quiet
            kind = "quiet on holidays" if quiet.holidays is not None else "quiet of days" if quiet.days else \
                "quiet over midnight" if quiet.start > quiet.end else "quiet"
            self.note("quiet, begun on an earlier day", outcome and page.local_day(
                more["at"], self.zone(c)) != page.local_day(c.now, self.zone(c)) and quiet.days and quiet.start)
        else:
            kind = f"max per {limit.period if limit.period in ('day', 'week', 'month') else 'duration'}"
        if limit.kind == "never":
            self.note("never, blocks")
        else:
            self.note(f"{kind}, {'blocks' if outcome else 'passes'}")
        if outcome:
            self.note("held, and blocked", self.held_by)
            self.note("limit, name", "why" in more and limit.why != limit.text)
            self.note("max, defer" if limit.defer else "max, drop", limit.max)
            self.note("limit, send", limit.send)
            self.note("limit, if", limit.if_)
            self.note("three limits", len(self.rules.limits) > 2)
        return outcome, more

    def sent(self, c, run, step, variables, outcome):
        full = len(c.windows) == world.WINDOWS
        keys = len(c.key_sends)
        super().sent(c, run, step, variables, outcome)
        self.note("more than 256 goal windows", full and run.rule.goal)
        self.note("more than 256 keys in cooldown", keys == len(c.key_sends) == world.COOLDOWNS)

    def compute_segments(self, c):
        super().compute_segments(c)
        self.note("segment of segments", any("segments." in text and c.segments[name]
                                             for name, text in self.raw["segments"].items()))

    def decide(self, c, of, outcome, **more):
        super().decide(c, of, outcome, **more)
        self.note(f"outcome {outcome}")
        self.note("more than 256 runs", outcome == "full")
        raw, text = self.raw["rules"][of.rule.name], self.texts[of.rule.name]
        self.note("if", "if" in raw)
        self.note("key", of.key)
        self.note("key, a list", any(part in raw.get("key", "") for part in ("map(", "tags", "[")))
        self.note("key, of whole numbers", "grid" in raw.get("key", ""))
        self.note("key, no text", raw.get("key") in ("event.n", "event.ok", "event.u", "7"))
        self.note("while", outcome == "ended")
        self.note("let of a rule", "let" in raw)
        self.note("let of the set", any(f" {name} " in text or f"'{name}'" in text for name in self.raw.get("let", {})))
        self.note("customer.known", "customer.known" in text)
        self.note("visitors", raw.get("visitors") and not c.known)
        self.note("rule.tags", "rule.tags" in text and raw.get("tags"))
        self.note("tables", "tables." in text)
        self.note("salt", raw.get("split") and "salt" in raw)
        self.note("priority, the same twice", of.rule.name in self.twins)
        self.note("split", raw.get("split"))
        self.note("split, held", outcome == "held")
        self.note("stale of a rule", outcome == "stale" and "stale" in raw)
        self.note("stale of the set", outcome == "stale" and "stale" not in raw and "stale" in self.raw)
        self.note("files, several", self.rules.files > 1)
        if outcome == "cooling":
            cooldown = raw["cooldown"]
            self.note("cooldown, before the first send" if "step" in more else "cooldown")
            self.note("cooldown, per key", of.rule.cooldown.per_key)
            self.note("cooldown, for ever", isinstance(cooldown, dict) and cooldown["for"] == "ever")
            self.note("cooldown, object per customer", isinstance(cooldown, dict) and not of.rule.cooldown.per_key)
        if outcome == "started":
            self.note("key, a list of several distinct", len([
                line for line in self.decisions[-3:] if (line["rule"], line["outcome"], line["time"]) == (
                    of.rule.name, "started", self.decisions[-1]["time"])]) > 1)
