"""The gradient doctor: what is wrong with a network, why, and what to do.

`diagnose` looks at a few batches and puts everything back; `GradientDoctor` watches a training run. docs/diagnosis.md is the tutorial.
"""
from fastnet.doctor.anomaly import Finding, first_nonfinite
from fastnet.doctor.callback import GradientDoctor
from fastnet.doctor.evidence import Layer, Weight
from fastnet.doctor.examination import diagnose
from fastnet.doctor.picture import gradient_flow
from fastnet.doctor.preserve import preserved
from fastnet.doctor.report import Report
from fastnet.doctor.verdict import Verdict

__all__ = ["Finding", "GradientDoctor", "Layer", "Report", "Verdict", "Weight", "diagnose", "first_nonfinite", "gradient_flow", "preserved"]
