from collections.abc import Sequence

from fastnet._core.tensor import Tensor

KINDS: dict[str, int]

def recurrent(
    kind: str,
    input: Tensor,
    counts: Sequence[int],
    h_0: Tensor,
    c_0: Tensor | None,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
    w_hr: Tensor | None = None,
    reverse: bool = False,
) -> tuple[Tensor, Tensor, Tensor | None]: ...
