"""AdaptiveLogSoftmaxWithLoss: classification into very many classes, of which few are frequent."""
from __future__ import annotations

from collections import namedtuple
from collections.abc import Sequence

import fastnet
from fastnet._core.tensor import Tensor
from fastnet.nn.containers import ModuleList, Sequential
from fastnet.nn.linear import Linear
from fastnet.nn.module import Module

adaptive_result = namedtuple("adaptive_result", "output loss")


class AdaptiveLogSoftmaxWithLoss(Module):
    """A softmax over frequent classes and over groups of rare ones, each with a softmax of its own on fewer features.

    E. Grave, A. Joulin, M. Cissé, D. Grangier and H. Jégou, "Efficient softmax approximation for GPUs" (2017). Classes are sorted, the
    most frequent first.

    Args:
        in_features: size of the input.
        n_classes: how many classes.
        cutoffs: ascending numbers of classes at which a group begins, below n_classes.
        div_value: group i gets in_features / div_value^(i + 1) features.
        head_bias: give the softmax of the frequent classes a bias.

    Raises:
        ValueError: cutoffs are not as above.

    >>> import fastnet
    >>> many = fastnet.nn.AdaptiveLogSoftmaxWithLoss(8, 100, cutoffs=[10, 40])
    >>> output, loss = many(fastnet.randn(3, 8), fastnet.tensor([1, 20, 99]))
    >>> output.shape, many.log_prob(fastnet.randn(3, 8)).shape
    (fastnet.Size([3]), fastnet.Size([3, 100]))
    """

    def __init__(self, in_features: int, n_classes: int, cutoffs: Sequence[int], div_value: float = 4.0, head_bias: bool = False,
                 device: object = None, dtype: object = None) -> None:
        super().__init__()
        cuts = [int(c) for c in cutoffs]
        if not cuts or cuts != sorted(set(cuts)) or cuts[0] < 1 or cuts[-1] > n_classes - 1 or any(c != k for c, k in zip(cutoffs, cuts)):
            raise ValueError(f"AdaptiveLogSoftmaxWithLoss: cutoffs must ascend between 1 and {n_classes - 1}, got {list(cutoffs)}")
        self.in_features, self.n_classes, self.div_value, self.head_bias = in_features, n_classes, div_value, head_bias
        self.cutoffs = [*cuts, n_classes]
        self.shortlist_size, self.n_clusters = cuts[0], len(cuts)
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, bias=head_bias, device=device, dtype=dtype)
        self.tail = ModuleList()
        for i, (low, high) in enumerate(zip(self.cutoffs, self.cutoffs[1:])):
            small = int(in_features // div_value ** (i + 1))
            self.tail.append(Sequential(Linear(in_features, small, bias=False, device=device, dtype=dtype),
                                        Linear(small, high - low, bias=False, device=device, dtype=dtype)))

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        for layer in self.modules():
            if isinstance(layer, Linear):
                layer.reset_parameters()

    def forward(self, input: Tensor, target: Tensor) -> adaptive_result:
        """The logarithm of each target's probability, and their negative mean.

        Args:
            input: (batch, in_features), or (in_features,).
            target: (batch,), or (), int64.

        Raises:
            RuntimeError: the shapes do not fit, or a target is no class.
        """
        single = input.ndim == 1
        x, y = (input.unsqueeze(0), target.unsqueeze(0)) if single else (input, target)
        if x.ndim != 2 or tuple(y.shape) != (len(x),):
            raise RuntimeError(f"AdaptiveLogSoftmaxWithLoss: input (batch, {self.in_features}) and target (batch,) expected, got "
                               f"{tuple(input.shape)} and {tuple(target.shape)}")
        if len(y) and not 0 <= int(y.min()) <= int(y.max()) < self.n_classes:
            raise RuntimeError(f"AdaptiveLogSoftmaxWithLoss: targets must be from 0 to {self.n_classes - 1}, got {int(y.min())} to "
                               f"{int(y.max())}")
        column, rows, inside = y.clone(), [], []
        for i, (low, high) in enumerate(zip(self.cutoffs, self.cutoffs[1:])):
            at = ((y >= low) & (y < high)).nonzero().squeeze(1)
            column[at] = self.shortlist_size + i
            if len(at):
                log = self.tail[i](x.index_select(0, at)).log_softmax(1)
                rows.append(at)
                inside.append(log.gather(1, (y[at] - low).unsqueeze(1)).squeeze(1))
        output = self.head(x).log_softmax(1).gather(1, column.unsqueeze(1)).squeeze(1)
        if rows:
            output = output.index_add(0, fastnet.cat(rows), fastnet.cat(inside))
        return adaptive_result(output.squeeze(0) if single else output, -output.mean())

    def log_prob(self, input: Tensor) -> Tensor:
        """The logarithms of the probabilities of all classes, (batch, n_classes).

        Args:
            input: (batch, in_features).
        """
        head = self.head(input).log_softmax(1)
        n = self.shortlist_size
        tails = [pair(input).log_softmax(1) + head[:, n + i:n + i + 1] for i, pair in enumerate(self.tail)]
        return fastnet.cat([head[:, :n], *tails], 1)

    def predict(self, input: Tensor) -> Tensor:
        """The likeliest class of each, (batch,).

        Args:
            input: (batch, in_features).
        """
        return self.log_prob(input).argmax(1)
