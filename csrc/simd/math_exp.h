/* exp and what follows from it.  x = n ln2 + r, |r| <= ln2/2, exp(x) = 2^n exp(r); exp(r) = 1 + r + r^2 P(r), P minimax in relative error. */
static inline vec FN(exp_reduce)(vec x, vec *n)
{
  *n = v_sub(v_fma(x, v_set(0x1.71547652b82fep+0), MAGIC), MAGIC);
  return v_fnma(*n, LN2_LO, v_fnma(*n, LN2_HI, x));
}

/* exp(r) - 1 for |r| <= ln2/2. */
static inline vec FN(exp_small)(vec r)
{
  static const T c32[] = { 0.49999993432, 0.16666520399, 0.041668390784, 0.0083687451067, 0.0013814540064 };
  static const T c64[] = { 0.5000000000000010669, 0.166666666666664115, 0.04166666666652972882, 0.008333333333494980443,
                           0.001388888894375989255, 0.0001984126950576604168, 0.00002480149294966483976, 2.755758681128234863e-6,
                           2.763030624796187495e-7, 2.500001637788809074e-8 };
  return v_fma(v_mul(r, r), F32 ? v_poly(r, c32, 5) : v_poly(r, c64, 10), r);
}

/* exp(x), for x already within the limits of v_exp. */
static inline vec FN(exp_bounded)(vec x)
{
  vec n, r = FN(exp_reduce)(x, &n);
  return v_ldexp(v_add(v_set(1), FN(exp_small)(r)), n);
}

static inline vec FN(v_exp)(vec x)
{
  x = v_min(v_set(F32 ? 89.0 : 710.0), v_max(v_set(F32 ? -104.0 : -746.0), x));         /* beyond: Inf and 0 */
  return FN(exp_bounded)(x);
}
#define v_exp FN(v_exp)

/* exp(x) - 1 without a sign: +0 where it should be -0.  x within the limits of v_expm1. */
static inline vec FN(expm1_bounded)(vec x)
{
  vec n, p = FN(exp_small)(FN(exp_reduce)(x, &n));
  return v_ldexp(v_add(p, v_sub(v_set(1), v_ldexp(v_set(1), v_sub(v_zero(), n)))), n);  /* 2^n (p + 1 - 2^-n) */
}

static inline vec FN(v_expm1)(vec x)
{
  const vec bounded = v_min(v_set(F32 ? 89.0 : 710.0), v_max(v_set(F32 ? -18.0 : -38.0), x));
  return v_copysign(FN(expm1_bounded)(bounded), x);
}
#define v_expm1 FN(v_expm1)

/* 1 / (1 + exp(-x)). */
static inline vec FN(v_sigmoid)(vec x)
{
  return v_div(v_set(1), v_add(v_set(1), v_exp(v_sub(v_zero(), x))));
}
#define v_sigmoid FN(v_sigmoid)

/* t / (t + 2) with t = exp(2|x|) - 1. */
static inline vec FN(v_tanh)(vec x)
{
  const vec a = v_min(v_set(F32 ? 10.0 : 20.0), v_abs(x));                              /* beyond: 1 */
  const vec t = FN(expm1_bounded)(v_add(a, a));
  return v_copysign(v_div(t, v_add(t, v_set(2))), x);
}
#define v_tanh FN(v_tanh)

/* 2^x. */
static inline vec FN(v_exp2)(vec x)
{
  x = v_min(v_set(F32 ? 129.0 : 1025.0), v_max(v_set(F32 ? -151.0 : -1076.0), x));
  const vec n = v_sub(v_add(x, MAGIC), MAGIC);
  return v_ldexp(v_add(v_set(1), FN(exp_small)(v_mul(v_sub(x, n), v_set(0x1.62e42fefa39efp-1)))), n);
}
#define v_exp2 FN(v_exp2)
