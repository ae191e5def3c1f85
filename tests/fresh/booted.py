"""The installed package on a machine that systemd runs: its engine starts, works, comes back, and stays away when it has to.

The machine is a folder; systemd-nspawn boots it, with the network that we have, where a real Kafka and a real Redis are. Where
nothing can be booted (no systemd-nspawn, no cgroups) that is an Obstacle.
"""
import os
import pathlib
import shutil
import subprocess
import time

from support import kafka, place
from support.engine import World
from support.kafka import event

RULES = {"stale": "3650d", "events": {"ping": {}, "look": {"what": "string"}}, "rules": {"answer": {"on": "ping", "key": "event.id", "do": [{"send": "email"}]}},
         "affinities": {"goes_with": {"from": [{"on": "look", "by": "event.what"}], "within": "1d", "half_life": "60d"}}}
DYNAMIC_USERS = range(61184, 65520)


class Obstacle(Exception):
    """Why nothing can be tried here."""


class Failure(Exception):
    """What is wrong with what was tried."""


class Booted:
    def __init__(self, folder, seconds=60):
        if not shutil.which("systemd-nspawn"):
            raise Obstacle("there is no systemd-nspawn")
        self.log = folder.with_name(folder.name + ".boot")
        # What a chroot has mounted there is taken away, in a namespace of its own: in a chroot systemd refuses to run.
        boot = (f"for place in proc dev/pts dev/shm; do umount --lazy {folder}/$place; done 2>/dev/null; "
                f"exec systemd-nspawn --quiet --register=no --keep-unit --boot --directory={folder}")
        with open(self.log, "wb") as log:
            self.process = place.start(["unshare", "--mount", "sh", "-c", boot], stdout=log, stderr=log)
        end = time.monotonic() + seconds
        while self("systemctl is-system-running")[0] not in ("running", "degraded"):
            if self.process.poll() is not None or time.monotonic() > end:
                self.close()
                raise Obstacle(f"systemd does not boot: {self.log.read_text(errors='replace')[-300:]}")
            time.sleep(0.2)

    def __call__(self, command):
        """What a command says there, and its exit status."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        if not children or os.path.samefile(f"/proc/{children[0]}/ns/pid", "/proc/self/ns/pid"):
            return "", 1  # it is not there yet
        done = subprocess.run(["nsenter", "--target", children[0], "--mount", "--uts", "--ipc", "--pid", "--root", "--wd", "sh", "-c", command],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=180)
        return done.stdout.strip(), done.returncode

    def close(self):
        self.process.terminate()
        self.process.wait(30)


def expect(holds, wrong, machine, unit="relance"):
    if not holds:
        raise Failure(f"{wrong}\n" + machine(f"systemctl status --no-pager --lines=20 {unit}")[0])


def shown(machine, *names, unit="relance"):
    """What systemd knows of the engine, or of another unit."""
    lines = machine(f"systemctl show {unit} --property={','.join(names)}")[0].splitlines()
    facts = dict(line.split("=", 1) for line in lines)
    return tuple(facts[name] for name in names)


def configure(folder, world, **more):
    """The package's own file of options, for this Kafka and Redis."""
    options = {"rules": "/etc/relance/rules", "input": world.input, "output": world.output, "group": world.group, "instance": "one",
               "from": "earliest", "redis": world.redis.tcp_url(), "kafka.bootstrap.servers": world.kafka.address, **more}
    (folder / "etc/relance/relance.conf").write_text("".join(f"{name} = {value}\n" for name, value in options.items()))
    shutil.copy(world.rules, folder / "etc/relance/rules/rules.json")


def try_engine(machine, folder, world):
    configure(folder, world)
    said, status = machine("systemctl start relance")
    expect(status == 0, f"it does not start: {said}", machine)
    active, text, number = shown(machine, "ActiveState", "StatusText", "MainPID")
    expect(active == "active" and "caught up" in text, f"it is {active} and says '{text}'", machine)
    user = int(machine(f"stat --format=%u /proc/{number}")[0])
    expect(user in DYNAMIC_USERS, f"it runs as user {user}", machine)

    world.produce([event("anna", "ping", id="e1", time="2026-03-02T10:00:00Z")])
    world.wait_actions(1)
    said, status = machine("systemctl reload relance")
    expect(status == 0, f"it does not read its rules again: {said}", machine)

    machine("systemctl kill --signal=KILL relance")
    place.wait_until(lambda: shown(machine, "NRestarts", "ActiveState") == ("1", "active"), 60, "to be started again")
    world.produce([event("anna", "ping", id="e2", time="2026-03-02T10:00:01Z")])
    world.wait_actions(2)
    said, status = machine("systemctl stop relance")
    facts = shown(machine, "ActiveState", "Result", "ExecMainStatus")
    expect(facts == ("inactive", "success", "0"), f"it ends as {facts}: {said}", machine)


def try_learner(machine, folder, world):
    """With the engine's own options. It comes back after a crash, but not where another one has taken over."""
    unit, other = "relance-learn", "relance-learn@other"
    configure(folder, world, every="1s")
    said, status = machine(f"systemctl start {unit}")
    expect(status == 0, f"it does not start: {said}", machine, unit)
    active, text, number = shown(machine, "ActiveState", "StatusText", "MainPID", unit=unit)
    expect(active == "active" and text == "Learns 1 affinity from 2 partitions.", f"it is {active} and says '{text}'", machine, unit)
    user = int(machine(f"stat --format=%u /proc/{number}")[0])
    expect(user in DYNAMIC_USERS, f"it runs as user {user}", machine, unit)
    machine(f"systemctl kill --signal=KILL {unit}")
    place.wait_until(lambda: shown(machine, "NRestarts", "ActiveState", unit=unit) == ("1", "active"), 60, "to be started again")

    shutil.copy(folder / "etc/relance/relance.conf", folder / "etc/relance/other.conf")
    said, status = machine(f"systemctl start {other}")
    expect(status == 0, f"another does not start: {said}", machine, other)
    world.produce([event("anna", "look", id="l1", time="2026-03-02T10:00:00Z", what="tent")])  # the older has something to write
    place.wait_until(lambda: shown(machine, "ActiveState", "ExecMainStatus", unit=unit) == ("failed", "2"), 60, "the older to end")
    said, status = machine(f"systemctl stop {other}")
    facts = shown(machine, "ActiveState", "Result", "ExecMainStatus", unit=other)
    expect(facts == ("inactive", "success", "0"), f"it ends as {facts}: {said}", machine, other)
    machine(f"systemctl reset-failed {unit}")
    (folder / "etc/relance/other.conf").unlink()


def try_mistake(machine, folder, world):
    """Status 2: systemd leaves it alone, for longer than it waits otherwise."""
    configure(folder, world, lateness="soon")
    machine("systemctl start relance")
    time.sleep(5)
    facts = shown(machine, "ActiveState", "ExecMainStatus", "NRestarts")
    expect(facts == ("failed", "2", "0"), f"with a mistake among its options it is {facts}", machine)


def version(machine):
    return machine("dpkg-query -W -f '${Version}' relance")[0]


def try_upgrades(machine, folder, world):
    """What is published and in no checkpoint keeps the version; an engine that has saved all of it runs on as the next one."""
    configure(folder, world)
    old = version(machine)
    machine("systemctl start relance")
    world.produce([event("anna", "ping", id="e3", time="2026-03-02T10:00:02Z")])
    world.wait_actions(3)
    world.wait_saved()  # now the customer is at hand, and Redis is not asked for
    world.redis.kill()
    world.produce([event("anna", "ping", id="e4", time="2026-03-02T10:00:03Z")])
    world.wait_actions(4)
    said, status = machine("dpkg -i /work/relance/2.deb")
    expect(status != 0 and "ended without a checkpoint" in said and version(machine) == old, f"without a checkpoint it is upgraded: {said}", machine)

    world.redis.start()
    place.wait_until(lambda: shown(machine, "ActiveState") == ("active",), 90, "to be started again by the old package")
    said, status = machine("dpkg -i /work/relance/2.deb")
    expect(status == 0 and version(machine) != old, f"it is not upgraded: {said}", machine)
    place.wait_until(lambda: shown(machine, "ActiveState") == ("active",), 90, "to be started again by the new package")
    said, status = machine("dpkg -i /work/relance/1.deb && systemctl stop relance")
    expect(status == 0 and version(machine) == old, f"there is no way back: {said}", machine)


def try_service(folder):
    if not (place.BUILD / "bin" / "kafka_tool").exists():
        raise Obstacle("kafka_tool is not built")
    machine = Booted(folder)
    try:
        with World(RULES, partitions=2, redis_config={"port": str(place.free_port())}) as world:
            world.kafka.create(f"{world.output}.models", 1)
            try_engine(machine, folder, world)
            try_learner(machine, folder, world)
            try_upgrades(machine, folder, world)
            try_mistake(machine, folder, world)
    finally:
        machine.close()
        kafka.close()
        (folder / "etc/relance/rules/rules.json").unlink(missing_ok=True)
