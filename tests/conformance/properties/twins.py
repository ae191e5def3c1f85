"""Two replays that have to agree: what makes no difference to a customer by LANGUAGE.md, changed, and the decisions
compared. Each property here changes one thing."""
import collections
import json
import random
import shutil

from scene import Broken, clock, instant, read

HOUR = 3600000
OTHER_NAMES = {"12": "ß", "c1": "zoë", "c2": "c10", "c3": "a", "ç4": "B"}  # which sort the other way round


def same(what, wanted, found):
    """Compares lines; how many there are."""
    for number, (a, b) in enumerate(zip(wanted, found), 1):
        if a != b:
            raise Broken(f"{what}: decision {number} is\n  {b}\nand not\n  {a}")
    if len(wanted) != len(found):
        more = (wanted if len(wanted) > len(found) else found)[min(len(wanted), len(found))]
        raise Broken(f"{what}: {len(found)} decisions, not {len(wanted)}: {more}")
    return len(wanted)


def of_customer(lines, customer):
    return [line for line in lines if json.loads(line)["customer"] == customer]


def chance(scene):
    """What is chosen here is chosen by the seed, but not as the generator chose."""
    return random.Random(f"twin {scene.seed}")


def twice(scene):
    """Replayed twice: the same bytes."""
    return same("replayed again", scene.plain, scene.replay())


def customers(scene):
    return sorted({event["customer"] for event in map(read, scene.lines) if event})


def split(scene):
    """A customer alone is decided as among all: of the others' records only their time is left, which moves the
    partition's clock."""
    checked = 0
    for customer in customers(scene):
        alone = [line if (event := read(line)) is None or event["customer"] == customer else clock(line)[0]
                 for line in scene.lines]
        if alone != scene.lines:
            checked += same(f"{customer} alone", of_customer(scene.plain, customer),
                            of_customer(scene.replay(lines=alone), customer))
    return checked


def names(scene):
    """Customers under other names, which sort otherwise: each is decided as before. (Rules that ask for the name or for
    an action's id, which is made of it, or draw lots by it, are rid of that first.)"""
    text = json.dumps(scene.rules, ensure_ascii=False)
    text = text.replace("customer.id", "'someone'").replace("run.action", "string(run.sent)").replace("bucket('z', 1000)", "7")
    rules = json.loads(text.replace("bucket('control', 100)", "7"))
    for rule in rules["rules"].values():
        if len([weight for weight in rule.get("split", {}).values() if weight]) > 1:
            del rule["split"]
    events = [(line, read(line)) for line in scene.named]
    lines = [line if event is None else json.dumps({**event, "customer": OTHER_NAMES[event["customer"]]})
             for line, event in events]

    def nameless(lines, customer):
        return [{name: value for name, value in json.loads(line).items() if name not in ("customer", "id")}
                for line in of_customer(lines, customer)]
    before, after = scene.replay(rules, scene.named), scene.replay(rules, lines)
    return sum(same(f"{name} as {other}", nameless(before, name), nameless(after, other))
               for name, other in OTHER_NAMES.items())


def again(scene):
    """Events delivered again, at once or a few records later: nothing more is decided. (But a customer who is
    forgotten has no memory of ids, and ids that come again by themselves may be dealt with again.)"""
    draw, lines, seen, newest = chance(scene), [], [], 0
    events = [(line, read(line)) for line in scene.named]
    times = collections.Counter(str(event["id"]) for _, event in events if event)
    for line, event in events:
        lines.append(line)
        time = event and instant_of(event)
        if time is not None:
            newest = max(newest, time)
            seen = [] if event["type"] == "forget" else [*seen, (time, event, line)][-20:]
        old = [line for time, event, line in seen if newest - time < 20 * HOUR and times[str(event["id"])] == 1]
        lines += draw.sample(old, draw.randrange(min(3, len(old) + 1)))
    return same("delivered again", scene.plain, scene.replay(lines=lines))


def noise(scene):
    """Dead letters, blank lines and types that nobody declared, not newer than what has come: nothing is decided
    otherwise."""
    draw, lines = chance(scene), []
    dead = ["", "{", "[1]", '{"type": "see", "customer": "c1", "time": "never"}', '{"customer": "c1", "time": 0}']
    for number, line in enumerate(scene.named, 1):
        lines += [line, *draw.sample(dead, draw.randrange(3)), *clock(draw.choice(scene.named[:number]))]
    return same("with noise", scene.plain, scene.replay(lines=lines))


def future(scene):
    """What has been decided does not depend on what comes: the first lines of the stream give the first decisions,
    and so does a clock that stops earlier."""
    draw, whole = chance(scene), scene.plain
    pairs = zip(scene.options[::2], scene.options[1::2])
    without = [word for name, value in pairs if name != "--until" for word in (name, value)]
    cut = draw.randrange(len(scene.lines) + 1)
    part = scene.replay(lines=scene.lines[:cut], options=without)
    stream = scene.replay(options=without)
    earlier = scene.replay(options=[*without, "--until", "1h"])
    checked = same(f"the first {cut} lines", stream[:len(part)], part)
    checked += same("without --until", earlier[:len(stream)], stream)
    if scene.word("--until") in ("2d", "10d", "40d", "400d"):
        checked += same("--until 1h", whole[:len(earlier)], earlier)
    return checked


def instant_of(event):
    """Its time; None where it has none that can be read."""
    try:
        return instant(event["time"])
    except (TypeError, ValueError):
        return None


# ---- states

def forgetful(scene):
    """An engine that writes, drops and reads every state after each record decides as one that keeps them; so does
    one that does it by chance, or is another engine now and then."""
    return sum(same(f"forgetful --manner {manner}", scene.plain, scene.forget("--manner", manner))
               for manner in ("none", f"some={scene.seed % 1000003}"))


# ---- rule files

def files(scene):
    """The same rule set in four files, written otherwise: rules in another order, some declarations in two files.
    Attributes and limits keep their order, which counts."""
    draw, parts = chance(scene), [{} for _ in range(4)]
    for name in ("types", "events", "counts", "segments", "tables", "rules"):
        for key, value in shuffled(draw, scene.rules[name].items()):
            for part in draw.sample(parts, 1 if name == "rules" else draw.choice([1, 1, 2])):
                part.setdefault(name, {})[key] = value
    for name, kind in (("limits", list), ("customer", dict)):
        whole = scene.rules[name] if name == "limits" else list(scene.rules[name].items())
        cuts = sorted(draw.randrange(len(whole) + 1) for _ in parts[1:])
        for part, begin, end in zip(parts, [0, *cuts], [*cuts, None]):
            part[name] = kind(whole[begin:end])
    for name in ("tz", "stale", "credit", "holidays", "let"):
        if name in scene.rules:
            draw.choice(parts)[name] = scene.rules[name]
    shutil.rmtree(scene.folder / "set", ignore_errors=True)
    for number, part in enumerate(parts):
        ending = draw.choice(["json", "jsonc"])
        scene.write(f"set/{number}.{ending}", written(draw, dict(shuffled(draw, part.items()))))
    return same("in four files", scene.plain, scene.replay(str(scene.folder / "set")))


def shuffled(draw, items):
    items = list(items)
    return draw.sample(items, len(items))


def written(draw, value):
    """JSON as people write it: comments, commas at the end, escapes."""
    text = json.dumps(value, ensure_ascii=draw.random() < 0.5, indent=draw.choice([None, 1, 2]))
    if draw.random() < 0.5 and text.endswith("}") and text != "{}":
        text = text[:-1].rstrip() + ", /* and that is all */ }"
    return "// " + draw.choice(["Cart", "\"", "/* ", "ä"]) + "\n" + text + "\n"
