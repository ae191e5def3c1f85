"""The life of runs, followed from the decisions: what is decided of a run is decided while it is live; an event that
cancels ends it; a trigger that such an event has overtaken starts nothing; and an action's id is its own.

Keys and conditions of cancels are evaluated here where they are in the tables below; the others may do either."""
import collections

import page
from scene import Broken, instant

STEPS = ("sent", "held", "skipped", "capped", "blocked", "deferred", "stale", "failed", "answered", "unanswered")
AGAIN = ("rearmed", "restarted", "collected")
ENDS = ("cancelled", "ended", "finished", "dropped")


# ---- what an event says, coerced to the declared types as far as keys and conditions here need it

class Absent(Exception):
    """Reading what is not there: an error, so the condition is false and the key none."""


def text(value):
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return repr(value)
    raise Absent


def whole(value):
    if isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value == int(value):
        return int(value)
    raise Absent


def number(value):
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise Absent
    try:
        return float(value)
    except ValueError:
        raise Absent from None


def natural(value):
    if whole(value) < 0:
        raise Absent
    return whole(value)


def truth(value):
    if value in ("true", "false") or isinstance(value, bool):
        return value in (True, "true")
    raise Absent


def texts(value):
    if not isinstance(value, list):
        raise Absent
    return [text(element) for element in value]


def records(value):
    """A list of records; a field that is bad is absent, so it is found out when it is read."""
    if not isinstance(value, list) or not all(isinstance(element, dict) for element in value):
        raise Absent
    return value


READ = {"p": text, "n": whole, "k": text, "items": records, "total": number, "tags": texts, "ok": truth, "u": natural}


class Event:
    def __init__(self, raw):
        self.raw, self.type, self.customer, self.time = raw, raw["type"], raw["customer"], instant(raw["time"])

    def __getattr__(self, name):
        if self.raw.get(name) is None:
            raise Absent
        return READ[name](self.raw[name])

    def has(self, name):
        try:
            getattr(self, name)
        except Absent:
            return False
        return True


KEYS = {
    "event.p": lambda e: [e.p], "event.p + '-' + customer.id": lambda e: [f"{e.p}-{e.customer}"],
    "event.n": lambda e: [str(e.n)], "event.k": lambda e: [e.k], "event.tags": lambda e: e.tags,
    "event.items.map(i, i.p)": lambda e: [text(item["p"]) if "p" in item else missing() for item in e.items],
    "event.ok": lambda e: [str(e.ok).lower()], "event.u": lambda e: [str(e.u)],
    "['k1', 'p1']": lambda e: ["k1", "p1"], "'k1'": lambda e: ["k1"], "who": lambda e: [e.customer + "!"],
}
OF_EVENT = {  # conditions that read only the event and the customer's id
    "event.p != 'p1'": lambda e: e.p != "p1", "event.p in ['p1', 'p2']": lambda e: e.p in ("p1", "p2"),
    "event.n % 2 == 0": lambda e: e.n % 2 == 0, "has(event.n) && event.n > 1": lambda e: e.has("n") and e.n > 1,
    "event.k != 'k1'": lambda e: e.k != "k1", "size(event.k) == 2": lambda e: len(e.k) == 2,
    "event.k + 'x' != 'k2x'": lambda e: e.k != "k2", "size(event.items) > 0": lambda e: len(e.items) > 0,
    "event.total >= 20.0": lambda e: e.total >= 20, "'hot' in event.tags": lambda e: "hot" in e.tags,
    "has(event.total) && event.total < 60.0": lambda e: e.has("total") and e.total < 60,
    "size(event.tags) > 1": lambda e: len(e.tags) > 1, "event.ok": lambda e: e.ok,
    "customer.id != 'c2'": lambda e: e.customer != "c2",
}
OF_RUN = {
    "event.time - run.started > duration('20m')": lambda e, run: e.time - run.started > 20 * 60000,
    "trigger.time < event.time": lambda e, run: run.trigger < e.time,
    "run.key != 'k1'": lambda e, run: run.key != "k1", "rule.priority > 0": lambda e, run: run.priority > 0,
}


def missing():
    raise Absent


def attempt(function, *arguments):
    """Its value; None where it is an error."""
    try:
        return function(*arguments)
    except Absent:
        return None


# ---- runs

class Run:
    """`trigger` is the time of the newest one, `started` and `origin` are as LANGUAGE.md §4.5 has them (None: not known);
    `begun` is when it was decided that the run starts, or starts again."""

    def __init__(self, key, priority):
        self.key, self.priority = key, priority
        self.trigger = self.started = self.origin = None
        self.done = 0  # the last step that was decided for good

    def begin(self, now, time, origin):
        self.begun, self.trigger, self.started, self.origin, self.done = now, time, time, origin, 0


class Matcher:
    """One entry of `cancel`."""

    def __init__(self, raw):
        raw = raw if isinstance(raw, dict) else {"on": raw}
        self.on = raw["on"] if isinstance(raw["on"], list) else [raw["on"]]
        self.key, self.condition = raw.get("key"), raw.get("if")

    def keys(self, event):
        """The keys that it is about: None is all, [] none, and "?" not known."""
        if self.key is None:
            return None
        return (attempt(KEYS[self.key], event) or []) if self.key in KEYS else "?"

    def holds(self, event, run):
        """True, False, or None: not known."""
        if self.condition is None:
            return True
        if self.condition in OF_EVENT:
            return bool(attempt(OF_EVENT[self.condition], event))
        if self.condition in OF_RUN and run and run.trigger is not None:
            return OF_RUN[self.condition](event, run)
        return None

    def cancels(self, event, key, run):
        keys, holds = self.keys(event), self.holds(event, run)
        if holds is False or (keys not in (None, "?") and key not in keys):
            return False
        return None if holds is None or keys == "?" else True


class Lives:
    """All runs of a scene. `each` gives (decision, its run or None) in order; what must not be raises Broken."""

    def __init__(self, scene):
        self.scene, self.rules = scene, scene.rules["rules"]
        self.live = {}                                      # (customer, rule, key) → Run
        self.cancels = {name: [Matcher(c) for c in rule.get("cancel", [])] for name, rule in self.rules.items()}
        self.remembered = collections.defaultdict(list)     # customer → events that some rule's cancel names
        self.counts = collections.Counter()

    def each(self):
        for moment in self.scene.tape:
            event = Event(moment.event) if moment.fate == "event" else None
            decisions = list(moment.decisions)
            if event and event.type == "forget":
                self.forget(event.customer)
            elif event:
                yield from self.cancel(event, decisions)
                if any(event.type in m.on for all_ in self.cancels.values() for m in all_):
                    self.remembered[event.customer].append(event)
            elif moment.event is not None and decisions:
                raise Broken(f"a record that is no event decides: {moment}")
            for line in decisions:
                yield line, self.take(line, event)

    def forget(self, customer):
        self.live = {place: run for place, run in self.live.items() if place[0] != customer}
        self.remembered.pop(customer, None)

    # ---- cancels

    def cancel(self, event, decisions):
        """Takes the cancels off the front of an event's decisions: those that must be, and none that may not. Runs whose
        date is gone come first."""
        must, may = set(), set()
        for (customer, rule, key), run in self.live.items():
            answers = [m.cancels(event, key, run) for m in self.cancels[rule] if event.type in m.on]
            late = run.trigger is not None and run.trigger > event.time
            if customer == event.customer and answers and not late:
                if True in answers and run.trigger is not None:
                    must.add((customer, rule, key))
                elif True in answers or None in answers:
                    may.add((customer, rule, key))
        self.counts["cancels that had to be"] += len(must)
        while decisions and decisions[0]["outcome"] == "cancelled":
            line = decisions.pop(0)
            if place(line) not in must | may and not self.follows_a_date(line["rule"]):
                raise Broken(f"cancelled by {event.raw}, which does not: {line}")
            must.discard(place(line))
            yield line, self.live.pop(place(line))
        if must:
            raise Broken(f"not cancelled by {event.raw}: {must}")

    def overtaken(self, rule, key, event):
        """Has the trigger surely been overtaken? By an event that is remembered; and by one that no longer is, whatever
        its key and its `if`."""
        run = Run(key, self.rules[rule].get("priority", 0))
        run.begin(None, event.time, None)
        return any(event.time < old.time and m.cancels(old, key, run)
                   for old in self.remembered[event.customer] if old is not event
                   for m in self.cancels[rule] if old.type in m.on)

    def follows_a_date(self, rule):
        """A run that waits for a step before its date ends, cancelled, when the date is gone."""
        return any("before" in step for step in self.rules[rule]["do"])

    # ---- the other decisions

    def take(self, line, event):
        """The run that a decision is about, after it."""
        outcome, where = line["outcome"], place(line)
        run = self.live.get(where)
        if outcome == "cancelled" and not self.follows_a_date(line["rule"]):
            raise Broken(f"cancelled, but not before all else that its event does: {line}")
        cooled = outcome == "cooling" and "step" in line
        if outcome in (*AGAIN, *STEPS, *ENDS) or cooled:
            self.counts["decisions of a live run"] += 1
            if run is None:
                raise Broken(f"there is no live run that could be {outcome}: {line}")
        if outcome in ("started", "cooling", "full") and not cooled and run is not None:
            raise Broken(f"{outcome} although a run of this key is live: {line}")
        if outcome == "started":
            run = self.live[where] = Run(where[2], self.rules[line["rule"]].get("priority", 0))
        if outcome in ("started", *AGAIN):
            self.trigger(run, line, event)
        if outcome in STEPS or cooled:
            self.step(run, line)
        if outcome in ENDS or cooled or (outcome == "failed" and "id" not in line):
            del self.live[where]
        return run

    def trigger(self, run, line, event):
        on, now, outcome = self.rules[line["rule"]]["on"], instant(line["time"]), line["outcome"]
        if isinstance(on, dict):
            # the due time: `now` is later where the customer's own is, so only without lateness it is known
            time = now if not self.scene.lateness else None
            origin = str(time) if time is not None else None
        elif not is_of_events(on):
            time, origin = now, str(now)
        elif event is None:
            raise Broken(f"no event, but triggered: {line}")
        else:
            time, origin = event.time, str(event.raw["id"])
            self.counts["triggers of events"] += 1
            late = outcome == "collected" and run.trigger is not None and time < run.trigger
            if (outcome == "started" or late) and self.overtaken(line["rule"], line.get("key", ""), event):
                raise Broken(f"an event has overtaken {event.raw}: {line}")
        if outcome == "collected" and None not in (time, run.trigger):
            run.trigger = max(time, run.trigger)
        elif outcome in ("collected", "rearmed"):
            run.trigger = time
        else:
            run.begin(now, time, origin)
        if self.follows_a_date(line["rule"]):
            run.trigger = None  # is the date itself, of which no decision tells

    def step(self, run, line):
        if line["step"] <= run.done:
            raise Broken(f"step {run.done} of this run has been decided: {line}")
        if line["outcome"] != "deferred":
            run.done = line["step"]


def is_of_events(on):
    """And not of segments or a date."""
    return not isinstance(on, dict) and not any(" " in word for word in (on if isinstance(on, list) else [on]))


def place(line):
    return line["customer"], line["rule"], line.get("key", "")


def runs(scene):
    """Nothing is decided of a run that has ended, and an event that cancels it ends it."""
    lives = Lives(scene)
    collections.deque(lives.each(), maxlen=0)
    return lives.counts["decisions of a live run"] + lives.counts["cancels that had to be"]


# ---- ids

def ids(scene):
    """Each action has the id that LANGUAGE.md §4.14 gives it, and no other has the same; but for the runs that are one and the
    same by it: those that begin with an event that is dealt with again, its id having been forgotten after 64
    others of its type or a day, or which another type has, too; and of segments and dates those that begin in the same millisecond."""
    checked, seen = 0, collections.defaultdict(list)
    dealt_with = collections.Counter((m.event["customer"], str(m.event["id"])) for m in scene.tape if m.fate == "event")
    for line, run in Lives(scene).each():
        if line["outcome"] not in STEPS or "id" not in line:
            continue
        customer, rule, key = place(line)
        if run.origin is not None:
            checked += 1
            if line["id"] != page.hash128(rule, customer, key, run.origin, str(line["step"])):
                raise Broken(f"not the id of origin {run.origin}: {line}")
        if line["outcome"] != "deferred":
            begun, on = seen[line["id"]], scene.rules["rules"][rule]["on"]
            if len(begun) >= dealt_with[customer, run.origin] if is_of_events(on) else {*begun, run.begun} != {run.begun}:
                raise Broken(f"a second action has this id: {line}")
            begun.append(run.begun)
    return checked
