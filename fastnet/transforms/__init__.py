"""Augmentation: samples changed at random, the same way for the same key (seed, epoch, index), whatever threads or order."""
from fastnet.transforms import functional
from fastnet.transforms.base import Compose, Lambda, RandomApply, RandomChoice, Transform
from fastnet.transforms.color import ColorJitter, GaussianBlur, Normalize, RandomGrayscale, RandomHSV, ToDtype, ToFloat
from fastnet.transforms.geometric import (
    CenterCrop, LetterBox, Pad, RandomCrop, RandomHorizontalFlip, RandomResizedCrop, RandomVerticalFlip, Resize,
)
from fastnet.transforms.noise import GaussianNoise, RandomErasing
from fastnet.transforms.warps import RandomAffine, RandomPerspective, RandomRotation

__all__ = ["CenterCrop", "ColorJitter", "Compose", "GaussianBlur", "GaussianNoise", "Lambda", "LetterBox", "Normalize",
           "Pad", "RandomAffine", "RandomApply", "RandomChoice", "RandomCrop", "RandomErasing", "RandomGrayscale",
           "RandomHSV", "RandomHorizontalFlip", "RandomPerspective", "RandomResizedCrop", "RandomRotation",
           "RandomVerticalFlip", "Resize", "ToDtype", "ToFloat", "Transform", "functional"]
