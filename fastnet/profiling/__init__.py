"""profiling: look at a model before and while it runs: what it is made of, where time and memory go, how long training will take."""
from fastnet.profiling.estimate import Estimate, estimate
from fastnet.profiling.layers import LaunchTimes, LayerTime
from fastnet.profiling.peak import peak_flops
from fastnet.profiling.profile import profile
from fastnet.profiling.recorder import Profile
from fastnet.profiling.rows import Row
from fastnet.profiling.summary import Summary, summary

__all__ = ["Estimate", "LaunchTimes", "LayerTime", "Profile", "Row", "Summary", "estimate", "peak_flops", "profile", "summary"]
