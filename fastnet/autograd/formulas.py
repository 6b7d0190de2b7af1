"""What ops compute and how they differentiate, in words for people: y = f(x) and dy/dx by the op's name on the tape."""
from __future__ import annotations

# name without "Backward0" -> (value, local derivative); a and b are the op's inputs, x its only one, y its value
FORMULAS = {
    "Add": ("y = a + b", "dy/da = 1, dy/db = 1"),
    "Sub": ("y = a - b", "dy/da = 1, dy/db = -1"),
    "Mul": ("y = a b", "dy/da = b, dy/db = a"),
    "Div": ("y = a / b", "dy/da = 1/b, dy/db = -y/b"),
    "Pow": ("y = x^p", "dy/dx = p x^(p-1)"),
    "Maximum": ("y = max(a, b)", "1 for the larger, 0 for the smaller"),
    "Minimum": ("y = min(a, b)", "1 for the smaller, 0 for the larger"),
    "Neg": ("y = -x", "dy/dx = -1"),
    "Abs": ("y = |x|", "dy/dx = sign(x)"),
    "Exp": ("y = e^x", "dy/dx = y"),
    "Log": ("y = ln x", "dy/dx = 1/x"),
    "Log1P": ("y = ln(1 + x)", "dy/dx = 1/(1 + x)"),
    "Sqrt": ("y = sqrt(x)", "dy/dx = 1/(2 y)"),
    "Rsqrt": ("y = 1/sqrt(x)", "dy/dx = -y/(2 x)"),
    "Square": ("y = x^2", "dy/dx = 2 x"),
    "Reciprocal": ("y = 1/x", "dy/dx = -y^2"),
    "Sin": ("y = sin x", "dy/dx = cos x"),
    "Cos": ("y = cos x", "dy/dx = -sin x"),
    "Tanh": ("y = tanh x", "dy/dx = 1 - y^2"),
    "Sigmoid": ("y = 1/(1 + e^-x)", "dy/dx = y (1 - y)"),
    "Relu": ("y = max(0, x)", "dy/dx = 1 where x > 0, else 0"),
    "LeakyRelu": ("y = x where x > 0, else slope x", "dy/dx = 1 or the slope"),
    "Gelu": ("y = x P(normal < x)", "dy/dx = P(normal < x) + x density(x)"),
    "Silu": ("y = x sigmoid(x)", "dy/dx = s + x s (1 - s), s = sigmoid(x)"),
    "Softplus": ("y = ln(1 + e^x)", "dy/dx = sigmoid(x)"),
    "Softmax": ("y_i = e^x_i / sum_j e^x_j", "dy_i/dx_j = y_i ((i = j) - y_j)"),
    "LogSoftmax": ("y_i = x_i - ln sum_j e^x_j", "dy_i/dx_j = (i = j) - e^y_j"),
    "Logsumexp": ("y = ln sum_j e^x_j", "dy/dx_j = softmax(x)_j"),
    "Sum": ("y = the sum of x", "dy/dx = 1 for every element"),
    "Mean": ("y = the mean of x", "dy/dx = 1/n for every one of n elements"),
    "Prod": ("y = the product of x", "dy/dx_i = y/x_i"),
    "Dot": ("y = sum_i a_i b_i", "dy/da = b, dy/db = a"),
    "Mm": ("Y = A B", "gA = gY B', gB = A' gY"),
    "Mv": ("y = A x", "gA = gy x', gx = A' gy"),
    "Bmm": ("Y = A B, for each matrix of the batch", "gA = gY B', gB = A' gY"),
    "Matmul": ("Y = A B", "gA = gY B', gB = A' gY"),
    "Linear": ("Y = X W' + b (and an activation where they were fused)", "gX = gY W, gW = gY' X, gb = the sum of the rows of gY"),
    "Convolution": ("y = w * x + b, a sliding product", "gx = gy slid over w turned round, gw = gy slid over x, gb = the sum of gy"),
    "NativeBatchNorm": ("y = w (x - mean)/std + b, mean and std over the batch", "all elements of a channel share mean and std"),
    "NativeLayerNorm": ("y = w (x - mean)/std + b, mean and std over the features", "all features of a row share mean and std"),
    "MseLoss": ("y = mean of (a - b)^2", "dy/da = 2 (a - b)/n"),
    "CrossEntropyLoss": ("y = -ln softmax(x)[target]", "dy/dx = (softmax(x) - onehot(target))/N"),
    "NllLoss": ("y = -x[target]", "dy/dx = -1/N at the target, 0 elsewhere"),
    "BinaryCrossEntropyWithLogits": ("y = -t ln s - (1 - t) ln(1 - s), s = sigmoid(x)", "dy/dx = (s - t)/n"),
    "Embedding": ("y = rows of the table", "each row gets the sum of the gradients of its uses"),
    "NativeDropout": ("y = x mask/(1 - p)", "dy/dx = mask/(1 - p)"),
    "Recurrent": ("all time steps of a recurrent layer", "backpropagation through time: one factor for each step back"),
    "ScaledDotProductAttention": ("y = softmax(q k'/sqrt(d)) v", "through the product with v, the softmax, and the product of q and k"),
}
MOVES = {"View", "Reshape", "Transpose", "T", "Permute", "Expand", "Squeeze", "Unsqueeze", "Select", "Slice", "Clone", "ToCopy", "Flip",
         "Repeat", "Cat", "Stack", "Index", "Gather", "Split", "Unbind", "Narrow", "Diagonal", "Roll", "Flatten", "AsStrided"}


def formula(name: str) -> tuple[str, str]:
    """Value and local derivative of the op with this name on the tape; a general sentence for one that the table does not have.

    >>> from fastnet.autograd.formulas import formula
    >>> formula("TanhBackward0")
    ('y = tanh x', 'dy/dx = 1 - y^2')
    """
    word = name.rstrip("0123456789").removesuffix("Backward")
    if name == "PowBackward1":
        return "y = a^b", "dy/da = b a^(b-1), dy/db = y ln a"
    if word in MOVES:
        return "elements are moved, copied or picked, not changed", "1 for each element that was taken"
    return FORMULAS.get(word, (f"y = {word}(x)", "by the op's own backward"))
