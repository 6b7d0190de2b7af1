"""The compiled kernels, where a build tree is there: what each object exports, which registers it uses."""
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OBJECTS = sorted(ROOT.glob("build/temp*/*/csrc/isa/*.o"), key=lambda p: p.stat().st_mtime)
NEWEST = {(p.parts[-4], p.stem): p for p in OBJECTS}             # (group of kernels, ISA)
ISAS = sorted({isa for _, isa in NEWEST})

pytestmark = [pytest.mark.skipif(not OBJECTS, reason="no build tree"),
              pytest.mark.skipif(not shutil.which("nm") or not shutil.which("objdump"), reason="no binutils")]


def disassembly(group, isa, *arguments):
    return subprocess.check_output(["objdump", "-d", "--no-show-raw-insn", *arguments, NEWEST[group, isa]], text=True)


@pytest.mark.parametrize(("group", "isa"), sorted(NEWEST))
def test_an_object_exports_its_table_only(group, isa):
    defined = subprocess.check_output(["nm", "-g", "--defined-only", NEWEST[group, isa]], text=True)
    assert [line.split()[-1] for line in defined.splitlines()] == [f"fn_{isa}_{group}"]


@pytest.mark.parametrize(("group", "isa"), sorted(NEWEST))
def test_kernels_call_no_allocator_and_no_io(group, isa):
    wanted = {line.split()[-1] for line in subprocess.check_output(["nm", "-u", NEWEST[group, isa]], text=True).splitlines()}
    foreign = wanted & {"malloc", "calloc", "realloc", "free", "printf", "fprintf", "puts", "abort", "mmap"}
    assert not foreign and not [w for w in wanted if w.startswith(("GOMP", "omp_"))]


def test_each_isa_uses_its_own_registers_only():
    for group, isa in NEWEST:
        if {"scalar", "avx2"} <= set(ISAS) and isa in ("scalar", "avx2"):
            foreign = r"%[yz]mm" if isa == "scalar" else r"%zmm|%k[1-7]"
            assert not re.search(foreign, disassembly(group, isa)), (group, isa)


@pytest.mark.parametrize("isa", [i for i in ("avx2", "avx512") if i in ISAS])
@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_the_gemm_tile_stays_in_registers(isa, dtype):
    """The inner loop of the tile: multiply-adds on registers and memory of the panels, none with a stack operand."""
    symbols = subprocess.check_output(["nm", NEWEST["gemm", isa]], text=True)
    tiles = re.findall(rf"\b({isa}_gemm_gemm\w*tile\w*_{dtype}[\w.]*)$", symbols, re.M)
    assert tiles, "no gemm tile in the object"
    for tile in tiles:
        fma = [line for line in disassembly("gemm", isa, f"--disassemble={tile}").splitlines() if "vfmadd" in line or "vfnmadd" in line]
        assert len(fma) >= 8 and not [line for line in fma if "%rsp" in line or "%rbp" in line], tile
