/* log.  x = 2^e m, m in [sqrt(1/2), sqrt(2)), f = m - 1, s = f / (2 + f):  log(1 + f) = f - f^2/2 + s (f^2/2 + R),
   R = s^2 P(s^2) from the series of 2 artanh(s); e ln2 joins in two parts. */

/* e and m of a normal x > 0 (anything else gives garbage, replaced later). */
static inline vec FN(log_reduce)(vec x, vec *e)
{
  const vec sqrt_half = v_set(0x1.6a09e667f3bcdp-1);
  const TI one = F32 ? (TI)0x3f800000 : (TI)0x3ff0000000000000, root = F32 ? (TI)0x3f3504f3 : (TI)0x3fe6a09e667f3bcd;
  const vec i = v_iadd(x, v_setbits(one - root));                          /* now the exponent field steps at sqrt(1/2) 2^k */
  const vec two_m = v_set(F32 ? 0x1p23 : 0x1p52);
  *e = v_sub(v_or(v_shr(i, MANTISSA), two_m), v_add(two_m, v_set(F32 ? 127 : 1023)));
  return v_iadd(v_and(i, v_setbits(((TI)1 << MANTISSA) - 1)), sqrt_half);
}

/* log(2^e (1 + f) + c 2^e): c is a correction far below an ULP of f, already divided by 1 + f. */
static inline vec FN(log_sum)(vec e, vec f, vec c)
{
  static const T c32[] = { 0.66666776717, 0.39977495586, 0.29873073205 };
  static const T c64[] = { 0.6666666666666734896, 0.3999999999941109235, 0.2857142874326268888, 0.2222219847598520038,
                           0.1818356973985346473, 0.153139032456537724, 0.1479750771886690206 };
  const vec s = v_div(f, v_add(v_set(2), f)), z = v_mul(s, s), half = v_mul(v_set(0.5), v_mul(f, f));
  const vec r = v_mul(z, F32 ? v_poly(z, c32, 3) : v_poly(z, c64, 7));
  const vec low = v_fma(s, v_add(half, r), v_fma(e, LN2_LO, c));
  return v_fma(e, LN2_HI, v_sub(f, v_sub(half, low)));
}

/* y where 0 < x < Inf; -Inf at 0, NaN below, x itself at Inf and NaN. */
static inline vec FN(log_special)(vec x, vec y)
{
  const vec tiny = v_set(F32 ? 0x1p-126 : 0x1p-1022);
  y = v_select(v_lt(x, V_INF), y, x);
  return v_select(v_lt(x, tiny), v_select(v_lt(x, v_zero()), v_set(NAN), v_set(-INFINITY)), y);
}

static inline vec FN(v_log)(vec x)
{
  vec e, m = FN(log_reduce)(x, &e);
  return FN(log_special)(x, FN(log_sum)(e, v_sub(m, v_set(1)), v_zero()));
}
#define v_log FN(v_log)

/* log(1 + x): the rounding error of u = 1 + x comes back as a correction. */
static inline vec FN(v_log1p)(vec x)
{
  const vec one = v_set(1), u = v_add(one, x);
  const vec lost = v_select(v_gt(x, one), v_sub(one, v_sub(u, x)), v_sub(x, v_sub(u, one)));
  vec e, m = FN(log_reduce)(u, &e);
  const vec y = FN(log_sum)(e, v_sub(m, one), v_div(lost, u));
  return v_or(FN(log_special)(u, y), v_and(x, v_set(-0.0)));               /* the sign of x: log1p(-0) is -0 */
}
#define v_log1p FN(v_log1p)

/* e + log(1 + f) / ln2: exact at powers of two. */
static inline vec FN(v_log2)(vec x)
{
  vec e, m = FN(log_reduce)(x, &e);
  const vec l = FN(log_sum)(v_zero(), v_sub(m, v_set(1)), v_zero());
  return FN(log_special)(x, v_fma(l, v_set(0x1.71547652b82fep+0), e));
}
#define v_log2 FN(v_log2)

/* e log10(2) in two parts + log(1 + f) / ln10. */
static inline vec FN(v_log10)(vec x)
{
  vec e, m = FN(log_reduce)(x, &e);
  const vec l = FN(log_sum)(v_zero(), v_sub(m, v_set(1)), v_zero());
  const vec hi = v_set(F32 ? 0x1.34p-2 : 0x1.34413509fp-2), lo = v_set(F32 ? 0x1.04d427de7fbccp-12 : 0x1.e7fbcc47c4acdp-40);
  return FN(log_special)(x, v_fma(e, hi, v_fma(l, v_set(0x1.bcb7b1526e50ep-2), v_mul(e, lo))));
}
#define v_log10 FN(v_log10)
