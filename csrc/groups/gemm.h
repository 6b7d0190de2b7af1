/* Matrix products, and the convolutions that are made of them: they share the tile. */
#if defined FN_KERNEL
FN_KERNEL(gemm_plan)
FN_KERNEL(gemm)
FN_KERNEL(gemm_reduce)
FN_KERNEL(attention_forward)
FN_KERNEL(attention_backward)
FN_KERNEL(recurrent_pack)
FN_KERNEL(recurrent_forward)
FN_KERNEL(recurrent_backward)
FN_KERNEL(winograd_plan)
FN_KERNEL(winograd_filter)
FN_KERNEL(winograd_forward)
FN_KERNEL(winograd_input)
FN_KERNEL(winograd_output)
FN_KERNEL(winograd_weight)
FN_KERNEL(winograd_weight_finish)
FN_KERNEL(winograd_weight_patch)
#elif defined FN_BODIES
#include "kernels/tail.inc.c"
#include "kernels/philox.inc.c"
#include "kernels/gemm.inc.c"
#include "kernels/attention.inc.c"
#include "kernels/recurrent.inc.c"
#include "kernels/winograd.inc.c"
#elif !defined FN_GEMM_GROUP
#define FN_GEMM_GROUP
#include "kernels/gemm.h"
#include "kernels/random.h"
#include "kernels/attention.h"
#include "kernels/recurrent.h"
#include "kernels/winograd.h"
#define FN_KERNEL(name) FN_##name,
enum { FN_BEFORE_gemm = FN_GROUP_gemm * FN_GROUP_SIZE - 1,
#include "groups/gemm.h"
};
#undef FN_KERNEL
#endif
