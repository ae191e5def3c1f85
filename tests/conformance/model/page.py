"""LANGUAGE.md §1 to §3, as the reference model reads them: files, durations, times of day,
coercion of fields, payloads. Slow and literal; sentences in quotation marks are the page's."""
import base64
import binascii
import ctypes
import datetime
import decimal
import functools
import json
import re
import zoneinfo

import cel
from cel import Dur, Record, Ts, Uint

MS = {"w": 604800000, "d": 86400000, "h": 3600000, "m": 60000, "s": 1000}
DAY = MS["d"]
ENVELOPE = {"id": "string", "type": "string", "time": "timestamp", "customer": "string"}


class Number(str):
    """A JSON number by its own text."""


def read_json(text):
    return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=refuse_constant)


def refuse_constant(text):
    raise ValueError(f"no JSON: {text}")


def read_rules(text):
    """JSON with comments and trailing commas; numbers as Python's."""
    parts = re.findall(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/|[^"/]+|/', text, re.S)
    bare = "".join(p for p in parts if not p.startswith(("//", "/*")))
    bare = re.sub(r'("(?:[^"\\]|\\.)*")|,(?=\s*[\]}])', lambda m: m.group(1) or "", bare)
    return json.loads(bare, parse_float=lambda text: float(text) if "." in text or float(text) % 1 else int(float(text)))


def duration(text):
    """LANGUAGE.md §2: "whole numbers with the units `w d h m s`, each at most once, descending"."""
    found = re.fullmatch(r"(-?)(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", text, re.A)
    if not found or not any(found.groups()[1:]):
        raise ValueError(f"no duration: {text}")
    ms = sum(int(n) * MS[unit] for n, unit in zip(found.groups()[1:], "wdhms") if n)
    return -ms if found.group(1) else ms


# ---- time zones and local time

@functools.cache
def zone(name):
    """The zone of that name, or None: remembered, since what is none would be looked for among Python's modules each time."""
    try:
        return zoneinfo.ZoneInfo(name) if name else None
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None


def local_day(ms, tz):
    return datetime.datetime.fromtimestamp(ms // 1000, tz).date()


def local(day, minutes, tz, fold=0):
    """"A local time that a clock change skips is moved forward by the gap. One that occurs twice means the
    first": both are what Python's fold=0 does."""
    then = datetime.datetime(day.year, day.month, day.day, minutes // 60, minutes % 60, tzinfo=tz, fold=fold)
    return int(then.timestamp()) * 1000


def days(day, n):
    return day + datetime.timedelta(days=n)


WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def days_of_the_week(text):
    """`sat,sun`, `mon-fri`, `fri-mon`, `mon,wed-fri`: a set of numbers, Monday 0; ValueError where it is none of these."""
    out = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        at, end = WEEK.index(first), WEEK.index(last if dash else first)
        out |= {(at + n) % 7 for n in range((end - at) % 7 + 1)}
    return out


def time_of_day(text):
    """Minutes from midnight; ValueError where the text is no `HH:MM`."""
    found = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])", text)
    if not found:
        raise ValueError(f"no time of day: {text}")
    return int(found.group(1)) * 60 + int(found.group(2))


def at_text(text):
    """`[DAYS ]HH:MM` as (days of the week or None, minutes)."""
    days_, blank, time = text.rpartition(" ")
    return (days_of_the_week(days_) if blank else None), time_of_day(time)


def day_text(text):
    """A day `YYYY-MM-DD`; None where the text is none, or there is no such day."""
    try:
        return datetime.date(*map(int, re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", text).groups()))
    except (AttributeError, ValueError):
        return None


# ---- coercion (LANGUAGE.md §1.2)

class Absent(Exception):
    """The value cannot be coerced."""


INTEGER, NUMBER = re.compile(r"-?[0-9]+"), re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
INSTANT = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([-+])(\d\d):(\d\d))")


def to_int(value, least=-2**63, most=2**63 - 1):
    if isinstance(value, Number) and not INTEGER.fullmatch(value):
        number = float(value)
        if number != int(number):
            raise Absent
        value = int(number)
    elif isinstance(value, str) and INTEGER.fullmatch(value):
        value = int(value)
    else:
        raise Absent
    if not least <= value <= most:
        raise Absent
    return value


def to_double(value):
    if not isinstance(value, str) or not NUMBER.fullmatch(value) or float(value) in (float("inf"), -float("inf")):
        raise Absent
    return float(value)


def to_bool(value):
    if isinstance(value, bool):
        return value
    if value in ("true", "false") and not isinstance(value, Number):
        return value == "true"
    raise Absent


def instant(text):
    found = INSTANT.fullmatch(text)
    if not found:
        raise Absent
    *parts, fraction, sign, hours, minutes = found.groups()
    try:
        then = datetime.datetime(*map(int, parts))
    except ValueError:
        raise Absent from None
    ms = (then - cel.EPOCH) // datetime.timedelta(milliseconds=1) + int(((fraction or "") + "000")[:3])
    offset = (int(hours) * 60 + int(minutes)) * 60000 if sign else 0
    return ms - offset if sign != "-" else ms + offset


def to_timestamp(value):
    ms = to_int(value) if isinstance(value, Number) else instant(value) if isinstance(value, str) else None
    if ms is None or not -62135596800000 <= ms < 253402300800000:
        raise Absent
    return Ts(ms)


SECONDS_BELOW = 10**11


def to_time(value):
    """The time of an event: a number below 1e11 is seconds, any other milliseconds."""
    if isinstance(value, Number) and abs(float(value)) < SECONDS_BELOW:
        return to_timestamp(Number(int(decimal.Decimal(value) * 1000)))
    return to_timestamp(value)


def to_duration(value):
    try:
        return Dur(duration(value))
    except (TypeError, ValueError):
        raise Absent from None


def to_bytes(value):
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise Absent from None


def to_string(value):
    if not isinstance(value, str):
        raise Absent
    return str(value)


SCALARS = {"int": to_int, "uint": lambda v: Uint(to_int(v, 0, 2**64 - 1)), "double": to_double, "bool": to_bool,
           "timestamp": to_timestamp, "duration": to_duration, "bytes": to_bytes, "string": to_string}


def coerce(value, type_, types):
    """The value in the declared type; Absent when it has none. In a list or map "one element that
    does not fit, `null` included, and the whole is absent"; of a record "only those that do not fit are absent"."""
    if type_ in SCALARS:
        return SCALARS[type_](value)
    if type_.startswith("list("):
        if not isinstance(value, list):
            raise Absent
        return [coerce(item, type_[5:-1], types) for item in value]
    if not isinstance(value, dict):
        raise Absent
    if type_.startswith("map("):
        return {k: coerce(v, type_.split(",", 1)[1][:-1].strip(), types) for k, v in value.items()}
    return coerce_fields(value, types[type_], types)


def coerce_fields(values, fields, types):
    out = Record()
    for name, type_ in fields.items():
        try:
            if values.get(name) is not None:
                out[name] = coerce(values[name], type_, types)
        except Absent:
            pass
    return out


# ---- payloads (LANGUAGE.md §3.4)

LEFT_OUT = object()  # the value of an empty optional, in a payload


def split_template(text, parse=cel.parse):
    """[literal text or ("cel", tree)]."""
    parts, at, literal = [], 0, ""
    while at < len(text):
        if text.startswith("$$", at):
            literal, at = literal + "$", at + 2
        elif text.startswith("${", at):
            end = closing(text, at + 2)
            parts += [literal, ("cel", parse(text[at + 2:end]))]
            literal, at = "", end + 1
        else:
            literal, at = literal + text[at], at + 1
    return [part for part in [*parts, literal] if part]


def closing(text, at):
    """The place of the } that ends the CEL: "Brackets and strings of the CEL's own do not end it"."""
    depth = 0
    for token in re.finditer(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|.""", text[at:], re.S):
        if token.group() == "}" and depth == 0:
            return at + token.start()
        depth += {"{": 1, "[": 1, "(": 1, "}": -1, "]": -1, ")": -1}.get(token.group(), 0)
    raise ValueError(f"a ${{ without its end: {text}")


def template(value, parse=cel.parse):
    """A tree of the payload: strings split, everything else as it is."""
    if isinstance(value, str):
        return ("text", split_template(value, parse))
    if isinstance(value, list):
        return ("list", [template(v, parse) for v in value])
    if isinstance(value, dict):
        return ("dict", {k: template(v, parse) for k, v in value.items()})
    return ("value", value)


def fill(tree, evaluate):
    """The template's value: CEL's types where a string is one ${CEL}, JSON's elsewhere. What is LEFT_OUT is left out."""
    kind, value = tree
    if kind == "list":
        return [v for v in (fill(v, evaluate) for v in value) if v is not LEFT_OUT]
    if kind == "dict":
        return {k: v for k, v in ((k, fill(v, evaluate)) for k, v in value.items()) if v is not LEFT_OUT}
    if kind == "value":
        return value
    if len(value) == 1 and value[0][0] == "cel":
        found = evaluate(value[0][1])
        return found if not isinstance(found, cel.Optional) else found[0] if found else LEFT_OUT
    return "".join(part if isinstance(part, str) else text_of(evaluate(part[1])) for part in value)


def text_of(value):
    """As a part of a longer text: by CEL's string(), but NaN and infinities have none."""
    return cel.text_of(to_json(value) if isinstance(value, float) else value)


def to_json(value):
    """As JSON, "NaN, infinities and types have no form in JSON: they are errors"."""
    name = cel.kind(value)
    if name == "timestamp":
        return cel.instant_text(value)
    if name == "duration":
        return cel.duration_text(value)
    if name == "bytes":
        return cel.bytes_text(value)
    if name == "optional" or (name == "double" and (value != value or value in (float("inf"), -float("inf")))):
        raise cel.CelError("no form in JSON")
    if name == "list":
        return [to_json(v) for v in value]
    if name == "map":
        return {k: to_json(v) for k, v in value.items()}
    return int(value) if name == "uint" else value


# ---- hashes

LIBRARY = ctypes.CDLL("libxxhash.so.0")


class Hash128(ctypes.Structure):
    _fields_ = [("low", ctypes.c_uint64), ("high", ctypes.c_uint64)]


LIBRARY.XXH3_64bits.restype, LIBRARY.XXH3_128bits.restype = ctypes.c_uint64, Hash128
LIBRARY.XXH3_64bits.argtypes = LIBRARY.XXH3_128bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]


def joined(parts):
    text = b"\0".join(part if isinstance(part, bytes) else part.encode() for part in parts)
    return text, len(text)


def hash64(*parts):
    return LIBRARY.XXH3_64bits(*joined(parts))


def hash128(*parts):
    found = LIBRARY.XXH3_128bits(*joined(parts))
    return f"{found.high:016x}{found.low:016x}"
