"""The libraries that are compared: which interpreter and which environment each one runs in."""
from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from cases.case import Case

WORKER = Path(__file__).with_name("worker.py")


@dataclass(frozen=True)
class Peer:
    """A library with its settings; `about` goes into the report."""
    name: str
    package: str
    about: str
    tuned: bool = False
    channels_last: bool = False
    isa: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    def takes(self, case: Case) -> bool:
        """Whether it runs this case. On images PyTorch runs in both memory formats, as installed; elsewhere as installed and tuned."""
        if self.package not in case.peers or (self.isa and self.isa not in case.isas):
            return False
        return not (self.tuned if case.images else self.channels_last)


PEERS = [
    Peer("fastnet", "fastnet", "as installed"),
    Peer("numpy", "numpy", "as installed"),
    Peer("torch", "torch", "as installed"),
    Peer("torch-tuned", "torch", "on AMD, MKL brought to its AVX-512 path by a preloaded mkl_serv_intel_cpu_true; huge pages; malloc that "
         "keeps big blocks; set_flush_denormal; fused optimizers", tuned=True,
         environment={"THP_MEM_ALLOC_ENABLE": "1", "MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "100000000000"}),
    Peer("torch-cl", "torch", "as installed, images and weights in channels_last", channels_last=True),
    Peer("jax", "jax", "jit, buffers donated in training steps"),
    Peer("fastnet-avx2", "fastnet", "FASTNET_ISA=avx2", isa="avx2"),
]
PEAKS = [Peer("peak", "peak", "the yardstick"), Peer("peak-avx2", "peak", "the yardstick on FASTNET_ISA=avx2", isa="avx2")]


def cpu_vendor() -> str:
    """The vendor's name as the kernel tells it, or nothing."""
    try:
        return next(line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("vendor_id"))
    except (OSError, StopIteration):
        return ""


def intel_disguise(folder: str) -> str | None:
    """A shared library that makes MKL take its fast path on a CPU that Intel did not make; None without a C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        return None
    source, target = Path(folder, "disguise.c"), Path(folder, "disguise.so")
    source.write_text("int mkl_serv_intel_cpu_true(void) { return 1; }\n")
    done = subprocess.run([compiler, "-shared", "-fPIC", "-o", target, source], capture_output=True)
    return str(target) if done.returncode == 0 else None


class Process:
    """A worker process of one peer."""

    def __init__(self, peer: Peer, python: str, threads: int, cpus: list[int], disguise: str | None):
        env = {**os.environ, **peer.environment, "JAX_PLATFORMS": "cpu", "PYTHONDONTWRITEBYTECODE": "1",
               **{f"{k}_NUM_THREADS": str(threads) for k in ("OMP", "MKL", "OPENBLAS")}}
        env.pop("FASTNET_ISA", None)
        if peer.isa:
            env["FASTNET_ISA"] = peer.isa
        if peer.package == "torch" and peer.tuned and disguise:
            env["LD_PRELOAD"] = disguise
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([python, str(WORKER), peer.package, str(threads), str(int(peer.tuned)),
                                         str(int(peer.channels_last))],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, env=env,
                                        preexec_fn=lambda: os.sched_setaffinity(0, cpus))
        self.peer = peer

    def ask(self, do: str, **arguments) -> dict:
        """Send one command and wait for its answer; {"failed": why} where the worker could not, or has died."""
        try:
            print(json.dumps({"do": do, **arguments}), file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        return json.loads(line) if line else {"failed": f"the process ended with code {self.process.wait()}: {self.last_words()}"}

    def last_words(self) -> str:
        self.log.seek(0)
        lines = self.log.read().strip().splitlines()
        return lines[-1] if lines else "no message"

    def stop(self) -> None:
        self.process.stdin.close()
        self.process.wait()
        self.log.close()


def interpreter(peer: Peer, chosen: dict[str, str]) -> str:
    return chosen.get(peer.name) or chosen.get({"peak": "fastnet"}.get(peer.package, peer.package)) or sys.executable
