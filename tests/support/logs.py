"""Log lines as programs read them: every line of a log, as a dictionary of its facts; what is no line of the form is a ValueError."""
import json
import re

FACT = re.compile(r'([^\s="]+)=(?:([^\s="]+)|("(?:[^"\\]|\\.)*"))(?: |$)')
LEVELS = ("debug", "info", "warning", "error")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def of_text(line):
    facts, at = {}, 0
    while at < len(line):
        fact = FACT.match(line, at)
        if not fact or fact[1] in facts:
            raise ValueError(f"no logfmt at {at} of {line!r}")
        facts[fact[1]] = json.loads(fact[3]) if fact[3] else fact[2]
        at = fact.end()
    return facts


def of_json(line):
    def unique(pairs):
        if len(dict(pairs)) != len(pairs):
            raise ValueError(f"a name twice in {line!r}")
        return dict(pairs)
    return {name: value if isinstance(value, str) else str(value)
            for name, value in json.loads(line, object_pairs_hook=unique).items()}


def read(said, form="text"):
    """The lines of a log; all values as text. What is told for people before there is a log is passed over."""
    said = re.sub(r"\A(relance run: .*\n)*", "", said)
    lines = [(of_json if form == "json" else of_text)(line) for line in said.removesuffix("\n").split("\n")] if said else []
    for facts in lines:
        if not TIME.fullmatch(facts.get("time", "")) or facts.get("level") not in LEVELS or not facts.get("msg"):
            raise ValueError(f"not a line of the log: {facts}")
    return lines


def saying(lines, sentence):
    """The facts of those that begin with that sentence, without what every line has."""
    return [{name: value for name, value in facts.items() if name not in ("time", "level", "msg")}
            for facts in lines if facts["msg"].startswith(sentence)]
