"""ISA choice, the number of threads, and the only OpenMP loop of the library."""
from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport prange
from libc.stdint cimport uint64_t
from libc.string cimport memset
from fastnet._core.fn cimport *
import os
from _thread import get_ident
from time import perf_counter_ns

from fastnet._core._threads import default_threads

cdef extern from *:
    """
    #ifdef _OPENMP
    #include <omp.h>
    static int fn_openmp(void) { return _OPENMP; }
    #if _OPENMP >= 201811 || (defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 9)   /* libgomp has it since GCC 9 */
    static int fn_openmp_pause(void) { return omp_pause_resource_all(omp_pause_hard); }
    #else
    static int fn_openmp_pause(void) { return -1; }
    #endif
    #else
    static int fn_openmp(void) { return 0; }
    static int fn_openmp_pause(void) { return 0; }
    #endif
    #include <time.h>
    static uint64_t fn_now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return (uint64_t)t.tv_sec * 1000000000u + t.tv_nsec; }
    """
    uint64_t fn_now() nogil
    int fn_openmp() nogil
    int fn_openmp_pause() nogil

cdef extern from "simd/fpu.h" nogil:
    uint64_t fn_fpu_enter()
    void fn_fpu_leave(uint64_t was)
    uint64_t fn_fpu_state()

cdef const fn_isa *_active = NULL
cdef int _threads = 1
cdef int _running = 0                       # launches that have released the GIL
cdef double _region = 10000.0               # ns of work that pay for one more thread; a third of it does on an idle machine, but few are
cdef double RELEASE = 10000.0               # ns of work that pay for releasing the GIL
cdef double SLICE = 1e8                     # ns between two looks at Ctrl-C
cdef double LONG = 1e7                      # ns of work beside which the wait for a late thread is short
cdef uint64_t _alone_until = 0              # while a thread of the last team was late: until then launches run on one; 0: teams are in time
cdef uint64_t _alone_for = 0                # ns that the next late thread costs: twice as many each time, half as many after a team in time
cdef list _record = None                    # where a profile wants to read about launches
cdef dict _peek = {}


cdef inline void _run(fn_kernel *k, const void *args, Py_ssize_t begin, Py_ssize_t end, int thread) noexcept nogil:
    cdef uint64_t was = fn_fpu_enter()
    k(args, begin, end, thread)
    fn_fpu_leave(was)


cdef uint64_t parallel_for(fn_kernel *k, const void *args, Py_ssize_t begin, Py_ssize_t end, int nt) noexcept nogil:
    """Run the range; returns the ns that the caller waited for a thread of the team that was late, 0 if it was not."""
    cdef int t
    cdef Py_ssize_t n = end - begin
    cdef uint64_t start, wait
    cdef uint64_t own[2]                    # begin and end of the caller's share
    cdef uint64_t *mine = own
    if nt <= 1:
        _run(k, args, begin, end, 0)
        return 0
    start = fn_now()
    for t in prange(nt, schedule="static", chunksize=1, num_threads=nt):
        if t == 0:
            mine[0] = fn_now()
        _run(k, args, begin + n * t // nt, begin + n * (t + 1) // nt, t)
        if t == 0:
            mine[1] = fn_now()
    wait = fn_now() - start - (own[1] - own[0])            # before it, for the team to assemble, and after it
    return wait if wait > 300000 + 3 * (own[1] - own[0]) else 0


cdef void _waited(uint64_t wait) noexcept:
    """Where other programs keep the processors busy, a thread that is not running stalls every launch for milliseconds, and one thread
    alone is many times as fast: launches run on one for a while.  Results do not depend on it."""
    global _alone_until, _alone_for
    if wait and _region > 0:                # 0: a test wants teams
        _alone_for = min(2 * _alone_for + 4000000, <uint64_t>1000000000)
        _alone_until = fn_now() + _alone_for
    else:
        _alone_for //= 2


cdef bint _alone(double cost) noexcept:
    global _alone_until
    if cost >= LONG or fn_now() < _alone_until:
        return cost < LONG
    _alone_until = 0
    return False


cdef inline int _team(Py_ssize_t n, double cost) noexcept:
    if cost < 2 * _region or _threads == 1 or _alone_until and _alone(cost):
        return 1
    return <int>min(<double>min(<Py_ssize_t>_threads, n), cost / (_region + 1e-9))


cdef int _launch(fn_kernel *k, const void *args, Py_ssize_t n, int nt, double cost) except -1:
    global _running
    cdef Py_ssize_t begin, step
    cdef uint64_t wait
    if nt == 1 and cost < RELEASE:
        _run(k, args, 0, n, 0)
        return 0
    step = n if cost <= 2 * SLICE else max(<Py_ssize_t>nt, <Py_ssize_t>(n * (SLICE * nt / cost)))
    begin = 0
    while begin < n:
        _running += 1
        with nogil:
            wait = parallel_for(k, args, begin, min(n, begin + step), nt)
        _running -= 1
        if nt > 1:
            _waited(wait)
        begin += step
        if begin < n and PyErr_CheckSignals() < 0:
            return -1
    return 0


cdef int launch(int id, int dtype, const void *args, Py_ssize_t n, double cost) except -1:
    if n <= 0:
        return 0
    if _record is not None:
        return _launch_recorded(id, dtype, args, n, cost)
    if cost < RELEASE and cost < 2 * _region:            # most calls of small networks
        _run(<fn_kernel *>fn_active[id][dtype], args, 0, n, 0)
        return 0
    return _launch(<fn_kernel *>fn_active[id][dtype], args, n, _team(n, cost), cost)


cdef int _launch_recorded(int id, int dtype, const void *args, Py_ssize_t n, double cost) except -1:
    cdef int nt = _team(n, cost)
    cdef Py_ssize_t size = _peek.get(id, 0)
    cdef list into = _record
    seen = (<const char *>args)[:size] if size else None
    start = perf_counter_ns()
    try:
        return _launch(<fn_kernel *>fn_active[id][dtype], args, n, nt, cost)
    finally:
        into.append((start, perf_counter_ns(), get_ident(), id, dtype, n, nt, seen))


cdef void plan(int id, int dtype, const void *args) noexcept:
    (<fn_kernel *>fn_active[id][dtype])(args, 0, 1, 0)


cdef int max_threads() noexcept:
    return _threads


def get_num_threads() -> int:
    """Tell how many threads a large kernel uses.

    >>> import fastnet
    >>> fastnet.get_num_threads() >= 1
    True
    """
    return _threads


def set_num_threads(n) -> None:
    """Use at most n threads in every kernel from now on; results do not depend on n.

    Raises:
        ValueError: n is not a positive number.

    >>> import fastnet
    >>> fastnet.set_num_threads(1)
    """
    global _threads
    if isinstance(n, (bool, str)) or int(n) != n or not 1 <= n <= 1024:
        raise ValueError(f"set_num_threads: n must be an integer from 1 to 1024, got {n!r}")
    _threads = int(n) if fn_openmp() and _may_team else 1


def _set_region_cost(double ns):
    """For tests and tuning: the work (ns) that pays for one more thread; 0 splits every launch.  Returns the old value."""
    global _region
    was, _region = _region, ns
    return was


def _team_waited(ns):
    """For tests: as if a team had waited so long for a late thread.  Returns the ns for which launches then run on one thread."""
    global _alone_until
    _waited(ns)
    if not ns:
        _alone_until = 0
    return _alone_for


def kernel_numbers() -> dict[str, int]:
    """The number of each kernel, by name, as the active instruction set lists them."""
    cdef const fn_entry *e
    cdef int g
    numbers = {}
    for g in range(<int>FN_NGROUPS):
        e = <const fn_entry *>_active.groups[g]
        while e.id >= 0:
            numbers[e.name.decode()] = e.id
            e += 1
    return numbers


def available_isas() -> list[str]:
    """The instruction sets that this build has and this CPU runs, best first."""
    out = []
    cdef int i = 0
    while fn_isa_at(i) != NULL:
        if fn_isa_supported(fn_isa_at(i)):
            out.append(fn_isa_at(i).name.decode())
        i += 1
    return out


def get_isa() -> str:
    """The instruction set whose kernels are in use."""
    return _active.name.decode()


def set_isa(name: str | None = None) -> None:
    """Use the kernels of another instruction set; None chooses the best.

    Raises:
        ValueError: this build or this CPU does not have it.

    >>> import fastnet
    >>> fastnet.set_isa("scalar")
    >>> fastnet.set_isa()
    """
    global _active
    cdef int i = 0
    while fn_isa_at(i) != NULL:
        if fn_isa_supported(fn_isa_at(i)) and (name is None or fn_isa_at(i).name.decode() == name):
            _active = fn_isa_at(i)
            fn_isa_use(_active)
            return
        i += 1
    raise ValueError(f"set_isa: {name!r} is not one of {', '.join(available_isas())}, which this build and this CPU have")


def openmp_version() -> int:
    """The OpenMP version of the build (201511 is 4.5); 0: built without."""
    return fn_openmp()


def fpu_state() -> int:
    """The floating-point control word of the calling thread."""
    return fn_fpu_state()


def _launch_by_name(str name, int dtype, size_t args, Py_ssize_t begin, Py_ssize_t end, int threads=1):
    """For tests and benchmarks: run one kernel on [begin, end); args is the address of its struct."""
    cdef int id = kernel_numbers()[name]
    with nogil:
        parallel_for(<fn_kernel *>fn_active[id][dtype], <const void *>args, begin, end, threads)


def _record_launches(list into, dict peek=None):
    """From now on append (start, end, Python thread, kernel, dtype, n, threads, args) of every launch to `into`; None: nothing.

    Times are those of perf_counter_ns.  peek: {kernel: bytes of its struct of arguments to copy}; args is None for other kernels.
    Returns the list that was in use before.
    """
    global _record, _peek
    before = _record
    _peek = peek or {}
    _record = into
    return before


def _before_fork():
    # libgomp's threads do not survive fork(): end them first, both sides start new ones.  A region that runs in another
    # Python thread cannot be ended, so then the child stays on one thread.
    global _paused
    _paused = _running == 0 and fn_openmp_pause() == 0


def _after_fork_in_child():
    global _threads, _may_team, _running
    _running = 0
    if not _paused:
        _threads, _may_team = 1, False


_paused = True
_may_team = True                                        # False: this process inherited a team that it cannot use
set_isa(os.environ.get("FASTNET_ISA") or None)
_threads = default_threads()[0] if fn_openmp() else 1
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork_in_child)
