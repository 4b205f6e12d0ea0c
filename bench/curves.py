"""Curves: what a call costs against the number of connections, of objects, of threads, and of bytes."""

import re
import subprocess

from contenders import Contender, NotMeasured, best
from load import drive
from objects import Program, serve

UNIX = Contender("bench-call", "unix")
SHM = Contender("bench-call", "shm")
RAW_UNIX = Contender("bench-raw", "unix")

CONNECTIONS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000)
OBJECTS = (1, 10, 100, 1000, 10000, 100000, 1000000)
THREADS = (1, 2, 4, 8, 16, 32)
BYTES = (16, 256, 4096, 16384, 65536, 262144, 1 << 20, 4 << 20, 8 << 20)
DRIVER_THREADS = 1
N_CALLS = 5000


def of_connections(run):
    """Time of the server and of one thread of clients for a call, with a call under way on each connection."""
    series = {"raw epoll server": [], "Viaduct, unixsock": []}
    for n in CONNECTIONS:
        for name, kind in (("raw epoll server", "raw"), ("Viaduct, unixsock", "viaduct")):
            rate = max(drive(run, kind, n, DRIVER_THREADS, run.seconds)["rate"] for _ in range(run.repetitions))
            series[name].append((n, 1e6 / rate))
    return series


def of_objects(run):
    """A call to a random one of so many objects."""
    points = []
    for n in OBJECTS:
        with serve(run) as server, Program(run, "hold", server.address, n, N_CALLS) as client:
            client.step("make")
            points.append((n, min(client.step("call")["mean_ns"] for _ in range(run.repetitions + 1)) / 1000))
    return {"Viaduct, unixsock": points}


def of_threads(run):
    """Of one client process, on one connection: what all of them together need for a call."""
    series = {}
    for name, contender in (("Viaduct, unixsock", UNIX), ("Viaduct, shm", SHM)):
        series[name] = []
        for n in THREADS:
            series[name].append((n, min(call_in_threads(run, contender, n) for _ in range(run.repetitions))))
    return series


def call_in_threads(run, contender, n):
    env = run.environment(True)
    with run.serve(contender, None, env) as server:
        done = subprocess.run([*run.command("linux", "bench-threads"), server.address, str(int(run.seconds * 1000)), str(n)],
                              env=env, capture_output=True, text=True, timeout=run.seconds + 60, check=False)
    found = re.search(r"mean_ns=([0-9.]+)", done.stdout)
    if done.returncode != 0 or not found:
        raise NotMeasured(done.stderr.strip())
    return float(found.group(1)) / 1000


def of_bytes(run):
    """A call with so many bytes one way; client and server on one CPU."""
    series = {}
    for name, contender in (("raw socket", RAW_UNIX), ("Viaduct, unixsock", UNIX), ("Viaduct, shm", SHM)):
        series[name] = []
        for size in BYTES:
            n = max(5, min(2000, (64 << 20) // size))
            figures = [run.once(contender, ("payload", n, size), False, False) for _ in range(run.repetitions)]
            series[name].append((size, best(figures) / 1000))
    return series


CURVES = {
    "connections": ("A call, by connections with one under way each", "connections", of_connections),
    "objects": ("A call, by objects that the client holds", "objects", of_objects),
    "threads": ("A call, by threads that share one connection", "threads", of_threads),
    "payload": ("A call, by bytes in its argument", "bytes", of_bytes),
}


def measure_curves(run, report):
    """For each curve: title, axis, and points of each series, with microseconds."""
    curves = {}
    for name, (title, axis, measure) in CURVES.items():
        try:
            curves[name] = {"title": title, "axis": axis, "series": measure(run)}
        except NotMeasured as reason:
            curves[name] = {"title": title, "axis": axis, "series": {}, "reason": str(reason)}
        report(name, curves[name])
    return curves
