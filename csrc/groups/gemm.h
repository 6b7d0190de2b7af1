/* Matrix products. */
#if defined FN_KERNEL
FN_KERNEL(gemm_plan)
FN_KERNEL(gemm)
FN_KERNEL(gemm_reduce)
#elif defined FN_BODIES
#include "kernels/gemm.inc.c"
#elif !defined FN_GEMM_GROUP
#define FN_GEMM_GROUP
#include "kernels/gemm.h"
#define FN_KERNEL(name) FN_##name,
enum { FN_BEFORE_gemm = FN_GROUP_gemm * FN_GROUP_SIZE - 1,
#include "groups/gemm.h"
};
#undef FN_KERNEL
#endif
