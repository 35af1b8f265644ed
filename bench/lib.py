# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: processes timed one by one, rounds that alternate between the subjects, ratios of medians.

No figure is asserted anywhere: the machines are shared and noisy, so only figures of one run are compared with each other.
"""
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(SOURCE, os.environ.get("FLOE_BUILD", "build"))
RUNTIME = os.environ.get("FLOE_RUNTIME", os.path.join(BUILD, "src/cli/floe-runtime/floe-runtime"))


def hide_unified_cgroup():
    """crun 1.8 refuses a host that is hybrid with a controller in the v2 tree: run everything where that is not to be seen.

    In a mount namespace of our own, which also has room for other mounts; the host's hierarchies stay as they are."""
    unified = "/sys/fs/cgroup/unified"
    if os.environ.get("FLOE_BENCH_PRIVATE"):
        return
    os.environ["FLOE_BENCH_PRIVATE"] = "1"
    script = f'! mountpoint -q {unified} || umount {unified} && exec "$@"'
    os.execvp("unshare", ["unshare", "--mount", "--propagation", "slave", "sh", "-c", script, "sh", sys.executable, *sys.argv])


def state_parent():
    """Where state roots go: on a tmpfs, as below /run of almost every host. On a disk's file system, making and removing
    small files by the hundred takes as long as a container, and it would be that which is compared."""
    for path in ("/run", "/dev/shm"):
        if os.path.isdir(path) and output_of("stat", "--file-system", "--format=%T", path) == "tmpfs":
            return path
    return None  # tempfile's default


@contextlib.contextmanager
def read_only_program(path, directory):
    """The same program on a read-only mount; wants the mount namespace of hide_unified_cgroup()."""
    copy = os.path.join(directory, "read-only")
    os.makedirs(copy)
    target = os.path.join(copy, os.path.basename(path))
    for file in (path, path + "-main"):
        if os.path.exists(file):
            shutil.copy2(file, copy)
    subprocess.run(["mount", "--bind", copy, copy], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", copy], check=True)
    try:
        yield target
    finally:
        subprocess.run(["umount", copy], check=False)


class Sample:
    def __init__(self, wall_ms, cpu_ms, rss_mib):
        self.wall_ms, self.cpu_ms, self.rss_mib = wall_ms, cpu_ms, rss_mib


def compile_tool(name, directory):
    path = os.path.join(directory, name)
    source = os.path.join(SOURCE, "bench", name + ".c")
    subprocess.run(["cc", "-O2", "-static", "-D_GNU_SOURCE", "-o", path, source], check=True)
    return path


MEASURE = None  # set by the benchmark: compile_tool("measure", ...)


def timed(argv, cwd=None, stdio=None, preexec=None, env=None):
    """Run one command to its end; the whole process with its waited-for children."""
    figures, write_end = os.pipe()
    stdin, stdout, stderr = stdio or (subprocess.DEVNULL, subprocess.DEVNULL, subprocess.DEVNULL)

    def on_three():
        os.dup2(write_end, 3)
        if preexec:
            preexec()

    process = subprocess.Popen([MEASURE, *argv], cwd=cwd, stdin=stdin, stdout=stdout, stderr=stderr, preexec_fn=on_three,
                               pass_fds=(3, write_end) if write_end != 3 else (3,), env=env)
    os.close(write_end)
    with os.fdopen(figures) as f:
        text = f.readline()
    process.wait()
    if not text:
        raise RuntimeError(f"{' '.join(argv)}: could not be measured")
    wall, cpu, rss, status = (int(word) for word in text.split())
    if status != 0:
        raise RuntimeError(f"{' '.join(argv)}: status {status >> 8 or status}")
    return Sample(wall / 1e6, cpu / 1e3, rss / 1024)


def output_of(*argv, **kwargs):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True, **kwargs).stdout.strip()


def find(name):
    return shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")


def peers(*names):
    """Name with version -> path: the installed ones of these, and the newer ones that tools/install-peers provides."""
    found = {}
    for name in names:
        newer = subprocess.run([os.path.join(SOURCE, "tools/install-peers"), "--print", name], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True, check=False).stdout.strip()
        for path in (find(name), newer):
            if path:
                version = output_of(path, "--version").splitlines()[0].split()[-1].split("+")[0]
                found[f"{name} {version}"] = path
    return found


def baseline(results, name):
    """The newest of the peers of that name: peers() names it last."""
    return [title for title in results if title.split()[0] == name][-1:]


def median(samples, field="wall_ms"):
    return statistics.median(getattr(s, field) for s in samples)


def table(title, peer, results, extra=()):
    """results: name -> list of Sample. The ratio is that of the medians of wall time, to the newest peer of that name."""
    to = baseline(results, peer)
    base = median(results[to[0]]) if to and results[to[0]] else None
    print(f"\n{title}")
    print(f"  {'':20}{'median ms':>11}{'min':>9}{'CPU ms':>9}{'peak MiB':>10}{'ratio to ' + (to or [peer])[0]:>23}")
    rows = {}
    for name, samples in results.items():
        if not samples:
            print(f"  {name:20}{'failed':>11}")
            continue
        row = {
            "median_ms": median(samples),
            "min_ms": min(s.wall_ms for s in samples),
            "cpu_ms": median(samples, "cpu_ms"),
            "peak_mib": max(s.rss_mib for s in samples),
            "ratio": median(samples) / base if base else None,
        }
        ratio = f"{row['ratio']:.2f}" if base else "-"
        print(f"  {name:20}{row['median_ms']:11.2f}{row['min_ms']:9.2f}{row['cpu_ms']:9.2f}{row['peak_mib']:10.1f}{ratio:>23}")
        rows[name] = row
    for line in extra:
        print(f"  {line}")
    return rows


def machine():
    with open("/proc/loadavg", encoding="ascii") as f:
        load = f.read().split()[0]
    return {"kernel": os.uname().release, "cpus": os.cpu_count(), "load": float(load)}


def save(path, data):
    if path:
        with open(path, "w", encoding="utf-8") as f:
            json.dump(data, f, indent=2)
