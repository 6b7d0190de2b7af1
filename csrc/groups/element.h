/* Elementwise kernels, a family a file; each family holds its names and its bodies. */
#if defined FN_KERNEL || defined FN_BODIES
#ifdef FN_KERNEL
#define FN_NAME(op) FN_KERNEL(op)                     /* expands op first */
#else
#include "kernels/row.inc.c"
#include "kernels/tail.inc.c"
#include "kernels/walk.inc.c"
#include "kernels/elementwise_math.inc.c"
#endif
#include "kernels/unary.inc.c"
#include "kernels/activation.inc.c"
#include "kernels/binary.inc.c"
#include "kernels/compare.inc.c"
#include "kernels/where.inc.c"
#include "kernels/cast.inc.c"
#undef FN_NAME
#elif !defined FN_ELEMENT_GROUP
#define FN_ELEMENT_GROUP
#include "kernels/elementwise.h"
#define FN_KERNEL(name) FN_##name,
enum { FN_BEFORE_element = FN_GROUP_element * FN_GROUP_SIZE - 1,
#include "groups/element.h"
};
#undef FN_KERNEL
#endif
