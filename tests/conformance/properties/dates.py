"""Steps before a date, by what they say of it: those of every rule set send the date and the customer's zone. Two rules
that send before each date that streams move are among them."""
import zones
from limits import MS, duration, minutes
from scene import Broken, instant

BEGINS = ("started", "restarted", "rearmed")


REMINDERS = {"reminds of a day": {"date": "customer.day"}, "reminds of an end": {"date": "customer.ends"},
             "reminds of a birthday": {"yearly": "customer.born"}}


def remind(rules):
    """A customer's dates are followed, whatever else is sent."""
    for name, on in REMINDERS.items():
        if list(on.values())[0].split(".")[1] in rules["customer"]:
            rules["rules"][name] = {"on": on, "priority": 90, "do": [
                {"before": "3d", "send": "note"}, {"before": "1d", "at": "18:00", "send": "note"},
                {"before": "2h", "send": "note"}, {"before": "0d", "send": "note"}]}


def say_the_date(rules):
    zone = "${customer.tz}" if "tz" in rules["customer"] else rules.get("tz", "UTC")
    for step in (step for rule in rules["rules"].values() for step in rule["do"] if "before" in step):
        step.setdefault("send", "push")
        step["with"] = {"date": "${trigger.time}", "zone": zone}


def time_before(step, date, zone):
    """When a step before a date is due."""
    before = duration(step["before"])
    if "at" not in step:
        return date - before
    return zones.at(zone, zones.day_of(zone, date) - before // MS["d"], minutes(step["at"]))


class Clocks:
    """The clock of the partition, and how late it is for each customer (LANGUAGE.md §4.1 and §4.2)."""

    def __init__(self, scene):
        self.lateness, self.clock, self.now = scene.lateness, float("-inf"), {}

    def hear(self, moment):
        if moment.event is None or moment.fate == "dead":
            return
        time, customer = instant(moment.event["time"]), moment.event["customer"]
        self.clock = max(self.clock, time - self.lateness)
        if moment.event["type"] == "forget":
            self.now.pop(customer, None)
        elif moment.fate == "event":
            self.now[customer] = max(time, self.clock, self.of(customer))

    def of(self, customer):
        return self.now.get(customer, float("-inf"))


def first_asked(scene):
    """(decision, its step, the customer's `now` before) of the steps that are sent and no limit has deferred."""
    clocks, deferred = Clocks(scene), set()
    for moment in scene.tape:
        clocks.hear(moment)
        for line in moment.decisions:
            run, outcome = (line["customer"], line["rule"], line.get("key")), line["outcome"]
            if outcome in BEGINS:
                deferred = {(other, step) for other, step in deferred if other != run}
            if outcome == "deferred":
                deferred.add((run, line["step"]))
            if outcome in ("sent", "held") and (run, line["step"]) not in deferred:
                yield line, scene.rules["rules"][line["rule"]]["do"][line["step"] - 1], clocks.of(line["customer"])


def moves(rule):
    """Does a step set the zone? Its own run does not follow that, so that `trigger.time` is the midnight of another zone."""
    return any("tz" in step.get("set", {}) for step in rule["do"])


def dates(scene):
    """A step before a date is sent when it is due, which is not after the date, or never: one whose time was over when its
    wait began is skipped. But for what a limit has deferred."""
    checked = 0
    for line, step, late in first_asked(scene):
        if "before" not in step or moves(scene.rules["rules"][line["rule"]]):
            continue
        checked += 1
        now, date = instant(line["time"]), instant(line["with"]["date"])
        if now != max(late, time_before(step, date, zones.load(line["with"]["zone"]))):
            raise Broken(f"not due then: {step}, {line}")
        if now > max(late, date) and duration(step["before"]):
            raise Broken(f"its date is over: {step}, {line}")
    return checked
