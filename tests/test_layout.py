"""The architecture, as assertions: what may import what, and where each concern lives."""
import ast
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
if not (ROOT / "csrc").is_dir():
    pytest.skip("the tests are not in a source tree", allow_module_level=True)

CODE = ("fastnet/**/*.py", "fastnet/**/*.pyx", "fastnet/**/*.px[di]")
SOURCES = (*CODE, "csrc/**/*.c", "csrc/**/*.h", "tests/**/*.py", "bench/**/*.py", "examples/**/*.py", "*.py")
TEXTS = (*SOURCES, "fastnet/**/*.pyi", "*.md", "*.toml", "*.in", "docs/**/*.md", ".ci/*", ".github/**/*.yml")
VOCABULARIES = {f"csrc/simd/{isa}_{dtype}.h" for isa in ("avx2", "avx512", "neon") for dtype in ("f32", "f64")}

# Stratum -> the strata it may import.  A name is a module or package of fastnet; what is not named is user API.
MAY_IMPORT = {
    "_core": {"_core"},
    "ops": {"_core", "ops"},
    "autograd": {"_core", "autograd", "ops"},
    "printing": {"_core"},
    "config": {"_core", "version"},
    "version": set(),
    "datasets": {"_core", "datasets", "utils"},
    "training": {"", "_core", "nn", "optim", "serialization", "training", "utils", "version"},
}
# repr, explain, create_graph: opened when first called
DOORS = {("fastnet/_core/tensor.pyx", "printing"), ("fastnet/_core/tensor.pyx", "autograd"), ("fastnet/_core/engine.pyx", "autograd")}


def sources(*patterns):
    """Files of the tree, without what a build leaves."""
    found = {p for pattern in patterns for p in ROOT.glob(pattern) if p.is_file()}
    left = {p for p in found if p.suffix == ".c" and p.with_suffix(".pyx").exists()}
    return sorted(p for p in found - left if not {"build", "dist", ".git"} & set(p.relative_to(ROOT).parts[:-1]))


def name(path):
    return path.relative_to(ROOT).as_posix()


def imported(path):
    """(stratum of fastnet, line) of each import or cimport; '' stands for the package itself."""
    if path.suffix in (".py", ".pyi"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").partition(".")[0] == "fastnet":
                words = node.module.split(".")[1:2] or [a.name for a in node.names]
                yield from ((word, node.lineno) for word in words)
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, f"{name(path)}:{node.lineno}: imports are absolute"
            elif isinstance(node, ast.Import):
                parts = [a.name.split(".") for a in node.names]
                yield from ((words[1] if len(words) > 1 else "", node.lineno) for words in parts if words[0] == "fastnet")
        return
    code = re.sub(r'""".*?"""', lambda m: "\n" * m[0].count("\n"), path.read_text(), flags=re.S)
    for i, line in enumerate(code.splitlines(), 1):
        if m := re.match(r"\s*from\s+fastnet(?:\.(\w+))?[\w.]*\s+c?import\s+(.+)", line):
            yield from ((word, i) for word in ([m[1]] if m[1] else re.findall(r"\w+", m[2])))
        elif m := re.match(r"\s*c?import\s+fastnet(?:\.(\w+))?", line):
            yield m[1] or "", i


def stratum(path):
    return path.relative_to(ROOT / "fastnet").parts[0].partition(".")[0]


@pytest.mark.parametrize("path", [pytest.param(p, id=name(p)) for p in sources(*CODE)])
def test_imports_point_down(path):
    allowed = MAY_IMPORT.get(stratum(path))
    for word, line in imported(path):
        if allowed is not None and (name(path), word) not in DOORS:
            assert word in allowed, f"{name(path)}:{line}: {stratum(path)} must not import {word or 'fastnet'}"
        assert word not in ("tests", "bench")


def test_the_core_knows_no_op_by_name():
    ops = {p.stem for p in sources("fastnet/ops/*.pyx")} - {"clone"}
    for path in sources("fastnet/_core/*.pyx", "fastnet/_core/*.pxd", "fastnet/_core/*.py"):
        assert not {word for word, _ in imported(path)} & (ops | {"ops", "nn", "optim"}), name(path)


def code_only(path):
    """The text without comments and docstrings, for concerns that prose may name."""
    text = path.read_text()
    if path.suffix in (".c", ".h"):
        return re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)
    text = re.sub(r'^\s*"""(?:(?!""").)*?"""\s*$', "", text, flags=re.S | re.M)
    return re.sub(r"#(?! *include| *pragma| *if| *define)[^\n]*", "", text)


CONCERNS = {                                              # what it looks like, and the only files that may
    "OpenMP": (r"\bprange\b|cython\.parallel|\bopenmp\.|\bomp_\w+\s*\(|<omp\.h>", {"fastnet/_core/launch.pyx"}),
    "OpenMP pragmas": (r"#\s*pragma\s+omp|_Pragma\(\s*\"omp", set()),
    "intrinsics": (r"immintrin\.h|arm_neon\.h|\b_mm\d*_|\b__m(128|256|512)|\bfloat(32|64)x\d|__builtin_ia32",
                   VOCABULARIES | {"csrc/simd/fpu.h"}),
    "vector attributes": (r"vector_size\s*\(", VOCABULARIES | {"csrc/simd/scalar.h"}),
    "allocation": (r"\b(?<!aligned_)(malloc|calloc|realloc|free|mmap|munmap|posix_memalign|alloca|PyMem_\w+)\s*\(", {"csrc/arena.c"}),
    "CPU detection": (r"__builtin_cpu_(supports|init)|cpuid|getauxval|xgetbv", {"csrc/dispatch.c"}),
    "the size of what is stored past the caches": (r"\b12 << 20\b", {"fastnet/_core/launch.pxd", "csrc/kernels/copy.inc.c"}),
    "printing": (r"\b(f?printf|puts|perror|abort)\s*\(", set()),
}


@pytest.mark.parametrize("concern", CONCERNS)
def test_each_concern_lives_in_one_place(concern):
    words, allowed = CONCERNS[concern]
    for path in sources("csrc/**/*.[ch]", *CODE[1:]):
        if name(path) not in allowed:
            found = re.search(words, code_only(path))
            assert not found, f"{name(path)}: {concern} ({found[0]!r}) belongs to {', '.join(sorted(allowed)) or 'no file'}"


def test_kernel_bodies_do_not_ask_which_isa_they_are():
    for path in sources("csrc/kernels/*"):
        found = re.search(r"__AVX|__ARM|__aarch64__|__x86_64__|__SSE|FN_ISA_|\bISA_(AVX|NEON|SCALAR)", code_only(path))
        assert not found, f"{name(path)}: {found[0]}"


def test_kernel_bodies_include_nothing_outside_the_kernels():
    for path in sources("csrc/kernels/*.inc.c"):
        for header in re.findall(r'#\s*include\s+["<]([^">]+)', path.read_text()):
            assert header.endswith(".inc.c"), f"{name(path)} includes {header}; bodies get everything from csrc/isa/isa.h"


def test_kernels_have_no_state_of_their_own():
    """A static that is not const, not a function and not inline would be shared by threads."""
    for path in sources("csrc/kernels/*.inc.c", "csrc/kernels/*.h", "csrc/simd/*.h"):
        for line in code_only(path).splitlines():
            found = re.match(r"\s*static\s+(?!const|inline|.*\()[^;=()]*(=|;)", line)
            assert not found, f"{name(path)}: {line.strip()}"


def test_no_function_is_a_backslash_macro():
    for path in sources("csrc/**/*.[ch]"):
        for i, line in enumerate(path.read_text().splitlines(), 1):
            assert not line.endswith("\\"), f"{name(path)}:{i}: a macro of several lines"


def test_only_the_core_links_openmp_and_the_arena():
    setup = (ROOT / "setup.py").read_text()
    assert setup.count("csrc/arena.c") == 1 and 'OPENMP_HOST = "fastnet._core.launch"' in setup
    assert "-march=native" not in setup and "-Ofast" not in setup and "ffast-math" not in setup


@pytest.mark.parametrize("path", [pytest.param(p, id=name(p)) for p in sources(*SOURCES)])
def test_no_file_is_long(path):
    lines = path.read_text().splitlines()
    assert len(lines) <= 400, f"{len(lines)} lines; one idea each: split it"
    assert max(map(len, lines), default=0) <= 180


@pytest.mark.parametrize("path", [pytest.param(p, id=name(p)) for p in sources("csrc/**/*.[ch]", "fastnet/**/*.py", "fastnet/**/*.pyx")])
def test_the_first_line_says_what_the_file_is(path):
    lines = [s for s in path.read_text().splitlines() if not s.startswith("# cython:")]
    assert not lines or re.match(r'("""|r"""|#|/\*|//)\s*\S.{10,}', lines[0]), lines[0]


UNFINISHED = "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error", "not " + "implemented", "pass  # " + "stub"))


def test_nothing_is_unfinished():
    for path in sources(*TEXTS):
        found = re.search(rf"\b({UNFINISHED})\b", path.read_text())
        assert not found or path == Path(__file__), f"{name(path)}: {found[0]}"


def test_the_tree_names_no_machine():
    """No path of a developer's machine, no private package index, no address."""
    private = r"(?<![\w.])/(home|root|Users|work|tmp|scratch|mnt|data)/\w+|\b(10|192\.168|172\.(1[6-9]|2\d|3[01]))(\.\d+){2,3}\b|index-url|https?://localhost"
    for path in sources(*TEXTS):
        if path != Path(__file__):
            found = re.search(private, path.read_text())
            assert not found, f"{name(path)}: {found[0]}"


def test_no_generated_file_is_tracked():
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    tracked = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
    assert not [f for f in tracked if f.endswith((".so", ".o", ".pyc")) or (f.endswith(".c") and f.startswith("fastnet/"))]
    assert not [f for f in tracked if re.search(r"(^|/)(old|utils\.py|misc|helpers?)(\.py)?(/|$)", f) and f != "fastnet/utils/__init__.py"]


