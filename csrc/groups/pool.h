/* Pooling, windows, and what moves pixels. */
#if defined FN_KERNEL
#elif defined FN_BODIES
#elif !defined FN_POOL_GROUP
#define FN_POOL_GROUP
#include "fn.h"
#define FN_KERNEL(name) FN_##name,
enum { FN_BEFORE_pool = FN_GROUP_pool * FN_GROUP_SIZE - 1,
#include "groups/pool.h"
};
#undef FN_KERNEL
#endif
