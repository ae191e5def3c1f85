"""No send in quiet hours, and no more than a cap allows: counted from the decisions, in the customer's zone as the
stream says it. A limit whose `if` reads the customer is left out; those that read what a line says are not, and two
of three are made such."""
import datetime
import re

import zones
from scene import Broken, instant

MS = {"w": 604800000, "d": 86400000, "h": 3600000, "m": 60000, "s": 1000}


def utc(ms):
    return datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc)


# What a line alone decides; `priority` of its rule.
CONDITIONS = {
    "rule.priority < 50": lambda line, priority: priority < 50,
    "rule.name != 'r1 ä'": lambda line, priority: line["rule"] != "r1 ä",
    "customer.id != 'c2'": lambda line, priority: line["customer"] != "c2",
    "run.step < 2": lambda line, priority: line["step"] < 2,
    "run.variant != 'b'": lambda line, priority: line.get("variant", "") != "b",
    "now.getMinutes() < 40": lambda line, priority: utc(instant(line["time"])).minute < 40,
    "now.getDayOfWeek() != 0": lambda line, priority: utc(instant(line["time"])).isoweekday() != 7,
    "now.getHours('America/New_York') > 6": lambda line, priority: utc(instant(line["time"])).astimezone(
        zones.load("America/New_York")).hour > 6,
}


def ask_what_lines_tell(rules):
    for number, limit in enumerate(rules["limits"]):
        if limit.get("if") not in (None, *CONDITIONS) and number % 3 < 2:
            limit["if"] = list(CONDITIONS)[(number + len(limit["if"])) % len(CONDITIONS)]


class Limit:
    def __init__(self, raw, rules):
        self.raw, self.rules = raw, rules
        self.known = "if" not in raw or raw["if"] in CONDITIONS
        self.sends = {}  # customer → instants, ascending

    def concerns(self, line):
        if self.raw.get("send", line["send"]) != line["send"]:
            return False
        priority = self.rules["rules"][line["rule"]].get("priority", 0)
        return "if" not in self.raw or CONDITIONS[self.raw["if"]](line, priority)


def duration(text):
    return sum(int(n) * MS[unit] for n, unit in re.findall(r"(\d+)([wdhms])", text))


def minutes(text):
    return int(text[:2]) * 60 + int(text[3:])


def quiet_ends(limit, zone, now):
    """The end of the quiet hours that `now` lies in, or None."""
    start, end = map(minutes, limit["quiet"].split("-"))
    today = zones.day_of(zone, now)
    ends = sorted(zones.at(zone, today + n, end) for n in range(-3, 5))
    for begins in (zones.at(zone, today + n, start) for n in range(-2, 2)):
        until = next(e for e in ends if e > begins)
        if begins <= now < until:
            return until
    return None


def period_begins(name, zone, now):
    day = zones.day_of(zone, now)
    first = {"day": day, "week": day - zones.weekday(day), "month": zones.first_of_month(day)}[name]
    return zones.at(zone, first, 0)


def sends(scene, keyword):
    """(send, its customer's zone, the limits with this keyword that concern it), in order. A limit's own counts are
    kept between, and lost with a customer who is forgotten."""
    limits = [limit for limit in (Limit(raw, scene.rules) for raw in scene.rules["limits"])
              if keyword in limit.raw and limit.known]
    followed = zones.Zones(scene.rules)
    for moment in scene.tape if limits else []:
        followed.see_event(moment)
        if moment.fate == "event" and moment.event["type"] == "forget":
            for limit in limits:
                limit.sends.pop(moment.event["customer"], None)
        for line in moment.decisions:
            if line["outcome"] in ("sent", "held"):
                yield line, followed.of(line["customer"]), [limit for limit in limits if limit.concerns(line)]
            followed.see_decision(line)


def quiet(scene):
    """No send, also no held one, in quiet hours that concern it."""
    checked = 0
    for line, zone, limits in sends(scene, "quiet"):
        for limit in limits:
            checked += 1
            until = quiet_ends(limit.raw, zone, instant(line["time"]))
            if until is not None:
                raise Broken(f"in the quiet hours {limit.raw['quiet']} of {zone}, which end at {utc(until)}: {line}")
    return checked


def caps(scene):
    """No more sends than `max` of every limit that concerns them; a held one passes, but does not count."""
    checked = 0
    for line, zone, limits in sends(scene, "max"):
        now = instant(line["time"])
        for limit in limits:
            most, period = int(limit.raw["max"].split()[0]), limit.raw["max"].split()[2]
            times = limit.sends.setdefault(line["customer"], [])
            if period in ("day", "week", "month"):
                since = period_begins(period, zone, now)
            else:
                since = now - duration(period) + 1
            before = sum(since <= then for then in times)
            checked += 1
            if before >= most:
                raise Broken(f"{before} sends since {utc(since)} in {zone}, at most {limit.raw['max']}: {line}")
            if line["outcome"] == "sent":
                times.append(now)
    return checked
