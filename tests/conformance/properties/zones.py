"""Local time, and which zone a customer has: from the stream and the decisions alone."""
import datetime
import functools
import zoneinfo

from scene import instant

MINUTE, DAY = 60000, 86400000
EPOCH = datetime.date(1970, 1, 1)


@functools.cache
def load(name):
    """The zone, or None."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None


def offset(zone, ms):
    then = datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc).astimezone(zone)
    return then.utcoffset() // datetime.timedelta(milliseconds=1)


def day_of(zone, ms):
    """The local day, counted from 1970."""
    return (ms + offset(zone, ms)) // DAY


@functools.cache
def at(zone, day, minutes):
    """The instant of a local time: the first where it comes twice; one that is skipped, forward by the gap."""
    wall = day * DAY + minutes * MINUTE
    before, after = offset(zone, wall - DAY), offset(zone, wall + DAY)
    found = [wall - o for o in (before, after) if offset(zone, wall - o) == o]
    return min(found, default=wall - before)


def date_of(day):
    """YYYY-MM-DD."""
    return str(EPOCH + datetime.timedelta(days=day))


def weekday(day):
    """0 is Monday."""
    return (day + 3) % 7


def first_of_month(day):
    return day - (EPOCH + datetime.timedelta(days=day)).day + 1


def send_where_set(rules):
    """A step that only sets leaves no line: one that sets the zone sends too, so that it can be followed."""
    for step in (step for rule in rules["rules"].values() for step in rule["do"]):
        if "tz" in step.get("set", {}):
            step.setdefault("send", "push")


class Zones:
    """Follows the attribute `tz` of every customer."""

    def __init__(self, rules):
        self.rules, self.writes = rules, {}
        self.default = load(rules.get("tz", "UTC"))
        self.declared = rules["customer"].get("tz")

    def of(self, customer):
        value = self.writes.get(customer, (None, 0))[0]
        return (load(value) if value else None) or self.default

    def write(self, customer, value, time):
        if customer not in self.writes or self.writes[customer][1] <= time:
            self.writes[customer] = (value, time)

    def see_event(self, moment):
        """Before its decisions."""
        if moment.fate != "event":
            return
        if moment.event["type"] == "forget":
            self.writes.pop(moment.event["customer"], None)
        source, field = ("identify", "tz") if self.declared == "string" else ("tap", "zone")
        if self.declared and moment.event["type"] == source and field in moment.event:
            self.write(moment.event["customer"], moment.event[field], instant(moment.event["time"]))

    def see_decision(self, line):
        """After it: a step sets when it has sent."""
        if line["outcome"] in ("sent", "held"):
            sets = self.rules["rules"][line["rule"]]["do"][line["step"] - 1].get("set", {})
            if "tz" in sets:
                self.write(line["customer"], sets["tz"], instant(line["time"]))
