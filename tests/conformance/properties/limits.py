"""No send in quiet hours, no more than a cap allows, none that a gate forbids, and held is what a group holds and nothing
else: counted from the decisions, in the customer's zone as the stream says it. A limit whose `if` reads the customer is
left out; those that read what a line says are not, and two of three are made such."""
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
    "now.getMinutes() < 10": lambda line, priority: utc(instant(line["time"])).minute < 10,
    "now.getDayOfWeek() != 0": lambda line, priority: utc(instant(line["time"])).isoweekday() != 7,
    "now.getHours('America/New_York') > 6": lambda line, priority: utc(instant(line["time"])).astimezone(
        zones.load("America/New_York")).hour > 6,
}


def ask_what_lines_tell(rules):
    for number, limit in enumerate(rules["limits"]):
        if limit.get("if") not in (None, *CONDITIONS) and number % 3 < 2:
            limit["if"] = list(CONDITIONS)[(number + len(limit["if"])) % len(CONDITIONS)]


def have_a_gate(rules):
    """Few random rule sets have one: every other of the rest is given one that forbids little."""
    if not any("never" in limit for limit in rules["limits"]) and len(rules["rules"]) % 2:
        rules["limits"].append({"never": "not now", "if": "now.getMinutes() < 10"})


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


WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def weekdays(text):
    """"sat,mon-wed" as numbers."""
    days = set()
    for first, last in ((part[:3], part[-3:]) for part in text.split(",")):
        begin = WEEK.index(first)
        days |= {(begin + n) % 7 for n in range((WEEK.index(last) - begin) % 7 + 1)}
    return days


def spans_begin(text, holidays, day):
    """Do the hours of `quiet` begin on a day?"""
    if text == "holidays":
        date = zones.date_of(day)
        return date in holidays or date[5:] in holidays
    return not text[0].isalpha() or zones.weekday(day) in weekdays(text.split()[0])


def hours(text):
    """Their two times, in minutes."""
    return list(map(minutes, text.split()[-1].split("-"))) if text[-1].isdigit() else [0, 24 * 60]


def quiet_ends(text, holidays, zone, now):
    """The end of the quiet hours that `now` lies in, or None."""
    start, end = hours(text)
    today = zones.day_of(zone, now)
    for day in range(today - 3, today + 3):
        begins, ends = zones.at(zone, day, start), zones.at(zone, day + (end <= start), end)
        if spans_begin(text, holidays, day) and begins <= now < ends:
            return ends
    return None


def period_begins(name, zone, now):
    day = zones.day_of(zone, now)
    first = {"day": day, "week": day - zones.weekday(day), "month": zones.first_of_month(day)}[name]
    return zones.at(zone, first, 0)


def sends(scene, keyword, outcomes=("sent", "held")):
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
            if line["outcome"] in outcomes:
                yield line, followed.of(line["customer"]), [limit for limit in limits if limit.concerns(line)]
            followed.see_decision(line)


def quiet(scene):
    """No send, also no held one, in quiet hours that concern it."""
    checked = 0
    for line, zone, limits in sends(scene, "quiet"):
        for limit in limits:
            checked += 1
            until = quiet_ends(limit.raw["quiet"], scene.rules["holidays"], zone, instant(line["time"]))
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


def known_of(scene, keyword):
    """(the limits with this keyword, are all of them known?)"""
    raws = [raw for raw in scene.rules["limits"] if keyword in raw]
    return raws, all(Limit(raw, scene.rules).known for raw in raws)


def never(scene):
    """Nothing is sent, nor held, that a gate forbids; and nothing is blocked but by one that does."""
    checked, (gates, known) = 0, known_of(scene, "never")
    for line, _, limits in sends(scene, "never", ("sent", "held", "blocked")):
        checked += len(gates)
        if limits and line["outcome"] != "blocked":
            raise Broken(f"a gate forbids it, {limits[0].raw}: {line}")
        if line["outcome"] == "blocked" and known and not limits:
            raise Broken(f"no gate forbids it: {line}")
    return checked


def hold(scene):
    """Held is what the variant `holdout` and the groups hold, for the first of these; all else is sent."""
    checked, (groups, known) = 0, known_of(scene, "hold")
    for line, _, limits in sends(scene, "hold") if known else ():
        checked += 1
        group = limits[0].raw["hold"] if limits else None
        held = group is not None or line.get("variant") == "holdout"
        if (line["outcome"] == "held", line.get("group")) != (held, group):
            raise Broken(f"it should be {'held' if held else 'sent'}, for the group {group}: {line}")
    return checked
