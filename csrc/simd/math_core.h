/* What every function of math.h is built from: the two parts of a constant, polynomials, signs. */
#define F32 (sizeof(T) == sizeof(float))                 /* a constant: the other branch is not compiled */
#define MANTISSA (F32 ? 23 : 52)
#define MAGIC v_set(F32 ? 0x1.8p23 : 0x1.8p52)           /* (x + MAGIC) - MAGIC is x rounded to an integer, |x| < 2^21 (2^50) */
#define LN2_HI v_set(F32 ? 0x1.63p-1 : 0x1.62e42feep-1)  /* few bits: n * LN2_HI is exact for every exponent n */
#define LN2_LO v_set(F32 ? -0x1.bd0106p-13 : 0x1.a39ef35793c76p-33)
#define V_INF v_set(INFINITY)

/* c[0] + c[1] x + ... + c[n-1] x^(n-1) */
static inline __attribute__((always_inline)) vec FN(v_poly)(vec x, const T *c, int n)
{
  vec y = v_set(c[n - 1]);
#pragma GCC unroll 32
  for (int i = n - 2; i >= 0; i--) y = v_fma(y, x, v_set(c[i]));
  return y;
}
#define v_poly FN(v_poly)

/* |a| with the sign of b, for a >= 0. */
static inline vec FN(v_copysign)(vec a, vec b) { return v_or(a, v_and(b, v_set(-0.0))); }
#define v_copysign FN(v_copysign)

/* 1/sqrt(x): one rounding for the root, one for the quotient. */
static inline vec FN(v_rsqrt)(vec x) { return v_div(v_set(1), v_sqrt(x)); }
#define v_rsqrt FN(v_rsqrt)
