/* Normalisation and resizing. */
#if defined FN_KERNEL
#elif defined FN_BODIES
#elif !defined FN_NORM_GROUP
#define FN_NORM_GROUP
#include "fn.h"
#define FN_KERNEL(name) FN_##name,
enum { FN_BEFORE_norm = FN_GROUP_norm * FN_GROUP_SIZE - 1,
#include "groups/norm.h"
};
#undef FN_KERNEL
#endif
