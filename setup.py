"""Build: one object per ISA and group of kernels, one extension per .pyx; only fastnet._core.launch links kernels and OpenMP."""
import os
import platform
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from glob import glob
from pathlib import Path

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

INCLUDE = ["csrc", "csrc/include"]
GROUPS = sorted(Path(p).stem for p in glob("csrc/groups/*.h") if not p.endswith("all.h"))
NUMBERS = ["csrc/include/fn.h", "csrc/groups/all.h",
           *(f"csrc/kernels/{family}.inc.c" for family in ("unary", "activation", "binary", "compare"))]
CFLAGS = ["-std=gnu11", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror=implicit-function-declaration", "-g0",
          "-fno-asynchronous-unwind-tables", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off"]
X86 = {"avx512": ["-march=x86-64-v4", "-mprefer-vector-width=512"], "avx2": ["-march=x86-64-v3"], "scalar": []}
ARM = {"neon": [], "scalar": []}
ISA_FLAGS = {"x86_64": X86, "AMD64": X86, "aarch64": ARM, "arm64": ARM}.get(platform.machine(), {"scalar": []})
KERNEL_HOST = "fastnet._core.launch"
CPUS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
JOBS = int(os.environ.get("MAX_JOBS", 0)) or min(8, CPUS)
# What every step of training passes through is compiled for speed, the rest of the glue for size: it is most of the wheel.
HOT = {"arithmetic", "binary", "elementwise", "activation", "linear", "gemm", "view", "unary", "reduce", "reduction", "axes", "conv"}
GLUE = ["-g0", "-fvisibility=hidden", "-fno-asynchronous-unwind-tables"]
WARNINGS = ["-Wno-unused-function", "-Wno-maybe-uninitialized", "-Wno-array-bounds"]       # of Cython's code


def speed(isa, group):
    """-O3, except where it only adds code: in groups whose loops are unrolled by hand, and for the last resort, which should be small."""
    if isa == "scalar":
        return ["-Os"]
    return ["-O2", "-fvect-cost-model=dynamic"] if group in ("element", "norm", "gemm", "conv") else ["-O3"]


def extension(path):
    name = path.removesuffix(".pyx").replace("/", ".")
    sources = [path] + (["csrc/arena.c"] if name == "fastnet._core.memory" else [])
    return Extension(name, sources, depends=NUMBERS, include_dirs=[*INCLUDE, numpy.get_include()],
                     define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_22_API_VERSION")],
                     extra_compile_args=["-O2" if "_core" in name or Path(path).stem in HOT else "-Os", *GLUE, *WARNINGS],
                     extra_link_args=["-Wl,-s"] if sys.platform.startswith("linux") else [])       # no symbol tables: a tenth of the wheel


def included(source, more):
    """The files that a C source includes, and those that these include."""
    found, left = set(), [source, *(f"csrc/{name}" for name in more)]
    while left:
        found.add(path := left.pop())
        for name in re.findall(r'#\s*include "([^"]+)"', Path(path).read_text()):
            left += [p for root in INCLUDE if (p := f"{root}/{name}") not in found and os.path.exists(p)]
    return found


class Build(build_ext):
    """build_ext that first compiles the kernels, each ISA with its own flags, all at once."""

    def finalize_options(self):
        super().finalize_options()
        self.parallel = self.parallel or JOBS

    def build_extensions(self):
        host = next(e for e in self.extensions if e.name == KERNEL_HOST)
        host.extra_compile_args += (openmp := self.openmp_flags())
        host.extra_link_args += openmp
        units = [("csrc/dispatch.c", None, []),
                 *((f"csrc/isa/{isa}.c", group, [*speed(isa, group), *flags]) for group in GROUPS for isa, flags in ISA_FLAGS.items())]
        with ThreadPoolExecutor(JOBS) as pool:
            host.extra_objects += list(pool.map(lambda unit: self.kernel_object(*unit), units))
        host.depends = [*host.depends, *host.extra_objects]        # a new object links its host again
        super().build_extensions()

    def kernel_object(self, source, group, flags):
        """The object of one source, or of one group of kernels for the ISA of a source; made anew where what it includes is newer."""
        folder = Path(self.build_temp, group or "")
        target = (folder / source).with_suffix(".o")
        headers = included(source, [f"groups/{group}.h"] if group else [])
        newest = max(os.path.getmtime(p) for p in [source, "setup.py", *headers])
        if self.force or not target.exists() or target.stat().st_mtime < newest:
            self.compiler.compile([source], output_dir=str(folder), include_dirs=INCLUDE, extra_postargs=[*CFLAGS, *flags],
                                  macros=[("GROUP", group)] if group else [])
        return str(target)

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


setup(
    ext_modules=cythonize([extension(p) for p in sorted(glob("fastnet/**/*.pyx", recursive=True))], nthreads=JOBS,
                          compiler_directives={"language_level": 3, "cdivision": True}),
    cmdclass={"build_ext": Build},
)
