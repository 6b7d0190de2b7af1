/* Convolutions. */
#if defined FN_KERNEL
#elif defined FN_BODIES
#elif !defined FN_CONV_GROUP
#define FN_CONV_GROUP
#include "kernels/conv.h"
#define FN_KERNEL(name) FN_##name,
enum { FN_BEFORE_conv = FN_GROUP_conv * FN_GROUP_SIZE - 1,
#include "groups/conv.h"
};
#undef FN_KERNEL
#endif
