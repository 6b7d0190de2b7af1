/* The vocabulary: one vector of 8 doubles in an AVX-512 register. */
#include <immintrin.h>
#define T        double
#define TI       int64_t
#define SFX      f64
#define VLEN     8
typedef __m512d FN(vec);
#define vec            FN(vec)
typedef __mmask8 FN(vmask);
#define vmask          FN(vmask)
#define v_load(p)      _mm512_loadu_pd(p)
#define v_store(p, v)  _mm512_storeu_pd(p, v)
#define v_stream(p, v) _mm512_stream_pd(p, v)              /* p aligned to the vector; past the caches */
#define v_set(s)       _mm512_set1_pd(s)
#define v_zero()       _mm512_setzero_pd()
#define v_add(a, b)    _mm512_add_pd(a, b)
#define v_sub(a, b)    _mm512_sub_pd(a, b)
#define v_mul(a, b)    _mm512_mul_pd(a, b)
#define v_div(a, b)    _mm512_div_pd(a, b)
#define v_fma(a, b, c) _mm512_fmadd_pd(a, b, c)            /* a*b + c */
#define v_fnma(a, b, c) _mm512_fnmadd_pd(a, b, c)          /* c - a*b */
#define v_sqrt(a)      _mm512_sqrt_pd(a)
#define v_min(a, b)    _mm512_min_pd(a, b)                 /* b where either is NaN */
#define v_max(a, b)    _mm512_max_pd(a, b)                 /* b where either is NaN */
#define v_loadn(p, n)  _mm512_maskz_loadu_pd((vmask)((1u << (n)) - 1), p)       /* lanes past n are 0 */
#define v_storen(p, v, n) _mm512_mask_storeu_pd(p, (vmask)((1u << (n)) - 1), v)
#define v_abs(a)       _mm512_abs_pd(a)
#define v_xor(a, b)    _mm512_xor_pd(a, b)
#define v_and(a, b)    _mm512_and_pd(a, b)
#define v_or(a, b)     _mm512_or_pd(a, b)
#define v_setbits(i)   _mm512_castsi512_pd(_mm512_set1_epi64(i))                 /* every lane holds these bits */
#define v_iadd(a, b)   _mm512_castsi512_pd(_mm512_add_epi64(_mm512_castpd_si512(a), _mm512_castpd_si512(b)))
#define v_shl(a, k)    _mm512_castsi512_pd(_mm512_slli_epi64(_mm512_castpd_si512(a), k))   /* the bits, as unsigned */
#define v_shr(a, k)    _mm512_castsi512_pd(_mm512_srli_epi64(_mm512_castpd_si512(a), k))
#define v_ldexp(a, n)  _mm512_scalef_pd(a, n)                                    /* a * 2^n */
#define v_round(a)     _mm512_roundscale_pd(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define v_floor(a)     _mm512_roundscale_pd(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)
#define v_ceil(a)      _mm512_roundscale_pd(a, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC)
#define v_trunc(a)     _mm512_roundscale_pd(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC)
#define v_lt(a, b)     _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ)
#define v_le(a, b)     _mm512_cmp_pd_mask(a, b, _CMP_LE_OQ)
#define v_gt(a, b)     _mm512_cmp_pd_mask(a, b, _CMP_GT_OQ)
#define v_ge(a, b)     _mm512_cmp_pd_mask(a, b, _CMP_GE_OQ)
#define v_eq(a, b)     _mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ)
#define v_ne(a, b)     _mm512_cmp_pd_mask(a, b, _CMP_NEQ_UQ)
#define v_nan(a)       _mm512_cmp_pd_mask(a, a, _CMP_UNORD_Q)
#define v_select(m, a, b) _mm512_mask_blend_pd(m, b, a)                          /* m ? a : b */
#define m_and(a, b)    ((vmask)((a) & (b)))
#define m_or(a, b)     ((vmask)((a) | (b)))
#define m_not(a)       ((vmask)~(a))
#define m_bits(m)      ((uint32_t)(vmask)(m) & 0xffu)                     /* lane l -> bit l */
#define v_sum(a)       _mm512_reduce_add_pd(a)
#define v_hmax(a)      _mm512_reduce_max_pd(a)
#define v_hmin(a)      _mm512_reduce_min_pd(a)

#define v_storeb(q, v, n) _mm_mask_storeu_epi8(q, (__mmask16)((1u << (n)) - 1), _mm512_cvtepi64_epi8(_mm512_castpd_si512(v)))
#define m_byteq(q, k)  ((vmask)_mm_cmpeq_epi8_mask(_mm_loadl_epi64((const __m128i *)(q)), _mm_set1_epi8((char)(k))))
#define v_keep(v)      __asm__("" : "+v"(v))                                /* hold v in a register: do not load it again for each use */
/* GEMM: the tile of C in registers, the depth of a packed panel, and the words only GEMM needs. */
#define GEMM_MR   6                                        /* rows of the widest tile */
#define GEMM_NV   4                                        /* vectors of the widest tile */
#define GEMM_MT   8                                        /* rows of the narrower tiles */
#define GEMM_KC   256                                      /* rows of B in one packed panel */
#define GEMM_TAIL 1                                        /* masked loads cost what plain ones cost */
#define GEMM_DOT  4                                        /* rows of a tile of dot products */
#include "simd/gemm_words.h"
/* The sums of four vectors, to p[0..3]. */
static inline void FN(v_sum4)(T *p, vec a, vec b, vec c, vec d)
{
  const vec ab = v_add(_mm512_unpacklo_pd(a, b), _mm512_unpackhi_pd(a, b));
  const vec cd = v_add(_mm512_unpacklo_pd(c, d), _mm512_unpackhi_pd(c, d));
  const __m256d x = _mm256_add_pd(_mm512_castpd512_pd256(ab), _mm512_extractf64x4_pd(ab, 1));
  const __m256d y = _mm256_add_pd(_mm512_castpd512_pd256(cd), _mm512_extractf64x4_pd(cd, 1));
  _mm256_storeu_pd(p, _mm256_add_pd(_mm256_permute2f128_pd(x, y, 0x20), _mm256_permute2f128_pd(x, y, 0x31)));
}
#define v_sum4 FN(v_sum4)
/* r[i][l] <-> r[l][i] */
static inline __attribute__((always_inline)) void FN(v_transpose)(vec *r)
{
  vec t[8];
  #pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) { t[i] = _mm512_unpacklo_pd(r[i], r[i + 1]); t[i + 1] = _mm512_unpackhi_pd(r[i], r[i + 1]); }
  #pragma GCC unroll 2
  for (int i = 0; i < 2; i++) {
    r[i] = _mm512_shuffle_f64x2(t[i], t[i + 2], 0x88);         r[i + 2] = _mm512_shuffle_f64x2(t[i], t[i + 2], 0xdd);
    r[i + 4] = _mm512_shuffle_f64x2(t[i + 4], t[i + 6], 0x88); r[i + 6] = _mm512_shuffle_f64x2(t[i + 4], t[i + 6], 0xdd);
  }
  #pragma GCC unroll 4
  for (int i = 0; i < 4; i++) { t[i] = _mm512_shuffle_f64x2(r[i], r[i + 4], 0x88); t[i + 4] = _mm512_shuffle_f64x2(r[i], r[i + 4], 0xdd); }
  #pragma GCC unroll 8
  for (int i = 0; i < 8; i++) r[i] = t[i];
}
#define v_transpose FN(v_transpose)
