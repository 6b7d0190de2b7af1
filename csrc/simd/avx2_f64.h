/* The vocabulary: one vector of 4 doubles in an AVX2 register. */
#include <immintrin.h>
#define T        double
#define TI       int64_t
#define SFX      f64
#define VLEN     4
typedef __m256d FN(vec);
#define vec            FN(vec)
typedef __m256d FN(vmask);
#define vmask          FN(vmask)
#define v_load(p)      _mm256_loadu_pd(p)
#define v_store(p, v)  _mm256_storeu_pd(p, v)
#define v_stream(p, v) _mm256_stream_pd(p, v)              /* p aligned to the vector; past the caches */
#define v_set(s)       _mm256_set1_pd(s)
#define v_zero()       _mm256_setzero_pd()
#define v_add(a, b)    _mm256_add_pd(a, b)
#define v_sub(a, b)    _mm256_sub_pd(a, b)
#define v_mul(a, b)    _mm256_mul_pd(a, b)
#define v_div(a, b)    _mm256_div_pd(a, b)
#define v_fma(a, b, c) _mm256_fmadd_pd(a, b, c)            /* a*b + c */
#define v_fnma(a, b, c) _mm256_fnmadd_pd(a, b, c)          /* c - a*b */
#define v_sqrt(a)      _mm256_sqrt_pd(a)
#define v_min(a, b)    _mm256_min_pd(a, b)                 /* b where either is NaN */
#define v_max(a, b)    _mm256_max_pd(a, b)                 /* b where either is NaN */
#define v_abs(a)       _mm256_andnot_pd(v_set((T)-0.0), a)
#define v_xor(a, b)    _mm256_xor_pd(a, b)
#define v_and(a, b)    _mm256_and_pd(a, b)
#define v_or(a, b)     _mm256_or_pd(a, b)
#define v_setbits(i)   _mm256_castsi256_pd(_mm256_set1_epi64x(i))                /* every lane holds these bits */
#define v_iadd(a, b)   _mm256_castsi256_pd(_mm256_add_epi64(_mm256_castpd_si256(a), _mm256_castpd_si256(b)))
#define v_shl(a, k)    _mm256_castsi256_pd(_mm256_slli_epi64(_mm256_castpd_si256(a), k))   /* the bits, as unsigned */
#define v_shr(a, k)    _mm256_castsi256_pd(_mm256_srli_epi64(_mm256_castpd_si256(a), k))
#define v_round(a)     _mm256_round_pd(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define v_floor(a)     _mm256_floor_pd(a)
#define v_ceil(a)      _mm256_ceil_pd(a)
#define v_trunc(a)     _mm256_round_pd(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC)
#define v_lt(a, b)     _mm256_cmp_pd(a, b, _CMP_LT_OQ)
#define v_le(a, b)     _mm256_cmp_pd(a, b, _CMP_LE_OQ)
#define v_gt(a, b)     _mm256_cmp_pd(a, b, _CMP_GT_OQ)
#define v_ge(a, b)     _mm256_cmp_pd(a, b, _CMP_GE_OQ)
#define v_eq(a, b)     _mm256_cmp_pd(a, b, _CMP_EQ_OQ)
#define v_ne(a, b)     _mm256_cmp_pd(a, b, _CMP_NEQ_UQ)
#define v_nan(a)       _mm256_cmp_pd(a, a, _CMP_UNORD_Q)
#define v_select(m, a, b) _mm256_blendv_pd(b, a, m)                              /* m ? a : b */
#define m_and(a, b)    _mm256_and_pd(a, b)
#define m_or(a, b)     _mm256_or_pd(a, b)
#define m_not(a)       _mm256_xor_pd(a, _mm256_castsi256_pd(_mm256_set1_epi32(-1)))
#define m_bits(m)      ((uint32_t)_mm256_movemask_pd(m))                         /* lane l -> bit l */

/* The first n lanes; n is 0..VLEN. */
static inline __m256i FN(lanes)(ptrdiff_t n)
{
  return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_set_epi64x(3, 2, 1, 0));
}
#define v_loadn(p, n)     _mm256_maskload_pd(p, FN(lanes)(n))                    /* lanes past n are 0 */
#define v_storen(p, v, n) _mm256_maskstore_pd(p, FN(lanes)(n), v)

static inline T FN(v_sum)(vec a)
{
  __m128d h = _mm_add_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1));
  return _mm_cvtsd_f64(_mm_add_sd(h, _mm_unpackhi_pd(h, h)));
}
#define v_sum FN(v_sum)
static inline T FN(v_hmax)(vec a)
{
  __m128d h = _mm_max_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1));
  return _mm_cvtsd_f64(_mm_max_sd(h, _mm_unpackhi_pd(h, h)));
}
#define v_hmax FN(v_hmax)
static inline T FN(v_hmin)(vec a)
{
  __m128d h = _mm_min_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1));
  return _mm_cvtsd_f64(_mm_min_sd(h, _mm_unpackhi_pd(h, h)));
}
#define v_hmin FN(v_hmin)
#include "simd/ldexp.h"

#include "simd/bytes.h"
#define m_byteq(q, k)  _mm256_castsi256_pd(_mm256_cmpeq_epi64(_mm256_cvtepu8_epi64(_mm_loadu_si32(q)), _mm256_set1_epi64x(k)))
#define v_keep(v)      __asm__("" : "+x"(v))
/* GEMM: the tile of C in registers, the depth of a packed panel, and the words only GEMM needs. */
#define GEMM_MR   6                                        /* rows of the widest tile */
#define GEMM_NV   2                                        /* vectors of the widest tile */
#define GEMM_MT   8                                        /* rows of the narrower tiles */
#define GEMM_KC   256                                      /* rows of B in one packed panel */
#define GEMM_TAIL 1                                        /* masked loads cost what plain ones cost */
#define GEMM_DOT  3                                        /* rows of a tile of dot products */
#include "simd/gemm_words.h"
/* The sums of four vectors, to p[0..3]. */
static inline void FN(v_sum4)(T *p, vec a, vec b, vec c, vec d)
{
  const vec ab = _mm256_hadd_pd(a, b), cd = _mm256_hadd_pd(c, d);
  v_store(p, v_add(_mm256_permute2f128_pd(ab, cd, 0x20), _mm256_permute2f128_pd(ab, cd, 0x31)));
}
#define v_sum4 FN(v_sum4)
/* r[i][l] <-> r[l][i] */
static inline __attribute__((always_inline)) void FN(v_transpose)(vec *r)
{
  const vec a = _mm256_unpacklo_pd(r[0], r[1]), b = _mm256_unpackhi_pd(r[0], r[1]);
  const vec c = _mm256_unpacklo_pd(r[2], r[3]), d = _mm256_unpackhi_pd(r[2], r[3]);
  r[0] = _mm256_permute2f128_pd(a, c, 0x20); r[1] = _mm256_permute2f128_pd(b, d, 0x20);
  r[2] = _mm256_permute2f128_pd(a, c, 0x31); r[3] = _mm256_permute2f128_pd(b, d, 0x31);
}
#define v_transpose FN(v_transpose)
