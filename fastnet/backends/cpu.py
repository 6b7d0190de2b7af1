"""What the CPU offers, in PyTorch's words."""
from fastnet._core.launch import get_isa


def get_cpu_capability() -> str:
    """The instruction set whose kernels are in use: "DEFAULT", "AVX2", "AVX512" or "NEON"; `fastnet.get_isa` in capitals.

    >>> import fastnet
    >>> fastnet.backends.cpu.get_cpu_capability() in ("DEFAULT", "AVX2", "AVX512", "NEON")
    True
    """
    isa = get_isa()
    return "DEFAULT" if isa == "scalar" else isa.upper()
