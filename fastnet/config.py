"""What this build is and how it runs here: version, instruction set, threads, OpenMP runtimes, memory."""
from __future__ import annotations

import os
import platform
import re
from typing import Any

import numpy as np

from fastnet._core._threads import default_threads, read
from fastnet._core.launch import available_isas, get_isa, get_num_threads, openmp_version
from fastnet._core.memory import memory_stats
from fastnet.version import __version__


def openmp_runtimes() -> list[str]:
    """The OpenMP libraries loaded in this process; two of them make each other's threads wait.

    >>> import fastnet
    >>> isinstance(fastnet.config.openmp_runtimes(), list)
    True
    """
    try:
        maps = read("/proc/self/maps")
    except OSError:
        return []
    return sorted(set(re.findall(r"(/\S*lib(?:gomp|omp|iomp5)\b[^\s/]*)$", maps, re.MULTILINE)))


def config() -> dict[str, Any]:
    """The facts that `show_config` prints."""
    asked = os.environ.get("FASTNET_ISA")
    threads, why = default_threads()
    version = openmp_version()
    if not version:
        why = "built without OpenMP"
    elif threads != get_num_threads():
        why = "set_num_threads"
    best = available_isas()[0]
    isa_why = f"FASTNET_ISA={asked}" if asked and asked == get_isa() else "the best this CPU has" if get_isa() == best else "set_isa"
    return {"version": __version__, "python": platform.python_version(), "numpy": np.__version__, "cpu": _cpu_name(),
            "isa": get_isa(), "isa_why": isa_why, "isas": available_isas(), "threads": get_num_threads(), "threads_why": why,
            "openmp": version, "openmp_runtimes": openmp_runtimes(), "reserved_bytes": memory_stats()["reserved_bytes"]}


def show_config() -> None:
    """Print version, instruction set and why, threads and why, and the OpenMP runtimes of this process.

    >>> import fastnet
    >>> fastnet.show_config()  # doctest: +ELLIPSIS
    fastnet ...
    """
    c = config()
    print(f"fastnet {c['version']} (Python {c['python']}, NumPy {c['numpy']})")
    print(f"cpu      {c['cpu']}")
    print(f"isa      {c['isa']}: {c['isa_why']}; this build and CPU have {', '.join(c['isas'])}")
    print(f"threads  {c['threads']}: {c['threads_why']}")
    print(f"openmp   {c['openmp'] or 'none: kernels run on one thread'}")
    for path in c["openmp_runtimes"]:
        print(f"         {path}")
    if len(c["openmp_runtimes"]) > 1:
        print("warning: two OpenMP runtimes in one process: their idle threads take the cores from each other and parallel kernels can be\n"
              "         hundreds of times slower; run the libraries in separate processes, or set GOMP_SPINCOUNT=1000 before Python starts")
    print(f"memory   {c['reserved_bytes'] / 2**20:.0f} MiB reserved")


def _cpu_name() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", read("/proc/cpuinfo"), re.MULTILINE)
        return found[1].strip() if found else platform.processor() or platform.machine()
    except OSError:
        return platform.processor() or platform.machine()
