"""The switches of NVIDIA's GPUs that scripts set: there is none, so they say nothing here."""


class matmul:
    """Which shortcuts products of matrices on a GPU may take."""

    allow_tf32 = False
    allow_fp16_reduced_precision_reduction = True
    allow_bf16_reduced_precision_reduction = True


def is_built() -> bool:
    """Whether fastnet was built for such GPUs: never.

    >>> import fastnet
    >>> fastnet.backends.cuda.is_built()
    False
    """
    return False


def enable_flash_sdp(enabled: bool) -> None:
    """Choose a GPU's kernels of attention: there is none.

    Args:
        enabled: either way.
    """


enable_mem_efficient_sdp = enable_math_sdp = enable_cudnn_sdp = enable_flash_sdp
