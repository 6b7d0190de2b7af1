/* For the ISA translation units only: every header a kernel body may use, and the pasting of names. */
#include <math.h>
#include <string.h>
#include "fn.h"

#define FN_QUOTE_(x)     #x
#define FN_QUOTE(x)      FN_QUOTE_(x)
#define FN_GROUP_FILE    FN_QUOTE(groups/GROUP.h)
#include FN_GROUP_FILE                               /* numbers and argument structs */
#define FN_BODIES                                    /* from now on it means the bodies */

#define FN_JOIN_(a, b)   a##_##b
#define FN_JOIN(a, b)    FN_JOIN_(a, b)              /* expands its arguments first, unlike ## */
#define FN_CAT_(a, b, c, d) a##_##b##_##c##_##d
#define FN_CAT(a, b, c, d)  FN_CAT_(a, b, c, d)
#define FN_OF(name, dtype)  FN_CAT(ISA, GROUP, name, dtype)
#define FN(name)            FN_OF(name, SFX)         /* softmax_forward -> avx2_rows_softmax_forward_f32 */
#define FN_TABLE            FN_JOIN(fn, FN_JOIN(ISA, GROUP))   /* fn_avx2_rows */

#ifndef FN_INLINE
#define FN_INLINE static inline __attribute__((always_inline))   /* so that a constant argument selects a body */
#endif
#define FN_FORGET(p) __asm__("" : "+r"(p) : : "memory")     /* the compiler knows neither p nor what memory holds any more */
