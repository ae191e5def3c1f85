"""Decisions as no engine should make them: each function spoils a scene's. Its docstring says what is wrong then."""
import copy
import itertools


def moments(scene):
    """The tape's, to be changed."""
    scene.tape = copy.deepcopy(scene.tape)
    return scene.tape


def rename(scene, old, new):
    for line in (line for moment in moments(scene) for line in moment.decisions):
        if line["outcome"] == old:
            line["outcome"] = new


def sends_in_quiet_hours(scene):
    """what would wait for the end of quiet hours is sent"""
    rename(scene, "deferred", "sent")


def holds_in_quiet_hours(scene):
    """what would wait for the end of quiet hours is held"""
    rename(scene, "deferred", "held")


def sends_what_is_capped(scene):
    """what a full cap drops is sent"""
    rename(scene, "capped", "sent")


def holds_what_is_capped(scene):
    """what a full cap drops is held"""
    rename(scene, "capped", "held")


def sends_what_is_blocked(scene):
    """what a gate forbids is sent"""
    rename(scene, "blocked", "sent")


def blocks_what_is_sent(scene):
    """what no gate forbids is blocked"""
    rename(scene, "sent", "blocked")


def sends_what_is_held(scene):
    """what is held is sent"""
    rename(scene, "held", "sent")


def holds_for_another_group(scene):
    """what is held for a group is held for another"""
    for line in (line for moment in moments(scene) for line in moment.decisions if "group" in line):
        line["group"] += "s"


def sends_within_the_cooldown(scene):
    """what the cooldown ends is sent, and what it keeps from starting starts"""
    for line in (line for moment in moments(scene) for line in moment.decisions):
        if line["outcome"] == "cooling":
            line["outcome"] = "sent" if "step" in line else "started"


def cools_what_is_sent(scene):
    """what no cooldown ends is ended by it"""
    rename(scene, "sent", "cooling")


def cools_what_starts(scene):
    """what no cooldown keeps from starting is kept by it"""
    rename(scene, "started", "cooling")


def sends_after(outcome):
    """A spoiler: the last send of a run once more, after it has ended so."""
    def again(scene):
        last = {}
        for moment in moments(scene):
            for at, line in enumerate(moment.decisions):
                place = line["customer"], line["rule"], line.get("key")
                if line["outcome"] in ("sent", "held"):
                    last[place] = line
                if line["outcome"] == outcome and place in last:
                    moment.decisions.insert(at + 1, {**last[place], "step": 99})
                    return
    again.__doc__ = f"a run sends after it was {outcome}"
    return again


def does_not_cancel(scene):
    """an event that cancels a run does not"""
    for moment in moments(scene):
        moment.decisions = [line for line in moment.decisions if line["outcome"] != "cancelled"]


def starts_what_is_overtaken(scene):
    """a trigger that was overtaken starts a run"""
    rename(scene, "overtaken", "started")


def decides_a_step_twice(scene):
    """a step is sent twice"""
    for moment in moments(scene):
        moment.decisions = [twin for line in moment.decisions for twin in [line] * (1 + (line["outcome"] == "sent"))]


def sends_what_is_over(scene):
    """a step before a date is sent later than it is due"""
    for line in (line for moment in moments(scene) for line in moment.decisions):
        if "date" in (line.get("with") or {}):
            line["time"] = line["time"].replace(":00.000Z", ":00.001Z")


def moves_the_date(scene):
    """a step before a date says another date"""
    for line in (line for moment in moments(scene) for line in moment.decisions):
        if "date" in (line.get("with") or {}):
            line["with"]["date"] = line["time"]


def has_another_id(scene):
    """one digit of an action's id is another"""
    for line in (line for moment in moments(scene) for line in moment.decisions):
        if "id" in line:
            line["id"] = line["id"][:-1] + ("0" if line["id"][-1] != "0" else "1")


def starts_twice(scene):
    """an event starts the same run twice"""
    for moment in moments(scene):
        if moment.event and moment.decisions and moment.decisions[-1]["outcome"] == "finished":
            moment.decisions *= 2


def spoil_every_other(scene, spoiled):
    """Of the replays that come now: the first, the third …"""
    def wrap(play):
        calls = itertools.count(1)
        return lambda *words, **more: spoiled(play(*words, **more)) if next(calls) % 2 else play(*words, **more)
    scene.replay, scene.forget = wrap(scene.replay), wrap(scene.forget)


def decides_otherwise(scene):
    """one decision of the other replay is another"""
    spoil_every_other(scene, lambda lines: [*lines[:-1], *('{"customer": "c1", "rule": "none"}' for _ in lines[-1:])])


def decides_less(scene):
    """a decision of the other replay is missing"""
    spoil_every_other(scene, lambda lines: lines[1:])


TWINS = {decides_otherwise: "decision", decides_less: "decision"}
# property → spoiler → what the property says of it, among other things
OF = {
    "quiet": dict.fromkeys((sends_in_quiet_hours, holds_in_quiet_hours), "in the quiet hours"),
    "caps": dict.fromkeys((sends_what_is_capped, holds_what_is_capped), "at most"),
    "never": {sends_what_is_blocked: "a gate forbids it", blocks_what_is_sent: "no gate forbids it"},
    "hold": {sends_what_is_held: "should be held", holds_for_another_group: "for the group"},
    "cooldowns": {sends_within_the_cooldown: "within the cooldown",
                  **dict.fromkeys((cools_what_is_sent, cools_what_starts), "no cooldown")},
    "runs": {**{sends_after(outcome): "no live run" for outcome in ("cancelled", "ended", "finished")},
             does_not_cancel: "not cancelled by", starts_what_is_overtaken: "has overtaken",
             decides_a_step_twice: "has been decided"},
    "dates": dict.fromkeys((sends_what_is_over, moves_the_date), "not due then"),
    "ids": {has_another_id: "not the id", starts_twice: "a second action"},
    **dict.fromkeys(("twice", "split", "names", "again", "noise", "future", "forgetful", "files"), TWINS),
}
