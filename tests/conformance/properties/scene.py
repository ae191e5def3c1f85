"""A seed's rule set and stream of events, played: by `relance replay`, and onto a tape.

The tape is the same decisions, each with what brought it about. Before every record stands one of no declared type
at the same time, which moves the clock and touches no state (LANGUAGE.md §4.4): what is decided there had been waited
for, what is decided at the record itself is the event's doing. `forgetful --marks` says where a record ends."""
import datetime
import functools
import json
import pathlib
import subprocess
import sys
from dataclasses import dataclass

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "model"))
import generate  # noqa: E402

CLOCK = {"type": "clock", "customer": "-"}  # of no declared type


class Broken(Exception):
    """A property that does not hold."""


@dataclass
class Moment:
    """A record or a wait, and what was decided in it."""
    event: dict  # as it stands in the stream; None: something waited for
    fate: str    # event, duplicate, ignored, dead; "" where nothing was read
    decisions: list


@dataclass
class Tools:
    relance: str
    forgetful: str


class Scene:
    def __init__(self, tools, seed, folder, prepare=()):
        """`prepare` are functions that make of the rule set one that the checkers can follow better."""
        self.tools, self.seed, self.folder = tools, seed, pathlib.Path(folder)
        files, self.lines, self.options = generate.of_customers(seed)
        self.rules = united(files.values())
        if "--only" in self.options:
            at = self.options.index("--only")
            del self.options[at:at + 2]
        for function in prepare:
            function(self.rules)
        self.own_rules = self.write("rules.jsonc", json.dumps(self.rules, ensure_ascii=False))
        self.own_events = self.write("events.jsonl", "".join(line + "\n" for line in self.lines))
        self.write("args", " ".join(self.options))

    def word(self, name, default=None):
        """The value of an option."""
        return self.options[self.options.index(name) + 1] if name in self.options else default

    @functools.cached_property
    def lateness(self):
        return int(self.word("--lateness", "0s")[:-1]) * 1000

    # ---- playing

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return str(path)

    def events(self, lines):
        if lines is None:
            return self.own_events
        return self.write("other-events.jsonl", "".join(line + "\n" for line in lines))

    def replay(self, rules=None, lines=None, options=None):
        """The lines of `relance replay`; the scene's own rules, events and options where none are given. Rules are a
        value, or the path of a folder."""
        if isinstance(rules, dict):
            rules = self.write("other-rules.jsonc", json.dumps(rules, ensure_ascii=False))
        return play([self.tools.relance, "replay", "--models=none", "--rules", rules or self.own_rules,
                     *(self.options if options is None else options), self.events(lines)])

    def forget(self, *words, lines=None):
        """The lines of `forgetful`, but for those that a replay prints only where it is asked to."""
        lines = play([self.tools.forgetful, *words, *self.options, self.own_rules, self.events(lines)])
        return [line for line in lines if json.loads(line).get("outcome") != "set"]

    @functools.cached_property
    def plain(self):
        """What `relance replay` prints."""
        return self.replay()

    @functools.cached_property
    def named(self):
        """The stream with an id in every event: those that are made up by the place in the file, written out."""
        return [with_id(line, n) for n, line in enumerate(self.lines)]

    @functools.cached_property
    def tape(self):
        """[Moment], in order."""
        lines = [line for event in self.named for line in (*clock(event), event)]
        moments, decisions = [], []
        for line in map(json.loads, self.forget("--marks", lines=lines)):
            if "record" not in line:
                decisions.append(line)
                continue
            event = read(lines[line["record"]])
            if event is None or event["type"] != CLOCK["type"]:
                moments.append(Moment(event, line["fate"], decisions))
            elif decisions:
                moments.append(Moment(None, "", decisions))
            decisions = []
        moments.append(Moment(None, "", decisions))
        if [line for moment in moments for line in moment.decisions] != list(map(json.loads, self.plain)):
            raise Broken("a record of no declared type before each event changes what is decided")
        return moments


def united(files):
    """One file that says what several do (LANGUAGE.md §1.1)."""
    whole = {"limits": [], "rules": {}, "customer": {}}
    for part, content in (member for file in files for member in file.items()):
        if part == "limits":
            whole[part] += content
        elif part in ("events", "types"):
            fields = whole.setdefault(part, {})
            fields.update({name: {**fields.get(name, {}), **more} for name, more in content.items()})
        elif part == "customer":  # where one file has the source, it is that
            whole[part].update({name: value for name, value in content.items()
                                if name not in whole[part] or isinstance(value, dict)})
        elif isinstance(content, dict):
            whole.setdefault(part, {}).update(content)
        else:
            whole[part] = content
    return whole


def play(words):
    done = subprocess.run(words, capture_output=True, timeout=120)
    if done.returncode:
        raise Broken(f"ended with status {done.returncode}: {done.stderr.decode(errors='replace')}")
    return done.stdout.decode().split("\n")[:-1]


# ---- lines of the stream

def read(line):
    """The event of a line, or None."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    if not isinstance(event, dict) or "time" not in event or "customer" not in event:
        return None
    return {**event, "customer": str(event["customer"])}


def with_id(line, number):
    event = read(line)
    return line if event is None else json.dumps({"id": f"-/0/{number}", **event}, ensure_ascii=False)


def clock(line):
    """[a line that moves the clock as this one does], or []."""
    event = read(line)
    return [] if event is None else [json.dumps({**CLOCK, "time": event["time"]})]


def instant(value):
    """Milliseconds since 1970, from what stands in an event or a decision."""
    if isinstance(value, (int, float)):
        return round(value * (1000 if abs(value) < 1e11 else 1))
    return round(datetime.datetime.fromisoformat(value).timestamp() * 1000)
