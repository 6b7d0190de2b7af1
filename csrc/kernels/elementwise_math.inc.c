/* Expressions too long for one line in unary, activation and binary. */
static inline vec FN(sign_of)(vec x, vec size)                                 /* size with the sign of x, 0 at 0 and NaN */
{
  const vec s = v_xor(size, v_and(x, v_set(-0.0)));
  return v_select(m_or(v_gt(x, v_zero()), v_lt(x, v_zero())), s, v_zero());
}

static inline vec FN(sigmoid_slope)(vec x)
{
  const vec s = v_sigmoid(x);
  return v_mul(s, v_sub(v_set(1), s));
}

static inline vec FN(silu_slope)(vec g, vec x)
{
  const vec s = v_sigmoid(x);
  return v_mul(g, v_mul(s, v_fma(x, v_sub(v_set(1), s), v_set(1))));
}

static inline vec FN(normal_cdf)(vec x) { return v_fma(v_set(0.5), v_erf(v_mul(x, v_set(0.70710678118654752))), v_set(0.5)); }

static inline vec FN(normal_pdf)(vec x)
{
  return v_mul(v_set(0.39894228040143268), v_exp(v_mul(v_mul(v_set(-0.5), x), x)));
}

static inline vec FN(gelu_tanh_inner)(vec x)                                /* sqrt(2/pi) (x + 0.044715 x^3) */
{
  return v_mul(v_mul(v_set(0.79788456080286536), x), v_fma(v_mul(v_set(0.044715), x), x, v_set(1)));
}

static inline vec FN(gelu_tanh_slope)(vec g, vec x)
{
  const vec t = v_tanh(FN(gelu_tanh_inner)(x)), left = v_fma(v_set(0.5), t, v_set(0.5));
  const vec inner = v_mul(v_set(0.79788456080286536), v_fma(v_mul(v_set(3 * 0.044715), x), x, v_set(1)));
  return v_mul(g, v_fma(v_mul(v_mul(v_set(0.5), x), v_fnma(t, t, v_set(1))), inner, left));
}

/* tanh(softplus(x)) = n / (n + 2), n = e (e + 2), e = exp(x); 1 long before the bound on x. */
static inline vec FN(mish_gate)(vec x, vec *e)
{
  *e = v_exp(v_min(v_set(20), x));
  const vec n = v_mul(*e, v_add(*e, v_set(2)));
  return v_div(n, v_add(n, v_set(2)));
}

static inline vec FN(mish_value)(vec x)
{
  vec e;
  return v_mul(x, FN(mish_gate)(x, &e));
}

static inline vec FN(mish_slope)(vec g, vec x)
{
  vec e, t = FN(mish_gate)(x, &e);
  const vec s = v_div(e, v_add(v_set(1), e));
  return v_mul(g, v_fma(v_mul(x, s), v_fnma(t, t, v_set(1)), t));
}

static inline vec FN(hardswish_slope)(vec g, vec x)
{
  const vec middle = v_mul(g, v_add(v_div(x, v_set(3)), v_set(0.5)));
  return v_select(v_le(x, v_set(-3)), v_zero(), v_select(v_lt(x, v_set(3)), middle, g));
}

static inline vec FN(softsign_slope)(vec g, vec x)
{
  const vec d = v_add(v_set(1), v_abs(x));
  return v_div(g, v_mul(d, d));
}

static inline vec FN(tanhshrink_slope)(vec g, vec x)
{
  const vec t = v_tanh(x);
  return v_mul(g, v_mul(t, t));
}

static inline vec FN(lerp_value)(vec start, vec end, vec weight)
{
  const vec d = v_sub(end, start);
  return v_select(v_lt(v_abs(weight), v_set(0.5)), v_fma(weight, d, start), v_fnma(d, v_sub(v_set(1), weight), end));
}

static double FN(floor_remainder)(double a, double b)
{
  const double r = fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

static double FN(floor_quotient)(double a, double b)
{
  if (b == 0) return a / b;
  const double r = fmod(a, b), q = (a - r) / b - (r != 0 && (r < 0) != (b < 0));
  if (q == 0) return copysign(0.0, a / b);
  return floor(q) + (q - floor(q) > 0.5);
}

static __attribute__((noinline)) vec FN(v_lanes2)(double (*f)(double, double), vec x, vec y)
{
  T a[VLEN], b[VLEN];
  v_store(a, x);
  v_store(b, y);
  for (int l = 0; l < VLEN; l++) a[l] = (T)f((double)a[l], (double)b[l]);
  return v_load(a);
}
#define v_lanes2 FN(v_lanes2)
