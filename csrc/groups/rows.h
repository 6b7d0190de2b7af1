/* Kernels that walk rows: copies, the probes of the machine's peak, reductions, softmax, losses, optimizers. */
#if defined FN_KERNEL
FN_KERNEL(copy)
FN_KERNEL(copy_bytes)
FN_KERNEL(accumulate)
FN_KERNEL(peak_fma)
FN_KERNEL(peak_read)
FN_KERNEL(peak_copy)
FN_KERNEL(peak_triad)
FN_KERNEL(peak_update)
FN_KERNEL(reduce_sum)
FN_KERNEL(reduce_sumsq)
FN_KERNEL(reduce_sumabs)
FN_KERNEL(reduce_diff)
FN_KERNEL(reduce_sqdiff)
FN_KERNEL(reduce_counteq)
FN_KERNEL(reduce_countabs)
FN_KERNEL(reduce_prod)
FN_KERNEL(reduce_max)
FN_KERNEL(reduce_min)
FN_KERNEL(reduce_maxabs)
FN_KERNEL(reduce_var)
FN_KERNEL(rescale)
FN_KERNEL(reduce_logsumexp)
FN_KERNEL(softmax_forward)
FN_KERNEL(log_softmax_forward)
FN_KERNEL(softmax_backward)
FN_KERNEL(log_softmax_backward)
FN_KERNEL(spread_var)
FN_KERNEL(spread_std)
FN_KERNEL(spread_norm)
FN_KERNEL(spread_sign)
FN_KERNEL(spread_max)
FN_KERNEL(spread_maxabs)
FN_KERNEL(spread_logsumexp)
FN_KERNEL(prod_backward)
FN_KERNEL(argmax_rows)
FN_KERNEL(argmin_rows)
FN_KERNEL(argmax_columns)
FN_KERNEL(argmin_columns)
FN_KERNEL(cross_entropy_forward)
FN_KERNEL(cross_entropy_backward)
FN_KERNEL(nll_forward)
FN_KERNEL(nll_backward)
FN_KERNEL(loss_mse)
FN_KERNEL(loss_mse_backward)
FN_KERNEL(loss_l1)
FN_KERNEL(loss_l1_backward)
FN_KERNEL(loss_smooth_l1)
FN_KERNEL(loss_smooth_l1_backward)
FN_KERNEL(loss_huber)
FN_KERNEL(loss_huber_backward)
FN_KERNEL(loss_bce)
FN_KERNEL(loss_bce_backward)
FN_KERNEL(loss_bce_logits)
FN_KERNEL(loss_bce_logits_backward)
FN_KERNEL(loss_kl)
FN_KERNEL(loss_kl_backward)
FN_KERNEL(loss_kl_log)
FN_KERNEL(loss_kl_log_backward)
FN_KERNEL(loss_soft_margin)
FN_KERNEL(loss_soft_margin_backward)
FN_KERNEL(loss_hinge)
FN_KERNEL(loss_hinge_backward)
FN_KERNEL(sgd_update)
FN_KERNEL(adam_update)
FN_KERNEL(nadam_update)
FN_KERNEL(radam_update)
FN_KERNEL(adamax_update)
FN_KERNEL(lion_update)
FN_KERNEL(optim_advance)
FN_KERNEL(rmsprop_update)
FN_KERNEL(adagrad_update)
FN_KERNEL(adadelta_update)
FN_KERNEL(rprop_update)
FN_KERNEL(asgd_update)
FN_KERNEL(asgd_advance)
FN_KERNEL(grad_norm)
FN_KERNEL(grad_scale)
FN_KERNEL(grad_clamp)
#elif defined FN_BODIES
#include "kernels/row.inc.c"
#include "kernels/copy.inc.c"
#include "kernels/peak.inc.c"
#include "kernels/tail.inc.c"
#include "kernels/reduce.inc.c"
#include "kernels/softmax.inc.c"
#include "kernels/spread.inc.c"
#include "kernels/argreduce.inc.c"
#include "kernels/cross_entropy.inc.c"
#include "kernels/loss.inc.c"
#include "kernels/optim.inc.c"
#include "kernels/clip.inc.c"
#elif !defined FN_ROWS_GROUP
#define FN_ROWS_GROUP
#include "kernels/copy.h"
#include "kernels/peak.h"
#include "kernels/reduce.h"
#include "kernels/argreduce.h"
#include "kernels/softmax.h"
#include "kernels/cross_entropy.h"
#include "kernels/loss.h"
#include "kernels/optim.h"
#define FN_KERNEL(name) FN_##name,
enum { FN_BEFORE_rows = FN_GROUP_rows * FN_GROUP_SIZE - 1,
#include "groups/rows.h"
};
#undef FN_KERNEL
#endif
