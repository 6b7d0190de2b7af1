"""nn.functional: layers, activations and losses as functions."""
from fastnet.nn.functional.activation import *  # noqa: F403
from fastnet.nn.functional.activation import __all__ as _activations
from fastnet.nn.functional.distance import cosine_similarity, normalize, pairwise_distance
from fastnet.nn.functional.dropout import alpha_dropout, dropout, dropout1d, dropout2d, dropout3d, feature_alpha_dropout
from fastnet.nn.functional.embedding_bag import embedding_bag
from fastnet.nn.functional.fused_loss import linear_cross_entropy
from fastnet.nn.functional.linear import bilinear, linear
from fastnet.nn.functional.margin import (
    cosine_embedding_loss,
    margin_ranking_loss,
    multi_margin_loss,
    multilabel_margin_loss,
    multilabel_soft_margin_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)
from fastnet.nn.functional.normalization import *  # noqa: F403
from fastnet.nn.functional.normalization import __all__ as _norms
from fastnet.nn.functional.nll import gaussian_nll_loss, poisson_nll_loss
from fastnet.ops.attention import scaled_dot_product_attention
from fastnet.ops.conv import conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d
from fastnet.nn.functional.pixel import channel_shuffle, pixel_shuffle, pixel_unshuffle
from fastnet.nn.functional.pool import *  # noqa: F403
from fastnet.nn.functional.pool import __all__ as _pools
from fastnet.ops.convert import one_hot
from fastnet.ops.ctc import ctc_loss
from fastnet.ops.cross_entropy import cross_entropy, nll_loss
from fastnet.ops.index_select import embedding
from fastnet.ops.loss import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    hinge_embedding_loss,
    huber_loss,
    kl_div,
    l1_loss,
    mse_loss,
    smooth_l1_loss,
    soft_margin_loss,
)
from fastnet.nn.functional.resize import *  # noqa: F403
from fastnet.nn.functional.resize import __all__ as _resizes
from fastnet.ops.pad import pad
from fastnet.ops.unfold import fold, unfold

__all__ = [*_activations, *_norms, "alpha_dropout", "bilinear", "binary_cross_entropy", "binary_cross_entropy_with_logits",
           "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
           "cosine_embedding_loss", "cosine_similarity", "cross_entropy", "ctc_loss", "dropout", "dropout1d", "dropout2d", "dropout3d",
           "embedding", "embedding_bag", "feature_alpha_dropout",
           "gaussian_nll_loss", "hinge_embedding_loss", "huber_loss", "kl_div", "l1_loss", "linear", "margin_ranking_loss", "mse_loss",
           "multi_margin_loss", "multilabel_margin_loss", "multilabel_soft_margin_loss", "nll_loss", "normalize", "one_hot", "pad",
           "pairwise_distance", "poisson_nll_loss", "scaled_dot_product_attention", "smooth_l1_loss", "soft_margin_loss",
           "triplet_margin_loss",
           "triplet_margin_with_distance_loss"]
__all__ += [*_pools, *_resizes]
__all__ += ["channel_shuffle", "fold", "pixel_shuffle", "pixel_unshuffle", "unfold"]
__all__ += ["linear_cross_entropy"]
