"""Windows as columns and back; pixels to channels and back; channels of groups in turn."""
import numpy as np

from specs import Case, OpSpec, Refused, zeros


def pair(value):
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)


def columns(size, kernel_size, dilation, padding, stride):
    """For tap t and window l, the place it sees in the flattened padded image; and that image's size."""
    (kh, kw), (dh, dw), (ph, pw), (sh, sw) = map(pair, (kernel_size, dilation, padding, stride))
    height, width = size[0] + 2 * ph, size[1] + 2 * pw
    rows = [[(a * sh + i * dh) * width + b * sw + j * dw for a in range((height - dh * (kh - 1) - 1) // sh + 1)
             for b in range((width - dw * (kw - 1) - 1) // sw + 1)] for i in range(kh) for j in range(kw)]
    return np.array(rows), (height, width), (ph, pw)


def unfold(x, kernel_size, dilation=1, padding=0, stride=1):
    at, size, (ph, pw) = columns(x.shape[-2:], kernel_size, dilation, padding, stride)
    padded = np.pad(x, [(0, 0)] * (x.ndim - 2) + [(ph, ph), (pw, pw)]).reshape(*x.shape[:-2], size[0] * size[1])
    return padded[..., at].reshape(*x.shape[:-3], x.shape[-3] * len(at), at.shape[1])


def fold(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    at, size, (ph, pw) = columns(pair(output_size), kernel_size, dilation, padding, stride)
    y = np.zeros((*x.shape[:-2], x.shape[-2] // len(at), size[0] * size[1]))
    parts = x.reshape(*y.shape[:-1], *at.shape)
    for t, window in np.ndindex(*at.shape):
        y[..., at[t, window]] += parts[..., t, window]
    return y.reshape(*y.shape[:-1], *size)[..., ph:size[0] - ph, pw:size[1] - pw]


def pixel_shuffle(x, upscale_factor):
    r, (c, h, w) = upscale_factor, x.shape[-3:]
    y = np.zeros((*x.shape[:-3], c // r ** 2, h * r, w * r), x.dtype)
    for i, j in np.ndindex(r, r):
        y[..., i::r, j::r] = x[..., i * r + j::r ** 2, :, :]
    return y


def pixel_unshuffle(x, downscale_factor):
    r, (c, h, w) = downscale_factor, x.shape[-3:]
    y = np.zeros((*x.shape[:-3], c * r ** 2, h // r, w // r), x.dtype)
    for i, j in np.ndindex(r, r):
        y[..., i * r + j::r ** 2, :, :] = x[..., i::r, j::r]
    return y


def channel_shuffle(x, groups):
    size = x.shape[1] // groups
    return x[:, [j * size + i for i in range(size) for j in range(groups)]]


K = "kernel_size"
IMAGE = zeros(1, 2, 4, 4)
SPECS = [
    OpSpec("unfold", "fastnet.nn.functional.unfold", unfold,
           cases=[Case(((2, 3, 5, 6),), {K: 3}), Case(((2, 4, 7),), {K: (2, 3), "padding": (1, 2), "stride": (1, 2)}),
                  Case(((1, 5, 9, 17),), {K: (3, 2), "dilation": (2, 3), "padding": 1}), Case(((0, 2, 3, 3),), {K: 2}),
                  Case(((1, 1, 1, 1),), {K: 3, "padding": 4, "stride": 3})],
           refused=[Refused(RuntimeError, r"unfold: kernel_size 5, .* do not fit an image of \(4, 4\)", IMAGE, 5),
                    Refused(RuntimeError, r"unfold: input must be \(N, C, H, W\) .* got shape \(4, 4\)", zeros(4, 4), 2),
                    Refused(RuntimeError, "unfold: stride must be at least 1, got 0", IMAGE, 2, 1, 0, 0),
                    Refused(RuntimeError, r"unfold: kernel_size must be a number or two, got \(1, 2, 3\)", IMAGE, (1, 2, 3)),
                    Refused(TypeError, "unfold: kernel_size must be an int", IMAGE, 2.0),
                    Refused(TypeError, "unfold: input must be floating-point", zeros(1, 2, 4, 4, dtype="int64"), 2)]),
    OpSpec("fold", "fastnet.nn.functional.fold", fold,
           cases=[Case(((2, 27, 12),), {"output_size": (5, 6), K: 3}), Case(((12, 25),), {"output_size": (4, 7), K: (2, 3),
                  "padding": (1, 2), "stride": (1, 2)}),
                  Case(((1, 12, 119),), {"output_size": (9, 18), K: (3, 2), "dilation": (2, 3), "padding": 1}),
                  Case(((0, 4, 4),), {"output_size": 3, K: 2})],
           refused=[Refused(RuntimeError, r"fold: input \(1, 9, 4\) must have rows for 4 taps and 4 columns", zeros(1, 9, 4), 3, 2),
                    Refused(RuntimeError, r"fold: input \(1, 8, 5\) must have rows for 4 taps and 4 columns", zeros(1, 8, 5), 3, 2),
                    Refused(RuntimeError, r"fold: input must be .* got shape \(4,\)", zeros(4), 3, 2),
                    Refused(TypeError, "fold: input must be floating-point", zeros(1, 8, 4, dtype="int64"), 3, 2)]),
    OpSpec("pixel_shuffle", "fastnet.nn.functional.pixel_shuffle", pixel_shuffle,
           cases=[Case(((2, 12, 3, 5),), {"upscale_factor": 2}), Case(((9, 2, 3),), {"upscale_factor": 3}),
                  Case(((2, 1, 4, 2, 2),), {"upscale_factor": 2}), Case(((0, 4, 2, 2),), {"upscale_factor": 1})],
           refused=[Refused(RuntimeError, "pixel_shuffle: channels must be a multiple of upscale_factor 2 squared", zeros(1, 6, 2, 2), 2),
                    Refused(RuntimeError, "pixel_shuffle: upscale_factor must be positive, got 0", IMAGE, 0),
                    Refused(RuntimeError, "pixel_shuffle: input must have at least 3 axes", zeros(4, 4), 2),
                    Refused(TypeError, "pixel_shuffle: upscale_factor must be an int, got 2.0", IMAGE, 2.0)]),
    OpSpec("pixel_unshuffle", "fastnet.nn.functional.pixel_unshuffle", pixel_unshuffle,
           cases=[Case(((2, 3, 6, 10),), {"downscale_factor": 2}), Case(((1, 6, 9),), {"downscale_factor": 3}),
                  Case(((2, 1, 2, 4, 2),), {"downscale_factor": 2})],
           refused=[Refused(RuntimeError, "pixel_unshuffle: height and width must be multiples of downscale_factor 3", IMAGE, 3)]),
    OpSpec("channel_shuffle", "fastnet.nn.functional.channel_shuffle", channel_shuffle,
           cases=[Case(((2, 6, 3, 5),), {"groups": 2}), Case(((1, 9, 4),), {"groups": 3}), Case(((2, 4, 2, 2, 1),), {"groups": 1})],
           refused=[Refused(RuntimeError, r"channel_shuffle: channels must be a multiple of groups 4, got shape \(1, 6, 2, 2\)",
                            zeros(1, 6, 2, 2), 4)]),
]
