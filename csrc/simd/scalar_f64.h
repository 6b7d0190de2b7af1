/* The vocabulary without SIMD: a vector of one double. */
#define T        double
#define TI       int64_t
#define SFX      f64
typedef uint64_t FN(word);
#define v_sqrt(a)      sqrt(a)
#define v_abs(a)       fabs(a)
#define v_round(a)     rint(a)
#define v_floor(a)     floor(a)
#define v_ceil(a)      ceil(a)
#define v_trunc(a)     trunc(a)
#include "simd/scalar.h"
