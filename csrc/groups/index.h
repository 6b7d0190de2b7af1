/* Random numbers, indexing, scans, and a loss that is one (CTC). */
#if defined FN_KERNEL
FN_KERNEL(random_uniform)
FN_KERNEL(random_normal)
FN_KERNEL(random_bernoulli)
FN_KERNEL(dropout)
FN_KERNEL(random_integers)
FN_KERNEL(index_bounds)
FN_KERNEL(index_select)
FN_KERNEL(gather)
FN_KERNEL(scatter)
FN_KERNEL(scatter_add)
FN_KERNEL(scatter_mul)
FN_KERNEL(index_get)
FN_KERNEL(index_put)
FN_KERNEL(index_put_add)
FN_KERNEL(cumsum)
FN_KERNEL(cumprod)
FN_KERNEL(cumprod_backward)
FN_KERNEL(ctc_forward)
FN_KERNEL(ctc_backward)
#elif defined FN_BODIES
#include "kernels/row.inc.c"
#include "kernels/tail.inc.c"
#include "kernels/random.inc.c"
#include "kernels/index.inc.c"
#include "kernels/index_put.inc.c"
#include "kernels/scan.inc.c"
#include "kernels/ctc.inc.c"
#elif !defined FN_INDEX_GROUP
#define FN_INDEX_GROUP
#include "kernels/random.h"
#include "kernels/index.h"
#include "kernels/index_put.h"
#include "kernels/scan.h"
#include "kernels/ctc.h"
#define FN_KERNEL(name) FN_##name,
enum { FN_BEFORE_index = FN_GROUP_index * FN_GROUP_SIZE - 1,
#include "groups/index.h"
};
#undef FN_KERNEL
#endif
