"""The table of peers: the same workloads through Viaduct, the raw contenders, and other systems for calls between processes."""

import subprocess

from contenders import Contender, NotMeasured, best, median

MIB = 1 << 20

RAW_UNIX = Contender("bench-raw", "unix")
CONTENDERS = {
    "raw socket": RAW_UNIX,
    "raw ring": Contender("bench-raw", "ring"),
    "Viaduct, unixsock": Contender("bench-call", "unix"),
    "Viaduct, shm": Contender("bench-call", "shm"),
    "sd-bus, peer to peer": Contender("bench-peer-sdbus", "unix"),
    "dbus-daemon": Contender("bench-peer-dbus-daemon", "unix"),
    "ZeroMQ": Contender("bench-peer-zeromq", "unix"),
    "nng": Contender("bench-peer-nng", "unix"),
    "Cap'n Proto": Contender("bench-peer-capnp", "unix"),
    "Thrift": Contender("bench-peer-thrift", "unix"),
}
# What no ring of 64 KiB, which serves one client, can do.
IMPOSSIBLE = {("raw ring", "clients"), ("raw ring", "payload")}


def repeat(run, contender, workload, two_cpus, spins):
    return [run.once(contender, workload, two_cpus, spins) for _ in range(run.repetitions)]


def microseconds(ns):
    return f"{ns / 1000:.2f} us"


def call(two_cpus):

    def measure(run, contender):
        ns = best(repeat(run, contender, ("call", run.calls), two_cpus, two_cpus))
        return ns, microseconds(ns)

    return measure


def window(run, contender):
    ns = best(repeat(run, contender, ("oneway", run.calls * 4), False, False))
    return ns, microseconds(ns)


def eight_clients(run, contender):
    rate = median([sum(run.clients_once(contender, 8)) / run.seconds for _ in range(run.repetitions)])
    return rate, f"{rate / 1000:.0f} k/s"


def payload(run, contender):
    ns = best(repeat(run, contender, ("payload", max(run.calls // 20, 5), MIB), False, False))
    return ns, f"{MIB / ns:.2f} GB/s"


COLUMNS = {
    "call, one CPU": ("call", call(False)),
    "call, two CPUs": ("call", call(True)),
    "one-way, window 64": ("oneway", window),
    "8 clients": ("clients", eight_clients),
    "1 MiB": ("payload", payload),
}


def measure_cell(run, name, workload, measure):
    """The figure and its text; None and why not."""
    if (name, workload) in IMPOSSIBLE:
        return None, "-"
    try:
        return measure(run, CONTENDERS[name])
    except (NotMeasured, OSError, ValueError, subprocess.SubprocessError) as reason:
        return None, f"not measured: {(str(reason).splitlines() or ['no reason'])[0]}"


def measure_peers(run, report):
    """Row by row; `report` gets each as soon as it is there."""
    rows = []
    for name, contender in CONTENDERS.items():
        row = {"name": name}
        if not (run.linux / "bin" / contender.program).exists():
            row["reason"] = f"not measured: {contender.program} is not built; its package is not installed"
        else:
            row["cells"] = {title: measure_cell(run, name, *column) for title, column in COLUMNS.items()}
        rows.append(row)
        report(row)
    return rows


def cells(row):
    if "reason" in row:
        return [row["name"], row["reason"]] + [""] * (len(COLUMNS) - 1)
    return [row["name"], *(text for _, text in row["cells"].values())]


def titles():
    return ["", *COLUMNS]


def print_row(texts):
    print("{:<22} {:>14} {:>14} {:>18} {:>10} {:>10}".format(*texts), flush=True)


def print_peers(run, as_markdown):
    """Prints the table, and returns it for the JSON."""
    if not as_markdown:
        print_row(titles())
        rows = measure_peers(run, lambda row: print_row(cells(row)))
    else:
        rows = measure_peers(run, lambda row: None)
        print("| " + " | ".join(titles()) + " |")
        print("| --- |" + " ---: |" * len(COLUMNS))
        for row in rows:
            print("| " + " | ".join(cells(row)) + " |")
    return [{"name": row["name"], "reason": row.get("reason"),
             "figures": {title: text for title, (_, text) in row.get("cells", {}).items()}} for row in rows]
