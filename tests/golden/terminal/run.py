#!/usr/bin/env python3
"""What people see on a terminal, and that nobody else does: run.py RELANCE [PART OF A NAME]

Commands run on a terminal of 80 columns that we are at the other end of. What they print is asserted as bytes: orders to the
terminal are what this is about.
"""
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from commands.run import Redis  # noqa: E402

SECONDS = 60  # for one command, sanitizers and a busy machine included
WIPE = "\r\x1b[K"
PROGRESS = re.compile(r"\r\x1b\[K(\d[\d,]*) (\w+), (\d[\d,]*) a second(?:, (\d+)%, ([\dhms]+) left)?")
RULES = {
    "events": {"go": {"n": "int"}},
    # Each event costs about a millisecond.
    "rules": {"slow": {"on": "go", "if": "lists.range(4000).all(x, x != event.n)", "do": [{"send": "email"}]}},
}
TESTED = {
    "events": {"go": {}},
    "rules": {"r": {"on": "go", "do": [{"send": "email"}], "tests": [
        {"name": "good", "from": "2026-03-02T10:00:00Z", "given": [{"t": "0m", "go": {}}], "expect": [{"t": "0m", "send": "email"}]},
        {"name": "bad", "from": "2026-03-02T10:00:00Z", "given": [], "expect": [{"t": "0m", "send": "email"}]}]}},
}


class Terminal:
    """A command; `where` says which of its streams are the terminal: 0, 1, 2."""

    def __init__(self, *words, where=(1, 2), columns=80, stdin=subprocess.DEVNULL, **env):
        self.file, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        env = {k: v for k, v in os.environ.items() if k != "NO_COLOR" and not k.startswith("RELANCE_")} | {"TERM": "xterm"} | env
        stdin = slave if 0 in where else stdin
        streams = {number: slave if number in where else subprocess.DEVNULL for number in (1, 2)}
        self.process = subprocess.Popen(["relance", *words], stdin=stdin, stdout=streams[1], stderr=streams[2], env=env,
                                        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        os.close(slave)
        self.said = ""

    def read(self, seconds):
        """What is said within that time is added; False: it has ended."""
        if not select.select([self.file], [], [], seconds)[0]:
            return True
        try:
            piece = os.read(self.file, 65536).decode(errors="replace")
        except OSError:  # nobody has the other end any more
            piece = ""
        self.said += piece
        return piece != ""

    def until(self, wanted):
        """Reads until that has been said, and takes what was said up to then."""
        end = time.monotonic() + SECONDS
        while not re.search(wanted, self.said) and time.monotonic() < end and self.read(0.1):
            pass
        found = re.search(wanted, self.said)
        if not found:
            raise AssertionError(f"not said: {wanted} in {self.said!r}")
        said, self.said = self.said[:found.end()], self.said[found.end():]
        return said

    def press(self, keys):
        os.write(self.file, keys.encode())

    def end(self):
        until = time.monotonic() + SECONDS
        while self.read(0.1) and time.monotonic() < until:
            pass
        os.close(self.file)
        self.process.wait(SECONDS)
        return self.said.replace("\r\n", "\n")


def seen(*words, **how):
    return Terminal(*words, **how).end()


class Case(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="relance-terminal-")
        self.addCleanup(directory.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(directory.name)
        self.write("rules.json", json.dumps(RULES))
        self.write("tested.json", json.dumps(TESTED))

    def write(self, name, text):
        pathlib.Path(name).write_text(text)

    def events(self, count):
        self.write("events.jsonl", "".join(
            json.dumps({"type": "go", "id": str(n), "time": "2026-03-02T10:00:00Z", "customer": f"c{n % 100}", "n": -1}) + "\n"
            for n in range(count)))


class Progress(Case):
    """Lines of progress, and that they leave nothing behind."""

    def assert_wiped(self, said):
        self.assertTrue(PROGRESS.search(said), said)
        self.assertRegex(said, r"left\r\x1b\[K|a second\r\x1b\[K")
        last = PROGRESS.sub("", said).rpartition(WIPE)
        self.assertEqual(last[0].strip("\r\x1b[K"), "", said)

    def slow(self, *words, wanted="event", **how):
        """What is said over as many events as it takes, on this machine, for progress to be told."""
        for doubling in range(2, 16):
            self.events(256 << doubling)
            said = seen(*words, **how)
            if re.search(wanted, said):
                self.enough = 256 << doubling
                return said
        raise AssertionError(f"too fast: {words}")

    def replay(self, *words, **how):
        return self.slow("replay", "--rules=rules.json", *words, "events.jsonl", **how)

    def test_a_replay_that_takes_longer_tells_events_rate_and_what_is_left(self):
        said = self.replay(where=(2,))
        self.assert_wiped(said)
        shown = PROGRESS.findall(said)
        self.assertTrue(all(what == "events" and 0 < int(part) <= 100 and left for _, what, _, part, left in shown), shown)
        self.assertEqual(sorted(int(part) for *_, part, _ in shown), [int(part) for *_, part, _ in shown])
        self.assertTrue(said.endswith(WIPE), said[-100:])

    def test_lines_and_tables_stand_on_lines_of_their_own(self):
        self.replay(where=(2,))
        for words in (["replay", "--rules=rules.json", "events.jsonl"], ["replay", "--rules=rules.json", "--summary", "events.jsonl"],
                      ["explain", "c1", "--rules=rules.json", "--events=events.jsonl"]):
            said = seen(*words)
            bare = PROGRESS.sub("", said)
            for line in bare.replace(WIPE, "").splitlines():
                self.assertNotIn("\r", line)
            for found in PROGRESS.finditer(said):
                self.assertTrue(said[found.end():].startswith((WIPE, "\r\x1b[K")), said[found.start():found.end() + 20])

    def test_of_standard_input_nobody_knows_how_much_is_left(self):
        self.events(300)
        events = pathlib.Path("events.jsonl").read_text()
        terminal = Terminal("replay", "--rules=rules.json", "-", where=(2,), stdin=subprocess.PIPE)
        terminal.process.stdin.write(events.encode())
        terminal.process.stdin.flush()
        time.sleep(1.3)
        terminal.process.stdin.write(events.replace('"id": "', '"id": "x').encode())
        terminal.process.stdin.close()
        shown = PROGRESS.findall(terminal.end())
        self.assertEqual([(what, part) for _, what, _, part, _ in shown], [("events", "")])

    def test_nothing_of_it_in_the_first_second_nor_where_no_terminal_is_nor_where_it_knows_only_letters(self):
        self.events(10)
        self.assertEqual(seen("replay", "--rules=rules.json", "events.jsonl", where=(2,)), "")
        self.replay(where=(2,))
        self.assertEqual(seen("replay", "--rules=rules.json", "events.jsonl", where=(2,), TERM="dumb"), "")
        self.assertNotIn("a second", seen("replay", "--rules=rules.json", "events.jsonl", where=(1,)))

    def test_a_narrow_terminal_gets_as_much_as_fits(self):
        said = self.replay(where=(2,), columns=20)
        pieces = [piece for piece in said.split(WIPE) if piece]
        self.assertTrue(pieces)
        self.assertEqual({len(piece) for piece in pieces}, {19})

    def test_an_interrupt_wipes_it_and_ends_the_command_as_ever(self):
        self.replay(where=(2,))
        self.events(8 * self.enough)  # also where the machine is much quicker now
        terminal = Terminal("replay", "--rules=rules.json", "events.jsonl", where=(2,))
        terminal.until("a second")
        terminal.process.send_signal(signal.SIGINT)
        self.assertTrue(terminal.end().endswith(WIPE))
        self.assertEqual(terminal.process.returncode, -signal.SIGINT)

    def test_where_the_clock_runs_on_decisions_are_counted(self):
        slow = {"after": "1h", "if": RULES["rules"]["slow"]["if"].replace("event", "trigger"), "send": "email"}
        self.write("rules.json", json.dumps({"events": RULES["events"], "rules": {"later": {"on": "go", "key": "event.id", "do": [slow] * 5}}}))
        said = self.slow("replay", "--rules=rules.json", "--until=7d", "events.jsonl", where=(2,), wanted="decisions")
        shown = [found for found in PROGRESS.findall(said) if found[1] == "decisions"]
        self.assertTrue(all(0 <= int(part) <= 100 for _, _, _, part, _ in shown), shown)
        self.assertTrue(said.endswith(WIPE))

    def test_simulate_tells_how_much_of_the_shop_s_time_is_over(self):
        terminal = Terminal("simulate", "--seconds=1000000", "--customers=1000", where=(2,))
        terminal.until(r"events, [\d,]+ a second, \d+%, ")
        terminal.process.send_signal(signal.SIGINT)
        terminal.end()
        self.assertEqual(terminal.process.returncode, 0)


class Watch(Case):
    """--watch of check and test."""

    def watched(self, *words):
        terminal = Terminal(*words, "--watch", NO_COLOR="1")
        self.addCleanup(terminal.process.kill)
        return terminal

    def test_runs_again_however_an_editor_writes(self):
        terminal = self.watched("test", "tested.json")
        first = terminal.until("watching tested.json")
        self.assertIn("1 passed, 1 failed", first)
        self.assertNotIn("\x1b[2J", first)
        changed = json.dumps(TESTED).replace('"given": []', '"given": [{"t": "0m", "go": {}}]')

        def in_place(text):
            self.write("tested.json", text)

        def by_another_file(text):
            self.write("tested.json.tmp", text)
            os.rename("tested.json.tmp", "tested.json")

        def with_a_backup(text):
            os.rename("tested.json", "tested.json~")
            self.write("tested.json", text)

        for write in (in_place, by_another_file, with_a_backup, in_place):
            write(changed)
            again = terminal.until("watching tested.json")
            self.assertIn("\x1b[H\x1b[2J", again)
            self.assertIn("2 passed, 0 failed", again, write)
            write(json.dumps(TESTED))
            self.assertIn("1 passed, 1 failed", terminal.until("watching tested.json"), write)
        terminal.process.send_signal(signal.SIGINT)
        terminal.end()
        self.assertEqual(terminal.process.returncode, 1)

    def test_does_not_run_again_for_what_is_no_file_of_the_set_nor_for_the_same_text(self):
        terminal = self.watched("check", "tested.json")
        terminal.until("watching")
        self.write("else.json", "{")
        self.write("tested.json", json.dumps(TESTED))
        time.sleep(1.5)
        terminal.process.send_signal(signal.SIGINT)
        self.assertNotIn("watching", terminal.end())
        self.assertEqual(terminal.process.returncode, 0)

    def test_a_folder_with_a_new_file_and_one_that_is_gone_for_a_while(self):
        os.mkdir("set")
        self.write("set/a.json", json.dumps(TESTED))
        terminal = self.watched("check", "set")
        self.assertIn("1 rule, no mistakes", terminal.until("watching"))
        self.write("set/b.json", "{")
        self.assertIn("1 mistake", terminal.until("watching"))
        os.remove("set/b.json")
        self.assertIn("1 rule, no mistakes", terminal.until("watching"))
        os.rename("set", "away")
        self.assertIn("set: No such file", terminal.until("watching"))
        os.rename("away", "set")
        self.assertIn("1 rule, no mistakes", terminal.until("watching"))

    def test_a_link_to_another_folder(self):
        os.mkdir("elsewhere")
        os.rename("tested.json", "elsewhere/tested.json")
        os.symlink("elsewhere/tested.json", "tested.json")
        terminal = self.watched("check", "tested.json")
        terminal.until("watching")
        self.write("elsewhere/tested.json", "{")
        self.assertIn("1 mistake", terminal.until("watching"))


class Colours(Case):
    """Painted is what the eye looks for; and what is printed is, but for the colours, what anybody gets."""
    WRONG = '{"events": {"go": {}},\n "rules": {"r": {"on": "go", "if": "evnt.id == 1", "do": [{"send": "email"}]}}}'
    COMMANDS = [(["check", "wrong.json"], "1m,31m,2m"), (["check", "unread.json"], "1m,33m,2m"), (["check", "tested.json"], "32m"), (["test", "tested.json"], "32m,31m"),
                (["replay", "--rules=rules.json", "--summary", "events.jsonl"], "1m"),
                (["explain", "c1", "--rules=rules.json", "--events=events.jsonl"], "1m,2m"), (["help", "keywords"], "1m")]

    def setUp(self):
        super().setUp()
        self.write("wrong.json", self.WRONG)
        self.write("unread.json", self.WRONG.replace("evnt.id == 1", "true").replace("{}}", '{}}, "counts": {"never": {"on": "go"}}'))
        self.events(10)

    def plain(self, words):
        return subprocess.run(["relance", *words], capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout

    def test_what_is_printed_is_the_same_but_for_colours(self):
        for words, paints in self.COMMANDS:
            said = seen(*words, columns=0)
            self.assertEqual(re.sub(r"\x1b\[\d*m", "", said), self.plain(words))
            for paint in paints.split(","):
                self.assertIn(f"\x1b[{paint}", said, words)
            self.assertNotRegex(said, r"\x1b\[\d+m(?!.*\x1b\[m)", words)  # each ends on its line

    def test_nobody_is_given_colours_who_does_not_want_them_or_is_no_terminal(self):
        for words, _ in self.COMMANDS:
            for how in ({"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": ""}):
                self.assertNotIn("\x1b", seen(*words, **how), (words, how))
            self.assertNotIn("\x1b", self.plain(words))
        self.assertIn("\x1b[31m", seen("check", "wrong.json", NO_COLOR=""))  # as no-color.org has it

    def test_the_mistake_of_a_line_is_pointed_at_in_its_colour(self):
        said = seen("check", "wrong.json")
        self.assertIn("\x1b[1mwrong.json:2:37: \x1b[m\x1b[31merror: \x1b[m", said)
        self.assertRegex(said, r"\x1b\[2m    2 \| \x1b\[m")
        self.assertRegex(said, r"\x1b\[2m      \| \x1b\[m\x1b\[31m +\^+ ?\x1b\[m")


class Help(Case):
    """Help keeps its columns."""

    def test_sentences_go_on_below_where_they_began(self):
        for words in (["replay", "--help"], ["help"], ["help", "functions"], ["help", "limits"], ["help", "kafka"]):
            for line in re.sub(r"\x1b\[\d*m", "", seen(*words)).splitlines():
                if not re.search(r"^      | is |^\S|->", line):
                    self.assertLessEqual(len(line), 80, words)
        said = seen("replay", "--help").splitlines()
        at = next(i for i, line in enumerate(said) if line.startswith("  --diff"))
        self.assertRegex(said[at + 1], r"^ {37}\S")
        self.assertRegex(seen("replay", "--help", columns=60), r"\n  --diff OTHER_RULES\n      Print what other rules would change")


class Top(Case):
    """relance top on 24 lines: what does not fit is scrolled to."""

    FRAME = r"(?s)\x1b\[H.*?\x1b\[J"

    def setUp(self):
        super().setUp()
        self.redis = Redis(os.getcwd())
        self.addCleanup(self.redis.stop)
        self.redis.start()
        rules = " ".join(f"rule.r{n}.started {n + 1} rule.r{n}.sent {n * 7 % 10}" for n in range(10))
        self.redis.ask(f"HSET relance:{{g:t:0}}:metrics events 12 {rules}")
        self.redis.ask("HSET relance:{g:t:0}:meta partitions 8 stamp a")
        self.redis.ask("HSET relance:g:t:instances one host=a")
        for p in range(8):
            self.redis.ask(f'HSET relance:live:g:one version 1 redis_refuses 0 the_last 1 partition.{p} "live lag={p}"')

    def top(self, **env):
        return Terminal("top", "--group=g", "--input=t", f"--redis=unix://{self.redis.socket}", "--interval=100ms", where=(0, 1), **env)

    def frame(self, terminal, wanted):
        """The next frame that has that, as its lines without colours."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            said = terminal.until(self.FRAME).rpartition("\x1b[H")[2]
            lines = re.sub(r"\x1b\[[\d;]*[A-Za-z]", "", said).split("\r\n")
            if any(re.search(wanted, line) for line in lines):
                return lines
        raise AssertionError(f"no frame with {wanted}")

    def test_rules_are_seen_first_and_keys_move_and_sort(self):
        top = self.top()
        lines = self.frame(top, "r9")
        self.assertLessEqual(len(lines), 24)
        self.assertEqual(lines[1], "8 of 8 partitions live, lag 28")
        self.assertEqual([line.split()[0] for line in lines[3:14]], ["rule", *[f"r{n}" for n in range(10)]])
        top.press("s")
        lines = self.frame(top, "^r7 +8 +9$")
        self.assertEqual([line.split()[2] for line in lines[4:14]], [str(n) for n in range(9, -1, -1)])
        top.press("j")
        self.assertEqual(self.frame(top, "^rule ")[2].split()[0], "rule")
        top.press("\x1b[6~")
        lines = self.frame(top, "^counter ")
        self.assertLessEqual(len(lines), 24)
        top.press("G")
        self.assertRegex(self.frame(top, "the_last")[-1], "the_last +1$")
        top.press("kkk\x1b[A\x1b[5~\x1b[H")
        self.assertEqual(self.frame(top, "^r7 ")[3].split()[0], "rule")
        top.press("q")
        self.assertTrue(top.end().endswith("\x1b[?7h\x1b[?25h\x1b[?1049l"))
        self.assertEqual(top.process.returncode, 0)

    def test_colours_say_whether_all_is_well_and_only_where_they_are_wanted(self):
        for env, well, ill in (({}, "\x1b\\[32m8 of 8", "\x1b\\[31m8 of 8.*Redis refuses"), ({"NO_COLOR": "1"}, "\r\n8 of 8", "\r\n8 of 8.*Redis refuses")):
            self.redis.ask("HSET relance:live:g:one redis_refuses 0")
            top = self.top(**env)
            top.until(well)
            self.redis.ask("HSET relance:live:g:one redis_refuses 1")
            top.until(ill)
            top.press("q")
            said = top.end()
            self.assertEqual("NO_COLOR" in env, not re.search(r"\x1b\[\d*m", said), said)


def main():
    os.environ["PATH"] = f"{pathlib.Path(sys.argv[1]).resolve().parent}:{os.environ['PATH']}"
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{part}*" for part in sys.argv[2:]] or None
    result = unittest.TextTestRunner(verbosity=0).run(loader.loadTestsFromModule(sys.modules[__name__]))
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    return 1 if failed or not result.testsRun else 0


if __name__ == "__main__":
    sys.exit(main())
