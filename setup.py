"""Build: one object per ISA from one C source, one extension per .pyx; only fastnet._core.launch links kernels and OpenMP."""
import os
import platform
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
HEADERS = sorted(glob("csrc/**/*.h", recursive=True) + glob("csrc/**/*.inc.c", recursive=True))
CFLAGS = ["-std=gnu11", "-fvisibility=hidden", "-Wall", "-Wextra", "-g0", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off"]
X86 = {"scalar": [], "avx2": ["-march=x86-64-v3"], "avx512": ["-march=x86-64-v4", "-mprefer-vector-width=512"]}
ARM = {"scalar": [], "neon": []}
ISA_FLAGS = {"x86_64": X86, "AMD64": X86, "aarch64": ARM, "arm64": ARM}.get(platform.machine(), {"scalar": []})
KERNEL_HOST = "fastnet._core.launch"
CPUS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
JOBS = int(os.environ.get("MAX_JOBS", 0)) or min(8, CPUS)
WARNINGS = ["-Wno-unused-function", "-Wno-maybe-uninitialized", "-Wno-array-bounds"]       # of Cython's code


def extension(path):
    name = path.removesuffix(".pyx").replace("/", ".")
    sources = [path] + (["csrc/arena.c"] if name == "fastnet._core.memory" else [])
    return Extension(name, sources, depends=HEADERS, include_dirs=[*INCLUDE, numpy.get_include()],
                     define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_22_API_VERSION")],
                     extra_compile_args=["-O2", "-g0", "-fvisibility=hidden", *WARNINGS],
                     extra_link_args=["-Wl,-s"] if sys.platform.startswith("linux") else [])       # no symbol tables: a tenth of the wheel


class Build(build_ext):
    """build_ext that first compiles the kernels, each ISA with its own flags, all at once."""

    def finalize_options(self):
        super().finalize_options()
        self.parallel = self.parallel or JOBS

    def build_extensions(self):
        host = next(e for e in self.extensions if e.name == KERNEL_HOST)
        host.extra_compile_args += (openmp := self.openmp_flags())
        host.extra_link_args += openmp
        units = [("csrc/dispatch.c", []), *((f"csrc/isa/{isa}.c", flags) for isa, flags in ISA_FLAGS.items())]
        with ThreadPoolExecutor(JOBS) as pool:
            host.extra_objects += list(pool.map(lambda unit: self.kernel_object(*unit), units))
        super().build_extensions()

    def kernel_object(self, source, flags):
        target = Path(self.build_temp, source).with_suffix(".o")
        newest = max(os.path.getmtime(p) for p in [source, "setup.py", *HEADERS])
        if self.force or not target.exists() or target.stat().st_mtime < newest:
            self.compiler.compile([source], output_dir=self.build_temp, include_dirs=INCLUDE, extra_postargs=["-O3", *CFLAGS, *flags])
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
