/* ctc_forward, ctc_backward: a step of all states at once, in logarithms. */

/* log(exp a + exp b + exp c) */
static inline vec FN(ctc_add)(vec a, vec b, vec c)
{
  const vec top = v_max(v_max(a, b), c), none = v_set(-(T)INFINITY), shift = v_select(v_eq(top, none), v_zero(), top);
  const vec sum = v_add(v_add(v_exp(v_sub(a, shift)), v_exp(v_sub(b, shift))), v_exp(v_sub(c, shift)));
  return v_add(shift, v_log(sum));
}

static inline ptrdiff_t FN(ctc_class)(const fn_ctc_args *a, ptrdiff_t n, ptrdiff_t state)
{
  return (ptrdiff_t)(state % 2 ? a->targets[a->starts[n] + state / 2] : a->blank);
}

/* skip[s] = 0 where state s may be entered from s - 2: a label that differs from the one before; else -inf. */
static void FN(ctc_skips)(const fn_ctc_args *a, ptrdiff_t n, ptrdiff_t states, T *skip)
{
  for (ptrdiff_t s = 0; s < a->width; s++) skip[s] = -(T)INFINITY;
  for (ptrdiff_t s = 3; s < states; s += 2) if (FN(ctc_class)(a, n, s) != FN(ctc_class)(a, n, s - 2)) skip[s] = 0;
}

static void FN(ctc_emit)(const fn_ctc_args *a, ptrdiff_t n, ptrdiff_t t, ptrdiff_t states, T *to)
{
  const T *x = (const T *)a->x + (t * a->sequences + n) * a->classes;
  for (ptrdiff_t s = 0; s < states; s++) to[s] = x[FN(ctc_class)(a, n, s)];
}

static T FN(ctc_total)(T a, T b)
{
  const double top = a > b ? a : b;
  return top == -INFINITY ? -(T)INFINITY : (T)(top + log(exp((double)a - top) + exp((double)b - top)));
}

static void FN(ctc_forward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_ctc_args *a = p;
  T *skip = (T *)a->scratch + thread * 4 * a->width, *emit = skip + a->width;
  for (ptrdiff_t n = begin; n < end; n++) {
    const ptrdiff_t states = 2 * a->target_lengths[n] + 1, steps = a->lengths[n];
    T *alpha = (T *)a->alpha + n * a->steps * a->width, *at = alpha;
    FN(ctc_skips)(a, n, states, skip);
    for (ptrdiff_t t = 0; t < steps; t++, at += a->width) {
      for (ptrdiff_t s = 0; s < a->width; s++) at[s] = -(T)INFINITY;
      FN(ctc_emit)(a, n, t, states, emit);
      if (t == 0) {
        at[CTC_LEAD] = emit[0];
        if (states > 1) at[CTC_LEAD + 1] = emit[1];
        continue;
      }
      const T *was = at - a->width;
      for (ptrdiff_t s = 0; s < states; s += VLEN) {
        const ptrdiff_t m = states - s;
        const vec sum = FN(ctc_add)(FN(get)(was + CTC_LEAD + s, m), FN(get)(was + CTC_LEAD + s - 1, m),
                                    v_add(FN(get)(was + CTC_LEAD + s - 2, m), FN(get)(skip + s, m)));
        FN(put)(at + CTC_LEAD + s, v_add(sum, FN(get)(emit + s, m)), m);
      }
    }
    const T *last = at - a->width + CTC_LEAD + states;
    T total = steps ? FN(ctc_total)(last[-1], states > 1 ? last[-2] : -(T)INFINITY) : states == 1 ? 0 : -(T)INFINITY;
    ((T *)a->loss)[n] = a->zero_infinity && total == -(T)INFINITY ? 0 : -total;
  }
}

static void FN(ctc_backward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_ctc_args *a = p;
  T *skip = (T *)a->scratch + thread * 4 * a->width, *emit = skip + a->width, *beta = emit + a->width, *next = beta + a->width;
  for (ptrdiff_t n = begin; n < end; n++) {
    const ptrdiff_t states = 2 * a->target_lengths[n] + 1, steps = a->lengths[n], row = a->sequences * a->classes;
    const T gy = ((const T *)a->gloss)[n], *alpha = (const T *)a->alpha + n * a->steps * a->width;
    T *gx = (T *)a->gx + n * a->classes;
    for (ptrdiff_t t = 0; t < a->steps; t++) memset(gx + t * row, 0, (size_t)a->classes * sizeof(T));
    if (steps == 0) continue;
    const T *last = alpha + (steps - 1) * a->width + CTC_LEAD + states;
    const T total = FN(ctc_total)(last[-1], states > 1 ? last[-2] : -(T)INFINITY);
    if (a->zero_infinity && total == -(T)INFINITY) continue;
    FN(ctc_skips)(a, n, states, skip);
    for (ptrdiff_t s = 0; s < a->width; s++) beta[s] = next[s] = -(T)INFINITY;
    beta[states - 1] = 0;
    if (states > 1) beta[states - 2] = 0;
    for (ptrdiff_t t = steps - 1; t >= 0; t--) {
      if (t < steps - 1) {                           /* next: what follows from t + 1 on, its own emission included */
        FN(ctc_emit)(a, n, t + 1, states, emit);
        for (ptrdiff_t s = 0; s < states; s++) next[s] = beta[s] + emit[s];
        for (ptrdiff_t s = 0; s < states; s += VLEN) {
          const ptrdiff_t m = states - s;
          FN(put)(beta + s, FN(ctc_add)(FN(get)(next + s, m), FN(get)(next + s + 1, m),
                                        v_add(FN(get)(next + s + 2, m), FN(get)(skip + s + 2, m))), m);
        }
      }
      const T *at = alpha + t * a->width + CTC_LEAD;
      for (ptrdiff_t s = 0; s < states; s++) gx[t * row + FN(ctc_class)(a, n, s)] -= gy * (T)exp((double)at[s] + (double)beta[s] - (double)total);
    }
  }
}
