/* The vocabulary without SIMD: a vector of one double. */
#define T        double
#define TI       int64_t
#define SFX      f64
#define VLEN     1
typedef double FN(vec);
#define vec            FN(vec)
typedef int FN(vmask);
#define vmask          FN(vmask)
#define v_load(p)      (*(const T *)(p))
#define v_store(p, v)  (*(p) = (v))
#define v_stream(p, v) (*(p) = (v))
#define v_set(s)       ((T)(s))
#define v_zero()       ((T)0)
#define v_add(a, b)    ((a) + (b))
#define v_sub(a, b)    ((a) - (b))
#define v_mul(a, b)    ((a) * (b))
#define v_div(a, b)    ((a) / (b))
#define v_fma(a, b, c) ((a) * (b) + (c))
#define v_fnma(a, b, c) ((c) - (a) * (b))
#define v_sqrt(a)      sqrt(a)
static inline T FN(v_min)(T a, T b) { return a < b ? a : b; }                    /* b where either is NaN */
static inline T FN(v_max)(T a, T b) { return a > b ? a : b; }
#define v_min          FN(v_min)
#define v_max          FN(v_max)
#define v_loadn(p, n)  ((n) > 0 ? *(const T *)(p) : (T)0)
#define v_storen(p, v, n) ((n) > 0 ? (void)(*(p) = (v)) : (void)0)
#define v_abs(a)       fabs(a)
static inline TI FN(bits)(T a) { TI i; memcpy(&i, &a, sizeof i); return i; }
static inline T FN(from_bits)(TI i) { T a; memcpy(&a, &i, sizeof a); return a; }
#define v_xor(a, b)    FN(from_bits)(FN(bits)(a) ^ FN(bits)(b))
#define v_and(a, b)    FN(from_bits)(FN(bits)(a) & FN(bits)(b))
#define v_or(a, b)     FN(from_bits)(FN(bits)(a) | FN(bits)(b))
#define v_setbits(i)   FN(from_bits)(i)                                          /* every lane holds these bits */
#define v_iadd(a, b)   FN(from_bits)((TI)((uint64_t)FN(bits)(a) + (uint64_t)FN(bits)(b)))
#define v_shl(a, k)    FN(from_bits)((TI)((uint64_t)FN(bits)(a) << (k)))         /* the bits, as unsigned */
#define v_shr(a, k)    FN(from_bits)((TI)((uint64_t)FN(bits)(a) >> (k)))
#define v_round(a)     rint(a)
#define v_floor(a)     floor(a)
#define v_ceil(a)      ceil(a)
#define v_trunc(a)     trunc(a)
#define v_lt(a, b)     ((a) < (b))
#define v_le(a, b)     ((a) <= (b))
#define v_gt(a, b)     ((a) > (b))
#define v_ge(a, b)     ((a) >= (b))
#define v_eq(a, b)     ((a) == (b))
#define v_ne(a, b)     ((a) != (b))
#define v_nan(a)       ((a) != (a))
#define v_select(m, a, b) ((m) ? (a) : (b))
#define m_and(a, b)    ((a) & (b))
#define m_or(a, b)     ((a) | (b))
#define m_not(a)       (!(a))
#define m_bits(m)      ((uint32_t)((m) != 0))
#define v_sum(a)       (a)
#define v_hmax(a)      (a)
#define v_hmin(a)      (a)
#include "simd/ldexp.h"
