/* What the vocabularies without SIMD share, which is nearly all; T, TI, FN(word) and the words that call the C library come from the includer. */
#define VLEN     1
typedef T FN(vec);
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
static inline T FN(v_min)(T a, T b) { return a < b ? a : b; }                    /* b where either is NaN */
static inline T FN(v_max)(T a, T b) { return a > b ? a : b; }
#define v_min          FN(v_min)
#define v_max          FN(v_max)
#define v_loadn(p, n)  ((n) > 0 ? *(const T *)(p) : (T)0)
#define v_storen(p, v, n) ((n) > 0 ? (void)(*(p) = (v)) : (void)0)
static inline TI FN(bits)(T a) { TI i; memcpy(&i, &a, sizeof i); return i; }
static inline T FN(from_bits)(TI i) { T a; memcpy(&a, &i, sizeof a); return a; }
#define v_xor(a, b)    FN(from_bits)(FN(bits)(a) ^ FN(bits)(b))
#define v_and(a, b)    FN(from_bits)(FN(bits)(a) & FN(bits)(b))
#define v_or(a, b)     FN(from_bits)(FN(bits)(a) | FN(bits)(b))
#define v_setbits(i)   FN(from_bits)(i)                                          /* every lane holds these bits */
#define v_iadd(a, b)   FN(from_bits)((TI)((FN(word))FN(bits)(a) + (FN(word))FN(bits)(b)))
#define v_shl(a, k)    FN(from_bits)((TI)((FN(word))FN(bits)(a) << (k)))         /* the bits, as unsigned */
#define v_shr(a, k)    FN(from_bits)((TI)((FN(word))FN(bits)(a) >> (k)))
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

#include "simd/bytes.h"
#define m_byteq(q, k)  (*(q) == (k))
#define v_keep(v)      ((void)(v))
/* GEMM: the tile of C in registers, the depth of a packed panel, and the words only GEMM needs. */
#define GEMM_MR   4                                        /* rows of the widest tile */
#define GEMM_NV   2                                        /* vectors of the widest tile */
#define GEMM_MT   4                                        /* rows of the narrower tiles */
#define GEMM_KC   256                                      /* rows of B in one packed panel */
#define GEMM_TAIL 0                                        /* narrower tiles are not worth their code */
#define GEMM_DOT  2                                        /* rows of a tile of dot products */
#define v_sum4(p, a, b, c, d) ((p)[0] = (a), (p)[1] = (b), (p)[2] = (c), (p)[3] = (d))
#define v_transpose(r) ((void)(r))
/* GEMM's vector: 16 bytes, which the compiler turns into SSE2 or NEON. */
#define GLEN           (16 / (int)sizeof(T))
typedef T FN(gvec) __attribute__((vector_size(16), aligned(sizeof(T)), may_alias));
typedef TI FN(gbits) __attribute__((vector_size(16)));
#define gvec           FN(gvec)
static inline gvec FN(g_max)(gvec a, gvec b)                                     /* b where either is NaN */
{
  const FN(gbits) m = a > b;
  return (gvec)((m & (FN(gbits))a) | (~m & (FN(gbits))b));
}
#define g_set(s)       ((s) - (gvec){ 0 })                                       /* s in every lane */
#define g_keep(v)      ((void)(v))
#define g_zero()       ((gvec){ 0 })
#define g_load(p)      (*(const gvec *)(p))
#define g_store(p, v)  (*(gvec *)(p) = (v))
#define g_loadn(p, n)  ((void)(n), g_load(p))                                    /* not used: GEMM_TAIL is 0 */
#define g_storen(p, v, n) ((void)(n), g_store(p, v))
#define g_add(a, b)    ((a) + (b))
#define g_fma(a, b, c) ((a) * (b) + (c))
#define g_max(a, b)    FN(g_max)(a, b)
