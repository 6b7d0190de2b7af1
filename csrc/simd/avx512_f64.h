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
