"""Where things are, and how to wait for them. Everything a test makes lies in a private folder of its own."""
import os
import pathlib
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


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(condition, seconds, what, pause_s=0.05):
    """Asks until `condition` gives something true, and gives that; after so many seconds it fails, saying
    what has not come true. A condition that raises OSError is asked again."""
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
