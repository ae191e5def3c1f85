"""Runs a script that dies: python3 tests/support/dying.py N KEY FUNCTIONS SCRIPT [ARGUMENT...]

It is killed before the Nth line of its FUNCTIONS (with commas between), counted from where one of them has a record of that
KEY among its local `records`.
"""
import os
import runpy
import signal
import sys

left, key, functions, script = int(sys.argv[1]), sys.argv[2].encode(), sys.argv[3].split(","), sys.argv[4]
armed = False


def trace(frame, event, _):
    global left, armed
    if frame.f_code.co_filename != script or frame.f_code.co_name not in functions:
        return None
    armed = armed or key in [record.key() for record in frame.f_locals.get("records", [])]
    if event == "line" and armed:
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
    return trace


sys.argv = sys.argv[4:]
sys.settrace(trace)
runpy.run_path(script, run_name="__main__")
