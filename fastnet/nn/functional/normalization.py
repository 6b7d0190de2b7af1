"""Normalisation: batch, group, instance, layer, RMS, local response."""
from fastnet.ops.batch_norm import batch_norm, group_norm, instance_norm
from fastnet.ops.layer_norm import layer_norm, rms_norm
from fastnet.ops.local_response_norm import local_response_norm

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "rms_norm"]
