"""Networks to start from; names in their `state_dict` are those of the known checkpoints (torchvision's, GPT-2's, BERT's), which load."""
from fastnet.models.checkpoint import load_checkpoint, save_checkpoint
from fastnet.models.dcgan import DCGANDiscriminator, DCGANGenerator
from fastnet.models.efficientnet import EfficientNet, efficientnet_b0
from fastnet.models.bert import Bert, mask_tokens
from fastnet.models.gpt import GPT
from fastnet.models.lenet import LeNet5
from fastnet.models.lstm import LSTMLanguageModel
from fastnet.models.mlp import MLP, SmallCNN
from fastnet.models.mobilenet import MobileNetV2, mobilenet_v2
from fastnet.models.positions import RotaryEmbedding, SinusoidalPositions, apply_rotary, sinusoidal_positions
from fastnet.models.resnet import ResNet, resnet18, resnet34, resnet50, resnet101, resnet152
from fastnet.models.seq2seq import Seq2Seq
from fastnet.models.unet import UNet
from fastnet.models.vgg import VGG, vgg11, vgg11_bn, vgg13, vgg13_bn, vgg16, vgg16_bn, vgg19, vgg19_bn
from fastnet.models.yolo26 import YOLO26, yolo26l, yolo26m, yolo26n, yolo26s, yolo26x
from fastnet.models.yolo26_loss import DetectionLoss, DetectionStep, ShiftHeads
from fastnet.models.yolo26_predict import detections

__all__ = ["DCGANDiscriminator", "DCGANGenerator", "EfficientNet", "LeNet5", "MobileNetV2", "ResNet", "UNet", "VGG", "efficientnet_b0",
           "mobilenet_v2", "resnet101", "resnet152", "resnet18", "resnet34", "resnet50", "vgg11", "vgg11_bn", "vgg13", "vgg13_bn",
           "vgg16", "vgg16_bn", "vgg19", "vgg19_bn"]
__all__ += ["Bert", "GPT", "LSTMLanguageModel", "MLP", "RotaryEmbedding", "Seq2Seq", "SinusoidalPositions", "SmallCNN",
            "apply_rotary", "load_checkpoint", "mask_tokens", "save_checkpoint", "sinusoidal_positions"]
__all__ += ["DetectionLoss", "DetectionStep", "ShiftHeads", "YOLO26", "detections", "yolo26l", "yolo26m", "yolo26n", "yolo26s", "yolo26x"]
