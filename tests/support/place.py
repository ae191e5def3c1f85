"""Where things are, and how to wait for them. Everything a test makes lies in a private folder of its own."""
import contextlib
import os
import pathlib
import random
import shutil
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("RELANCE_BUILD", ROOT / "build" / "dev"))
SHARED = ROOT.parent / "shared"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "relance"


def program(name):
    """A program of the build under test. Where it is not built, whoever needs it fails."""
    path = BUILD / "bin" / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is not built")
    return str(path)


def start(command, **options):
    """Starts a server that dies with us, however we end: no test leaves one behind."""
    return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], stdin=subprocess.DEVNULL, **options)


class Folder:
    """A private folder that goes away with `close` (RELANCE_KEEP=1: stays, to be looked at); short, since a unix
    socket's path may have 107 bytes."""

    def __init__(self, what):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix=f"relance-{what}-"))

    def close(self):
        if "RELANCE_KEEP" not in os.environ:
            shutil.rmtree(self.path, ignore_errors=True)


PORTS = set()  # that have been given away, perhaps to a server that does not listen yet


def free_port():
    """One below those that connections get: a server that is away for a while finds its port free when it comes back. Each but once."""
    above = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(min(10000, above // 2), above)
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            if port not in PORTS:
                PORTS.add(port)
                return port


# How much longer than on a quiet machine anything may take on one that does other work: what waits in a test ends
# because something has come true, or never would.
PATIENCE = 6


def wait_until(condition, seconds, what, pause_s=0.05):
    """Asks until `condition` gives something true, and gives that; after so many seconds, as they are on a quiet
    machine, it fails, saying what has not come true. A condition that raises OSError is asked again."""
    seconds *= PATIENCE
    end = time.monotonic() + seconds
    while True:
        try:
            result = condition()
            if result:
                return result
        except OSError as error:
            result = error
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds} s: {what} (last answer: {result!r})")
        time.sleep(pause_s)


def wait_while_moving(condition, position, still_s, most_s, what, pause_s=0.2):
    """The same for work whose time nobody knows: it fails when `position` has given the same for `still_s` seconds, and
    after `most_s` seconds in any case."""
    begin = moved = time.monotonic()
    last = None
    while not (result := condition()):
        now, where = time.monotonic(), position()
        if where != last:
            last, moved = where, now
        if now - moved > still_s:
            raise TimeoutError(f"nothing has moved for {still_s} s, and not yet: {what}")
        if now - begin > most_s:
            raise TimeoutError(f"it moves, but not within {most_s} s: {what}")
        time.sleep(pause_s)
    return result
