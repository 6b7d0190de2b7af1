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

/* 1 + exp(-x).  float32: what is added to 1 may be less exact than v_exp: at most 3.3 ULP of x / (1 + exp(-x)) where |x| < 16, 6.2 elsewhere. */
static inline vec FN(one_and_exp)(vec x)
{
  static const T c[] = { 1, -0.9999997063107, 0.499991478355, -0.16667638132, 0.041898160368, -0.008290272122 };
  if (!F32) return v_add(v_set(1), v_exp(v_sub(v_zero(), x)));
  const vec z = v_min(v_set(104), v_max(v_set(-89), x)), n = v_sub(v_fma(z, v_set(-0x1.715476p+0), MAGIC), MAGIC);
  return v_add(v_set(1), v_ldexp(v_poly(v_fma(n, v_set(0x1.62e43p-1), z), c, 6), n));
}

static inline vec FN(silu_slope)(vec g, vec x)
{
  const vec s = v_sigmoid(x);
  return v_mul(g, v_mul(s, v_fma(x, v_sub(v_set(1), s), v_set(1))));
}

/* 0.5 + x P(x^2) / Q(x^2), and beyond the edge 0 or 1.  float32 only: minimax to 1e-8, with rounding within 2e-7.  One division costs less than
   an exponential and the polynomials of erf. */
static inline __attribute__((always_inline)) vec FN(normal_rational)(vec x, double edge, const T *p, int np, const T *q, int nq)
{
  const vec half = v_set((T)0.5), z = v_mul(x, x), u = v_div(v_mul(x, v_poly(z, p, np)), v_poly(z, q, nq));
  return v_add(half, v_select(v_ge(v_abs(x), v_set((T)edge)), v_copysign(half, x), u));
}

/* The normal distribution function. */
static inline vec FN(normal_cdf)(vec x)
{
  static const T p[] = { 0.39894222156, 0.034376149046, 0.0047072620332, 0.00017385116738, 6.3565355724e-06, 2.2145288224e-08 };
  static const T q[] = { 1, 0.25283394017, 0.028940111906, 0.0019129806283, 7.5102066774e-05, 1.1802115217e-06 };
  if (F32) return v_max(v_zero(), FN(normal_rational)(x, 5.6, p, 6, q, 6));
  return v_fma(v_set(0.5), v_erf(v_mul(x, v_set(0.70710678118654752))), v_set(0.5));
}

/* The slope of x times it. */
static inline vec FN(gelu_slope)(vec x)
{
  static const T p[] = { 0.79788478977, -0.041516949588, 0.01452999671, -0.0001481583688, 3.3008327891e-05, -1.0087131723e-07,
                         2.785018256e-09, -1.5357563953e-11 };
  static const T q[] = { 1, 0.2813020117, 0.036971912949, 0.0029522956242, 0.00015020882637, 5.5567108427e-06 };
  if (F32) return FN(normal_rational)(x, 6, p, 8, q, 6);
  const vec pdf = v_mul(v_set(0.39894228040143268), v_exp(v_mul(v_mul(v_set(-0.5), x), x)));
  return v_fma(x, pdf, FN(normal_cdf)(x));
}

/* gelu in its tanh form is x / (1 + exp(-2u)), u = sqrt(2/pi) (x + 0.044715 x^3); this is 1 + exp(-2u). */
static inline vec FN(gelu_tanh_divisor)(vec x)
{
  return FN(one_and_exp)(v_mul(x, v_fma(v_mul(x, x), v_set(2 * 0.79788456080286536 * 0.044715), v_set(2 * 0.79788456080286536))));
}

static inline vec FN(gelu_tanh_slope)(vec g, vec x)
{
  const vec s = v_div(v_set(1), FN(gelu_tanh_divisor)(x));
  const vec slope = v_fma(v_mul(x, x), v_set(6 * 0.79788456080286536 * 0.044715), v_set(2 * 0.79788456080286536));
  return v_mul(g, v_fma(v_mul(x, v_fnma(s, s, s)), slope, s));
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
