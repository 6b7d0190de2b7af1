/* x^y = exp(y log|x|) with the logarithm and the product as unevaluated sums hi + lo, so that large exponents keep every bit.
   log(m) = 2 s + s^3 (2/3 + s^2 Q(s^2)), s = (m - 1) / (m + 1).  Products are split by masks: exact without fused multiply-add too. */
typedef struct { vec hi, lo; } FN(pair);

static inline FN(pair) FN(sum2)(vec a, vec b)                              /* a + b exactly */
{
  const vec s = v_add(a, b), t = v_sub(s, a);
  return (FN(pair)){ s, v_add(v_sub(a, v_sub(s, t)), v_sub(b, t)) };
}

static inline FN(pair) FN(mul2)(vec a, vec b)                              /* a * b exactly */
{
  const vec mask = v_setbits(F32 ? (TI)~(TI)0xfff : (TI)~(TI)0x7ffffff);
  const vec ah = v_and(a, mask), al = v_sub(a, ah), bh = v_and(b, mask), bl = v_sub(b, bh), p = v_mul(a, b);
  const vec e = v_add(v_add(v_sub(v_mul(ah, bh), p), v_add(v_mul(ah, bl), v_mul(al, bh))), v_mul(al, bl));
  return (FN(pair)){ p, e };
}

/* log(x) for a normal x > 0, to about 1.5 times the digits of T. */
static inline FN(pair) FN(log_pair)(vec x)
{
  static const T q32[] = { 0.40000152642, 0.28547083782, 0.23419818406 };
  static const T q64[] = { 0.3999999999999999768, 0.2857142857143427255, 0.2222222221979542912, 0.1818181862791402377,
                           0.1538457155948515306, 0.1333580926687427004, 0.1168418735280512313, 0.1191755534313211402 };
  const vec one = v_set(1);
  vec e, m = FN(log_reduce)(x, &e);
  const vec f = v_sub(m, one);
  const FN(pair) u = FN(sum2)(m, one);
  FN(pair) s, z, c, r;
  s.hi = v_div(f, u.hi);
  r = FN(mul2)(s.hi, u.hi);
  s.lo = v_div(v_fnma(s.hi, u.lo, v_sub(v_sub(f, r.hi), r.lo)), u.hi);     /* what the quotient left over */
  z = FN(mul2)(s.hi, s.hi);
  z.lo = v_fma(v_add(s.hi, s.hi), s.lo, z.lo);
  const vec w = v_mul(z.hi, F32 ? v_poly(z.hi, q32, 3) : v_poly(z.hi, q64, 8));
  c = FN(sum2)(v_set(F32 ? 0x1.555556p-1 : 0x1.5555555555555p-1), w);
  c.lo = v_add(c.lo, v_set(F32 ? -0x1.555556p-26 : 0x1.5555555555555p-55));
  r = FN(mul2)(z.hi, c.hi);                                                /* z c */
  r.lo = v_add(r.lo, v_fma(z.hi, c.lo, v_mul(z.lo, c.hi)));
  c = FN(mul2)(r.hi, s.hi);                                                /* s z c */
  c.lo = v_add(c.lo, v_fma(r.hi, s.lo, v_mul(r.lo, s.hi)));
  const FN(pair) high = FN(sum2)(v_mul(e, LN2_HI), v_add(s.hi, s.hi));
  const FN(pair) all = FN(sum2)(high.hi, c.hi);
  const vec low = v_add(v_add(all.lo, high.lo), v_fma(e, LN2_LO, v_fma(v_set(2), s.lo, c.lo)));
  return FN(sum2)(all.hi, low);
}

static inline vec FN(v_pow)(vec x, vec y)
{
  const vec zero = v_zero(), one = v_set(1), a = v_abs(x), limit = v_set(F32 ? 0x1p32 : 0x1p64);
  const vec bounded = v_min(limit, v_max(v_sub(zero, limit), y));
  const FN(pair) l = FN(log_pair)(a), p = FN(mul2)(l.hi, bounded);
  const vec top = v_set(F32 ? 104.0 : 746.0);
  const vec hi = v_min(top, v_max(v_sub(zero, top), p.hi));
  const vec lo = v_select(v_lt(v_abs(p.hi), top), v_fma(l.lo, bounded, p.lo), zero);
  vec n, r = FN(exp_reduce)(hi, &n);
  vec power = v_ldexp(v_add(one, FN(exp_small)(v_add(r, lo))), n);
  const vmask falls = v_lt(y, zero), nan = m_or(v_nan(x), v_nan(y));
  power = v_select(v_lt(a, v_set(F32 ? 0x1p-126 : 0x1p-1022)), v_select(falls, V_INF, zero), power);
  power = v_select(v_eq(a, V_INF), v_select(falls, zero, V_INF), power);
  const vec half = v_mul(y, v_set(0.5));
  const vmask whole = v_eq(v_floor(y), y), odd = m_and(whole, v_ne(v_floor(half), half));
  power = v_select(m_and(v_lt(x, zero), m_not(m_or(whole, v_eq(a, V_INF)))), v_set(NAN), power);
  power = v_select(odd, v_or(power, v_and(x, v_set(-0.0))), power);
  power = v_select(nan, v_add(x, y), power);
  return v_select(m_or(v_eq(x, one), v_eq(y, zero)), one, power);
}
#define v_pow FN(v_pow)
