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
WINE_THREADS = 8
WINE_S = 180


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


def hold(holder_command, server, n, env, look):
    """What `look` says of the server while `n` connections are open."""
    with subprocess.Popen([*holder_command, "hold", server.address, str(n)], env=env,
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
        ticks, memory, descriptors = hold(run.command("linux", "bench-load"), server, n, env, look)
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


def wineserver_of(run):
    """The process that keeps what the programs of the prefix have open."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm") as name, open(f"/proc/{pid}/environ") as environment:
                if name.read().startswith("wineserver") and f"WINEPREFIX={run.prefix}\0" in environment.read():
                    return pid
        except OSError:
            pass
    raise NotMeasured("there is no wineserver")


def measure_wine(run, scheme, n, seconds):
    """`n` clients of a server under Wine, in a Linux program or, over pipes, in a Windows one: calls, then none."""
    raise_descriptor_limit()
    env = run.environment(True)
    run.stop_wine()
    program = run.command("linux" if scheme == "unix" else "windows", "bench-crowd")

    def look(pid):
        before = cpu_ticks_of(pid)
        time.sleep(seconds)
        return {"cpu_ticks": cpu_ticks_of(pid) - before, "bytes": memory_of(pid), "descriptors": n_descriptors(pid),
                "threads": len(os.listdir(f"/proc/{pid}/task")),
                "server_descriptors": n_descriptors(wineserver_of(run))}

    with run.serve(Contender("bench-call", scheme, server="windows"), None, env) as server:
        arguments = (server.address, n, min(WINE_THREADS, n), int(seconds * 1000))
        done = subprocess.run([*program, "drive", *map(str, arguments)], env=env, capture_output=True, text=True,
                              errors="replace", timeout=seconds + WINE_S, check=False)
        if done.returncode != 0:
            raise NotMeasured(done.stderr.strip())
        figures = {key: float(value) for key, value in re.findall(r"(\w+)=([0-9.]+)", done.stdout)}
        if figures.get("served") != n:
            raise NotMeasured("not every client was served")
        return {**figures, **hold(program, server, n, env, look)}


def default_threads():
    return max(1, len(os.sched_getaffinity(0)) // 2)
