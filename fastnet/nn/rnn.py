"""RNN, LSTM, GRU over sequences, and their cells."""
from __future__ import annotations

import math
from typing import Any

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.nn import functional as F
from fastnet.nn import init
from fastnet.nn.module import Module
from fastnet.nn.parameter import Parameter
from fastnet.nn.utils.rnn import PackedSequence
from fastnet.ops.recurrent import recurrent

_GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}
State = Tensor | tuple[Tensor, Tensor]


class RNNBase(Module):
    """What RNN, LSTM and GRU share: parameters, layers and directions, packed and padded sequences."""

    def __init__(self, mode: str, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
                 dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        name = type(self).__name__
        if mode not in _GATES:
            raise ValueError(f"{name}: mode must be one of {', '.join(_GATES)}, got {mode!r}")
        if input_size < 0 or hidden_size <= 0 or num_layers <= 0:
            raise ValueError(f"{name}: input_size {input_size}, hidden_size {hidden_size} and num_layers {num_layers} must be positive")
        if not 0.0 <= dropout <= 1.0:
            raise ValueError(f"{name}: dropout must be between 0 and 1, got {dropout}")
        if proj_size and (mode != "LSTM" or not 0 < proj_size < hidden_size):
            raise ValueError(f"{name}: proj_size is for an LSTM, and smaller than hidden_size {hidden_size}, got {proj_size}")
        self.mode, self.input_size, self.hidden_size, self.num_layers = mode, input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout, self.bidirectional, self.proj_size = bias, batch_first, dropout, bidirectional, proj_size
        made, gates = proj_size or hidden_size, _GATES[mode] * hidden_size
        for layer in range(num_layers):
            for suffix in self._suffixes(layer):
                features = input_size if layer == 0 else made * len(self._suffixes(layer))
                shapes: dict[str, tuple[int, ...]] = {"weight_ih": (gates, features), "weight_hh": (gates, made)}
                if bias:
                    shapes |= {"bias_ih": (gates,), "bias_hh": (gates,)}
                if proj_size:
                    shapes["weight_hr"] = (proj_size, hidden_size)
                for key, shape in shapes.items():
                    self.register_parameter(f"{key}_{suffix}", Parameter(fn.empty(*shape, device=device, dtype=dtype)))
        self.reset_parameters()

    def _suffixes(self, layer: int) -> list[str]:
        return [f"l{layer}", f"l{layer}_reverse"] if self.bidirectional else [f"l{layer}"]

    def reset_parameters(self) -> None:
        """Draw the parameters anew: uniform in +-1/sqrt(hidden_size)."""
        bound = 1 / math.sqrt(self.hidden_size)
        for p in self.parameters():
            init.uniform_(p, -bound, bound)

    def flatten_parameters(self) -> None:
        """Does nothing: kept for scripts written for PyTorch."""

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        keys = ["weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"]
        return [[getattr(self, f"{key}_{suffix}") for key in keys if hasattr(self, f"{key}_{suffix}")]
                for layer in range(self.num_layers) for suffix in self._suffixes(layer)]

    def extra_repr(self) -> str:
        plain = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False}
        told = [f"{key}={getattr(self, key)}" for key, usual in plain.items() if getattr(self, key) != usual]
        sizes = [str(self.input_size), str(self.hidden_size)] + ([f"proj_size={self.proj_size}"] if self.proj_size else [])
        return ", ".join([*sizes, *told])

    def _states(self, hx: State | None, n: int, batched: bool, like: Tensor) -> list[Tensor]:
        """First states (layers and directions, N, size): h, and for an LSTM c."""
        count, sizes = self.num_layers * (2 if self.bidirectional else 1), [self.proj_size or self.hidden_size]
        if self.mode == "LSTM":
            sizes.append(self.hidden_size)
        if hx is None:
            return [fn.zeros(count, n, size, dtype=like.dtype) for size in sizes]
        given = [hx] if isinstance(hx, Tensor) else list(hx)
        if len(given) != len(sizes):
            wanted = "the two tensors (h_0, c_0)" if len(sizes) == 2 else "the tensor h_0"
            raise RuntimeError(f"{type(self).__name__}: hx must be {wanted}, got {len(given)}")
        for key, x, size in zip(("h_0", "c_0"), given, sizes):
            expected = (count, n, size) if batched else (count, size)
            if tuple(x.shape) != expected:
                raise RuntimeError(f"{type(self).__name__}: {key} must be {expected}, got {tuple(x.shape)}")
        return given if batched else [x.unsqueeze(1) for x in given]

    def _run(self, rows: Tensor, counts: tuple[int, ...], states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """All layers: rows (sum of counts, features) to (sum of counts, outputs), and the final states."""
        final: list[list[Tensor]] = [[] for _ in states]
        number = 0
        for layer in range(self.num_layers):
            if layer and self.dropout and self.training:
                rows = F.dropout(rows, self.dropout)
            made = []
            for suffix in self._suffixes(layer):
                w_ih, w_hh = getattr(self, f"weight_ih_{suffix}"), getattr(self, f"weight_hh_{suffix}")
                b_ih, b_hh, w_hr = (getattr(self, f"{key}_{suffix}", None) for key in ("bias_ih", "bias_hh", "weight_hr"))
                c_0 = states[1][number] if len(states) == 2 else None
                y, h, c = recurrent(self.mode, rows, counts, states[0][number], c_0, w_ih, w_hh, b_ih, b_hh, w_hr,
                                    suffix.endswith("reverse"))
                made.append(y)
                final[0].append(h)
                if c is not None:
                    final[1].append(c)
                number += 1
            rows = made[0] if len(made) == 1 else fn.cat(made, -1)
        return rows, [fn.stack(kept, 0) for kept in final]

    def forward(self, input: Tensor | PackedSequence, hx: State | None = None) -> tuple[Any, State]:
        """Run over sequences.

        Args:
            input: (L, N, input_size), with batch_first (N, L, input_size), without a batch (L, input_size), or a PackedSequence.
            hx: h_0 (layers and directions, N, outputs), and for an LSTM (h_0, c_0); default: zeros.

        Returns:
            The outputs of the last layer, shaped or packed as the input, and the final states, shaped as hx.

        Raises:
            RuntimeError: shapes or dtypes do not fit.
        """
        data = input.data if isinstance(input, PackedSequence) else input
        if (data.ndim != 2 if data is not input else data.ndim not in (2, 3)) or data.shape[-1] != self.input_size:
            raise RuntimeError(f"{type(self).__name__}: input must be {'(N, L' if self.batch_first else '(L, N'}, {self.input_size}) or "
                               f"(L, {self.input_size}), got {tuple(data.shape)}")
        if isinstance(input, PackedSequence):
            counts = tuple(int(n) for n in input.batch_sizes.tolist())
            states = self._states(hx, counts[0], True, data)
            if hx is not None and input.sorted_indices is not None:
                states = [s.index_select(1, input.sorted_indices) for s in states]
            rows, final = self._run(data, counts, states)
            if input.unsorted_indices is not None:
                final = [s.index_select(1, input.unsorted_indices) for s in final]
            return PackedSequence(rows, *input[1:]), tuple(final) if self.mode == "LSTM" else final[0]  # type: ignore[return-value]
        batched = data.ndim == 3
        steps = data.unsqueeze(1) if not batched else data.transpose(0, 1) if self.batch_first else data
        length, n = steps.shape[:2]
        rows, final = self._run(steps.reshape(length * n, self.input_size), (n,) * length, self._states(hx, n, batched, data))
        out = rows.view(length, n, -1) if rows.numel() else rows.new_zeros((length, n, rows.shape[-1]))
        if not batched:
            out, final = out.squeeze(1), [s.squeeze(1) for s in final]
        elif self.batch_first:
            out = out.transpose(0, 1)
        return out, tuple(final) if self.mode == "LSTM" else final[0]  # type: ignore[return-value]


class RNN(RNNBase):
    """h' = tanh(x W_ih' + b_ih + h W_hh' + b_hh), step by step (Elman, 1990).

    Args:
        input_size: features of a step.
        hidden_size: size of h.
        num_layers: layers, each reading the one below.
        nonlinearity: "tanh" or "relu".
        bias: whether there are biases.
        batch_first: sequences are (N, L, ...), not (L, N, ...).
        dropout: probability of a zero between layers, in training.
        bidirectional: a second direction, from the end.
        device: "cpu" or None.
        dtype: of the parameters; the default dtype if None.

    >>> import fastnet as fn
    >>> y, h = fn.nn.RNN(4, 8)(fn.ones(5, 3, 4))
    >>> tuple(y.shape), tuple(h.shape)
    ((5, 3, 8), (1, 3, 8))
    """

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh", bias: bool = True,
                 batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, device: Any = None,
                 dtype: Any = None) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNN: nonlinearity must be 'tanh' or 'relu', got {nonlinearity!r}")
        super().__init__(f"RNN_{nonlinearity.upper()}", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
                         device=device, dtype=dtype)
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """i, f, g, o = x W_ih' + b_ih + h W_hh' + b_hh; c' = s(f) c + s(i) tanh(g); h' = s(o) tanh(c') (Hochreiter and Schmidhuber, 1997).

    Args:
        input_size: features of a step.
        hidden_size: size of c, and of h without a projection.
        num_layers: layers, each reading the one below.
        bias: whether there are biases.
        batch_first: sequences are (N, L, ...), not (L, N, ...).
        dropout: probability of a zero between layers, in training.
        bidirectional: a second direction, from the end.
        proj_size: h is projected to this size; 0: it is not.
        device: "cpu" or None.
        dtype: of the parameters; the default dtype if None.

    >>> import fastnet as fn
    >>> y, (h, c) = fn.nn.LSTM(4, 8, batch_first=True)(fn.ones(3, 5, 4))
    >>> tuple(y.shape), tuple(h.shape), tuple(c.shape)
    ((3, 5, 8), (1, 3, 8), (1, 3, 8))
    """

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
                 dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0, device: Any = None, dtype: Any = None) -> None:
        super().__init__("LSTM", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size, device, dtype)


class GRU(RNNBase):
    """r, z = s(...); n = tanh(x W_in' + b_in + r (h W_hn' + b_hn)); h' = (1 - z) n + z h (Cho et al., 2014).

    Args:
        input_size: features of a step.
        hidden_size: size of h.
        num_layers: layers, each reading the one below.
        bias: whether there are biases.
        batch_first: sequences are (N, L, ...), not (L, N, ...).
        dropout: probability of a zero between layers, in training.
        bidirectional: a second direction, from the end.
        device: "cpu" or None.
        dtype: of the parameters; the default dtype if None.

    >>> import fastnet as fn
    >>> y, h = fn.nn.GRU(4, 8, bidirectional=True)(fn.ones(5, 3, 4))
    >>> tuple(y.shape), tuple(h.shape)
    ((5, 3, 16), (2, 3, 8))
    """

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
                 dropout: float = 0.0, bidirectional: bool = False, device: Any = None, dtype: Any = None) -> None:
        super().__init__("GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, device=device, dtype=dtype)


class _Cell(Module):
    def __init__(self, mode: str, input_size: int, hidden_size: int, bias: bool, device: Any, dtype: Any) -> None:
        super().__init__()
        self.mode, self.input_size, self.hidden_size, self.bias = mode, input_size, hidden_size, bias
        gates = _GATES[mode] * hidden_size
        shapes = {"weight_ih": (gates, input_size), "weight_hh": (gates, hidden_size), "bias_ih": (gates,), "bias_hh": (gates,)}
        for key, shape in shapes.items():
            wanted = bias or key.startswith("weight")
            self.register_parameter(key, Parameter(fn.empty(*shape, device=device, dtype=dtype)) if wanted else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew: uniform in +-1/sqrt(hidden_size)."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size else 0
        for p in self.parameters():
            init.uniform_(p, -bound, bound)

    def extra_repr(self) -> str:
        other = ", nonlinearity=relu" if self.mode == "RNN_RELU" else ""
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False") + other

    def _step(self, x: Tensor, states: list[Tensor | None]) -> list[Tensor]:
        name, batched = type(self).__name__, x.ndim == 2
        if x.ndim not in (1, 2) or x.shape[-1] != self.input_size:
            raise RuntimeError(f"{name}: input must be (N, {self.input_size}) or ({self.input_size},), got {tuple(x.shape)}")
        x = x if batched else x.unsqueeze(0)
        full = [fn.zeros(x.shape[0], self.hidden_size, dtype=x.dtype) if s is None else s if batched else s.unsqueeze(0) for s in states]
        for s in full:
            if tuple(s.shape) != (x.shape[0], self.hidden_size):
                raise RuntimeError(f"{name}: states must be {(x.shape[0], self.hidden_size)}, got {tuple(s.shape)}")
        _, h, c = recurrent(self.mode, x, (x.shape[0],), full[0], full[1] if len(full) == 2 else None, self.weight_ih, self.weight_hh,
                            self.bias_ih, self.bias_hh)
        return [s if batched else s.squeeze(0) for s in (h, c) if s is not None]


class RNNCell(_Cell):
    """One step of an `RNN`.

    Args:
        input_size, hidden_size: sizes of x and h.
        bias: whether there are biases.
        nonlinearity: "tanh" or "relu".
        device: "cpu" or None.
        dtype: of the parameters; the default dtype if None.

    >>> import fastnet as fn
    >>> tuple(fn.nn.RNNCell(4, 8)(fn.ones(3, 4)).shape)
    (3, 8)
    """

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", device: Any = None,
                 dtype: Any = None) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNNCell: nonlinearity must be 'tanh' or 'relu', got {nonlinearity!r}")
        super().__init__(f"RNN_{nonlinearity.upper()}", input_size, hidden_size, bias, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """input (N, input_size) or (input_size,) and h (zeros if None) to the next h."""
        return self._step(input, [hx])[0]


class LSTMCell(_Cell):
    """One step of an `LSTM`.

    Args:
        input_size, hidden_size: sizes of x and of h and c.
        bias: whether there are biases.
        device: "cpu" or None.
        dtype: of the parameters; the default dtype if None.

    >>> import fastnet as fn
    >>> h, c = fn.nn.LSTMCell(4, 8)(fn.ones(3, 4))
    >>> tuple(h.shape), tuple(c.shape)
    ((3, 8), (3, 8))
    """

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__("LSTM", input_size, hidden_size, bias, device, dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """input (N, input_size) or (input_size,) and (h, c) (zeros if None) to the next (h, c)."""
        h, c = self._step(input, [None, None] if hx is None else list(hx))
        return h, c


class GRUCell(_Cell):
    """One step of a `GRU`.

    Args:
        input_size, hidden_size: sizes of x and h.
        bias: whether there are biases.
        device: "cpu" or None.
        dtype: of the parameters; the default dtype if None.

    >>> import fastnet as fn
    >>> tuple(fn.nn.GRUCell(4, 8)(fn.ones(3, 4)).shape)
    (3, 8)
    """

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__("GRU", input_size, hidden_size, bias, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """input (N, input_size) or (input_size,) and h (zeros if None) to the next h."""
        return self._step(input, [hx])[0]
