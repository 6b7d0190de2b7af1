"""Depthwise layers of EfficientNet-B0 and ConvNeXt-T, three passes each; those that it shares with MobileNetV2 are in layers.py."""
from cases.conv import PARTS, Layer, convolution

# (channels, kernel, side of the image, stride)
TABLES = {
    ("EfficientNet-B0", 8): [
        (144, 5, 56, 2), (240, 5, 28, 1), (240, 3, 28, 2), (480, 3, 14, 1), (480, 5, 14, 1), (672, 5, 14, 1), (672, 5, 14, 2),
        (1152, 5, 7, 1), (1152, 3, 7, 1)],
    ("ConvNeXt-T", 8): [(96, 7, 56, 1), (192, 7, 28, 1), (384, 7, 14, 1), (768, 7, 7, 1)],
}

CASES = [convolution(Layer(batch, c, c, kernel, size, stride, c), part, f"Layers of {net}", quick=(c, kernel) == (672, 5) and stride == 1)
         for (net, batch), rows in TABLES.items() for c, kernel, size, stride in rows for part in PARTS]
