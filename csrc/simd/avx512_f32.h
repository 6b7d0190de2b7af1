/* The vocabulary: one vector of 16 floats in an AVX-512 register. */
#include <immintrin.h>
#define T        float
#define TI       int32_t
#define SFX      f32
#define VLEN     16
typedef __m512 FN(vec);
#define vec            FN(vec)
typedef __mmask16 FN(vmask);
#define vmask          FN(vmask)
#define v_load(p)      _mm512_loadu_ps(p)
#define v_store(p, v)  _mm512_storeu_ps(p, v)
#define v_stream(p, v) _mm512_stream_ps(p, v)              /* p aligned to the vector; past the caches */
#define v_set(s)       _mm512_set1_ps(s)
#define v_zero()       _mm512_setzero_ps()
#define v_add(a, b)    _mm512_add_ps(a, b)
#define v_sub(a, b)    _mm512_sub_ps(a, b)
#define v_mul(a, b)    _mm512_mul_ps(a, b)
#define v_div(a, b)    _mm512_div_ps(a, b)
#define v_fma(a, b, c) _mm512_fmadd_ps(a, b, c)            /* a*b + c */
#define v_fnma(a, b, c) _mm512_fnmadd_ps(a, b, c)          /* c - a*b */
#define v_sqrt(a)      _mm512_sqrt_ps(a)
#define v_min(a, b)    _mm512_min_ps(a, b)                 /* b where either is NaN */
#define v_max(a, b)    _mm512_max_ps(a, b)                 /* b where either is NaN */
#define v_loadn(p, n)  _mm512_maskz_loadu_ps((vmask)((1u << (n)) - 1), p)       /* lanes past n are 0 */
#define v_storen(p, v, n) _mm512_mask_storeu_ps(p, (vmask)((1u << (n)) - 1), v)
#define v_abs(a)       _mm512_abs_ps(a)
#define v_xor(a, b)    _mm512_xor_ps(a, b)
#define v_and(a, b)    _mm512_and_ps(a, b)
#define v_or(a, b)     _mm512_or_ps(a, b)
#define v_setbits(i)   _mm512_castsi512_ps(_mm512_set1_epi32(i))                 /* every lane holds these bits */
#define v_iadd(a, b)   _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b)))
#define v_shl(a, k)    _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(a), k))   /* the bits, as unsigned */
#define v_shr(a, k)    _mm512_castsi512_ps(_mm512_srli_epi32(_mm512_castps_si512(a), k))
#define v_ldexp(a, n)  _mm512_scalef_ps(a, n)                                    /* a * 2^n */
#define v_round(a)     _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define v_floor(a)     _mm512_roundscale_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)
#define v_ceil(a)      _mm512_roundscale_ps(a, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC)
#define v_trunc(a)     _mm512_roundscale_ps(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC)
#define v_lt(a, b)     _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ)
#define v_le(a, b)     _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ)
#define v_gt(a, b)     _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ)
#define v_ge(a, b)     _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ)
#define v_eq(a, b)     _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ)
#define v_ne(a, b)     _mm512_cmp_ps_mask(a, b, _CMP_NEQ_UQ)
#define v_nan(a)       _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q)
#define v_select(m, a, b) _mm512_mask_blend_ps(m, b, a)                          /* m ? a : b */
#define m_and(a, b)    ((vmask)((a) & (b)))
#define m_or(a, b)     ((vmask)((a) | (b)))
#define m_not(a)       ((vmask)~(a))
#define m_bits(m)      ((uint32_t)(vmask)(m) & 0xffffu)                     /* lane l -> bit l */
#define v_sum(a)       _mm512_reduce_add_ps(a)
#define v_hmax(a)      _mm512_reduce_max_ps(a)
#define v_hmin(a)      _mm512_reduce_min_ps(a)

#define v_storeb(q, v, n) _mm_mask_storeu_epi8(q, (__mmask16)((1u << (n)) - 1), _mm512_cvtepi32_epi8(_mm512_castps_si512(v)))   /* the low byte of n lanes */
#define m_byteq(q, k)  ((vmask)_mm_cmpeq_epi8_mask(_mm_loadu_si128((const __m128i *)(q)), _mm_set1_epi8((char)(k))))   /* lanes whose byte is k */
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
  const vec ab = v_add(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
  const vec cd = v_add(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
  const vec s = v_add(_mm512_shuffle_ps(ab, cd, 0x44), _mm512_shuffle_ps(ab, cd, 0xee));
  const __m256 h = _mm256_add_ps(_mm512_castps512_ps256(s), _mm512_extractf32x8_ps(s, 1));
  _mm_storeu_ps(p, _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1)));
}
#define v_sum4 FN(v_sum4)
/* r[i][l] <-> r[l][i] */
static inline __attribute__((always_inline)) void FN(v_transpose)(vec *r)
{
  vec t[16];
  #pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) { t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]); t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]); }
  #pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);         r[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xee);
    r[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44); r[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
  #pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    t[i] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);          t[i + 4] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
    t[i + 8] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88); t[i + 12] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
  }
  #pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    r[i] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88);         r[i + 8] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0xdd);
    r[i + 4] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0x88); r[i + 12] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0xdd);
  }
}
#define v_transpose FN(v_transpose)
