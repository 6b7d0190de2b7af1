"""The policies of AutoAugment, and how strong each operation is: tables of Cubuk et al., 2018 and 2019, and of Mueller and Hutter, 2021."""
from __future__ import annotations

from functools import lru_cache

import numpy as np

OPERATIONS = ("Identity", "ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness", "Color", "Contrast", "Sharpness",
              "Posterize", "Solarize", "AutoContrast", "Equalize", "Invert")
SIGNED = OPERATIONS[1:10]
RANDAUGMENT = OPERATIONS[:14]                            # RandAugment and TrivialAugmentWide choose among these

# Two operations each, with probability and strength (0 to 9).
POLICIES = {
    "imagenet": (
        "Posterize 0.4 8, Rotate 0.6 9", "Solarize 0.6 5, AutoContrast 0.6", "Equalize 0.8, Equalize 0.6",
        "Posterize 0.6 7, Posterize 0.6 6", "Equalize 0.4, Solarize 0.2 4", "Equalize 0.4, Rotate 0.8 8",
        "Solarize 0.6 3, Equalize 0.6", "Posterize 0.8 5, Equalize 1", "Rotate 0.2 3, Solarize 0.6 8",
        "Equalize 0.6, Posterize 0.4 6", "Rotate 0.8 8, Color 0.4 0", "Rotate 0.4 9, Equalize 0.6",
        "Equalize 0, Equalize 0.8", "Invert 0.6, Equalize 1", "Color 0.6 4, Contrast 1 8", "Rotate 0.8 8, Color 1 2",
        "Color 0.8 8, Solarize 0.8 7", "Sharpness 0.4 7, Invert 0.6", "ShearX 0.6 5, Equalize 1",
        "Color 0.4 0, Equalize 0.6", "Equalize 0.4, Solarize 0.2 4", "Solarize 0.6 5, AutoContrast 0.6",
        "Invert 0.6, Equalize 1", "Color 0.6 4, Contrast 1 8", "Equalize 0.8, Equalize 0.6"),
    "cifar10": (
        "Invert 0.1, Contrast 0.2 6", "Rotate 0.7 2, TranslateX 0.3 9", "Sharpness 0.8 1, Sharpness 0.9 3",
        "ShearY 0.5 8, TranslateY 0.7 9", "AutoContrast 0.5, Equalize 0.9", "ShearY 0.2 7, Posterize 0.3 7",
        "Color 0.4 3, Brightness 0.6 7", "Sharpness 0.3 9, Brightness 0.7 9", "Equalize 0.6, Equalize 0.5",
        "Contrast 0.6 7, Sharpness 0.6 5", "Color 0.7 7, TranslateX 0.5 8", "Equalize 0.3, AutoContrast 0.4",
        "TranslateY 0.4 3, Sharpness 0.2 6", "Brightness 0.9 6, Color 0.2 8", "Solarize 0.5 2, Invert 0",
        "Equalize 0.2, AutoContrast 0.6", "Equalize 0.2, Equalize 0.6", "Color 0.9 9, Equalize 0.6",
        "AutoContrast 0.8, Solarize 0.2 8", "Brightness 0.1 3, Color 0.7 0", "Solarize 0.4 5, AutoContrast 0.9",
        "TranslateY 0.9 9, TranslateY 0.7 9", "AutoContrast 0.9, Solarize 0.8 3", "Equalize 0.8, Invert 0.1",
        "TranslateY 0.7 9, AutoContrast 0.9"),
}


def parsed(policy: str) -> np.ndarray:
    """(25, 2, 3): for both steps of each sub-policy the operation's number, its probability and strength."""
    def step(text: str) -> tuple[float, float, float]:
        words = text.split()
        return OPERATIONS.index(words[0]), float(words[1]), float(words[2]) if len(words) > 2 else 0.0
    return np.array([[step(text) for text in pair.split(", ")] for pair in POLICIES[policy]])


@lru_cache(64)
def strengths(bins: int, height: int, width: int, wide: bool = False) -> np.ndarray:
    """(15, bins): how strong each operation is in each bin; `wide` is TrivialAugment's.  To be read only."""
    ramp = np.linspace(0.0, 1.0, bins)
    shear, shift_x, shift_y, angle, factor, bits = ((0.99, 32.0, 32.0, 135.0, 0.99, 6) if wide
                                                    else (0.3, 150 / 331 * width, 150 / 331 * height, 30.0, 0.9, 4))
    table = np.zeros((len(OPERATIONS), bins))
    for i, top in enumerate((shear, shear, shift_x, shift_y, angle, factor, factor, factor, factor), 1):
        table[i] = top * ramp
    table[OPERATIONS.index("Posterize")] = np.rint(8 - bits * ramp)
    table[OPERATIONS.index("Solarize")] = 1 - ramp
    return table
