"""Recipe of ctc_loss: the recursion over the states of a target, blanks between its labels, a step of all sequences at once."""
from __future__ import annotations

import numpy as np

from fastnet._core.tensor import Tensor, from_numpy
from fastnet.autograd.recorded.kinds import replay
from fastnet.autograd.recorded.op import Op
from fastnet.ops.join import cat, stack
from fastnet.ops.reduce import logsumexp
from fastnet.ops.where import where

NEVER = -1e30                                            # a logarithm of 0 whose differences are numbers


@replay("CtcLossBackward0")
def ctc_loss(op: Op, x: Tensor) -> Tensor:
    steps, n, _ = x.shape
    starts, lengths, sizes = op.saved[2].numpy()
    labels, width = op.saved[3].numpy(), 2 * int(sizes.max(initial=0)) + 1
    classes = np.full((n, width), op.integers[0], np.int64)
    for i in range(n):
        classes[i, 1:2 * sizes[i]:2] = labels[starts[i]:starts[i] + sizes[i]]
    leap = np.zeros((n, width), bool)                    # states that may be entered from two before
    leap[:, 3::2] = classes[:, 3::2] != classes[:, 1:-2:2]
    may, begins = from_numpy(leap), from_numpy(np.broadcast_to(np.arange(width) < 2, (n, width)).copy())
    emitted = x.gather(2, from_numpy(classes).unsqueeze(0).expand(steps, n, width))
    never = x.detach().new_full((n, 2), NEVER)
    alpha = where(begins, emitted[0], NEVER) if steps else x.new_full((n, width), NEVER)
    for t in range(1, steps):
        before = cat([never, alpha], 1)
        ways = stack([alpha, before[:, 1:-1], where(may, before[:, :-2], NEVER)])
        going = from_numpy(np.broadcast_to((t < lengths)[:, None], (n, width)).copy())
        alpha = where(going, (logsumexp(ways, 0) + emitted[t]).clamp(min=NEVER), alpha)
    ends = np.stack([2 * sizes, np.maximum(2 * sizes - 1, 0)], 1)
    last = where(from_numpy(np.stack([sizes >= 0, sizes > 0], 1)), alpha.gather(1, from_numpy(ends)), NEVER)
    total = logsumexp(last, 1)
    spelt = (total.detach() > NEVER / 2) & from_numpy(lengths > 0)      # others: 0 or infinite, either way without a gradient
    return where(spelt, -total, 0.0)
