/* The vocabulary without SIMD: a vector of one float. */
#define T        float
#define TI       int32_t
#define SFX      f32
typedef uint32_t FN(word);
#define v_sqrt(a)      sqrtf(a)
#define v_abs(a)       fabsf(a)
#define v_round(a)     rintf(a)
#define v_floor(a)     floorf(a)
#define v_ceil(a)      ceilf(a)
#define v_trunc(a)     truncf(a)
#include "simd/scalar.h"
