"""LANGUAGE.md §4, "What happens", as a program: the reference that the engine is compared with. Sentences in quotation
marks are the page's (tests/lint/pages.py looks whether they are). Everything is looked for anew each time, nothing is
kept ready.

    decisions = replay(rule file's text, lines of events, lateness=…, until=…, wall=…).decisions
"""
import math
import cel
import page
from cel import CelError, Record, Ts
from rules import RuleSet

RUNS = WINDOWS = VALUES = 256
IDS, CANCELS, TRIGGERS, ROUNDS = 64, 16, 32, 8
HOUR = 3600000
OVER = object()  # of a run's due time: it has ended


class Run:
    def __init__(self, rule, key, trigger, variant):
        self.rule, self.key, self.variant = rule, key, variant
        self.step, self.triggers = 1, []
        self.deferred, self.live = False, True
        self.begin(trigger)

    def begin(self, trigger):
        """"The origin is the id of the event that started or restarted the run; of a run that no event started,
        `started` in ms"."""
        self.started, self.step = trigger["time"], 1
        self.origin = trigger["id"] if "id" in trigger else str(int(trigger["time"]))

    @property
    def trigger(self):
        return self.triggers[-1]


class Window:
    def __init__(self, run, now):
        self.rule, self.key, self.variant = run.rule, run.key, run.variant
        self.start, self.end = now, now + run.rule.goal.within


class DateState:
    """What a yearly or date rule knows of a customer: the value it computed with, when it comes, what it did."""
    seen = due = coming = fired = None


class Customer:
    def __init__(self, name):
        self.name = name
        self.now = self.newest = None
        self.attributes = {}   # name → (value or None, time of the write)
        self.counted = {}      # count → {value of `by`: [(bucket, time, amount)]}, the one updated longest ago first
        self.last = {}         # event type → event
        self.ids = []          # (id, now)
        self.segments = {}     # name → bool
        self.told = {}         # name → the value that rules have been told of
        self.runs = []
        self.windows = []
        self.sends = {}        # limit's place → [instants]
        self.last_send = {}    # rule → now
        self.cancels = []      # (time, [(rule, keys or None)])
        self.dates = {}        # rule → DateState


class World:
    def __init__(self, rules, lateness=0, wall=None):
        self.rules, self.lateness, self.wall = rules, lateness, wall
        self.clock = self.newest = None
        self.customers = {}
        self.decisions = []

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
        """"--until … lets the clock run on, inclusively"."""
        self.happen(lambda due: due <= until)

    def read(self, line, number):
        """An event by STATE.md §5.1; None is a dead letter or no event."""
        try:
            raw = page.read_json(line)
            time = page.to_timestamp(raw["time"])
            customer, type_ = raw["customer"], raw["type"]
        except (ValueError, KeyError, TypeError, page.Absent):
            return None
        if not isinstance(customer, str) or not isinstance(type_, str):
            return None
        fields = self.rules.events.get(type_, {})
        event = page.coerce_fields(raw, fields, self.rules.types)
        id_ = raw.get("id")
        event.update(id=f"-/0/{number}" if id_ is None else str(id_), type=str(type_), time=time, customer=str(customer))
        event.nulls = {name for name in fields if name in raw and raw[name] is None}
        return event

    def happen(self, comes):
        """Everything due, in the order "due time … customer … changes of segments first, then by `priority` … the due
        time before any deferral … then by rule … a date's trigger, then the steps of its runs by key"."""
        while True:
            dues = [due for c in self.customers.values() for due in self.dues(c) if comes(due[0])]
            if not dues:
                return
            *_, act = min(dues, key=lambda due: due[:-1])
            act()

    def dues(self, c):
        """(due, customer, 0 for segments, priority, due before any deferral, name, 0 for a trigger, key, what to do)."""
        name, out = c.name.encode(), []
        leaves = self.next_leave(c)
        if leaves is not None:
            out.append((leaves, name, 0, lambda: self.segments_wait(c, leaves)))
        for run in c.runs:
            priority, rule = run.rule.order
            out.append((run.due, name, 1, priority, run.first_due, rule, 1, run.key.encode(),
                        lambda run=run: self.step_wait(c, run)))
        for rule in self.rules.rules:
            state = c.dates.get(rule.name)
            if state and state.due is not None:
                out.append((state.due, name, 1, rule.order[0], state.due, rule.order[1], 0, b"",
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
        due = state.due
        left = self.enter_wait(c, due)
        state.due, state.fired = None, state.coming
        trigger = Record(type="yearly" if "yearly" in rule.date else "date", time=Ts(due))
        self.trigger(c, rule, trigger, due)
        self.arm(c, rule, state)
        self.settle(c, due, left)

    # ---- events

    def event(self, event):
        type_, name = event["type"], event["customer"]
        if type_ == "forget":
            self.customers.pop(name, None)
            return
        if type_ not in self.rules.events or type_ not in self.rules.named:
            return
        c = self.customers.get(name) or Customer(name)
        now = max(event["time"], self.clock, event["time"] if c.now is None else c.now)
        if any(id_ == event["id"] and then >= now - page.DAY for id_, then in c.ids):
            return
        self.customers[name] = c
        c.ids = (c.ids + [(event["id"], now)])[-IDS:]
        c.now, c.newest = now, event["time"] if c.newest is None else max(c.newest, event["time"])
        limit = max(event["time"], self.clock)
        self.take(c, event)
        self.cancel(c, event)
        self.reach_goals(c, event)
        self.tell(c, limit, self.changed(c))
        for rule in self.rules.rules:
            if type_ in rule.events:
                self.trigger(c, rule, event, limit)
        self.settle(c, limit)

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
        self.compute_segments(c)

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
            values[value] = values.pop(value, []) + [(event["time"] // count.bucket, event["time"], amount)]
            if len(values) > VALUES:
                del values[next(iter(values))]

    def counted(self, c, name, value=""):
        """"the sum of the buckets i with floor((now − w) / b) < i ≤ floor(now / b) added in ascending order of i"."""
        count = self.rules.counts[name]
        entries = c.counted.get(name, {}).get(value, [])
        if count.over:
            first, last = (c.now - count.over) // count.bucket, c.now // count.bucket
            entries = [entry for entry in entries if first < entry[0] <= last]
        if count.keep:
            return cel.Optional(self.kept(count.keep, [entry[1:] for entry in entries])) if entries else cel.Optional()
        zero = 0.0 if count.sum else 0
        buckets = {}
        for bucket, _, amount in entries:
            bucket = bucket if count.over else 0
            buckets[bucket] = buckets.get(bucket, zero) + amount
        total = zero
        for bucket in sorted(buckets):
            total += buckets[bucket]
        return total

    @staticmethod
    def kept(keep, entries):
        """"`last`: by the events' time, at equal times the later arrival"."""
        if keep == "last":
            newest = max(time for time, _ in entries)
            return [float(amount) for time, amount in entries if time == newest][-1]
        return (min if keep == "min" else max)(float(amount) for _, amount in entries)

    def next_leave(self, c):
        """The next instant at which a bucket leaves its window, if segments could see it."""
        if not self.rules.segments:
            return None
        return min((bucket * count.bucket + count.over for name, count in self.rules.counts.items() if count.over
                    for entries in c.counted.get(name, {}).values() for bucket, _, _ in entries
                    if bucket * count.bucket + count.over > c.now), default=None)

    # ---- expressions

    def variables(self, c, **more):
        out = {"customer": self.customer_record(c), **more, "counts of": c}
        return out

    def customer_record(self, c):
        out = Record({name: value for name, (value, _) in c.attributes.items() if value is not None}, id=c.name)
        if "tz" in self.rules.attributes and page.zone(out.get("tz")) is None:
            out["tz"] = self.rules.tz_name
        return out

    def all_variables(self, c, rule, **more):
        return self.variables(c, segments=lambda: Record(c.segments), last=Record(c.last), now=Ts(c.now),
                              rule=Record(name=rule.name, priority=rule.priority), **more)

    def run_variables(self, c, run, **more):
        record = Record(key=run.key, variant=run.variant, step=run.step, started=Ts(run.started))
        return self.all_variables(c, run.rule, trigger=run.trigger, triggers=list(run.triggers), run=record, **more)

    def evaluate(self, tree, variables):
        c = variables["counts of"]
        functions = {name: (lambda *value, name=name: self.counted(c, name, *value)) for name in self.rules.counts}
        functions["bucket"] = lambda salt, n: page.hash64(salt, c.name) % n
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
        """"Rules on `leave`, then rules on `enter`, of segments whose value has changed"."""
        c.told.update(changes)
        for word, entered in (("leave", False), ("enter", True)):
            for rule in self.rules.rules:
                if rule.segment and rule.segment[0] == word and changes.get(rule.segment[1]) is entered:
                    self.trigger(c, rule, Record(type=" ".join(rule.segment), time=Ts(c.now)), limit)

    def settle(self, c, limit, left=()):
        """What `set` changed: dates and segments; "at most 8 rounds. What is left then waits for the
        customer's next event"."""
        for _ in range(ROUNDS):
            changes = self.changed(c, left)
            if not changes:
                break
            self.tell(c, limit, changes)
        for rule in self.rules.rules:
            if rule.date:
                self.look_at_date(c, rule)

    # ---- cancels and goals

    def cancel(self, c, event):
        """"A cancel ends runs whose newest trigger is not after the event\""""
        remembered = []
        for rule in self.rules.rules:
            matchers = [m for m in rule.cancel if event["type"] in m.on]
            keys = {id(m): self.keys(m.key, self.all_variables(c, rule, event=event)) for m in matchers}
            for run in sorted((r for r in c.runs if r.rule is rule), key=lambda run: run.key.encode()):
                variables = self.run_variables(c, run, event=event)
                if run.trigger["time"] <= event["time"] and any(
                        (m.key is None or run.key in keys[id(m)]) and self.holds(m.if_, variables) for m in matchers):
                    self.end(c, run, "cancelled")
            for m in matchers:
                if m.reads_only_event_and_customer and self.holds(m.if_, self.variables(c, event=event)):
                    if m.key is None or keys[id(m)]:
                        remembered.append((rule, None if m.key is None else keys[id(m)]))
        if remembered:
            c.cancels.append((event["time"], remembered))
        oldest = c.newest - max(HOUR, self.lateness)
        c.cancels = sorted((e for e in c.cancels if e[0] >= oldest), key=lambda e: e[0])[-CANCELS:]

    def overtaken(self, c, rule, key, trigger):
        return any(trigger["time"] < time and rule is of and (keys is None or key in keys)
                   for time, cancels in c.cancels for of, keys in cancels)

    def reach_goals(self, c, event):
        self.close_windows(c)
        for rule in self.rules.rules:
            if rule.goal is None or event["type"] not in rule.goal.on:
                continue
            variables = self.all_variables(c, rule, event=event)
            if not self.holds(rule.goal.if_, variables):
                continue
            open_ = [w for w in c.windows if w.rule is rule and w.start <= event["time"] <= w.end]
            if rule.goal.key is None:
                reached = open_[-1:]
                closed = [w for w in c.windows if w.rule is rule] if reached else []
            else:
                keys = self.keys(rule.goal.key, variables)
                reached = closed = sorted((w for w in open_ if w.key in keys), key=lambda w: w.key.encode())
            for window in reached:
                value = self.attempt(rule.goal.value, variables)
                self.decide(c, window, "goal", variant=window.variant if rule.split else None,
                            value=0 if isinstance(value, CelError) or not math.isfinite(value) else page.to_json(value))
            c.windows = [w for w in c.windows if w not in closed]

    def close_windows(self, c):
        """A window "closes when the clock has passed its end"."""
        c.windows = [w for w in c.windows if self.clock <= w.end]

    # ---- triggers

    def trigger(self, c, rule, event, limit):
        variables = self.all_variables(c, rule, trigger=event, event=event)
        if not self.holds(rule.if_, variables):
            return
        for key in self.keys(rule.key, variables):
            self.trigger_key(c, rule, key, event, limit)

    def trigger_key(self, c, rule, key, event, limit):
        run = next((r for r in c.runs if r.rule is rule and r.key == key), None)
        if run:
            self.trigger_again(c, run, event, limit)
            return
        run = Run(rule, key, event, self.variant(rule, c))
        refusal = None
        if self.overtaken(c, rule, key, event):
            refusal = "overtaken"
        elif rule.cooldown and rule.name in c.last_send and c.now < c.last_send[rule.name] + rule.cooldown:
            refusal = "cooling"
        elif len(c.runs) >= RUNS:
            refusal = "full"
        self.decide(c, run, refusal or "started")
        if not refusal:
            c.runs.append(run)
            self.take_trigger(c, run, event, limit)

    def trigger_again(self, c, run, event, limit):
        if run.rule.again == "ignore" or event["time"] < run.trigger["time"]:
            return
        if run.rule.again == "restart":
            run.begin(event)
        self.decide(c, run, run.rule.again + "ed")
        self.take_trigger(c, run, event, limit)

    def take_trigger(self, c, run, event, limit):
        """The trigger takes effect: the run is rearmed ("its present wait counts from this event's time") or restarted."""
        run.triggers = (run.triggers + [event])[-TRIGGERS:]
        self.wait(c, run, event["time"])
        if run.rule.date and run.step == 1 and run.rule.leads():
            run.due = run.first_due = event["time"]
        self.go_on(c, run, limit)

    @staticmethod
    def variant(rule, c):
        """"the first whose cumulative weight, in the order of the file, exceeds XXH3_64(salt NUL customer.id) mod the
        sum of the weights"."""
        if not rule.split:
            return ""
        place = page.hash64(rule.salt, c.name) % sum(rule.split.values())
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
        run.deferred = False
        dated = bool(run.rule.date) and run.step == 1
        run.due = run.first_due = self.step_due(c, run.rule.steps[run.step - 1], base, dated)

    def step_due(self, c, step, base, not_before=False):
        if step.at is None:
            return base + step.after
        zone = self.zone(c)
        today = page.local_day(base, zone)
        if step.after:
            return page.local(page.days(today, step.after // page.DAY), step.at, zone)
        return next(due for due in (page.local(page.days(today, n), step.at, zone) for n in range(-1, 4))
                    if due > base or (not_before and due == base))

    def go_on(self, c, run, limit):
        """Performs what is "not after the event's time or the clock (within a wait: not after that wait's due time)"."""
        while run.live and run.due <= limit:
            self.perform(c, run)

    def perform(self, c, run):
        step, variables = run.rule.steps[run.step - 1], self.run_variables(c, run)
        if not self.holds(run.rule.while_, variables):
            self.end(c, run, "ended")
            return
        outcome, more = self.step_outcome(c, run, step, variables)
        if outcome:
            self.decide(c, run, outcome, step=run.step, id=page.hash128(run.rule.name, c.name, run.key, run.origin,
                                                                      str(run.step)),
                        send=step.send, variant=run.variant if run.rule.split else None, **more)
        if outcome == "deferred":
            return
        if outcome in ("sent", "held"):
            self.sent(c, run, step, variables, outcome)
        if outcome in ("sent", "held", None):
            self.set(c, step)
        run.step += 1
        if run.step > len(run.rule.steps):
            self.end(c, run, "finished")
        else:
            self.wait(c, run, c.now)

    def step_outcome(self, c, run, step, variables):
        """The outcome and what its line says; None: a step that only sets."""
        if not self.holds(step.if_, variables):
            return "skipped", {}
        self.values_to_set = {name: self.attempt_template(tree, variables, self.rules.attributes[name].type)
                              for name, tree in step.set.items()}
        if step.send is None:
            return None, {}
        for place, limit in enumerate(self.rules.limits):
            if self.concerns(limit, step, variables):
                outcome, more = self.limited(c, place, limit)
                if outcome == "deferred":
                    run.due, run.deferred = more.pop("at"), True
                    return outcome, {"until": print_instant(run.due)}
                if outcome:
                    return outcome, more
        payload = None
        if step.with_:
            payload = self.attempt_template(step.with_, variables)
            if isinstance(payload, CelError):
                return "failed", {}
        if max(c.now, c.now if self.wall is None else self.wall) - run.due > run.rule.stale:
            return "stale", {}
        return "held" if run.variant == "holdout" else "sent", {} if payload is None else {"with": payload}

    def attempt_template(self, tree, variables, wanted=None):
        """"A string that is nothing but one `${CEL}` keeps its value's type": a duration is one, whatever its form in JSON."""
        try:
            value = page.fill(tree, lambda cel_tree: self.evaluate(cel_tree, variables))
            return value if wanted == "duration" and isinstance(value, cel.Dur) else page.to_json(value)
        except CelError as error:
            return error

    def concerns(self, limit, step, variables):
        """"Where it fails, it holds: a limit fails closed"."""
        if limit.send is not None and limit.send != step.send:
            return False
        if limit.if_ is None:
            return True
        held = self.attempt(limit.if_, variables)
        return isinstance(held, CelError) or held is True

    def limited(self, c, place, limit):
        if limit.quiet:
            end = self.quiet_end(c, *limit.quiet)
            return (None, {}) if end is None else ("deferred", {"at": end})
        zone = self.zone(c)
        if limit.period in ("day", "week", "month"):
            start, room = self.period(page.local_day(c.now, zone), limit.period, zone)
            sends = [t for t in c.sends.get(place, []) if start <= t]
        else:
            length = page.duration(limit.period)
            sends = sorted(t for t in c.sends.get(place, []) if c.now - length < t)
            room = sends[len(sends) - limit.most] + length if len(sends) >= limit.most else None
        if len(sends) < limit.most:
            return None, {}
        return ("deferred", {"at": room}) if limit.defer else ("capped", {"why": limit.max})

    @staticmethod
    def period(today, name, zone):
        """The local period's first instant, and the next one's."""
        if name == "day":
            first, then = today, page.days(today, 1)
        elif name == "week":
            first = page.days(today, -today.weekday())
            then = page.days(first, 7)
        else:
            first = today.replace(day=1)
            then = page.days(first, 32).replace(day=1)
        return page.local(first, 0, zone), page.local(then, 0, zone)

    def quiet_end(self, c, start, end):
        """The end of the quiet time that holds now, or None."""
        zone = self.zone(c)
        today = page.local_day(c.now, zone)
        for n in (-2, -1, 0, 1):
            begins = page.local(page.days(today, n), start, zone)
            ends = min(e for e in (page.local(page.days(today, m), end, zone) for m in range(-3, 4)) if e > begins)
            if begins <= c.now < ends:
                return ends
        return None

    def sent(self, c, run, step, variables, outcome):
        c.last_send[run.rule.name] = c.now
        if outcome == "sent":
            for place, limit in enumerate(self.rules.limits):
                if limit.max and self.concerns(limit, step, variables):
                    c.sends.setdefault(place, []).append(c.now)
        if run.rule.goal:
            self.close_windows(c)
            c.windows = [w for w in c.windows if (w.rule, w.key) != (run.rule, run.key)] + [Window(run, c.now)]
            c.windows = c.windows[-WINDOWS:]

    def set(self, c, step):
        """"All values are computed before the first is written. One that fails leaves its attribute as it was"."""
        for name, value in self.values_to_set.items():
            if isinstance(value, CelError):
                continue
            try:
                if value is not None and not isinstance(value, cel.Dur):
                    value = page.coerce(as_read(value), self.rules.attributes[name].type, self.rules.types)
            except page.Absent:
                continue
            self.write(c, name, value, c.now)
        if step.set:
            self.compute_segments(c)

    def end(self, c, run, outcome):
        run.live = False
        c.runs.remove(run)
        self.decide(c, run, outcome)

    # ---- yearly and date

    def look_at_date(self, c, rule):
        """"When its value has changed … the customer's zone, its next instant is computed anew": where a
        local time is meant, that is; a date's own instant is the same in every zone."""
        state = c.dates.setdefault(rule.name, DateState())
        tree = next(iter(rule.date.values()))
        value = self.attempt(tree, self.variables(c, last=Record(c.last)))
        local = "yearly" in rule.date or (rule.leads() and rule.steps[0].at is not None)
        seen = (None if isinstance(value, CelError) else value, str(self.zone(c)) if local else "")
        if state.seen != seen:
            state.seen = seen
            self.arm(c, rule, state)

    def arm(self, c, rule, state):
        """"One that is already past when it becomes known does not fire": what is armed already has been known before."""
        known, state.due, state.coming = state.due, None, None
        for raw, what, past in self.instants(c, rule, state):
            if raw == known or not past:
                state.coming = what
                state.due = raw if raw == known else max(raw, c.now)
                return

    def instants(self, c, rule, state):
        """(instant, the day or date that it stands for, is it past?), ascending; none at or before what fired last."""
        value, zone = state.seen[0], self.zone(c)
        if value is not None and "yearly" in rule.date:
            for day in anniversaries(value, page.local_day(c.now, zone)):
                if state.fired is None or day > state.fired:
                    yield page.local(day, 0, zone), day, page.local(day, 0, zone) < c.now
        elif value is not None and value != state.fired:
            yield self.step_due(c, rule.steps[0], value) if rule.leads() else value, value, value < c.now

    # ---- decisions

    def decide(self, c, of, outcome, **more):
        line = {"time": print_instant(c.now), "customer": c.name, "rule": of.rule.name, "key": of.key or None,
                "outcome": outcome, **more}
        self.decisions.append({k: v for k, v in line.items() if v is not None})


def anniversaries(text, around):
    """"each anniversary (with a year: each one after that year) … 29 February falls on the 28th in years that have none.
    A date that is impossible never comes": those of the years around a day."""
    found = page.re.fullmatch(r"(?:(\d{4})-)?(\d\d)-(\d\d)", text)
    if not found:
        return
    year, month, day = found.groups()
    try:
        page.datetime.date(int(year) if year else 2000, int(month), int(day))
    except ValueError:
        return
    for this in range(around.year - 1, around.year + 4):
        if year is None or this > int(year):
            try:
                yield page.datetime.date(this, int(month), int(day))
            except ValueError:
                yield page.datetime.date(this, 2, 28)


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


def replay(rules, lines, lateness=0, until=None, wall=None, kind=World):
    """The world after all that; `until` is an instant, or a duration after the newest event as ("after", ms)."""
    world = kind(RuleSet(page.read_rules(rules)), lateness, wall)
    for number, line in enumerate(lines):
        if line.strip():
            world.record(line, number)
    if until is not None:
        world.run_until(world.newest + until[1] if isinstance(until, tuple) else until)
    return world
