"""Augmentation: samples changed at random, the same way for the same key (seed, epoch, index), whatever threads or order."""
from fastnet.transforms import functional
from fastnet.transforms.auto import AutoAugment, RandAugment, TrivialAugmentWide
from fastnet.transforms.base import Compose, Lambda, RandomApply, RandomChoice, Transform
from fastnet.transforms.color import ColorJitter, GaussianBlur, Normalize, RandomGrayscale, RandomHSV, ToDtype, ToFloat, ToTensor
from fastnet.transforms.dataset import Augmented, Mosaic
from fastnet.transforms.geometric import (
    CenterCrop, LetterBox, Pad, RandomCrop, RandomHorizontalFlip, RandomResizedCrop, RandomVerticalFlip, Resize,
)
from fastnet.transforms.mix import CutMix, MixUp
from fastnet.transforms.noise import GaussianNoise, RandomErasing
from fastnet.transforms.sequences import FrequencyMasking, TimeMasking, TokenDropout, TokenMasking
from fastnet.transforms.warps import RandomAffine, RandomPerspective, RandomRotation

__all__ = ["Augmented", "AutoAugment", "CenterCrop", "ColorJitter", "Compose", "CutMix", "FrequencyMasking", "GaussianBlur",
           "GaussianNoise", "Lambda", "LetterBox", "MixUp", "Mosaic", "Normalize", "Pad", "RandAugment", "RandomAffine",
           "RandomApply", "RandomChoice", "RandomCrop", "RandomErasing", "RandomGrayscale", "RandomHSV",
           "RandomHorizontalFlip", "RandomPerspective", "RandomResizedCrop", "RandomRotation", "RandomVerticalFlip",
           "Resize", "TimeMasking", "ToDtype", "ToFloat", "ToTensor", "TokenDropout", "TokenMasking", "Transform",
           "TrivialAugmentWide", "functional"]
