"""The commands of the README on a machine that has nothing: python3 tests/fresh RELEASE [STEP...]

Debootstrap makes a bare Debian of that RELEASE under build/fresh, the committed tree is laid into it by `git archive`,
and each STEP (without one: all but `unit`) is run there as root would type it:

    demo      sh consumer/demo.sh --seconds 20: ends with 0, and building says nothing, no warning above all
    version   the program that it has built tells its version
    runtime   the same program on another bare machine, with the packages of `install.sh runtime` alone
    package   sh consumer/package/make.sh, of which lintian has nothing to say; on a third bare machine its package is
              installed, booted with a Kafka and a Redis where that can be done, upgraded, not upgraded where an engine has ended without a checkpoint, removed, purged
    unit      sh tests/run.sh unit

Where none of this can be done (no root, no debootstrap, no archive in reach) the reason is printed and the exit status
is 77: skipped, never passed. All mounts are in a namespace of our own, whose processes end with us: whatever happens,
nothing is left but files under build/fresh. Packages come from where the machine's own apt gets them.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])
from fresh import booted
from fresh.booted import Failure, Obstacle
from support import run

HOME = run.BUILD / "fresh"
SHARED = run.ROOT.parent / "shared"
TARGETS = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)", "Created-By: Packages", "Origin: Debian",
           "Component: main"]
# Settings that apt there needs too: how to get at an archive, not what else to fetch.
REACH = re.compile(r"Acquire::(?!IndexTargets|Languages|CompressionTypes|Changelogs|cdrom)")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


# ---- what this machine has

def output_of(*command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace").stdout


def archives(release):
    """The archives of Debian that apt uses here, as (address, suite) for another release; the main one comes first."""
    here = re.search(r"^VERSION_CODENAME=(\w+)", pathlib.Path("/etc/os-release").read_text(), re.M)
    if here and not output_of(*TARGETS):
        output_of("apt-get", "update", "-qq")  # which archive is Debian's is told by its own index
    rows = sorted({tuple(line.split()) for line in output_of(*TARGETS).splitlines()}, key=lambda row: len(row[1]))
    found = [(address, release + suite.removeprefix(here[1])) for address, suite in rows
             if suite.removeprefix(here[1]) in ("", "-updates", "-security")]
    if not found or found[0][1] != release:
        raise Obstacle("apt has no archive of Debian among its sources")
    return found


def look_for_obstacles(release):
    if os.geteuid() != 0:
        raise Obstacle("only root can make a chroot")
    for tool in ("debootstrap", "setpriv", "unshare", "chroot", "git", "apt-get"):
        if not shutil.which(tool):
            raise Obstacle(f"there is no {tool}")
    if not pathlib.Path("/usr/share/debootstrap/scripts", release).exists():
        raise Obstacle(f"this debootstrap does not know {release}")
    if subprocess.run(["unshare", "--mount", "--pid", "--fork", "mount", "-t", "tmpfs", "none", "/mnt"],
                      capture_output=True).returncode != 0:
        raise Obstacle("nothing can be mounted here")
    HOME.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=HOME) as scratch:
        null = pathlib.Path(scratch, "null")
        if subprocess.run(["mknod", null, "c", "1", "3"], capture_output=True).returncode != 0 or not usable(null):
            raise Obstacle("no device can be made here")
        index = f"{archives(release)[0][0]}dists/{release}/InRelease"
        fetched = subprocess.run(["/usr/lib/apt/apt-helper", "download-file", index, f"{scratch}/InRelease"],
                                 capture_output=True, text=True)
        if fetched.returncode != 0:
            wrong = re.findall(r"^E: (.*)", fetched.stderr, re.M)
            raise Obstacle(f"the archive of {release} is out of reach: {wrong[0] if wrong else fetched.stderr}")


def usable(device):
    try:
        device.write_bytes(b"x")
        return True
    except OSError:
        return False


# ---- a bare machine

def apt_proxy():
    """Debootstrap fetches by itself, so it has to be told of apt's proxy."""
    proxy = re.search(r"'(.+)'", output_of("apt-config", "shell", "proxy", "Acquire::http::Proxy"))
    return {"http_proxy": proxy[1]} if proxy else {}


def bootstrap(release, root):
    debs = HOME / f"debs-{release}"  # kept between runs
    (debs / "partial").mkdir(parents=True, exist_ok=True)
    sources = archives(release)
    certificates = ["--include=ca-certificates"] if sources[0][0].startswith("https:") else []
    made = subprocess.run(["debootstrap", "--variant=minbase", f"--cache-dir={debs}", *certificates, release, root,
                           sources[0][0]], env={**apt_proxy(), **os.environ}, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, errors="replace")
    if made.returncode != 0:
        raise Failure(f"debootstrap ended with status {made.returncode}\n{made.stdout[-2000:]}{made.stderr}")
    (root / "etc/apt/sources.list").write_text("".join(f"deb {address} {suite} main\n" for address, suite in sources))
    (root / "etc/apt/apt.conf.d/90reach").write_text("".join(
        line + "\n" for line in output_of("apt-config", "dump").splitlines() if REACH.match(line)))
    (root / "etc/dpkg/dpkg.cfg.d/fast").write_text("force-unsafe-io\n")  # a machine of an hour need not survive a crash
    for file in filter(os.path.exists, ("/etc/resolv.conf", "/etc/hosts")):
        shutil.copyfile(file, f"{root}{file}")


def furnish(root, release):
    """What a running machine has mounted, our packages, and the tree with what lies beside it."""
    def mount(where, *how):
        (root / where).mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", *how, root / where], check=True)
    mount("proc", "-t", "proc", "proc")
    mount("dev/pts", "-t", "devpts", "-o", "newinstance,ptmxmode=0666", "devpts")
    mount("dev/shm", "-t", "tmpfs", "tmpfs")
    mount("var/cache/apt/archives", "--bind", HOME / f"debs-{release}")
    if SHARED.is_dir():
        mount("work/shared", "--bind", SHARED)
        mount("work/shared", "-o", "remount,bind,ro")


def lay_tree(root):
    (root / "work/relance").mkdir(parents=True)
    tree = subprocess.Popen(["git", "-C", run.ROOT, "archive", "HEAD"], stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "-C", root / "work/relance"], stdin=tree.stdout, check=True)
    if tree.wait() != 0:
        raise Failure("git archive has failed")


def inside(root, command):
    """What a command says in the tree of that machine, and its exit status."""
    kept = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    done = subprocess.run(["chroot", root, "sh", "-c", f"cd /work/relance && {command}"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          env={"PATH": PATH, "HOME": "/root", **kept})
    return done.stdout, done.returncode


def expect(holds, wrong, said):
    if not holds:
        raise Failure(f"{wrong}; it said:\n{said}")


# ---- the steps

def noise(said):
    """What the demonstration says while it builds, but for its own two lines; None where it has not built at all."""
    built = re.search(r"^demo\.sh: configuring\n(.*?)^demo\.sh: building\n(.*?)^Starting ", said, re.M | re.S)
    return built and (built[1] + built[2]).strip()


def step_demo(root, _):
    said, status = inside(root, "sh consumer/demo.sh --seconds 20")
    expect(status == 0, f"the demonstration ended with status {status}", said)
    expect(noise(said) is not None, "it has not built", said)
    expect(noise(said) == "", "building is not silent", noise(said))
    expect("warning" not in said[said.index("demo.sh: configuring"):].lower(), "the demonstration warns", said)
    expect(re.search(r"^[1-9]\d* events, [1-9]\d* actions\.", said, re.M), "there were no actions", said)
    return run.Totals(passed=1)


def tell_version(root):
    said, status = inside(root, "build/release/bin/relance --version")
    expect(status == 0 and re.fullmatch(r"relance \d+\.\d+\.\d+\n", said), f"ended with status {status}", said)
    return run.Totals(passed=1)


def step_version(root, _):
    return tell_version(root)


def step_runtime(root, release):
    bare = HOME / f"{release}-runtime"
    furnish(bare, release)
    (bare / "work/relance/build/release/bin").mkdir(parents=True)
    (bare / "work/relance/consumer").mkdir()
    for file in ("consumer/install.sh", "build/release/bin/relance"):
        shutil.copy(root / "work/relance" / file, bare / "work/relance" / file)
    said, status = inside(bare, "sh consumer/install.sh runtime")
    expect(status == 0, f"install.sh runtime ended with status {status}", said)
    return tell_version(bare)


APT = "DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends"
# What dpkg finds in the place of systemd: it writes down what it is asked for, says what runs and how that has ended.
SYSTEMCTL = """#!/bin/sh
echo "$*" >>/run/asked
case $1 in
list-units) echo "relance@shop.service loaded active running Relance shop" ;;
show) cat /run/ended ;;
esac
"""


def must(root, command):
    """What a command says that has to end well."""
    said, status = inside(root, command)
    expect(status == 0, f"`{command}` ended with status {status}", said)
    return said


def make_packages(root):
    """The package, and the same as the next version; lintian passes both."""
    first = must(root, "sh consumer/package/make.sh").splitlines()[-1]
    must(root, "cpack --config build/release/CPackConfig.cmake -B build -D CPACK_PACKAGE_VERSION=9.9.9")
    must(root, f"{APT} lintian")
    said, status = inside(root, f"lintian --allow-root --tag-display-limit 0 --suppress-tags {UNTOLD} {first}")
    expect(status == 0 and not re.search("^[EW]:", said, re.M), "lintian has findings", said)
    return [root / first.lstrip("/"), *(root / "work/relance/build").glob("relance_9.9.9*.deb")]


# Who answers for a package is told by whoever makes it for others.
UNTOLD = "bogus-mail-host,bogus-mail-host-in-debian-changelog"
UNITS = "relance.service relance@shop.service relance-learn.service relance-learn@shop.service relance-intake@shop.service"


def try_package(bare):
    """It runs, its rules are without mistakes, and systemd takes its units."""
    must(bare, f"{APT} /work/relance/1.deb")
    expect(re.fullmatch(r"relance \d+\.\d+\.\d+\n", must(bare, "relance --version")), "it tells no version", "")
    must(bare, "relance help && relance check /usr/share/relance/scenarios && relance test /usr/share/relance/recipes/cart_left.jsonc")
    must(bare, f"{APT} systemd man-db kmod")
    must(bare, f"touch /etc/relance/shop.conf && systemd-analyze verify {UNITS}")
    must(bare, f"systemd-analyze security --offline=true --threshold=15 {UNITS}")  # 100 is a service without any protection


def try_service(bare):
    """Booted, the machine runs an engine; where it cannot be booted that is skipped."""
    try:
        booted.try_service(bare)
    except Obstacle as obstacle:
        print(f"skipped, no unit was started: {obstacle}")
        return run.Totals(skipped=1)
    return run.Totals(passed=1)


def asked(bare):
    """What dpkg has asked systemd for since the last time, without its questions."""
    file = bare / "run/asked"
    lines = file.read_text().splitlines()
    file.unlink()
    return [line for line in lines if line.split()[0] not in ("list-units", "show")]


def try_upgrade(bare):
    """An engine that ended without a checkpoint keeps its version, and runs on; any other is upgraded."""
    (bare / "run/systemd/system").mkdir(parents=True)
    (bare / "usr/local/bin/systemctl").write_text(SYSTEMCTL)
    (bare / "usr/local/bin/systemctl").chmod(0o755)
    (bare / "etc/relance/relance.conf").write_text("group = mine\n")
    stop, start = "stop relance@shop.service", "--no-block start relance@shop.service"
    for ended, wanted, version in (("3", [stop, "daemon-reload", start], "0"), ("0", [stop, "daemon-reload", "daemon-reload", start], "9")):
        (bare / "run/ended").write_text(ended)
        said, _ = inside(bare, "dpkg -i /work/relance/2.deb")
        now = must(bare, "dpkg-query -W -f '${Version}' relance")
        expect(now.startswith(version), f"with exit status {ended} it is now {now}", said)
        did = asked(bare)
        expect(did == wanted, f"with exit status {ended} systemd was asked for {did}", said)


def try_removal(bare):
    """What an operator has written stays until it is purged, and then nothing is left."""
    kept = bare / "etc/relance/relance.conf"
    must(bare, "rm /etc/relance/shop.conf && dpkg --remove relance")
    expect(kept.read_text() == "group = mine\n", "a changed file of options is not kept", "")
    expect("stop relance@shop.service" in asked(bare), "the engine is not stopped", "")
    must(bare, "dpkg --purge relance")
    left = must(bare, "find / -xdev -name '*relance*' -not -path '/work/*' -not -path '/proc/*' -not -path '/var/*/apt/*' "
                      "-not -path '/var/cache/man/*'")
    expect(left == "", "something is left", left)


def step_package(root, release):
    bare = HOME / f"{release}-package"
    furnish(bare, release)
    (bare / "work/relance").mkdir(parents=True)
    for number, package in enumerate(make_packages(root), 1):
        shutil.copy(package, bare / f"work/relance/{number}.deb")
    try_package(bare)
    totals = try_service(bare)
    try_upgrade(bare)
    try_removal(bare)
    return totals + run.Totals(passed=1)


def step_unit(root, _):
    said, status = inside(root, "sh tests/run.sh unit")
    totals, wrong = run.read_totals(said, status)
    expect(not totals.failed, f"{totals}: {wrong}", said)
    return totals


STEPS = {"demo": step_demo, "version": step_version, "runtime": step_runtime, "package": step_package, "unit": step_unit}
APART = {"runtime", "package"}  # steps that have another bare machine


def try_steps(release, names):
    """In the namespace: the machine and its steps, each a test; what follows a step that has failed is not tried."""
    root, totals = HOME / release, run.Totals()
    try:
        bootstrap(release, root)
        for name in APART & set(names):
            subprocess.run(["cp", "-a", root, HOME / f"{release}-{name}"], check=True)
        furnish(root, release)
        lay_tree(root)
        for name in names:
            begin = time.monotonic()
            totals += STEPS[name](root, release)
            print(f"{release}: {name}  ({time.monotonic() - begin:.0f} s)", flush=True)
    except Failure as failure:
        print(f"{release}: {failure}")
        totals += run.Totals(failed=1)
    print(totals)
    return 1 if totals.failed else 0


def main(apart, release, *names):
    names = names or [name for name in STEPS if name != "unit"]
    if apart == "--apart":
        return try_steps(release, names)
    try:
        look_for_obstacles(release)
    except Obstacle as obstacle:
        print(f"skipped, nothing was tried on {release}: {obstacle}")
        return run.SKIPPED
    remove(release)
    try:
        apart = "setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc".split()
        return subprocess.run([*apart, sys.executable, run.ROOT / "tests/fresh", "--apart", release, *names]).returncode
    finally:
        remove(release)


def remove(release):
    for machine in (release, *(f"{release}-{name}" for name in APART)):
        subprocess.run(["rm", "-rf", "--one-file-system", HOME / machine], check=True)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    sys.exit(main(*(arguments if arguments[:1] == ["--apart"] else ["", *arguments])))
