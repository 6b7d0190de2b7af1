"""Build: one object per ISA and group of kernels, one per .pyx, all linked to one shared object, fastnet._native."""
import os
import platform
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from glob import glob
from pathlib import Path
from typing import NamedTuple

import Cython
import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

INCLUDE = ["csrc", "csrc/include"]
GROUPS = sorted(Path(p).stem for p in glob("csrc/groups/*.h") if not p.endswith("all.h"))
CFLAGS = ["-std=gnu11", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror=implicit-function-declaration", "-g0",
          "-Wno-unknown-pragmas", "-Wno-unknown-attributes",   # clang lacks ivdep and noclone
          "-fno-asynchronous-unwind-tables", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off",
          "-falign-functions=64", "-ffunction-sections"]  # a loop is as fast as before when the code ahead of it grows
X86 = {"avx512": ["-march=x86-64-v4", "-mprefer-vector-width=512"], "avx2": ["-march=x86-64-v3"], "scalar": []}
ARM = {"neon": [], "scalar": []}
ISA_FLAGS = {"x86_64": X86, "AMD64": X86, "aarch64": ARM, "arm64": ARM}.get(platform.machine(), {"scalar": []})
CPUS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
JOBS = int(os.environ.get("MAX_JOBS", 0)) or min(8, CPUS)
# What every step of training passes through is compiled for speed, the rest of the glue for size: it is most of the wheel.
HOT = {"array", "launch", "memory", "tape", "tensor", "_cython", "arithmetic", "binary", "elementwise", "linear", "gemm", "view", "reduce",
       "reduction", "axes", "conv", "call", "activation"}
GLUE = ["-g0", "-fvisibility=hidden", "-fno-asynchronous-unwind-tables", "-ffunction-sections",
        "-DCYTHON_COMPRESS_STRINGS=0",                   # the wheel is compressed, and what is compressed twice is larger
        "-Wno-unused-function", "-Wno-maybe-uninitialized", "-Wno-array-bounds", "-Wno-stringop-overread"]   # warnings of Cython's own code
GLUE_MACROS = (("NPY_NO_DEPRECATED_API", "NPY_1_22_API_VERSION"),)
SHORTCUTS = ("USE_PYLONG_INTERNALS", "UNPACK_METHODS", "FAST_THREAD_STATE", "FAST_PYCALL")       # of calls to CPython: a few ns each
# GCC clears a Tensor by rep stos: 8 ns.  Glue has no loops that gain by vectors, and ways out of functions that are merged compress less.
FAST = ["-O2", "-fno-builtin-memset", "-fno-tree-vectorize", "-fno-tree-tail-merge"]
# Without what makes pieces of code that Cython repeats unlike each other: they compress better, together by half a percent.
SMALL = ["-Os", "-fno-tree-dominator-opts", "-fno-gcse", "-fno-inline-functions-called-once", "-fno-tree-tail-merge",
         "-fno-shrink-wrap", *(f"-DCYTHON_{name}=0" for name in SHORTCUTS)]
# No symbol tables: a tenth of the wheel.  Functions that every module has its own of, and a kernel's two dtypes, lie side by side and are
# compressed together: 90 KB.
LINK = ["-Wl,-s", "-Wl,--sort-section=name"] if sys.platform.startswith("linux") else []
OPENMP_HOST = "fastnet._core.launch"                     # the only module that is compiled with OpenMP
NATIVE = Extension("fastnet._native", ["csrc/modules.c"], extra_compile_args=["-g0", "-Os"], extra_link_args=LINK)
# The functions that every Cython module needs are a module of their own, since Cython has that.
SHARED = "fastnet._core._cython" if tuple(map(int, Cython.__version__.split(".")[:2])) >= (3, 3) else None


def speed(isa, group):
    """-O3, except where it only adds code: in groups whose loops are unrolled by hand, and for the last resort, which should be small."""
    if isa == "scalar":
        return ["-Os", *(["-DFN_INLINE=static inline"] if group in ("norm", "pool") else [])]
    if group in ("gemm", "conv"):
        return ["-O2", "-fno-tree-vectorize"]               # vectors are written out in these
    if group in ("element", "norm"):
        return ["-O2", "-fvect-cost-model=dynamic"]
    return ["-O3", "-fno-split-loops"] if group == "rows" else ["-O3"]


def modules():
    """The .pyx files as Cython's extensions, each with the C file that Cython made of it."""
    extensions = [Extension(p.removesuffix(".pyx").replace("/", "."), [p]) for p in sorted(glob("fastnet/**/*.pyx", recursive=True))]
    options = {"nthreads": JOBS, "build_dir": "build/cython",
               "compiler_directives": {"language_level": 3, "cdivision": True, "autotestdict": False}}
    if SHARED:
        extensions.append(Extension(SHARED, [SHARED.replace(".", "/") + ".c"]))
        options |= {"shared_utility_qualified_name": SHARED, "shared_utility_features_disabled": ["MemoryView"]}  # no .pyx has a memoryview
    return cythonize(extensions, **options)


class Unit(NamedTuple):
    """One run of the C compiler."""
    source: str
    flags: list
    folder: str = ""                                    # the object's, below that of all objects
    macros: tuple = ()


def glue(extension, openmp):
    """The unit of a module that Cython made."""
    flags = FAST if extension.name.rpartition(".")[2] in HOT else SMALL
    return Unit(extension.sources[0], [*GLUE, *flags, *(openmp if extension.name == OPENMP_HOST else [])], "", GLUE_MACROS)


def included(unit):
    """The source of a unit, the files that it includes, and those that these include."""
    found, left = set(), [unit.source, *(f"csrc/groups/{group}.h" for _, group in unit.macros if group in GROUPS)]
    while left:
        found.add(path := left.pop())
        for name in re.findall(r'#\s*include "([^"]+)"', Path(path).read_text()):
            left += [p for root in INCLUDE if (p := f"{root}/{name}") not in found and os.path.exists(p)]
    return found


class Build(build_ext):
    """build_ext that first makes all objects, each with its own flags, as many at once as there are processors."""

    def build_extensions(self):
        compiled, openmp = modules(), self.openmp_flags()
        units = [Unit(f"csrc/isa/{isa}.c", [*CFLAGS, *speed(isa, group), *flags], group, (("GROUP", group),))
                 for group in GROUPS for isa, flags in ISA_FLAGS.items()]
        units += [glue(e, openmp) for e in compiled]
        units += [Unit(source, CFLAGS) for source in ("csrc/dispatch.c", "csrc/arena.c")]
        self.unknown = self.unknown_flags({flag for unit in units for flag in unit.flags})
        with ThreadPoolExecutor(JOBS) as pool:
            NATIVE.extra_objects = list(pool.map(self.object, units))
        NATIVE.define_macros = [("FN_MODULES", '"' + r"\n".join(e.name for e in compiled) + '"')]
        NATIVE.extra_link_args += openmp
        self.force = True                               # linking is quick, and objects may have gone
        super().build_extensions()

    def object(self, unit):
        """The object of a unit, made anew where a file that it is made of is newer."""
        folder = Path(self.build_temp, unit.folder)
        target = (folder / unit.source).with_suffix(".o")
        newest = max(os.path.getmtime(p) for p in ["setup.py", *included(unit)])
        if self.force or not target.exists() or target.stat().st_mtime < newest:
            self.compiler.compile([unit.source], output_dir=str(folder), include_dirs=[*INCLUDE, numpy.get_include()],
                                  extra_postargs=[f for f in unit.flags if f not in self.unknown], macros=list(unit.macros))
        return str(target)

    def unknown_flags(self, flags):
        """Those of GCC's flags for size and speed that another compiler refuses: it builds without them."""
        def refused(*flags):
            with tempfile.TemporaryDirectory() as tmp:
                source = Path(tmp, "probe.c")
                source.write_text("int probe;\n")
                try:
                    self.compiler.compile([str(source)], output_dir=tmp, extra_postargs=[*flags])
                except Exception:                       # the compiler's own exception types differ by platform
                    return True
                return False

        tuning = sorted(flag for flag in flags if flag.startswith("-f") and flag != "-fopenmp")
        return {flag for flag in tuning if refused(flag)} if refused(*tuning) else set()

    def openmp_flags(self):
        """The flags with which a small OpenMP program links; none: fastnet is built for one thread."""
        if os.environ.get("FASTNET_NO_OPENMP"):
            return []
        candidates = [["-fopenmp"]] if sys.platform != "darwin" else [["-Xpreprocessor", "-fopenmp", "-lomp"]]
        with tempfile.TemporaryDirectory() as tmp:
            source = Path(tmp, "probe.c")
            source.write_text("#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n")
            for flags in candidates:
                try:
                    objects = self.compiler.compile([str(source)], output_dir=tmp, extra_postargs=flags)
                    self.compiler.link_executable(objects, "probe", output_dir=tmp, extra_postargs=flags)
                    return flags
                except Exception as error:  # the compiler's own exception types differ by platform
                    print(f"OpenMP: {' '.join(flags)} does not work here ({error})")
        print("fastnet is built without OpenMP: it will use one thread")
        return []


setup(ext_modules=[NATIVE], cmdclass={"build_ext": Build})
