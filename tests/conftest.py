"""Fixtures that put the process into a state and take it out again."""
import pytest

from fastnet._core import launch, memory

ISAS = launch.available_isas()
memory._poison(True)      # a kernel that reads freed or unwritten memory computes with NaN


@pytest.fixture(params=ISAS)
def isa(request):
    """Each instruction set that this build has and this CPU runs."""
    before = launch.get_isa()
    launch.set_isa(request.param)
    yield request.param
    launch.set_isa(before)


@pytest.fixture(params=sorted({ISAS[0], "scalar"}))
def two_isas(request):
    """The best instruction set and the plainest: for tests that take longer."""
    before = launch.get_isa()
    launch.set_isa(request.param)
    yield request.param
    launch.set_isa(before)


@pytest.fixture
def split():
    """Every launch is split over as many threads as are set."""
    threads, price = launch.get_num_threads(), launch._set_region_cost(0)
    yield
    launch.set_num_threads(threads)
    launch._set_region_cost(price)
