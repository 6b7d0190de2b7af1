"""One library in a process of its own: reads commands as JSON lines on standard input, answers as JSON lines on standard output.

Started as `python worker.py LIBRARY THREADS TUNED CHANNELS_LAST`.  Only this folder, NumPy and the library itself are imported: two
libraries in one process would bring two OpenMP runtimes, whose waiting threads take each other's cores.
"""
from __future__ import annotations

import ctypes
import importlib
import json
import os
import resource
import statistics
import sys
import timeit
import traceback

BATCH = 0.002                                             # seconds that a batch lasts, or one step where that takes longer


def memory(field: str) -> int:
    """Bytes of VmRSS (now) or VmHWM (highest so far), from the kernel."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(field))


def settled_memory() -> int:
    """Bytes in use, once the C library has given back what is free."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)
    return memory("VmRSS")


def faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


class Worker:
    """The state between two commands: one library, one case."""

    def __init__(self, package: str, threads: int, tuned: bool, channels_last: bool):
        self.package, self.threads, self.tuned, self.channels_last = package, threads, tuned, channels_last
        self.run = self.timer = self.case = None

    def hello(self) -> dict:
        """Import the library, set its threads, and say its version."""
        module = importlib.import_module({"peak": "fastnet"}.get(self.package, self.package))
        if self.package == "torch":
            module.set_num_threads(self.threads)
            module.set_num_interop_threads(1)
            if self.tuned:
                module.set_flush_denormal(True)
        elif self.package in ("fastnet", "peak"):
            module.set_num_threads(self.threads)
        import numpy
        return {"version": module.__version__, "python": sys.version.split()[0], "numpy": numpy.__version__,
                "details": self.details(module)}

    def details(self, module) -> str:
        if self.package == "fastnet":
            return f"{module.get_isa()}"
        if self.package == "numpy":
            blas = module.show_config(mode="dicts")["Build Dependencies"]["blas"]
            return f"{blas.get('name')} {blas.get('version')}"
        if self.package == "torch":
            return next((line.strip(" -") for line in module.__config__.show().splitlines() if "Math Kernel" in line), "")
        return ""

    def prepare(self, name: str, kept: str) -> dict:
        """Build the case, run its first steps and compare the result with the float64 reference, which the first
        process leaves in the file `kept`."""
        import cases
        from cases.case import error
        self.drop()
        self.case = next(c for c in cases.CASES if c.name == name)
        self.case.channels_last = self.channels_last
        inputs = self.case.inputs()
        want = self.reference(inputs, kept)
        self.before = settled_memory()
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")                               # the high-water mark starts again here
        self.run = getattr(self.case, self.package)(inputs, self.tuned)
        step = self.run.names.get("checked")
        for _ in range(self.case.checks):
            step() if step else exec(self.run.statement, self.run.names)
        self.run.finish()
        self.timer = timeit.Timer(self.run.statement, globals=self.run.names)
        return {"error": error(self.run.read(), want), "tolerance": self.case.tolerance}

    def reference(self, inputs: dict, kept: str) -> list:
        import numpy as np
        if not os.path.exists(kept):
            np.savez(kept, *self.case.reference(inputs))
        with np.load(kept) as file:
            return [file[f"arr_{i}"] for i in range(len(file.files))]

    def time(self, seconds: float, number: int = 0) -> dict:
        """Run batches of `number` statements (0: choose) for about `seconds`; microseconds a step and page faults a step.

        A batch is short, so that on a busy machine some batches run undisturbed.
        """
        if not number:
            number, spent = 1, self.batch(1)
            while spent < BATCH / 4:
                number = max(number * 2, int(number * BATCH / 2 / max(spent, 1e-9)))
                spent = self.batch(number)
            number = max(1, int(number * BATCH / spent))
        was, batches, end = faults(), [], timeit.default_timer() + seconds
        while not batches or timeit.default_timer() < end:
            batches.append(self.batch(number) / number * 1e6)
        return {"us": min(batches), "median": statistics.median(batches), "batches": len(batches), "number": number,
                "faults": (faults() - was) / (number * len(batches))}

    def batch(self, number: int) -> float:
        start = timeit.default_timer()
        self.timer.timeit(number)
        self.run.finish()
        return timeit.default_timer() - start

    def peak_memory(self) -> dict:
        """Bytes: the highest of the process, and by how much the case raised it."""
        high = memory("VmHWM")
        return {"process": high, "case": high - self.before}

    def probe(self, dtype: str, pattern: str) -> dict:
        """What the machine can do now: FLOP/s of one instruction set, bytes/s of one pattern."""
        import peak
        return peak.probe(dtype, pattern, self.threads)

    def drop(self) -> dict:
        self.run = self.timer = self.case = None
        return {}


def main() -> None:
    package, threads, tuned, channels_last = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "1", sys.argv[4] == "1"
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)                                         # what libraries print must not get between the answers
    worker = Worker(package, threads, tuned, channels_last)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(worker, request.pop("do"))(**request)
        except Exception as error:
            traceback.print_exc()
            answer = {"failed": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
