/* The vocabulary: one vector of 8 floats in an AVX2 register. */
#include <immintrin.h>
#define T        float
#define TI       int32_t
#define SFX      f32
#define VLEN     8
typedef __m256 FN(vec);
#define vec            FN(vec)
typedef __m256 FN(vmask);
#define vmask          FN(vmask)
#define v_load(p)      _mm256_loadu_ps(p)
#define v_store(p, v)  _mm256_storeu_ps(p, v)
#define v_stream(p, v) _mm256_stream_ps(p, v)              /* p aligned to the vector; past the caches */
#define v_set(s)       _mm256_set1_ps(s)
#define v_zero()       _mm256_setzero_ps()
#define v_add(a, b)    _mm256_add_ps(a, b)
#define v_sub(a, b)    _mm256_sub_ps(a, b)
#define v_mul(a, b)    _mm256_mul_ps(a, b)
#define v_div(a, b)    _mm256_div_ps(a, b)
#define v_fma(a, b, c) _mm256_fmadd_ps(a, b, c)            /* a*b + c */
#define v_fnma(a, b, c) _mm256_fnmadd_ps(a, b, c)          /* c - a*b */
#define v_sqrt(a)      _mm256_sqrt_ps(a)
#define v_min(a, b)    _mm256_min_ps(a, b)                 /* b where either is NaN */
#define v_max(a, b)    _mm256_max_ps(a, b)                 /* b where either is NaN */
#define v_abs(a)       _mm256_andnot_ps(v_set((T)-0.0), a)
#define v_xor(a, b)    _mm256_xor_ps(a, b)
#define v_and(a, b)    _mm256_and_ps(a, b)
#define v_or(a, b)     _mm256_or_ps(a, b)
#define v_setbits(i)   _mm256_castsi256_ps(_mm256_set1_epi32(i))                 /* every lane holds these bits */
#define v_iadd(a, b)   _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(a), _mm256_castps_si256(b)))
#define v_shl(a, k)    _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(a), k))   /* the bits, as unsigned */
#define v_shr(a, k)    _mm256_castsi256_ps(_mm256_srli_epi32(_mm256_castps_si256(a), k))
#define v_round(a)     _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define v_floor(a)     _mm256_floor_ps(a)
#define v_ceil(a)      _mm256_ceil_ps(a)
#define v_trunc(a)     _mm256_round_ps(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC)
#define v_lt(a, b)     _mm256_cmp_ps(a, b, _CMP_LT_OQ)
#define v_le(a, b)     _mm256_cmp_ps(a, b, _CMP_LE_OQ)
#define v_gt(a, b)     _mm256_cmp_ps(a, b, _CMP_GT_OQ)
#define v_ge(a, b)     _mm256_cmp_ps(a, b, _CMP_GE_OQ)
#define v_eq(a, b)     _mm256_cmp_ps(a, b, _CMP_EQ_OQ)
#define v_ne(a, b)     _mm256_cmp_ps(a, b, _CMP_NEQ_UQ)
#define v_nan(a)       _mm256_cmp_ps(a, a, _CMP_UNORD_Q)
#define v_select(m, a, b) _mm256_blendv_ps(b, a, m)                              /* m ? a : b */
#define m_and(a, b)    _mm256_and_ps(a, b)
#define m_or(a, b)     _mm256_or_ps(a, b)
#define m_not(a)       _mm256_xor_ps(a, _mm256_castsi256_ps(_mm256_set1_epi32(-1)))
#define m_bits(m)      ((uint32_t)_mm256_movemask_ps(m))                         /* lane l -> bit l */

/* The first n lanes; n is 0..VLEN. */
static inline __m256i FN(lanes)(ptrdiff_t n)
{
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0));
}
#define v_loadn(p, n)     _mm256_maskload_ps(p, FN(lanes)(n))                    /* lanes past n are 0 */
#define v_storen(p, v, n) _mm256_maskstore_ps(p, FN(lanes)(n), v)

static inline T FN(v_sum)(vec a)
{
  __m128 h = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  h = _mm_add_ps(h, _mm_movehl_ps(h, h));
  return _mm_cvtss_f32(_mm_add_ss(h, _mm_movehdup_ps(h)));
}
#define v_sum FN(v_sum)
static inline T FN(v_hmax)(vec a)
{
  __m128 h = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  h = _mm_max_ps(h, _mm_movehl_ps(h, h));
  return _mm_cvtss_f32(_mm_max_ss(h, _mm_movehdup_ps(h)));
}
#define v_hmax FN(v_hmax)
static inline T FN(v_hmin)(vec a)
{
  __m128 h = _mm_min_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  h = _mm_min_ps(h, _mm_movehl_ps(h, h));
  return _mm_cvtss_f32(_mm_min_ss(h, _mm_movehdup_ps(h)));
}
#define v_hmin FN(v_hmin)
#include "simd/ldexp.h"

#include "simd/bytes.h"
#define m_byteq(q, k)  _mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(q))), _mm256_set1_epi32(k)))
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
  const vec s = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
  _mm_storeu_ps(p, _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1)));
}
#define v_sum4 FN(v_sum4)
/* r[i][l] <-> r[l][i] */
static inline __attribute__((always_inline)) void FN(v_transpose)(vec *r)
{
  vec t[8];
  #pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) { t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]); t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]); }
  #pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
    r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);         r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
    r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44); r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
  #pragma GCC unroll 4
  for (int i = 0; i < 4; i++) { t[i] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x20); t[i + 4] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x31); }
  #pragma GCC unroll 8
  for (int i = 0; i < 8; i++) r[i] = t[i];
}
#define v_transpose FN(v_transpose)
