/* Normalisation and resizing. */
#if defined FN_KERNEL
FN_KERNEL(batch_norm_stats)
FN_KERNEL(batch_norm_merge)
FN_KERNEL(batch_norm_running)
FN_KERNEL(batch_norm_fixed)
FN_KERNEL(batch_norm_coef)
FN_KERNEL(batch_norm_forward)
FN_KERNEL(batch_norm_sums)
FN_KERNEL(batch_norm_gradient)
FN_KERNEL(batch_norm_weight)
FN_KERNEL(batch_norm_backward)
FN_KERNEL(layer_norm_forward)
FN_KERNEL(layer_norm_backward)
FN_KERNEL(layer_norm_weight)
FN_KERNEL(local_response_norm_forward)
FN_KERNEL(local_response_norm_backward)
FN_KERNEL(interpolate)
FN_KERNEL(grid_sample_forward)
FN_KERNEL(grid_sample_backward_grid)
FN_KERNEL(grid_sample_backward_input)
#elif defined FN_BODIES
#include "kernels/tail.inc.c"
#include "kernels/batch_norm.inc.c"
#include "kernels/batch_norm_merge.inc.c"
#include "kernels/layer_norm.inc.c"
#include "kernels/local_response_norm.inc.c"
#include "kernels/interpolate.inc.c"
#include "kernels/grid_sample.inc.c"
#elif !defined FN_NORM_GROUP
#define FN_NORM_GROUP
#include "kernels/batch_norm.h"
#include "kernels/layer_norm.h"
#include "kernels/local_response_norm.h"
#include "kernels/interpolate.h"
#include "kernels/grid_sample.h"
#define FN_KERNEL(name) FN_##name,
enum { FN_BEFORE_norm = FN_GROUP_norm * FN_GROUP_SIZE - 1,
#include "groups/norm.h"
};
#undef FN_KERNEL
#endif
