"""What a run has cost, the medians of runs, and the tables that show them."""
import os
import pathlib
import statistics
import time
from dataclasses import dataclass, fields

SHOWN = 10  # of what is missing or extra
MB = 1e6


@dataclass
class Figures:
    """Of one run, or the medians of several."""
    events: int
    seconds: float       # from the first record on
    cpu_s: float         # of the engine's process; of the engine itself, its start among it
    peak: float          # bytes: of the engine's process, and of Redis
    redis_s: float = 0.0
    broker_s: float = 0.0
    missing: int | None = 0    # None: there is nothing to compare with
    extra: int | None = 0
    start_s: float = 0.0       # of the engine itself, before the first record

    @property
    def rate(self):
        return self.events / self.seconds

    @property
    def cpu_rate(self):
        """Events per CPU-second: Redis's count as ours, the broker's as nobody's."""
        return self.events / (self.cpu_s + self.redis_s)


def medians(runs):
    """Each figure's own median, of any dataclass of figures; what is missing or extra, of the worst."""
    worst = {"missing", "extra"}
    return type(runs[0])(**{f.name: (most if f.name in worst else statistics.median)([getattr(run, f.name) for run in runs])
                            for f in fields(runs[0])})


def most(counts):
    return None if None in counts else max(counts)


def is_exact(figures):
    return not figures.missing and not figures.extra


def compare(said, answer):
    """How many actions of the answer are missing, and how many there are that should not be, each one twice among them."""
    seen, count = set(), 0
    for text in said:
        seen.add(text)
        count += 1
    for word, texts in (("missing", answer - seen), ("extra", seen - answer)):
        for text in sorted(texts)[:SHOWN]:
            print(f"    {word}: {text}")
    return len(answer - seen), count - len(answer & seen)


# ---- what processes use

def cpu_s(pid):
    words = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid, field):
    """VmRSS: what is resident; VmHWM: what was, at most; in bytes."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return 1024 * int(line.split()[1])
    return 0  # it has ended


def wait_for(process, limit_s, log):
    """Waits for a process's end: its seconds, CPU-seconds and peak. It fails where the process does, or lasts too long."""
    begin, peak, ended = time.monotonic(), 0, 0
    while not ended:
        peak = max(peak, memory(process.pid, "VmHWM"))
        if time.monotonic() - begin > limit_s:
            process.kill()
        time.sleep(0.02)
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
    seconds = time.monotonic() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"ended with {process.returncode} after {seconds:.0f} s: {log.read_text(errors='replace')[-4000:]}")
    return seconds, usage.ru_utime + usage.ru_stime, peak


# ---- tables

def columns(rows):
    """Rows of texts under each other; the first two columns stand left, the others right."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join("  ".join(text.ljust(width) if n < 2 else text.rjust(width) for n, (text, width) in enumerate(zip(row, widths))).rstrip()
                     for row in rows)


def table(results, base):
    """Of {(workload, engine): runs}, a line each; beside each its CPU an event as a multiple of the engine's named `base`."""
    rows = [("workload", "engine", "events/s", "per CPU-s", "x reading", "CPU s", "Redis s", "broker s", "start s", "peak MB", "missing", "extra", "runs")]
    for (workload, engine), runs in results.items():
        f, times = medians(runs), ratio(results, workload, base, engine, "cpu_rate")
        rows.append((f"{workload} {f.events:,.0f}", engine, f"{f.rate:,.0f}", f"{f.cpu_rate:,.0f}", f"{times:.2f}" if times else "-", f"{f.cpu_s:.1f}",
                     f"{f.redis_s:.1f}", f"{f.broker_s:.1f}", f"{f.start_s:.1f}" if f.start_s else "-", f"{f.peak / MB:,.0f}",
                     *("-" if count is None else str(count) for count in (f.missing, f.extra)), str(len(runs))))
    return columns(rows)


def ratio(results, workload, one, other, figure):
    """How many times another's figure a row's is; None where there is not both."""
    both = [results.get((workload, name)) for name in (one, other)]
    return getattr(medians(both[0]), figure) / getattr(medians(both[1]), figure) if all(both) else None
