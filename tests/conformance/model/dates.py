"""Rules on `yearly` and `date`, as the reference model has them: when their triggers fall due, and which runs follow."""
import page
from cel import CelError, Record, Ts


class DateState:
    """What a yearly or date rule knows of a customer: the value and the zone it computed with; what comes, when its
    steps want it, and when it falls due; what fired last."""
    seen = coming = wanted = due = fired = None
    known = False  # has there ever been a value?


class Date:
    """What a yearly or date expression means: an instant; `day` where it is one of the customer's days."""

    def __init__(self, instant, day=None):
        self.instant, self.day = instant, day
        self.what = instant if day is None else day


class Dates:
    """The part of a World that looks at dates."""

    def look_at_dates(self, c):
        for rule in self.rules.rules:
            if rule.date:
                self.look_at_date(c, rule)

    def look_at_date(self, c, rule):
        """When the expression's value or the customer's zone has changed, runs follow and the next instant is computed
        anew."""
        state = c.dates.setdefault(rule.name, DateState())
        value = self.attempt(rule.date, self.variables(c, last=Record(c.last)))
        seen = (None if isinstance(value, CelError) else value, str(self.zone(c)))
        if state.seen != seen:
            anew = state.seen is None or state.seen[0] != seen[0]
            state.seen, state.known = seen, state.known or seen[0] is not None
            self.follow(c, rule, state, anew)
            self.arm(c, rule, state)

    def follow(self, c, rule, state, anew):
        """Runs that wait for a step before the date: of another value to its date, of another zone to the same day
        there."""
        runs = [run for run in self.runs_of(c, rule) if not run.performs and run.present.before is not None]
        date = next((d for d in self.dates(c, rule, state) if rule.date_kind == "date" or d.instant >= c.now), None)
        for run in runs:
            if not anew:
                self.move(c, run, self.same_day(c, run.trigger))
            elif date is None:
                self.end(c, run, "cancelled")
            else:
                self.move(c, run, date)
                state.fired = date.what

    def same_day(self, c, trigger):
        """The date of a trigger: a local day by the customer's present zone."""
        return Date(trigger["time"]) if trigger.day is None else self.day(c, trigger.day)

    def day(self, c, day):
        return Date(page.local(day, 0, self.zone(c)), day)

    def move(self, c, run, date):
        run.trigger["time"], run.trigger.day = Ts(date.instant), date.day
        time = self.before_date(c, run.present, date)
        if run.parked or time == run.time:
            return
        if not run.deferred:
            run.wait_until(time, c.now)
        elif time > c.now:
            run.wait_until(time)

    def arm(self, c, rule, state):
        """"One that is already past when it becomes known does not fire": what is armed already has been known before."""
        known, due = state.due is not None and (state.coming.what, state.wanted), state.due
        state.due = None
        for date in self.dates(c, rule, state):
            wanted = min((self.before_date(c, step, date) for step in rule.leads()), default=date.instant)
            if has_fired(date, state.fired):
                continue
            if (date.what, wanted) == known or date.instant >= c.now:
                state.coming, state.wanted = date, wanted
                state.due = due if (date.what, wanted) == known else max(wanted, c.now)
                return

    def dates(self, c, rule, state):
        """What the expression's value means, ascending."""
        value = state.seen[0]
        if rule.date_kind == "yearly":
            for day in anniversaries(value, page.local_day(c.now, self.zone(c))):
                yield self.day(c, day)
        elif isinstance(value, str):
            day = page.day_text(value)
            if day:
                yield self.day(c, day)
        elif value is not None:
            yield Date(value)


def has_fired(date, fired):
    """No local day that is not after the one that fired last, nor the date that fired last."""
    if fired is None:
        return False
    return date.what == fired if date.day is None else date.what <= fired


def anniversaries(text, around):
    """Each anniversary (with a year: each one after that day), those of the years around a day. 29 February falls on the
    28th in other years; an impossible date never comes."""
    found = page.re.fullmatch(r"(?:([0-9]{4})-)?([0-9]{2})-([0-9]{2})", text or "")
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
