"""How many threads are right here: the environment's word, or the least of affinity, cgroup quota and physical cores."""
from __future__ import annotations

import os


def default_threads() -> tuple[int, str]:
    """The number of threads to use, and the reason in words."""
    for name in ("FASTNET_NUM_THREADS", "OMP_NUM_THREADS"):
        value = os.environ.get(name, "").split(",")[0].strip()
        if value:
            if not value.isdigit() or int(value) < 1:
                raise ValueError(f"{name}={value!r}: not a positive number of threads")
            return int(value), f"{name}={value}"
    limits = [(_affinity(), "CPUs this process may use"), (_quota(), "cgroup CPU quota"), (_physical_cores(), "physical cores")]
    return min(((n, why) for n, why in limits if n), key=lambda limit: limit[0], default=(1, "nothing is known of this machine"))


def read(path: str) -> str:
    """The text of a file of the system (pathlib would take a tenth of the time of `import fastnet`)."""
    with open(path, errors="replace") as file:
        return file.read()


def _affinity() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _quota() -> int | None:
    """CPUs of the cgroup's quota (version 2, then 1), rounded up; None: no quota."""
    for quota_file, period_file in (("cpu.max", None), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        try:
            words = [word for name in (quota_file, period_file) if name for word in read(f"/sys/fs/cgroup/{name}").split()]
            if words[0] in ("max", "-1"):
                return None
            return max(1, -(-int(words[0]) // int(words[1])))
        except (OSError, ValueError, IndexError):
            continue
    return None


def _physical_cores() -> int | None:
    """Cores behind the CPUs this process may use: hyper-threads share one set of FMA units."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    cores = set()
    for cpu in os.sched_getaffinity(0):
        try:
            cores.add(read(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list").strip())
        except OSError:
            return None
    return len(cores) or None
