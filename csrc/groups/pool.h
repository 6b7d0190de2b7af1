/* Pooling, depthwise convolution, and what moves pixels. */
#if defined FN_KERNEL
FN_KERNEL(max_pool_forward)
FN_KERNEL(max_pool_backward)
FN_KERNEL(max_pool_index)
FN_KERNEL(avg_pool_forward)
FN_KERNEL(avg_pool_backward)
FN_KERNEL(pad_forward)
FN_KERNEL(pad_backward)
FN_KERNEL(unfold)
FN_KERNEL(fold)
FN_KERNEL(depthwise_pack)
FN_KERNEL(depthwise_forward)
FN_KERNEL(depthwise_input)
FN_KERNEL(depthwise_weight)
FN_KERNEL(depthwise_reduce)
#elif defined FN_BODIES
#include "kernels/tail.inc.c"
#include "kernels/pool.inc.c"
#include "kernels/pool_backward.inc.c"
#include "kernels/pad.inc.c"
#include "kernels/unfold.inc.c"
#include "kernels/depthwise.inc.c"
#include "kernels/depthwise_backward.inc.c"
#elif !defined FN_POOL_GROUP
#define FN_POOL_GROUP
#include "kernels/pool.h"
#include "kernels/pad.h"
#include "kernels/unfold.h"
#include "kernels/depthwise.h"
#define FN_KERNEL(name) FN_##name,
enum { FN_BEFORE_pool = FN_GROUP_pool * FN_GROUP_SIZE - 1,
#include "groups/pool.h"
};
#undef FN_KERNEL
#endif
