"""The core: memory, launches, tape, Tensor.  Knows no op by name.

Importing it loads the OpenMP runtime, which reads its settings then.  libgomp's waiting threads spin 300,000 times before they sleep;
where other work wants the cores (a second OpenMP runtime, a busy machine) that makes a parallel kernel a hundred times slower, so
they spin 1,000 times here.  GOMP_SPINCOUNT or OMP_WAIT_POLICY in the environment decide otherwise.
"""
import os

_ours = not {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & os.environ.keys()
if _ours:
    os.environ["GOMP_SPINCOUNT"] = "1000"
try:
    from fastnet._core import launch  # noqa: F401
finally:
    if _ours:
        del os.environ["GOMP_SPINCOUNT"]    # not for other programs
