"""Many connections to one server: what they cost when idle, and how they share it when all are active."""

import os
import re
import subprocess
import time

from contenders import Contender, NotMeasured, Server, raise_descriptor_limit

SPARE_DESCRIPTORS = 200
MAX_CONNECTIONS = 100000
IDLE_S = 5
SETTLE_S = 1


def memory_of(pid):
    """Of this process alone, in bytes."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        text = file.read()
    return 1024 * sum(int(re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE).group(1))
                      for name in ("Private_Clean", "Private_Dirty", "Swap"))


def cpu_ticks_of(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def hold(run, server, n, env, look):
    """What `look` says of the server while `n` connections are open."""
    with subprocess.Popen([*run.command("linux", "bench-load"), "hold", server.address, str(n)], env=env,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True) as holder:
        try:
            if holder.stdout.readline().strip() != "ready":
                raise NotMeasured(f"{n} connections cannot be made")
            time.sleep(SETTLE_S)
            return look(server.process.pid)
        finally:
            holder.stdin.close()


def n_descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def hold_idle(run, n, seconds):
    """`n` connections for `seconds`, to a server that had none before."""
    env = run.environment(True)

    def look(pid):
        before = cpu_ticks_of(pid)
        time.sleep(seconds)
        return cpu_ticks_of(pid) - before, memory_of(pid), n_descriptors(pid)

    with run.serve(Contender("bench-call", "unix"), None, env) as server:
        none = memory_of(server.process.pid)
        ticks, memory, descriptors = hold(run, server, n, env, look)
    return {"connections": n, "bytes_per_connection": (memory - none) / n, "bytes": memory, "cpu_ticks": ticks,
            "descriptors": descriptors / n, "seconds": float(seconds)}


def measure_idle(run, wanted, seconds=IDLE_S):
    """`wanted` connections, or fewer where the limit of descriptors does not allow so many to client and server."""
    n = min(wanted, MAX_CONNECTIONS, raise_descriptor_limit() - SPARE_DESCRIPTORS)
    while True:
        try:
            return hold_idle(run, n, seconds)
        except NotMeasured:
            n = n * 3 // 4
            if n < max(wanted // 8, 1):
                raise


def drive(run, kind, n, threads, seconds):
    """Calls of `n` clients, each with one under way; `kind`: viaduct or raw."""
    env = run.environment(True)
    program = run.command("linux", "bench-call" if kind == "viaduct" else "bench-load")
    with Server(run, program, run.address(Contender("", "unix")), None, env) as server:
        server.wait_until_ready()
        done = subprocess.run([*run.command("linux", "bench-load"), "drive", server.address, str(n), str(threads),
                               str(int(seconds * 1000)), kind], env=env, capture_output=True, text=True,
                              timeout=seconds + 60, check=False)
    if done.returncode != 0:
        raise NotMeasured(done.stderr.strip())
    return {key: float(value) for key, value in re.findall(r"(\w+)=([0-9.]+)", done.stdout)}


def measure_active(run, wanted, threads, seconds):
    """Viaduct's server and a raw epoll server under the same load generator, by turns: the best of each."""
    n = min(wanted, MAX_CONNECTIONS, raise_descriptor_limit() - SPARE_DESCRIPTORS)
    threads = min(threads, n)
    best = {}
    for _ in range(run.repetitions):
        for kind in ("raw", "viaduct"):
            figures = drive(run, kind, n, threads, seconds)
            if kind not in best or figures["rate"] > best[kind]["rate"]:
                best[kind] = figures
    return {"clients": n, "threads": threads, **best, "ratio": best["viaduct"]["rate"] / best["raw"]["rate"]}


def default_threads():
    return max(1, len(os.sched_getaffinity(0)) // 2)
