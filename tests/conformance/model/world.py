"""LANGUAGE.md §4, "What happens", as a program: the reference that the engine is compared with. Sentences in quotation
marks are the page's (tests/lint/pages.py looks whether they are). Everything is looked for anew each time, nothing is
kept ready.

    decisions = replay(rules.RuleSet(…), lines of events, lateness=…, until=…, wall=…).decisions
"""
import copy
import math

import cel
import page
from cel import CelError, Record, Ts
from dates import Dates, DateState
from state import COOLDOWNS, RUNS, TRIGGERS, VALUES, WINDOWS, Run, Window
from visitors import AGAIN, ID_BYTES, Visitors, visitor_of

IDS, IDS_OF_A_TYPE, CANCELS, ROUNDS = 256, 64, 32, 8
HOUR = 3600000
MONTH = 30 * page.DAY
ORDER = ["time", "customer", "visitor", "rule", "key", "outcome", "step", "id", "send", "variant", "group", "with", "until", "why",
         "value", "set"]


class World(Dates, Visitors):
    def __init__(self, rules, lateness=0, wall=None, forget_visitors=MONTH):
        self.rules, self.lateness, self.wall, self.forget_visitors = rules, lateness, wall, forget_visitors
        self.clock = self.newest = None
        self.customers = {}  # by Customer.who; visitors, too
        self.links = {}      # visitor → Link
        self.decisions = []
        self.opened = 0  # windows

    # ---- the clock

    def record(self, line, number):
        event = self.read(line, number)
        if event is None:
            return
        time = event["time"]
        self.newest = time if self.newest is None else max(self.newest, time)
        before = time - self.lateness
        self.clock = before if self.clock is None else max(self.clock, before)
        self.happen(lambda due: due < self.clock)
        self.event(event)

    def run_until(self, until):
        """Also "what is due at that instant happens"."""
        self.happen(lambda due: due <= until)

    def read(self, line, number):
        """An event by STATE.md §5.1; None is a dead letter or no event."""
        try:
            raw = page.read_json(line.removeprefix("\ufeff"))
            time = page.to_time(raw["time"])
            customer, type_, id_, visitor = raw.get("customer"), raw["type"], raw.get("id"), visitor_of(raw)
        except (ValueError, KeyError, TypeError, AttributeError, page.Absent):
            return None
        texts = [customer] * (customer is not None or visitor is None) + [type_] + [id_] * (id_ is not None)
        if not all(isinstance(text, str) and 0 < len(text.encode()) <= ID_BYTES for text in texts):
            return None
        fields = self.rules.events.get(type_, {})
        event = page.coerce_fields(raw, fields, self.rules.types)
        event.update(id=f"-/0/{number}" if id_ is None else str(id_), type=str(type_), time=time, customer=None if customer is None else str(customer))
        event.nulls = {name for name in fields if name in raw and raw[name] is None}
        event.at, event.day, event.visitor = time, None, visitor
        return event

    def happen(self, comes):
        """Everything due, in the order "due time … customer … changes of segments first, then by `priority` … the due time
        before any deferral … then by rule … a date's trigger, then the steps of its runs by key"."""
        while True:
            dues = [due for c in self.customers.values() for due in self.dues(c) if comes(due[0])]
            if not dues:
                return
            *_, act = min(dues, key=lambda due: due[:-1])
            act()

    def dues(self, c):
        """(due, customer, 0 for segments, priority, since when it waits, rule, 0 for its trigger, key, what to do)."""
        name, out = c.who, []
        leaves = self.next_leave(c)
        if leaves is not None:
            out.append((leaves, name, 0, 0, 0, b"", 0, b"", lambda: self.segments_wait(c, leaves)))
        for run in c.runs:
            priority, rule = run.rule.order
            out.append((run.due, name, 1, priority, run.waited, rule, 1, run.key.encode(),
                        lambda run=run: self.step_wait(c, run)))
        for rule in self.rules.rules:
            due = rule.date and c.dates.get(rule.name, DateState).due
            if due is not None:
                out.append((due, name, 1, rule.order[0], due, rule.order[1], 0, b"",
                            lambda rule=rule: self.date_wait(c, rule)))
        return out

    # ---- waits

    def enter_wait(self, c, due):
        """"For a wait it is the due time, but never earlier than the customer's latest `now`". Gives the segments
        whose change has been left for the customer's next event, and so is not told in the wait."""
        c.now = due if c.now is None else max(c.now, due)
        return set(self.changed(c))

    def segments_wait(self, c, due):
        left = self.enter_wait(c, due)
        self.compute_segments(c)
        self.tell(c, due, self.changed(c, left))
        self.settle(c, due, left)

    def step_wait(self, c, run):
        due = run.due
        left = self.enter_wait(c, due)
        self.go_on(c, run, due)
        self.settle(c, due, left)

    def date_wait(self, c, rule):
        state = c.dates[rule.name]
        due, date = state.due, state.coming
        left = self.enter_wait(c, due)
        state.due, state.coming, state.fired = None, None, date.what
        trigger = Record(type=rule.date_kind, time=Ts(date.instant))
        trigger.at, trigger.day = due, date.day
        self.trigger(c, rule, trigger, due)
        self.arm(c, rule, state)
        self.settle(c, due, left)

    # ---- events

    def event(self, event):
        if event["type"] == "forget":
            self.forget(event)
            return
        c, alone = self.whose(event), event["customer"] is None
        event["customer"] = c.name
        if event["type"] in self.rules.events and event["type"] in self.rules.named:
            self.deal_with(c, event)
        elif not alone and event.visitor is not None and self.customer_of(event.visitor) != c.name:
            self.hear_of(c, event)

    def deal_with(self, c, event):
        if not c.known and self.is_forgotten(c):
            self.forget_visitor(c)
            c = self.somebody(c.name, known=False)
        if self.is_duplicate(c, event):
            return
        if event.visitor is not None:
            self.hear_of(c, event)
            if self.is_duplicate(c, event):
                return
        self.happen_to(c, event)

    def now_of(self, c, event):
        return max(event["time"], self.clock, event["time"] if c.now is None else c.now)

    def is_duplicate(self, c, event):
        return (event["type"], event["id"]) in [
            (of, id_) for of, id_, then in c.ids if then >= self.now_of(c, event) - page.DAY]

    def happen_to(self, c, event):
        type_, now = event["type"], self.now_of(c, event)
        self.customers[c.who] = c
        c.ids = [entry for entry in c.ids if entry[2] >= now - page.DAY]
        self.remember_id(c, type_, event["id"], now)
        c.now, c.newest = now, event["time"] if c.newest is None else max(c.newest, event["time"])
        limit = max(event["time"], self.clock)
        self.take(c, event)
        self.look_at_dates(c)
        self.cancel(c, event)
        self.reach_goals(c, event)
        self.answer_waits(c, event, limit)
        self.tell(c, limit, self.changed(c))
        for rule in self.rules.rules:
            if type_ in rule.events:
                self.trigger(c, rule, event, limit)
        self.settle(c, limit)
        self.forget_cancels(c)

    @staticmethod
    def remember_id(c, type_, id_, now):
        """Of 256 ids "the oldest of the type that has most goes first, at equal numbers of the type whose name comes
        first"."""
        c.ids.append((type_, id_, now))

        def of(type_):
            return [entry for entry in c.ids if entry[0] == type_]
        if len(of(type_)) > IDS_OF_A_TYPE:
            c.ids.remove(of(type_)[0])
        if len(c.ids) > IDS:
            most = min({entry[0] for entry in c.ids}, key=lambda t: (-len(of(t)), t.encode()))
            c.ids.remove(of(most)[0])

    def take(self, c, event):
        """(1) attributes with a source, `identify`, `last`, counts; segments."""
        type_, time = event["type"], event["time"]
        for name, attribute in self.rules.attributes.items():
            if type_ in attribute.on:
                value = self.attempt(attribute.value, self.variables(c, event=event))
                if not isinstance(value, CelError):
                    self.write(c, name, value, time)
        if type_ == "identify":
            for name in self.rules.plain:
                if name in event or name in event.nulls:
                    self.write(c, name, event.get(name), time)
        if type_ not in c.last or c.last[type_]["time"] <= time:
            c.last[type_] = event
        for name, count in self.rules.counts.items():
            if type_ in count.on:
                self.count(c, name, count, event)
        for name, one in self.rules.lists.items():
            if type_ in one.on and self.holds(one.if_, self.variables(c, event=event)):
                for text in reversed(self.keys(one.by, self.variables(c, event=event))):
                    self.list_text(c, name, text, time)
                self.list_trim(c, name)
        self.compute_segments(c)

    def list_text(self, c, name, text, time):
        """Each text once, by the newest event that had it; at equal times the later arrival stands behind."""
        texts = c.lists.setdefault(name, {})
        if texts.get(text, time) <= time:
            texts.pop(text, None)
            texts[text] = time
            c.lists[name] = dict(sorted(texts.items(), key=lambda item: item[1]))

    def list_trim(self, c, name):
        one = self.rules.lists[name]
        texts = [(text, time) for text, time in c.lists.get(name, {}).items() if one.over is None or c.now - one.over < time]
        c.lists[name] = dict(texts[-one.keep:])

    def list_at(self, c, name):
        """The newest first."""
        self.list_trim(c, name)
        return list(reversed(c.lists[name]))

    def affinity(self, *arguments):
        if arguments[-1] < 0:
            raise CelError("no negative number of products")
        return []

    def write(self, c, name, value, time):
        old = c.attributes.get(name)
        if old is None or (time <= old[1] if self.rules.attributes[name].first else time >= old[1]):
            c.attributes[name] = (value, time)

    def count(self, c, name, count, event):
        variables = self.variables(c, event=event)
        if count.if_ and self.attempt(count.if_, variables) is not True:
            return
        by = self.attempt(count.by, variables) if count.by else [""]
        amount = self.attempt(count.sum, variables) if count.sum else 1
        if isinstance(by, CelError) or isinstance(amount, CelError) or (count.keep and math.isnan(amount)):
            return
        values = c.counted.setdefault(name, {})
        for value in dict.fromkeys([by] if isinstance(by, str) else by):
            if count.by and count.over:
                self.forget_values(c, count, values)
            values[value] = values.pop(value, []) + [(event["time"] // count.bucket, event["time"], amount)]
            c.updated[name, value] = c.now
            if len(values) > VALUES:
                del values[next(iter(values))]

    @staticmethod
    def forget_values(c, count, values):
        """Those go "from the value on that was updated longest ago, up to the first of which the window still holds something"."""
        for value in list(values):
            if any(bucket > (c.now - count.over) // count.bucket for bucket, *_ in values[value]):
                return
            del values[value]

    def counted(self, c, name, value=""):
        """The sum of the buckets i with floor((now − w) / b) < i ≤ floor(now / b), added in ascending order of i; or of
        what is there the value to `keep`."""
        count = self.rules.counts[name]
        entries = c.counted.get(name, {}).get(value, [])
        if count.over:
            first, last = (c.now - count.over) // count.bucket, c.now // count.bucket
            entries = [entry for entry in entries if first < entry[0] <= last]
        if count.keep:
            return kept(count.keep, entries)
        zero = 0.0 if count.sum else 0
        buckets = {}
        for bucket, _, amount in entries:
            bucket = bucket if count.over else 0
            buckets[bucket] = buckets.get(bucket, zero) + amount
        return sum((buckets[bucket] for bucket in sorted(buckets)), zero)

    def next_leave(self, c, names=None):
        """The next instant at which a bucket leaves its window, if segments could see it; of these counts."""
        if not self.rules.segments:
            return None
        names = self.rules.counts if names is None else names
        return min((bucket * count.bucket + count.over for name, count in self.rules.counts.items() if count.over and name in names
                    for entries in c.counted.get(name, {}).values() for bucket, *_ in entries
                    if bucket * count.bucket + count.over > c.now), default=None)

    # ---- expressions

    def variables(self, c, **more):
        return {"customer": self.customer_record(c), "tables": self.rules.tables, **more, "counts of": c}

    def customer_record(self, c):
        out = Record({name: value for name, (value, _) in c.attributes.items() if value is not None}, id=c.name, known=c.known)
        if "tz" in self.rules.attributes and page.zone(out.get("tz")) is None:
            out["tz"] = self.rules.tz_name
        return out

    def all_variables(self, c, rule, **more):
        return self.variables(c, segments=lambda: Record(c.segments), last=Record(c.last), now=Ts(c.now), rule=Record(
            name=rule.name, priority=rule.priority, tags=rule.tags), **more)

    def run_variables(self, c, run, **more):
        record = Record(key=run.key, variant=run.variant, step=run.step, started=Ts(run.started), sent=run.sent,
                        outcome=run.outcome, action=run.action, answered=run.answered)
        return self.all_variables(c, run.rule, trigger=run.trigger, triggers=list(run.triggers), run=record,
                                  answer=run.answer, **more)

    def evaluate(self, tree, variables):
        c = variables["counts of"]
        functions = {name: (lambda *value, name=name: self.counted(c, name, *value)) for name in self.rules.counts}
        functions |= {name: (lambda name=name: self.list_at(c, name)) for name in self.rules.lists}
        functions |= {name: self.affinity for name in self.rules.affinities}
        functions["bucket"] = lambda salt, n: page.hash64(salt, c.who) % n
        return cel.evaluate(tree, variables, functions)

    def attempt(self, tree, variables):
        """The value, or the CelError."""
        try:
            return self.evaluate(tree, variables)
        except CelError as error:
            return error

    def holds(self, tree, variables):
        """"An error of CEL in a condition makes it false"; an absent condition is true."""
        return tree is None or self.attempt(tree, variables) is True

    def keys(self, tree, variables):
        """The keys as texts, each distinct one once; [] where they cannot be evaluated."""
        if tree is None:
            return [""]
        value = self.attempt(tree, variables)
        if isinstance(value, CelError):
            return []
        return list(dict.fromkeys(cel.text_of(v) for v in (value if isinstance(value, list) else [value])))

    def matching(self, c, rule, matchers, event):
        """[(matcher, the keys that it means or None)] of those that name this event."""
        variables = self.all_variables(c, rule, event=event)
        return [(m, None if m.key is None else self.keys(m.key, variables)) for m in matchers if event["type"] in m.on]

    def matches(self, c, run, matched, event):
        """Does one of these hold for the run?"""
        variables = self.run_variables(c, run, event=event)
        return any((keys is None or run.key in keys) and self.holds(m.if_, variables) for m, keys in matched)

    # ---- segments

    def compute_segments(self, c):
        old, c.segments = c.segments, {}

        def value(name):
            if name not in c.segments:
                variables = self.variables(c, last=Record(c.last), segments=Record(
                    {other: (lambda other=other: value(other)) for other in self.rules.segments}))
                c.segments[name] = self.holds(self.rules.segments[name], variables)
            return c.segments[name]
        for name in self.rules.segments:
            value(name)
        for name in self.rules.segments:
            old.setdefault(name, False)
            c.told.setdefault(name, False)

    def changed(self, c, left=()):
        """What rules have not been told of, but for what is left."""
        return {name: value for name, value in c.segments.items()
                if c.told.get(name, False) != value and name not in left}

    def tell(self, c, limit, changes):
        """"Rules on `leave`, then rules on `enter`, of segments whose value has changed"; of a rule in the order of its
        list."""
        c.told.update(changes)
        for word, entered in (("leave", False), ("enter", True)):
            for rule in self.rules.rules:
                for on, segment in rule.segments:
                    if on == word and changes.get(segment) is entered:
                        trigger = Record(type=f"{word} {segment}", time=Ts(c.now))
                        trigger.at, trigger.day = c.now, None
                        self.trigger(c, rule, trigger, limit)

    def settle(self, c, limit, left=()):
        """Segments that `set` changed: "at most 8 rounds. What is left then waits for the customer's next event"."""
        for _ in range(ROUNDS):
            changes = self.changed(c, left)
            if not changes:
                break
            self.tell(c, limit, changes)

    # ---- cancels, goals, answers

    def runs_of(self, c, rule):
        return sorted((run for run in c.runs if run.rule is rule), key=lambda run: run.key.encode())

    def cancel(self, c, event):
        """"A cancel ends runs whose newest trigger is not after the event\""""
        for rule in self.rules.rules:
            matched = self.matching(c, rule, rule.cancel, event)
            for run in self.runs_of(c, rule):
                if run.trigger.at <= event["time"] and self.matches(c, run, matched, event):
                    self.end(c, run, "cancelled")
        if event["type"] in self.rules.cancelling:
            c.cancels = sorted([*c.cancels, event], key=lambda e: e["time"])

    def forget_cancels(self, c):
        """When "the event at hand has been dealt with, so none overtakes itself". Of what is forgotten "the newest time of
        each type is kept"."""
        oldest = c.newest - max(HOUR, self.lateness)
        remembered = [event for event in c.cancels if event["time"] >= oldest][-CANCELS:]
        for event in c.cancels:
            if not any(event is other for other in remembered):
                c.forgotten[event["type"]] = max(event["time"], c.forgotten.get(event["type"], event["time"]))
        c.cancels = remembered

    def overtaken(self, c, rule, key, trigger):
        """Is there "such an event, whose key it cancels"? Its `if` is asked "with that event, the late one as `trigger`,
        a run that would start now as `run`"."""
        run = Run(rule, key, trigger, self.variant(rule, c))
        if any(trigger.at <= c.forgotten.get(type_, trigger.at - 1) for m in rule.cancel for type_ in m.on):
            return True
        return any(trigger.at < event["time"] and self.matches(c, run, self.matching(c, rule, rule.cancel, event), event)
                   for event in c.cancels)

    def reach_goals(self, c, event):
        self.close_windows(c)
        reached = [window for rule in self.rules.rules if rule.goal and event["type"] in rule.goal.on
                   for window in self.reached(c, rule, event)]
        if self.rules.credit_last and reached:
            reached = [max(reached, key=lambda w: (w.start, -self.rules.rules.index(w.rule), w.number))]
        for window in reached:
            value = self.attempt(window.rule.goal.value, self.window_variables(c, window, event))
            self.decide(c, window, "goal", variant=window.variant if window.rule.split else None,
                        value=0 if isinstance(value, CelError) or not math.isfinite(value) else page.to_json(value))
        keyless = {window.rule.name for window in reached if window.rule.goal.key is None}
        c.windows = [w for w in c.windows if w not in reached and w.rule.name not in keyless]

    def window_variables(self, c, window, event):
        return self.all_variables(c, window.rule, event=event, run=Record(key=window.key, variant=window.variant))

    def reached(self, c, rule, event):
        """Each window is reached "whose key it gives and for which `if` holds"; without a key, of these "the one that
        was opened last"."""
        keys = self.keys(rule.goal.key, self.all_variables(c, rule, event=event))
        open_ = [w for w in c.windows if w.rule is rule and w.start <= event["time"] <= w.end
                 and (rule.goal.key is None or w.key in keys)
                 and self.holds(rule.goal.if_, self.window_variables(c, w, event))]
        return open_[-1:] if rule.goal.key is None else sorted(open_, key=lambda w: w.key.encode())

    def close_windows(self, c):
        """A window "closes when the clock has passed its end"."""
        c.windows = [w for w in c.windows if self.clock <= w.end]

    def answer_waits(self, c, event, limit):
        for rule in self.rules.rules:
            for run in self.runs_of(c, rule):
                wait = run.live and not run.parked and run.present.wait
                if wait and run.base <= event["time"] <= run.due and self.matches(
                        c, run, self.matching(c, rule, [wait], event), event):
                    run.answered, run.answer = True, event
                    self.decide(c, run, "answered", step=run.step)
                    self.next_step(c, run, "answered")
                    self.go_on(c, run, limit)

    # ---- triggers

    def trigger(self, c, rule, event, limit):
        variables = self.all_variables(c, rule, trigger=event, event=event)
        if not self.holds(rule.if_, variables):
            return
        for key in self.keys(rule.key, variables):
            self.trigger_key(c, rule, key, copy.copy(event), limit)

    def trigger_key(self, c, rule, key, event, limit):
        run = next((r for r in c.runs if r.rule is rule and r.key == key), None)
        if run and event.at < run.trigger.at:
            self.trigger_late(c, run, event)
        elif run:
            self.trigger_again(c, run, event, limit)
        else:
            self.trigger_new(c, Run(rule, key, event, self.variant(rule, c)), limit)

    def trigger_late(self, c, run, event):
        """It joins "`triggers` at its place in time, after those of the same time, no wait moves"."""
        if run.rule.again == "ignore":
            return
        if self.overtaken(c, run.rule, run.key, event):
            self.decide(c, run, "overtaken")
            return
        place = sum(trigger.at <= event.at for trigger in run.triggers)
        if place or len(run.triggers) < TRIGGERS:
            run.triggers.insert(place, event)
            run.triggers = run.triggers[-TRIGGERS:]
            self.decide(c, run, "collected")

    def trigger_again(self, c, run, event, limit):
        again = run.rule.again
        if again == "ignore":
            return
        run.triggers = (run.triggers + [event])[-TRIGGERS:]
        if again == "restart":
            run.begin(event)
        self.decide(c, run, AGAIN[again])
        if again != "collect":
            self.wait(c, run, event.at)
            self.go_on(c, run, limit)

    def trigger_new(self, c, run, limit):
        refusal = None
        if self.overtaken(c, run.rule, run.key, run.trigger):
            refusal = "overtaken"
        elif self.cooling(c, run.rule, run.key):
            refusal = "cooling"
        elif len(c.runs) >= RUNS:
            refusal = "full"
        self.decide(c, run, refusal or "started")
        if not refusal:
            c.runs.append(run)
            run.parked = not c.known and not run.rule.visitors
            self.wait(c, run, run.trigger.at)
            self.go_on(c, run, limit)

    @staticmethod
    def cooling(c, rule, key):
        if rule.cooldown is None:
            return False
        last = c.key_sends.get((rule.name, key)) if rule.cooldown.per_key else c.last_send.get(rule.name)
        return last is not None and c.now < last + rule.cooldown.length

    def variant(self, rule, c):
        """It is "the first whose cumulative weight, in the order of the file, exceeds XXH3_64(salt NUL customer.id) mod the
        sum of the weights"."""
        if not rule.split:
            return ""
        if self.rules.variant in rule.split:
            return self.rules.variant
        place = page.hash64(rule.salt, c.who) % sum(rule.split.values())
        for name, weight in rule.split.items():
            if place < weight:
                return name
            place -= weight
        raise AssertionError("weights sum to more")

    # ---- steps

    def zone(self, c):
        value = c.attributes.get("tz", (None, 0))[0]
        return page.zone(value) or self.rules.tz

    def wait(self, c, run, base):
        """The wait for the present step begins."""
        step, run.base = run.present, base
        if run.parked:
            run.park()
        elif step.wait:
            run.answered, run.answer = False, Record()
            run.wait_until(base + step.within)
        elif step.before is not None:
            run.wait_until(self.before_date(c, step, self.same_day(c, run.trigger)), base)
            if run.past:
                self.perform(c, run)
        else:
            due = self.attempt_due(c, run, step, base)
            if due is None:
                self.decide(c, run, "failed", step=run.step)
                self.end(c, run)
            else:
                run.wait_until(due)

    def before_date(self, c, step, date):
        if step.at is None:
            return date.instant - step.before
        zone = self.zone(c)
        day = page.local_day(date.instant, zone) if date.day is None else date.day
        return page.local(page.days(day, -step.before // page.DAY), step.at[1], zone)

    def attempt_due(self, c, run, step, base):
        """When a step with `after` and `at` is due; None where these give no duration and no time."""
        variables, after, at = self.run_variables(c, run), step.after, step.at
        if step.after_cel:
            after = self.attempt(step.after_cel, variables)
            if not isinstance(after, cel.Dur) or after < 0:
                return None
        if step.at_cel:
            try:
                at = page.at_text(self.evaluate(step.at_cel, variables))
            except (CelError, ValueError, AttributeError):
                return None
        if at is None:
            return base + after
        return self.due_at(c, base, after, *at, not_before=bool(run.rule.date) and run.step == 1)

    def due_at(self, c, base, after, days, minutes, not_before):
        """The first day of `days` at that time: `after` later, or else the next such time after the base."""
        zone = self.zone(c)
        first = page.days(page.local_day(base, zone), after // page.DAY)
        for n in range(0 if after else -1, 10):
            day = page.days(first, n)
            due = page.local(day, minutes, zone)
            if (days is None or day.weekday() in days) and (after or due > base or (not_before and due == base)):
                return due
        raise AssertionError("a week has seven days")

    def go_on(self, c, run, limit):
        """Performs what is "not after the event's time or the clock (within a wait: not after that wait's due time)"."""
        while run.live and run.due <= limit:
            self.perform(c, run)

    def perform(self, c, run):
        run.performs = True
        if run.present.wait:
            self.unanswered(c, run)
        elif run.past:
            self.decide_step(c, run, "skipped")
            self.next_step(c, run, "skipped")
        else:
            self.perform_step(c, run, run.present, self.run_variables(c, run))
        run.performs = False

    def unanswered(self, c, run):
        ends = run.present.ends_unanswered
        self.decide(c, run, "unanswered", step=run.step)
        if ends:
            self.end(c, run, "ended")
        else:
            self.next_step(c, run, "unanswered")

    def perform_step(self, c, run, step, variables):
        if not self.holds(run.rule.while_, variables):
            self.end(c, run, "ended")
            return
        outcome, more = self.step_outcome(c, run, step, variables)
        if outcome == "cooling":
            self.decide_step(c, run, outcome, variant=None)
            self.end(c, run)
            return
        if outcome != "done":
            self.decide_step(c, run, outcome, **more)
        if outcome == "deferred":
            return
        if outcome in ("sent", "held"):
            self.sent(c, run, step, variables, outcome)
        if outcome in ("sent", "held", "done"):
            self.set(c, run, step)
        self.next_step(c, run, outcome)

    def next_step(self, c, run, outcome):
        run.outcome = outcome
        run.step += 1
        if run.step > len(run.rule.steps):
            self.end(c, run, "finished")
        else:
            self.wait(c, run, c.now)

    @staticmethod
    def action(c, run):
        return page.hash128(run.rule.name, c.who, run.key, run.origin, str(run.step))

    def decide_step(self, c, run, outcome, **more):
        variant = {"variant": run.variant if run.rule.split else None}
        step = {"step": run.step, "id": self.action(c, run), "send": run.present.send}
        self.decide(c, run, outcome, **{**step, **variant, **more})

    def step_outcome(self, c, run, step, variables):
        """The outcome and what its line says: "the outcome's name, or `done` after a step that only sets"."""
        if not self.holds(step.if_, variables):
            return "skipped", {}
        if step.send is None:
            return "done", {}
        if not run.sent and self.cooling(c, run.rule, run.key):
            return "cooling", {}
        group = {}
        for place, limit in enumerate(self.rules.limits):
            if self.concerns(limit, step, variables):
                if limit.kind == "hold":
                    group = group or {"group": limit.text}
                    continue
                outcome, more = self.limited(c, place, limit)
                if outcome == "deferred":
                    run.due, run.deferred = more.pop("at"), True
                    return outcome, {"until": print_instant(run.due)}
                if outcome:
                    return outcome, more
        payload = self.attempt_template(step.with_, variables) if step.with_ else page.LEFT_OUT
        if isinstance(payload, CelError):
            return "failed", {}
        if max(c.now, c.now if self.wall is None else self.wall) - run.due > run.rule.stale:
            return "stale", {}
        more = {**group, **({} if payload is page.LEFT_OUT else {"with": payload})}
        return "held" if group or run.variant == "holdout" else "sent", more

    def attempt_template(self, tree, variables, wanted=None):
        """"A string that is nothing but one `${CEL}` keeps its value's type": a duration is one, whatever its form in JSON."""
        try:
            value = page.fill(tree, lambda cel_tree: self.evaluate(cel_tree, variables))
            keeps = value is page.LEFT_OUT or (wanted == "duration" and isinstance(value, cel.Dur))
            return value if keeps else page.to_json(value)
        except CelError as error:
            return error

    def concerns(self, limit, step, variables):
        """"Where it fails, it holds: a limit fails closed"; but for a `hold`, which is no bar."""
        if limit.send is not None and limit.send != step.send:
            return False
        if limit.if_ is None:
            return True
        held = self.attempt(limit.if_, variables)
        return limit.kind != "hold" if isinstance(held, CelError) else held is True

    def limited(self, c, place, limit):
        if limit.kind == "never":
            return "blocked", {"why": limit.why}
        if limit.quiet:
            end = self.quiet_end(c, limit.quiet)
            return (None, {}) if end is None else ("deferred", {"at": end})
        zone = self.zone(c)
        if limit.period in ("day", "week", "month"):
            start, room = self.period(c.now, limit.period, zone)
            sends = [t for t in c.sends.get(place, []) if start <= t]
        else:
            length = page.duration(limit.period)
            sends = sorted(t for t in c.sends.get(place, []) if c.now - length < t)
            room = sends[len(sends) - limit.most] + length if len(sends) >= limit.most else None
        if len(sends) < limit.most:
            return None, {}
        return ("deferred", {"at": room}) if limit.defer else ("capped", {"why": limit.why})

    @staticmethod
    def period(now, name, zone):
        """The local period's first instant, and the next one's: where midnight comes twice, the one that is to come."""
        today = page.local_day(now, zone)
        if name == "day":
            first, then = today, page.days(today, 1)
        elif name == "week":
            first = page.days(today, -today.weekday())
            then = page.days(first, 7)
        else:
            first = today.replace(day=1)
            then = page.days(first, 32).replace(day=1)
        comes = page.local(then, 0, zone)
        return page.local(first, 0, zone), comes if now < comes else page.local(then, 0, zone, fold=1)

    def quiet_end(self, c, quiet):
        """The end of the quiet time that holds now, or None: of several that began on the earliest day."""
        zone = self.zone(c)
        today = page.local_day(c.now, zone)
        for day in (page.days(today, n) for n in (-2, -1, 0, 1)):
            begins = page.local(day, quiet.start, zone)
            ends = page.local(page.days(day, quiet.end <= quiet.start or quiet.end == 1440), quiet.end % 1440, zone)
            if quiet.begins_on(day) and begins <= c.now < ends:
                return ends
        return None

    def sent(self, c, run, step, variables, outcome):
        run.sent, run.action = run.sent + 1, self.action(c, run)
        self.remember_send(c, run)
        if outcome == "sent":
            for place, limit in enumerate(self.rules.limits):
                if limit.max and self.concerns(limit, step, variables):
                    c.sends.setdefault(place, []).append(c.now)
        if run.rule.goal:
            self.close_windows(c)
            self.opened += 1
            c.windows = [w for w in c.windows if (w.rule, w.key) != (run.rule, run.key)]
            c.windows = [*c.windows, Window(run, c.now, self.opened)][-WINDOWS:]

    def remember_send(self, c, run):
        rule = run.rule
        c.last_send[rule.name] = c.now
        if rule.cooldown and rule.cooldown.per_key:
            c.key_sends.pop((rule.name, run.key), None)
            c.key_sends[rule.name, run.key] = c.now
            if len(c.key_sends) > COOLDOWNS:
                del c.key_sends[min(c.key_sends, key=lambda key: self.send_age(c.key_sends, key))]

    def send_age(self, sends, key):
        """What goes first: "the oldest", "of one instant that of the rule with the highest priority"; of one rule the order of the dict."""
        return sends[key], self.rules.by_name[key[0]].order

    def set(self, c, run, step):
        """"All values are computed before the first is written. One that fails leaves its attribute as it was"."""
        variables, written = self.run_variables(c, run), {}
        self.values_to_set = {name: self.attempt_template(tree, variables, self.rules.attributes[name].type)
                              for name, tree in step.set.items()}
        for name, value in self.values_to_set.items():
            if isinstance(value, CelError) or value is page.LEFT_OUT:
                continue
            try:
                if value is not None and not isinstance(value, cel.Dur):
                    value = page.coerce(as_read(value), self.rules.attributes[name].type, self.rules.types)
            except page.Absent:
                continue
            self.write(c, name, value, c.now)
            written[name] = page.to_json(value)
        if written:
            self.decide(c, run, "set", step=run.step, variant=run.variant if run.rule.split else None, set=written)
            self.compute_segments(c)
            self.look_at_dates(c)

    def end(self, c, run, outcome=None):
        run.live = False
        c.runs.remove(run)
        if outcome:
            self.decide(c, run, outcome)

    # ---- decisions

    def decide(self, c, of, outcome, **more):
        line = {"time": print_instant(c.now), "customer" if c.known else "visitor": c.name, "rule": of.rule.name, "key": of.key or None,
                "outcome": outcome, **more}
        self.decisions.append({k: line[k] for k in ORDER if line.get(k) is not None})


def kept(keep, entries):
    """The newest by event time, at equal times the later arrival; the least; the greatest."""
    if not entries:
        return cel.Optional()
    if keep == "last":
        newest = max(time for _, time, _ in entries)
        return cel.Optional([float([amount for _, time, amount in entries if time == newest][-1])])
    return cel.Optional([float({"min": min, "max": max}[keep](amount for *_, amount in entries))])


def as_read(value):
    """A value as an event's JSON would bring it: numbers by their text."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float)):
        return page.Number(repr(value))
    if isinstance(value, list):
        return [as_read(v) for v in value]
    return {k: as_read(v) for k, v in value.items()} if isinstance(value, dict) else value


def print_instant(ms):
    text = cel.instant_text(ms)
    return text if "." in text else text[:-1] + ".000Z"


def replay(rules, lines, lateness=0, until=None, wall=None, kind=World, forget_visitors=MONTH):
    """The world after all that; `until` is an instant, or a duration after the newest event as ("after", ms)."""
    world = kind(rules, lateness, wall, forget_visitors)
    for number, line in enumerate(lines):
        if line.strip():
            world.record(line, number)
    if until is not None and world.newest is not None:
        world.run_until(world.newest + until[1] if isinstance(until, tuple) else until)
    return world
