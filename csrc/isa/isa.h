/* For the ISA translation units only: every header a kernel body may use, and the pasting of names. */
#include <math.h>
#include <string.h>
#include "fn.h"
#include "kernels/args.h"

#define FN_CAT_(a, b, c) a##_##b##_##c
#define FN_CAT(a, b, c)  FN_CAT_(a, b, c)
#define FN(name)         FN_CAT(name, SFX, ISA)      /* softmax_forward -> softmax_forward_f32_avx2 */

#define FN_INLINE static inline __attribute__((always_inline))   /* so that a constant argument selects a body */
#define FN_JOIN_(a, b)   a##_##b
#define FN_JOIN(a, b)    FN_JOIN_(a, b)              /* expands its arguments first, unlike ## */
