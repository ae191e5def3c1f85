"""Visitors, and how they become customers (LANGUAGE.md §4.16), as the reference model has it: whose an event is, and
what the merge of two states leaves, part by part."""
from state import COOLDOWNS, RUNS, TRIGGERS, VALUES, WINDOWS, Customer, Link

VISITORS, CUSTOMERS = 16, 8
CANNOT_BE = {"null", "undefined", "anonymous", "-1"}
ID_BYTES = 256
NEVER = float("-inf")
AGAIN = {"rearm": "rearmed", "restart": "restarted", "collect": "collected"}


def visitor_of(raw):
    """The visitor's id; None where what stands there "is none"."""
    value = raw.get("visitor")
    if not isinstance(value, str) or not 0 < len(value.encode()) <= ID_BYTES:
        return None
    return None if value in CANNOT_BE or set(value) <= set("0-") else str(value)


def one_by_time(ours, theirs, older=False):
    """Of two with a time the newer (or the older); "at equal times the customer's"."""
    if ours is None or theirs is None:
        return theirs if ours is None else ours
    wins = theirs[1] < ours[1] if older else theirs[1] > ours[1]
    return theirs if wins else ours


class Visitors:
    """The part of a World that knows of visitors."""

    # ---- whose an event is

    def whose(self, event):
        """An event with both "belongs to the customer"; of a visitor alone it is "the customer's, until an event links the
        visitor to another customer"."""
        customer, visitor = event["customer"], event.visitor
        if customer is None:
            customer = self.customer_of(visitor)
        return self.somebody(visitor, known=False) if customer is None else self.somebody(customer)

    def somebody(self, name, known=True):
        fresh = Customer(name, known)
        return self.customers.get(fresh.who, fresh)

    def customer_of(self, visitor):
        """Whose the visitor is, unless "the newest event that came by it is older than D"."""
        link = self.links.get(visitor)
        if link is None or link.customer is None:
            return None
        newest = self.somebody(link.customer).visitors[visitor]
        return link.customer if self.clock - newest <= self.forget_visitors else None

    def hear_of(self, c, event):
        """An event that is no duplicate has come by the visitor, for this customer or for the visitor alone: "A duplicate of
        the customer's own links nobody"."""
        visitor = event.visitor
        if c.known and self.customer_of(visitor) == c.name:
            newest = c.visitors.pop(visitor)
            c.visitors[visitor] = max(newest, event["time"])
        elif c.known:
            self.link(c, visitor, event)
        elif visitor in self.links and not self.links[visitor].shared:
            self.unlink(visitor)

    def unlink(self, visitor):
        """It is nobody's any more."""
        link = self.links[visitor]
        if link.customer is not None:
            del self.somebody(link.customer).visitors[visitor]
        link.customer, link.remembered = None, False

    def link(self, c, visitor, event):
        v = self.somebody(visitor, known=False)
        if self.is_forgotten(v):
            self.forget_visitor(v)
            v = self.somebody(visitor, known=False)
        link = self.links.setdefault(visitor, Link())
        if link.shared:
            return
        self.unlink(visitor)
        if c.name not in link.ever and len(link.ever) == CUSTOMERS:
            link.shared = link.remembered = True
            return
        if c.name not in link.ever:
            link.ever.append(c.name)
        self.customers[c.who] = c
        if len(c.visitors) == VISITORS:
            self.links[next(iter(c.visitors))].customer = None
            del c.visitors[next(iter(c.visitors))]
        link.customer, link.remembered, c.visitors[visitor] = c.name, True, event["time"]
        left = self.customers[v.who] = Customer(visitor, known=False)
        left.newest = event["time"]
        if v.now is not None:
            self.merge(c, v, event)

    def is_forgotten(self, v):
        """Of a visitor "parked runs keep nobody" whom nothing else keeps."""
        link = self.links.get(v.name)
        if v.newest is None or self.clock - v.newest <= self.forget_visitors or (link and link.remembered):
            return False
        waits = [run.due for run in v.runs if not run.parked] + [date.due for date in v.dates.values()] + [
            self.next_leave(v, self.rules.tracked)]
        return waits.count(None) == len(waits) and not any(self.clock <= window.end for window in v.windows)

    def forget_visitor(self, v):
        self.customers.pop(v.who, None)
        self.links.pop(v.name, None)

    def forget(self, event):
        """"`forget` with a `visitor` removes what is kept of the visitor, and its link; `forget` of a customer makes its
        visitors visitors again"."""
        if event["customer"] is not None:
            c = self.somebody(event["customer"])
            for visitor in list(c.visitors):
                self.unlink(visitor)
            self.customers.pop(c.who, None)
        else:
            if event.visitor in self.links:
                self.unlink(event.visitor)
            self.forget_visitor(self.somebody(event.visitor, known=False))

    # ---- the merge

    def merge(self, c, v, event):
        limit = max(event["time"], self.clock)
        c.now = max(limit, v.now, limit if c.now is None else c.now)
        c.newest = v.newest if c.newest is None else max(c.newest, v.newest)
        self.merge_attributes(c, v)
        self.merge_counts(c, v)
        for name in self.rules.lists:
            for text, time in v.lists.get(name, {}).items():
                self.list_text(c, name, text, time)
            self.list_trim(c, name)
        c.told = {**v.told, **c.told}
        self.compute_segments(c)
        self.merge_sends(c, v)
        self.merge_dates(c, v)
        came = self.merge_runs(c, v)
        self.merge_cancels(c, v)
        self.merge_ids(c, v)
        for run in sorted(came, key=lambda run: (run.rule.order, run.key.encode())):
            if run.live and (run.parked or run.present.wait):
                run.parked = False
                self.wait(c, run, c.now)
                self.go_on(c, run, limit)
        self.tell(c, limit, self.changed(c))
        self.settle(c, limit)

    def merge_attributes(self, c, v):
        for name, theirs in v.attributes.items():
            c.attributes[name] = one_by_time(c.attributes.get(name), theirs, self.rules.attributes[name].first)
        for type_, theirs in v.last.items():
            if type_ not in c.last or c.last[type_]["time"] < theirs["time"]:
                c.last[type_] = theirs

    def merge_counts(self, c, v):
        """What is counted of "both, bucket by bucket"; "Of more than 256 values of `by` those updated longest ago go"."""
        for name, count in self.rules.counts.items():
            ours, theirs = c.counted.get(name, {}), v.counted.get(name, {})
            when = {value: max(of.updated.get((name, value), NEVER) for of in (c, v)) for value in {**theirs, **ours}}
            values = sorted(when, key=lambda value: (when[value] // 1000, value.encode()))[-VALUES:]
            c.counted[name] = {value: added(count, ours.get(value, []), theirs.get(value, [])) for value in values}
            c.updated.update({(name, value): when[value] for value in values})

    def merge_sends(self, c, v):
        """Cooldowns, "sends that count towards limits" and "goal windows"."""
        for rule, sent in v.last_send.items():
            c.last_send[rule] = max(sent, c.last_send.get(rule, sent))
        keys = {key: max(of.key_sends.get(key, NEVER) for of in (c, v)) for key in {**v.key_sends, **c.key_sends}}
        c.key_sends = {key: keys[key] for key in sorted(keys, key=lambda key: self.send_age(keys, key))[-COOLDOWNS:]}
        for place, sends in v.sends.items():
            c.sends[place] = sorted(c.sends.get(place, []) + sends)
        windows = {}
        for window in sorted(v.windows + c.windows, key=lambda w: w.start):
            windows.pop((window.rule, window.key), None)
            windows[window.rule, window.key] = window
        c.windows = list(windows.values())[-WINDOWS:]

    def merge_cancels(self, c, v):
        c.cancels = sorted(v.cancels + c.cancels, key=lambda e: e["time"])
        for type_, time in v.forgotten.items():
            c.forgotten[type_] = max(time, c.forgotten.get(type_, time))
        self.forget_cancels(c)

    def merge_ids(self, c, v):
        both = sorted(c.ids + v.ids, key=lambda entry: entry[2])
        c.ids = []
        for entry in both:
            self.remember_id(c, *entry)

    def merge_dates(self, c, v):
        """The customer's runs follow; which date fired last is the later of both."""
        for name, theirs in v.dates.items():
            ours = c.dates.get(name)
            if ours is None or not ours.known:
                c.dates[name] = theirs
            elif theirs.fired is not None:
                ours.fired = theirs.fired if ours.fired is None else max(ours.fired, theirs.fired)
        self.look_at_dates(c)

    # ---- runs

    def merge_runs(self, c, v):
        """The visitor's runs that go on."""
        for run in sorted(c.runs, key=lambda run: (run.rule.order, run.key.encode())):
            if self.is_ended_by(c, v, run):
                self.end(c, run, "cancelled")
        came = []
        for run in sorted(v.runs, key=lambda run: (run.trigger.at, run.rule.order, run.key.encode())):
            if self.is_ended_by(c, c, run):
                self.decide(c, run, "overtaken")
            elif self.joins(c, run):
                came.append(run)
        return came

    def is_ended_by(self, c, other, run):
        """Is it "a run of one whose newest trigger is not after an event that cancels it and that is remembered of
        the other", or "not after what is remembered by its time alone"?"""
        if any(run.trigger.at <= other.forgotten.get(type_, run.trigger.at - 1)
               for m in run.rule.cancel for type_ in m.on):
            return True
        return any(run.trigger.at <= event["time"] and self.matches(
            c, run, self.matching(c, run.rule, run.rule.cancel, event), event) for event in other.cancels)

    def joins(self, c, theirs):
        """Does the visitor's run go on as one of the customer's?"""
        ours = next((run for run in c.runs if (run.rule, run.key) == (theirs.rule, theirs.key)), None)
        if ours is None:
            full = len(c.runs) >= RUNS
            if full:
                self.decide(c, theirs, "full")
            else:
                c.runs.append(theirs)
            return not full
        again = theirs.rule.again
        takes = theirs.started < ours.started if again in ("ignore", "collect") else theirs.trigger.at > ours.trigger.at
        stays = theirs if takes else ours
        if again != "ignore":
            stays.triggers = joined(theirs, ours)[-TRIGGERS:]
            self.decide(c, stays, AGAIN[again])
        if takes:
            c.runs[c.runs.index(ours)] = theirs
            ours.live = False
        return takes


def joined(theirs, ours):
    """By their time, and "At equal times the customer's is the later"; of dates "those of the run whose newest trigger fell
    due later stand behind those of the other"."""
    if theirs.rule.date:
        first, then = (theirs, ours) if theirs.trigger.at <= ours.trigger.at else (ours, theirs)
        return first.triggers + then.triggers
    return sorted(theirs.triggers + ours.triggers, key=lambda trigger: trigger.at)


def added(count, ours, theirs):
    """Entries of a count: what is summed, bucket by bucket; of what is kept all, the customer's behind."""
    if count.keep:
        return theirs + ours
    zero, sums = 0.0 if count.sum else 0, {}
    for entries in (ours, theirs):
        buckets = {}
        for bucket, time, amount in entries:
            bucket = bucket if count.over else 0
            buckets[bucket] = buckets.get(bucket, zero) + amount
        for bucket, amount in buckets.items():
            sums[bucket] = sums[bucket] + amount if bucket in sums else amount
    return [(bucket, bucket * count.bucket, amount) for bucket, amount in sums.items()]
