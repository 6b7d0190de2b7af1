"""Layers of several groups, each of several channels: ResNeXt-50 (32x4d and 32x8d), RegNetY (groups of 16 and of 24), ShuffleNet."""
from cases.conv import PARTS, Layer, convolution

# (channels in, channels out, kernel, side of the image, stride, groups)
TABLES = {
    ("ResNeXt-50 32x4d", 8): [
        (128, 128, 3, 56, 1, 32), (256, 256, 3, 56, 2, 32), (256, 256, 3, 28, 1, 32), (512, 512, 3, 28, 2, 32), (512, 512, 3, 14, 1, 32),
        (1024, 1024, 3, 14, 2, 32), (1024, 1024, 3, 7, 1, 32)],
    ("ResNeXt 32x8d", 2): [(512, 512, 3, 56, 2, 32), (1024, 1024, 3, 28, 2, 32)],
    ("RegNetY-800MF", 8): [(64, 64, 3, 112, 2, 4), (144, 144, 3, 56, 2, 9), (320, 320, 3, 14, 1, 20), (784, 784, 3, 14, 2, 49)],
    ("RegNetY-1.6GF", 8): [(48, 48, 3, 112, 2, 2), (120, 120, 3, 56, 2, 5), (336, 336, 3, 14, 1, 14), (888, 888, 3, 14, 2, 37)],
    ("ShuffleNet", 8): [(240, 60, 1, 28, 1, 3), (60, 240, 1, 28, 1, 3), (480, 120, 1, 14, 1, 3)],
}

# JAX takes a thousand times as long.
CASES = [convolution(Layer(batch, *row), part, f"Layers of {net}", peers=("torch", "fastnet"))
         for (net, batch), rows in TABLES.items() for row in rows for part in PARTS]
