/* The vocabulary: one vector of 2 doubles in a NEON register. */
#include <arm_neon.h>
#define T        double
#define TI       int64_t
#define SFX      f64
#define VLEN     2
typedef float64x2_t FN(vec);
#define vec            FN(vec)
typedef uint64x2_t FN(vmask);
#define vmask          FN(vmask)
#define v_load(p)      vld1q_f64(p)
#define v_store(p, v)  vst1q_f64(p, v)
#define v_stream(p, v) vst1q_f64(p, v)
#define v_set(s)       vdupq_n_f64(s)
#define v_zero()       vdupq_n_f64(0)
#define v_add(a, b)    vaddq_f64(a, b)
#define v_sub(a, b)    vsubq_f64(a, b)
#define v_mul(a, b)    vmulq_f64(a, b)
#define v_div(a, b)    vdivq_f64(a, b)
#define v_fma(a, b, c) vfmaq_f64(c, a, b)                 /* a*b + c */
#define v_fnma(a, b, c) vfmsq_f64(c, a, b)                /* c - a*b */
#define v_sqrt(a)      vsqrtq_f64(a)
#define v_lt(a, b)     vcltq_f64(a, b)
#define v_le(a, b)     vcleq_f64(a, b)
#define v_gt(a, b)     vcgtq_f64(a, b)
#define v_ge(a, b)     vcgeq_f64(a, b)
#define v_eq(a, b)     vceqq_f64(a, b)
#define m_and(a, b)    vandq_u64(a, b)
#define m_or(a, b)     vorrq_u64(a, b)
#define m_not(a)       veorq_u64(a, vdupq_n_u64((uint64_t)-1))
#define v_ne(a, b)     m_not(v_eq(a, b))
#define v_nan(a)       m_not(v_eq(a, a))
#define v_select(m, a, b) vbslq_f64(m, a, b)              /* m ? a : b */
#define v_min(a, b)    v_select(v_lt(a, b), a, b)         /* b where either is NaN */
#define v_max(a, b)    v_select(v_gt(a, b), a, b)
#define v_abs(a)       vabsq_f64(a)
#define v_xor(a, b)    vreinterpretq_f64_u64(veorq_u64(vreinterpretq_u64_f64(a), vreinterpretq_u64_f64(b)))
#define v_and(a, b)    vreinterpretq_f64_u64(vandq_u64(vreinterpretq_u64_f64(a), vreinterpretq_u64_f64(b)))
#define v_or(a, b)     vreinterpretq_f64_u64(vorrq_u64(vreinterpretq_u64_f64(a), vreinterpretq_u64_f64(b)))
#define v_setbits(i)   vreinterpretq_f64_s64(vdupq_n_s64(i))  /* every lane holds these bits */
#define v_iadd(a, b)   vreinterpretq_f64_s64(vaddq_s64(vreinterpretq_s64_f64(a), vreinterpretq_s64_f64(b)))
#define v_shl(a, k)    vreinterpretq_f64_u64(vshlq_u64(vreinterpretq_u64_f64(a), vdupq_n_s64(k)))    /* the bits, as unsigned */
#define v_shr(a, k)    vreinterpretq_f64_u64(vshlq_u64(vreinterpretq_u64_f64(a), vdupq_n_s64(-(k))))
#define v_round(a)     vrndnq_f64(a)
#define v_floor(a)     vrndmq_f64(a)
#define v_ceil(a)      vrndpq_f64(a)
#define v_trunc(a)     vrndq_f64(a)
#define v_sum(a)       vaddvq_f64(a)
#define v_hmax(a)      vmaxvq_f64(a)
#define v_hmin(a)      vminvq_f64(a)

static inline uint32_t FN(m_bits)(vmask m) { return (uint32_t)((vgetq_lane_u64(m, 0) & 1) | (vgetq_lane_u64(m, 1) & 2)); }
#define m_bits         FN(m_bits)                         /* lane l -> bit l */

static inline vec FN(v_loadn)(const T *p, ptrdiff_t n)    /* lanes past n are 0 */
{
  T lane[VLEN] = { 0 };
  for (ptrdiff_t l = 0; l < n; l++) lane[l] = p[l];
  return v_load(lane);
}
#define v_loadn        FN(v_loadn)
static inline void FN(v_storen)(T *p, vec v, ptrdiff_t n)
{
  T lane[VLEN];
  v_store(lane, v);
  for (ptrdiff_t l = 0; l < n; l++) p[l] = lane[l];
}
#define v_storen       FN(v_storen)
#include "simd/ldexp.h"

#include "simd/bytes.h"
static inline vmask FN(m_byteq)(const uint8_t *q, int k)
{
  const uint64_t lane[2] = { q[0], q[1] };
  return vceqq_u64(vld1q_u64(lane), vdupq_n_u64((uint64_t)k));
}
#define m_byteq        FN(m_byteq)
#define v_keep(v)      __asm__("" : "+w"(v))
/* GEMM: the tile of C in registers, the depth of a packed panel, and the words only GEMM needs. */
#define GEMM_MR   8                                        /* rows of the widest tile */
#define GEMM_NV   3                                        /* vectors of the widest tile */
#define GEMM_MT   8                                        /* rows of the narrower tiles */
#define GEMM_KC   512                                      /* rows of B in one packed panel */
#define GEMM_TAIL 0                                        /* a partial load goes through memory: pack instead */
#define GEMM_DOT  4                                        /* rows of a tile of dot products */
#include "simd/gemm_words.h"
/* The sums of four vectors, to p[0..3]. */
static inline void FN(v_sum4)(T *p, vec a, vec b, vec c, vec d)
{
  p[0] = v_sum(a); p[1] = v_sum(b); p[2] = v_sum(c); p[3] = v_sum(d);
}
#define v_sum4 FN(v_sum4)
/* r[i][l] <-> r[l][i] */
static inline __attribute__((always_inline)) void FN(v_transpose)(vec *r)
{
  const vec a = vzip1q_f64(r[0], r[1]), b = vzip2q_f64(r[0], r[1]);
  r[0] = a; r[1] = b;
}
#define v_transpose FN(v_transpose)
