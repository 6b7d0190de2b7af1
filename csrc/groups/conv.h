/* Convolutions. */
#if defined FN_KERNEL
FN_KERNEL(conv_plan)
FN_KERNEL(conv_tables)
FN_KERNEL(conv_pack)
FN_KERNEL(conv_apply)
FN_KERNEL(conv_planar_pack)
FN_KERNEL(conv_planar)
FN_KERNEL(conv_planar_weight)
FN_KERNEL(conv_scatter_pack)
FN_KERNEL(conv_scatter)
FN_KERNEL(conv_weight)
FN_KERNEL(conv_weight_reduce)
#elif defined FN_BODIES
#include "kernels/conv.inc.c"
#elif !defined FN_CONV_GROUP
#define FN_CONV_GROUP
#include "kernels/conv.h"
#define FN_KERNEL(name) FN_##name,
enum { FN_BEFORE_conv = FN_GROUP_conv * FN_GROUP_SIZE - 1,
#include "groups/conv.h"
};
#undef FN_KERNEL
#endif
