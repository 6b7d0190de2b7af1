/* loss_<kind>: the values, their sums over a piece, and both derivatives. */

/* log(1 + exp(x)) without overflow. */
FN_INLINE vec FN(loss_softplus)(vec x)
{
  const vec big = v_select(v_gt(x, v_zero()), x, v_zero());
  return v_select(v_nan(x), x, v_add(big, v_log1p(v_exp(v_sub(v_zero(), v_abs(x))))));
}

FN_INLINE vec FN(loss_sign)(vec x)
{
  return v_select(v_eq(x, v_zero()), v_zero(), v_or(v_and(x, v_set((T)-0.0)), v_set(1)));
}

FN_INLINE vec FN(log_clamped)(vec x)
{
  const vec floor = v_set(-100), y = v_log(x);
  return v_select(v_lt(y, floor), floor, y);
}

FN_INLINE vec FN(loss_value)(int kind, vec x, vec t, vec p, vec a)
{
  const vec d = v_sub(x, t), zero = v_zero(), one = v_set(1), half = v_set((T)0.5);
  if (kind == LOSS_MSE) return v_mul(d, d);
  if (kind == LOSS_L1) return v_abs(d);
  if (kind == LOSS_SMOOTH_L1) {
    const vec far = v_fnma(half, a, v_abs(d));
    return v_select(v_lt(v_abs(d), a), v_div(v_mul(half, v_mul(d, d)), a), far);
  }
  if (kind == LOSS_HUBER) return v_select(v_le(v_abs(d), a), v_mul(half, v_mul(d, d)), v_mul(a, v_fnma(half, a, v_abs(d))));
  if (kind == LOSS_BCE) {
    const vec yes = FN(log_clamped)(x), no = FN(log_clamped)(v_sub(one, x));
    return v_sub(v_mul(v_sub(t, one), no), v_mul(t, yes));
  }
  if (kind == LOSS_BCE_LOGITS) {                     /* (1 - t) x + (1 + (p - 1) t) log(1 + exp(-x)) */
    const vec weight = v_fma(v_sub(p, one), t, one);
    return v_fma(v_sub(one, t), x, v_mul(weight, FN(loss_softplus)(v_sub(zero, x))));
  }
  if (kind == LOSS_KL) return v_sub(v_select(v_eq(t, zero), zero, v_mul(t, v_log(t))), v_mul(t, x));
  if (kind == LOSS_KL_LOG) return v_mul(v_exp(t), v_sub(t, x));
  if (kind == LOSS_SOFT_MARGIN) return FN(loss_softplus)(v_sub(zero, v_mul(t, x)));
  const vec margin = v_sub(a, x), above = v_select(v_lt(margin, zero), zero, margin);
  return v_add(v_select(v_eq(t, one), zero, above), v_select(v_eq(t, v_set(-1)), zero, x));
}

FN_INLINE vec FN(loss_slope_x)(int kind, vec x, vec t, vec p, vec a)
{
  const vec d = v_sub(x, t), zero = v_zero(), one = v_set(1);
  if (kind == LOSS_MSE) return v_add(d, d);
  if (kind == LOSS_L1) return FN(loss_sign)(d);
  if (kind == LOSS_SMOOTH_L1) return v_select(v_lt(v_abs(d), a), v_div(d, a), FN(loss_sign)(d));
  if (kind == LOSS_HUBER) return v_select(v_le(v_abs(d), a), d, v_mul(a, FN(loss_sign)(d)));
  if (kind == LOSS_BCE) {
    const vec floor = v_set((T)1e-12), q = v_mul(v_sub(one, x), x);
    return v_div(d, v_select(v_lt(q, floor), floor, q));
  }
  if (kind == LOSS_BCE_LOGITS) return v_fnma(v_fma(v_sub(p, one), t, one), v_sigmoid(v_sub(zero, x)), v_sub(one, t));
  if (kind == LOSS_KL) return v_sub(zero, t);
  if (kind == LOSS_KL_LOG) return v_sub(zero, v_exp(t));
  if (kind == LOSS_SOFT_MARGIN) return v_sub(zero, v_mul(t, v_sigmoid(v_sub(zero, v_mul(t, x)))));
  const vec below = v_select(v_lt(x, a), v_set(-1), zero);
  return v_add(v_select(v_eq(t, one), zero, below), v_select(v_eq(t, v_set(-1)), zero, one));
}

FN_INLINE vec FN(loss_slope_t)(int kind, vec x, vec t, vec p, vec a)
{
  const vec zero = v_zero(), one = v_set(1);
  if (kind == LOSS_BCE) return v_sub(FN(log_clamped)(v_sub(one, x)), FN(log_clamped)(x));
  if (kind == LOSS_BCE_LOGITS) return v_sub(v_mul(v_sub(p, one), FN(loss_softplus)(v_sub(zero, x))), x);
  if (kind == LOSS_KL) return v_select(v_eq(t, zero), zero, v_sub(v_add(v_log(t), one), x));
  if (kind == LOSS_KL_LOG) return v_mul(v_exp(t), v_add(v_sub(t, x), one));
  if (kind == LOSS_SOFT_MARGIN) return v_sub(zero, v_mul(x, v_sigmoid(v_sub(zero, v_mul(t, x)))));
  if (kind == LOSS_HINGE) return zero;
  return v_sub(zero, FN(loss_slope_x)(kind, x, t, p, a));
}

/* y of one vector; m elements are there. */
FN_INLINE vec FN(loss_at)(int kind, const fn_loss_args *a, ptrdiff_t i, ptrdiff_t m, vec own)
{
  const T *x = a->x, *t = a->t, *w = a->w, *p = a->p;
  const vec y = FN(loss_value)(kind, FN(get)(x + i, m), FN(get)(t + i, m), p ? FN(get)(p + i, m) : v_set(1), own);
  return w ? v_mul(y, FN(get)(w + i, m)) : y;
}

FN_INLINE void FN(loss_walk)(int kind, const fn_loss_args *a, ptrdiff_t begin, ptrdiff_t end)
{
  const vec own = v_set((T)a->a);
  const int dear = kind == LOSS_BCE || kind == LOSS_BCE_LOGITS || kind == LOSS_KL || kind == LOSS_KL_LOG || kind == LOSS_SOFT_MARGIN;
  const int wide = dear ? 1 : 4;                     /* beside a logarithm the sum's latency does not show, and three copies of it would */
  for (ptrdiff_t c = begin; c < end; c++) {
    const ptrdiff_t stop = a->n - c * LOSS_PIECE < LOSS_PIECE ? a->n : (c + 1) * LOSS_PIECE;
    ptrdiff_t i = c * LOSS_PIECE;
    if (!a->part) {
      for (; i < stop; i += VLEN) FN(put)((T *)a->y + i, FN(loss_at)(kind, a, i, stop - i, own), stop - i);
      continue;
    }
    vec total = v_zero();
    while (i + wide * VLEN <= stop) {                /* as in reduce_run: accumulators that are folded, so that a sum is close to pairwise */
      const ptrdiff_t fold = stop - i < LOSS_FOLD * VLEN ? stop : i + LOSS_FOLD * VLEN;
      vec sum[4] = { v_zero(), v_zero(), v_zero(), v_zero() };
      for (; i + wide * VLEN <= fold; i += wide * VLEN) {
#pragma GCC unroll 4
        for (int u = 0; u < wide; u++) sum[u] = v_add(sum[u], FN(loss_at)(kind, a, i + u * VLEN, VLEN, own));
      }
      total = v_add(total, v_add(v_add(sum[0], sum[1]), v_add(sum[2], sum[3])));
    }
    for (; i < stop; i += VLEN) {
      const vec y = FN(loss_at)(kind, a, i, stop - i, own);
      total = v_add(total, stop - i < VLEN ? v_select(FN(first)(stop - i), y, v_zero()) : y);
    }
    ((T *)a->part)[c] = v_sum(total);
  }
}

FN_INLINE void FN(loss_walk_backward)(int kind, const fn_loss_args *a, ptrdiff_t begin, ptrdiff_t end)
{
  const T *x = a->x, *t = a->t, *w = a->w, *p = a->p, *gy = a->gy;
  const ptrdiff_t stop = end * LOSS_PIECE < a->n ? end * LOSS_PIECE : a->n;
  const vec own = v_set((T)a->a), one = v_set(1), scale = v_set((T)a->scale), whole = v_mul(v_set(*gy), scale);
  for (ptrdiff_t i = begin * LOSS_PIECE; i < stop; i += VLEN) {
    const ptrdiff_t m = stop - i;
    const vec x0 = FN(get)(x + i, m), t0 = FN(get)(t + i, m), p0 = p ? FN(get)(p + i, m) : one;
    vec g = a->gy_stride ? v_mul(FN(get)(gy + i, m), scale) : whole;
    if (w) g = v_mul(g, FN(get)(w + i, m));
    if (a->gx) FN(put)((T *)a->gx + i, v_mul(g, FN(loss_slope_x)(kind, x0, t0, p0, own)), m);
    if (a->gt) FN(put)((T *)a->gt + i, v_mul(g, FN(loss_slope_t)(kind, x0, t0, p0, own)), m);
  }
}

static void FN(loss_mse)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(loss_walk)(LOSS_MSE, p, begin, end); }
static void FN(loss_mse_backward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(loss_walk_backward)(LOSS_MSE, p, begin, end); }
static void FN(loss_l1)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(loss_walk)(LOSS_L1, p, begin, end); }
static void FN(loss_l1_backward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(loss_walk_backward)(LOSS_L1, p, begin, end); }
static void FN(loss_smooth_l1)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(loss_walk)(LOSS_SMOOTH_L1, p, begin, end); }
static void FN(loss_smooth_l1_backward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(loss_walk_backward)(LOSS_SMOOTH_L1, p, begin, end); }
static void FN(loss_huber)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(loss_walk)(LOSS_HUBER, p, begin, end); }
static void FN(loss_huber_backward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(loss_walk_backward)(LOSS_HUBER, p, begin, end); }
static void FN(loss_bce)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(loss_walk)(LOSS_BCE, p, begin, end); }
static void FN(loss_bce_backward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(loss_walk_backward)(LOSS_BCE, p, begin, end); }
static void FN(loss_bce_logits)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(loss_walk)(LOSS_BCE_LOGITS, p, begin, end); }
static void FN(loss_bce_logits_backward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(loss_walk_backward)(LOSS_BCE_LOGITS, p, begin, end); }
static void FN(loss_kl)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(loss_walk)(LOSS_KL, p, begin, end); }
static void FN(loss_kl_backward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(loss_walk_backward)(LOSS_KL, p, begin, end); }
static void FN(loss_kl_log)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(loss_walk)(LOSS_KL_LOG, p, begin, end); }
static void FN(loss_kl_log_backward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(loss_walk_backward)(LOSS_KL_LOG, p, begin, end); }
static void FN(loss_soft_margin)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(loss_walk)(LOSS_SOFT_MARGIN, p, begin, end); }
static void FN(loss_soft_margin_backward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(loss_walk_backward)(LOSS_SOFT_MARGIN, p, begin, end); }
static void FN(loss_hinge)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(loss_walk)(LOSS_HINGE, p, begin, end); }
static void FN(loss_hinge_backward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(loss_walk_backward)(LOSS_HINGE, p, begin, end); }
