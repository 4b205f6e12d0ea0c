"""The rows of the benchmark: one for each budget, and a few for comparison that have none.

A row's value is a ratio to the raw contender unless its unit says otherwise.
"""

import dataclasses
import re
import signal
import subprocess
import time
from typing import Callable, Optional

import classes
from contenders import Contender, NotMeasured, Server, best, cpus, median
from load import default_threads, measure_active, measure_idle
from objects import measure_objects

UNIX = Contender("bench-call", "unix")
SHM = Contender("bench-call", "shm")
PIPE = Contender("bench-call", "pipe")
RAW_UNIX = Contender("bench-raw", "unix")
RAW_SPIN = Contender("bench-raw", "spin")
RAW_RING = Contender("bench-raw", "ring")
WINE_PIPE = Contender("bench-call", "pipe", "windows", "windows")
RAW_WINE_PIPE = Contender("bench-raw", "pipe", "windows", "windows")
WINE_TO_LINUX_SHM = Contender("bench-call", "shm", "linux", "windows")
WINE_TO_LINUX_UNIX = Contender("bench-call", "unix", "linux", "windows")
RAW_WINE_TO_LINUX = Contender("bench-raw", "unix", "linux", "windows")
WINE_COM = Contender("bench-com", "com", "windows", "windows")

KIB, MIB = 1 << 10, 1 << 20


@dataclasses.dataclass
class Result:
    value: float
    ours: str = ""
    raw: str = ""
    note: str = ""
    also_met: bool = True  # what the budget asks for besides the value
    percentiles: dict = dataclasses.field(default_factory=dict)  # in us, for the JSON


@dataclasses.dataclass
class Row:
    name: str
    place: str
    limit: Optional[str]  # "<= 1.15"; None: for comparison only
    measure: Callable
    unit: str = "x"
    needs_wine: bool = False

    def verdict(self, result):
        if self.limit is None:
            return "no budget"
        sign, _, number = self.limit.partition(" ")
        holds = result.value <= float(number) if sign == "<=" else result.value >= float(number)
        return "met" if holds and result.also_met else "not met"


def microseconds(ns):
    return f"{ns / 1000:.2f} us"


def percentiles_of(name, repetitions):
    """Of the fastest repetition."""
    fastest = min(repetitions, key=lambda figures: figures["mean_ns"])
    return {f"{name}_{key}_us": round(fastest[f"{key}_ns"] / 1000, 2) for key in ("p50", "p99")}


def calls(ours, raw, two_cpus, spins):
    """How much longer a call takes than the raw one."""

    def measure(run):
        our_runs, raw_runs = run.compare((ours, raw), ("call", run.calls), two_cpus, spins)
        a, b = best(our_runs), best(raw_runs)
        found = {**percentiles_of("ours", our_runs), **percentiles_of("raw", raw_runs)}
        note = (f"p50 {found['ours_p50_us']:.2f} us (raw {found['raw_p50_us']:.2f}), "
                f"p99 {found['ours_p99_us']:.2f} us (raw {found['raw_p99_us']:.2f})")
        return Result(a / b, microseconds(a), microseconds(b), note, percentiles=found)

    return measure


def get_and_call(ours):
    """How much longer getting an object and calling it takes than a single call."""

    def measure(run):
        both = run.compare((ours,), ("promise", run.calls), False, False)[0]
        single = run.compare((ours,), ("call", run.calls), False, False)[0]
        a, b = best(both), best(single)
        return Result(a / b, microseconds(a), microseconds(b))

    return measure


def processor_time(ours, raw):
    """How much more processor time of both processes a call takes than the raw one, on one CPU."""

    def measure(run):
        our_runs, raw_runs = run.compare((ours, raw), ("call", run.calls), False, False)
        a, b = best(our_runs, "cpu_ns"), best(raw_runs, "cpu_ns")
        return Result(a / b, microseconds(a), microseconds(b))

    return measure


def times_as_fast_as_com(two_cpus):

    def measure(run):
        our_runs, com_runs = run.compare((WINE_TO_LINUX_SHM, WINE_COM), ("call", run.calls), two_cpus, two_cpus)
        a, b = best(our_runs), best(com_runs)
        return Result(b / a, microseconds(a), microseconds(b))

    return measure


def windows(ours, raw):
    """The rate of one-way calls, as a share of the raw rate."""

    def measure(run):
        our_runs, raw_runs = run.compare((ours, raw), ("oneway", run.calls * 8), False, False)
        a, b = best(our_runs), best(raw_runs)
        return Result(b / a, microseconds(a), microseconds(b))

    return measure


def n_payloads(run, size):
    """As many as take about as long as 1 MiB five hundred times."""
    return max(min(run.calls, run.calls // 20 * MIB // size), 5)


def payload(size, workload):
    """How many times as fast as through the raw socket. "payload": copied to be private; "inplace": copied to where
    the server reads it."""

    def measure(run):
        n_calls = n_payloads(run, size)
        raw_runs = run.compare((SHM, RAW_UNIX), ("payload", n_calls, size), False, False)[1]
        our_runs = run.compare((SHM,), (workload, n_calls, size), False, False)[0] if workload != "payload" else (
            run.compare((SHM, RAW_UNIX), ("payload", n_calls, size), False, False)[0])
        a, b = best(our_runs), best(raw_runs)
        return Result(b / a, f"{size / a:.2f} GB/s", f"{size / b:.2f} GB/s")

    return measure


def copy_and_read(size):
    """The rate in place as a share of what one copy and one reading allow."""

    def measure(run):
        n_calls = n_payloads(run, size)
        bounds = run.copies(size, n_calls)
        bound = best(bounds, "copy_ns") + best(bounds, "read_ns")
        a = best(run.compare((SHM,), ("inplace", n_calls, size), False, False)[0])
        return Result(bound / a, f"{size / a:.2f} GB/s", f"{size / bound:.2f} GB/s")

    return measure


def eight_clients(run):
    if len(cpus()) < 2:
        raise NotMeasured("this machine has one CPU")
    ratios, rates, raw_rates, shares = [], [], [], []
    for _ in range(run.repetitions):
        raw, ours = run.clients_once(RAW_UNIX, 8), run.clients_once(UNIX, 8)
        ratios.append(sum(ours) / sum(raw))
        rates.append(sum(ours) / run.seconds)
        raw_rates.append(sum(raw) / run.seconds)
        shares.append(min(ours) * len(ours) / sum(ours))
    share = median(shares)
    return Result(median(ratios), f"{median(rates) / 1000:.0f} k/s", f"{median(raw_rates) / 1000:.0f} k/s",
                  f"slowest client {share:.2f} of the mean, at least 0.50", share >= 0.5)


def system_calls(run):
    """The difference of a long and a short run, for each call, of the process that makes more."""

    def count(n_calls, number):
        env = run.environment(False)
        files = {name: run.work / f"strace-{number}-{name}" for name in ("server", "client")}
        trace = {name: ["strace", "-f", "-c", "-o", str(file)] for name, file in files.items()}
        address = run.address(UNIX)
        with Server(run, [*trace["server"], *run.command("linux", "bench-call")], address, cpus()[-1], env) as server:
            server.wait_until_ready()
            subprocess.run([*trace["client"], *run.command("linux", "bench-call"), "call", address, str(n_calls)],
                           env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120, check=True)
        return {name: total_of(file.read_text()) for name, file in files.items()}

    short, extra = 100, min(run.calls, 5000)
    try:
        least = {}
        for number in range(max(1, min(run.repetitions, 3))):
            few, many = count(short, 2 * number), count(short + extra, 2 * number + 1)
            for name in few:
                each = (many[name] - few[name]) / (extra * 1.1)  # a tenth more, before the measurement
                least[name] = min(each, least.get(name, each))
    except FileNotFoundError as error:
        raise NotMeasured(f"{error.filename} is not installed") from error
    except subprocess.SubprocessError as error:
        raise NotMeasured(f"strace does not work here: {error}") from error
    return Result(max(least.values()), note=", ".join(f"{name} {each:.3f}" for name, each in least.items()))


def total_of(report):
    found = re.search(r"^\s*100\.00\s.*?\s(\d+)\s+(?:\d+\s+)?total\s*$", report, re.MULTILINE)
    if not found:
        raise NotMeasured("strace counted nothing")
    return int(found.group(1))


def host_start(run):
    """From the start of viaductd until a client that is there already has its first answer."""
    times = []
    for _ in range(run.repetitions):
        number = run.next_number()
        address = f"unix:{run.work}/host-{number}.sock"
        config = run.work / f"host-{number}.json"
        config.write_text(f'{{ "listen": ["{address}"], "component_directories": '
                          f'["{run.linux}/lib/viaduct/components.d"] }}\n')
        env = run.environment(True)
        with subprocess.Popen([*run.command("linux", "bench-call"), "first", address], env=env, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as client:
            client.stdout.readline()
            before = time.monotonic_ns()
            with open(run.work / "host.log", "ab") as log:
                host = subprocess.Popen([*run.command("linux", "viaductd"), "--config", str(config)], env=env,
                                        stdout=log, stderr=log)
            try:
                output, _ = client.communicate("\n", timeout=30)
            finally:
                host.send_signal(signal.SIGTERM)
                host.wait(20)
        found = re.search(r"at_ns=(\d+)", output)
        if not found:
            raise NotMeasured("the host did not answer: " + (run.work / "host.log").read_text(errors="replace").strip())
        times.append((int(found.group(1)) - before) / 1e6)
    return Result(min(times), note=f"median {median(times):.1f} ms")


def idle_connections(run):
    wanted = 10000 if run.calls >= 1000 else 50
    result = measure_idle(run, wanted)
    n = result["connections"]
    note = (f"{result['bytes_per_connection'] / 1024:.1f} KiB and {result['descriptors']:.1f} descriptors each, "
            f"{result['cpu_ticks']} ticks in {result['seconds']:.0f} s")
    if n < wanted:
        note += f"; scaled from {n}, more are not possible with this limit of descriptors"
    # A tick or two is the process' own clock.
    total = result["bytes"] + result["bytes_per_connection"] * (10000 - n)
    return Result(total / MIB, note=note, also_met=result["cpu_ticks"] <= 2)


def active_clients(run):
    wanted = 1000 if run.calls >= 1000 else 20
    result = measure_active(run, wanted, default_threads(), run.seconds)
    ours, raw = result["viaduct"], result["raw"]
    note = (f"{result['clients']} clients; p99 {ours['p99_us'] / 1000:.1f} ms (raw {raw['p99_us'] / 1000:.1f}), slowest "
            f"client {ours['slowest']:.2f} of the mean, at least 0.50")
    return Result(result["ratio"], f"{ours['rate'] / 1000:.0f} k/s", f"{raw['rate'] / 1000:.0f} k/s", note,
                  ours["slowest"] >= 0.5)


def many_objects(run):
    """A call to a random one of very many objects against one of few."""
    if "objects" not in run.results:
        run.results["objects"] = measure_objects(run, 1000000 if run.calls >= 1000 else 5000, run.calls)
    result = run.results["objects"]
    few, many, killed = result["few"], result["many"], result["killed"]
    note = (f"{result['objects']} objects, {many['server_bytes']:.0f} bytes each in the server and {many['client_bytes']:.0f} "
            f"in the client; longest call while they are made {many['longest_ms']:.0f} ms, all gone "
            f"{many['settled_s']:.1f} s after the last release, and {killed['seconds']:.1f} s after the death of the client, "
            f"while another waits {killed['longest_ms']:.0f} ms at most")
    return Result(result["ratio"], microseconds(many["mean_ns"]), microseconds(few["mean_ns"]), note)


def start_with_classes(run):
    times, note = classes.measure_start(run)
    return Result(min(times), note=note)


def find_class(run):
    """A look-up among many classes against one among few, each with its call."""
    few, many = classes.measure_find(run)
    return Result(min(many) / min(few), microseconds(min(many)), microseconds(min(few)))


ROWS = [
    Row("unixsock, two-int call", "one CPU", "<= 1.15", calls(UNIX, RAW_UNIX, False, False)),
    Row("unixsock, two-int call, adaptive", "two CPUs", "<= 0.08", calls(UNIX, RAW_UNIX, True, True)),
    Row("unixsock, two-int call, raw spinning socket", "two CPUs", None, calls(UNIX, RAW_SPIN, True, True)),
    Row("shm, two-int call, raw futex ring", "one CPU", "<= 1.35", calls(SHM, RAW_RING, False, False)),
    Row("shm, two-int call, raw spinning ring", "two CPUs", "<= 1.5", calls(SHM, RAW_RING, True, True)),
    Row("unixsock, one-way, window 64, rate", "one CPU", ">= 0.5", windows(UNIX, RAW_UNIX)),
    Row("shm, one-way, window 64, rate", "one CPU", ">= 0.5", windows(SHM, RAW_RING)),
    Row("unixsock, 8 clients, raw threads, rate", "unpinned", ">= 0.85", eight_clients),
    Row("shm, 4 KiB copied, raw socket, rate", "one CPU", None, payload(4 * KIB, "payload")),
    Row("shm, 4 KiB in place, raw socket, rate", "one CPU", None, payload(4 * KIB, "inplace")),
    Row("shm, 64 KiB copied, raw socket, rate", "one CPU", None, payload(64 * KIB, "payload")),
    Row("shm, 64 KiB in place, raw socket, rate", "one CPU", None, payload(64 * KIB, "inplace")),
    Row("shm, 1 MiB copied, raw socket, rate", "one CPU", ">= 1.3", payload(MIB, "payload")),
    Row("shm, 1 MiB in place, raw socket, rate", "one CPU", ">= 2.3", payload(MIB, "inplace")),
    Row("shm, 16 MiB copied, raw socket, rate", "one CPU", None, payload(16 * MIB, "payload")),
    Row("shm, 16 MiB in place, raw socket, rate", "one CPU", None, payload(16 * MIB, "inplace")),
    Row("shm, 16 MiB in place, one copy and reading", "one CPU", ">= 0.9", copy_and_read(16 * MIB)),
    Row("get an object and call it, single call", "one CPU", "<= 1.3", get_and_call(UNIX)),
    Row("shm, Wine to Linux, Linux to Linux", "one CPU", "<= 2", calls(WINE_TO_LINUX_SHM, SHM, False, False),
        needs_wine=True),
    Row("shm, Wine to Linux, Linux to Linux", "two CPUs", "<= 2", calls(WINE_TO_LINUX_SHM, SHM, True, True),
        needs_wine=True),
    Row("Wine's COM call, ours Wine to Linux, shm", "two CPUs", ">= 100", times_as_fast_as_com(True), needs_wine=True),
    Row("Wine's COM call, ours Wine to Linux, shm", "one CPU", ">= 45", times_as_fast_as_com(False), needs_wine=True),
    Row("system calls of a process for a call", "one CPU", "<= 2.05", system_calls, unit=""),
    Row("namedpipe under Wine, raw overlapped pipe", "one CPU", "<= 1.15",
        calls(WINE_PIPE, RAW_WINE_PIPE, False, False), needs_wine=True),
    Row("1,000 active clients, raw epoll, rate", "unpinned", ">= 0.8", active_clients),
    Row("a call to one of 1,000,000 objects, of 1,000", "unpinned", None, many_objects),
    Row("10,000 idle connections", "unpinned", "<= 100", idle_connections, unit=" MiB"),
    Row("host start to first answered call", "unpinned", "<= 50", host_start, unit=" ms"),
    Row("host start with 100,000 classes", "unpinned", "<= 200", start_with_classes, unit=" ms"),
    Row("look-up of 100,000 classes, of 100", "unpinned", "<= 1.15", find_class),
    Row("CPU time of a call, unixsock", "one CPU", "<= 1.2", processor_time(UNIX, RAW_UNIX)),
    Row("CPU time of a call, shm", "one CPU", "<= 1.2", processor_time(SHM, RAW_RING)),
    Row("namedpipe, two-int call", "one CPU", None, calls(PIPE, RAW_UNIX, False, False)),
    Row("namedpipe under Wine, raw overlapped pipe", "two CPUs", None, calls(WINE_PIPE, RAW_WINE_PIPE, True, True),
        needs_wine=True),
    Row("unixsock, Wine to Linux", "one CPU", None, calls(WINE_TO_LINUX_UNIX, RAW_WINE_TO_LINUX, False, False),
        needs_wine=True),
    Row("unixsock, Wine to Linux", "two CPUs", None, calls(WINE_TO_LINUX_UNIX, RAW_WINE_TO_LINUX, True, True),
        needs_wine=True),
]
