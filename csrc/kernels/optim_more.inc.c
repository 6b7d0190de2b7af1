/* The optimizers with one accumulator or none of Adam's moments, and the passes over gradients before a step. */

/* rmsprop: s = { square_avg, grad_avg if centered, momentum buffer if momentum }. */
FN_INLINE void FN(rmsprop_run)(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates, const int full)
{
  T *p = (T *)e->p + at, *q = (T *)e->s[0] + at, *mean = a->centered ? (T *)e->s[1] + at : NULL, *b = a->momentum != 0 ? (T *)e->s[2] + at : NULL;
  const T *g = (const T *)e->g + at;
  const vec lr = v_set((T)rates->lr), eps = v_set((T)a->eps), decay = v_set((T)a->weight_decay), mom = v_set((T)a->momentum);
  const vec alpha = v_set((T)a->alpha), rest = v_set((T)(1 - a->alpha));
  for (ptrdiff_t i = 0; i < m; i += VLEN) {
    const ptrdiff_t n = full ? VLEN : m - i;
    const vec p0 = FN(get)(p + i, n), d = FN(optim_gradient)(a, FN(get)(g + i, n), p0, decay);
    const vec q1 = v_fma(v_mul(d, rest), d, v_mul(FN(get)(q + i, n), alpha));
    vec square = q1;
    FN(put)(q + i, q1, n);
    if (mean) {
      const vec m0 = FN(get)(mean + i, n), m1 = v_fma(v_sub(d, m0), rest, m0);
      FN(put)(mean + i, m1, n);
      square = v_fnma(m1, m1, q1);
    }
    vec move = v_div(d, v_add(v_sqrt(square), eps));
    if (b) FN(put)(b + i, move = v_fma(FN(get)(b + i, n), mom, move), n);
    FN(put)(p + i, v_fnma(lr, move, p0), n);
  }
}

/* adagrad: s = { sum }. */
FN_INLINE void FN(adagrad_run)(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates, const int full)
{
  T *p = (T *)e->p + at, *q = (T *)e->s[0] + at;
  const T *g = (const T *)e->g + at;
  const vec lr = v_set((T)(rates->lr / (1 + (*e->step - 1) * a->lr_decay))), eps = v_set((T)a->eps), decay = v_set((T)a->weight_decay);
  for (ptrdiff_t i = 0; i < m; i += VLEN) {
    const ptrdiff_t n = full ? VLEN : m - i;
    const vec p0 = FN(get)(p + i, n), d = FN(optim_gradient)(a, FN(get)(g + i, n), p0, decay), q1 = v_fma(d, d, FN(get)(q + i, n));
    FN(put)(q + i, q1, n);
    FN(put)(p + i, v_fnma(lr, v_div(d, v_add(v_sqrt(q1), eps)), p0), n);
  }
}

/* adadelta: s = { square_avg, acc_delta }. */
FN_INLINE void FN(adadelta_run)(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates, const int full)
{
  T *p = (T *)e->p + at, *q = (T *)e->s[0] + at, *acc = (T *)e->s[1] + at;
  const T *g = (const T *)e->g + at;
  const vec lr = v_set((T)rates->lr), eps = v_set((T)a->eps), decay = v_set((T)a->weight_decay), rho = v_set((T)a->alpha), rest = v_set((T)(1 - a->alpha));
  for (ptrdiff_t i = 0; i < m; i += VLEN) {
    const ptrdiff_t n = full ? VLEN : m - i;
    const vec p0 = FN(get)(p + i, n), d = FN(optim_gradient)(a, FN(get)(g + i, n), p0, decay), acc0 = FN(get)(acc + i, n);
    const vec q1 = v_fma(v_mul(d, rest), d, v_mul(FN(get)(q + i, n), rho));
    const vec delta = v_mul(v_div(v_sqrt(v_add(acc0, eps)), v_sqrt(v_add(q1, eps))), d);
    FN(put)(q + i, q1, n);
    FN(put)(acc + i, v_fma(v_mul(delta, rest), delta, v_mul(acc0, rho)), n);
    FN(put)(p + i, v_fnma(lr, delta, p0), n);
  }
}

/* rprop: s = { prev, step_size }; beta1 and beta2 are the two etas, low and high the bounds of the step size. */
FN_INLINE void FN(rprop_run)(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates, const int full)
{
  T *p = (T *)e->p + at, *prev = (T *)e->s[0] + at, *size = (T *)e->s[1] + at;
  const T *g = (const T *)e->g + at;
  const vec zero = v_zero(), shrink = v_set((T)a->beta1), grow = v_set((T)a->beta2), low = v_set((T)a->low), high = v_set((T)a->high);
  const vec minus = v_set((T)-0.0);
  (void)rates;
  for (ptrdiff_t i = 0; i < m; i += VLEN) {
    const ptrdiff_t n = full ? VLEN : m - i;
    const vec d = FN(optim_gradient)(a, FN(get)(g + i, n), zero, zero), turn = v_mul(d, FN(get)(prev + i, n)), size0 = FN(get)(size + i, n);
    const vmask back = v_lt(turn, zero);
    const vec size1 = v_min(v_max(v_select(back, v_mul(size0, shrink), v_select(v_gt(turn, zero), v_mul(size0, grow), size0)), low), high);
    const vec used = v_select(back, zero, d), move = v_select(v_eq(used, zero), zero, v_or(v_and(used, minus), size1));
    FN(put)(size + i, size1, n);
    FN(put)(prev + i, used, n);
    FN(put)(p + i, v_sub(FN(get)(p + i, n), move), n);
  }
}

/* asgd: s = { ax }, extra = { eta, mu }. */
FN_INLINE void FN(asgd_run)(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates, const int full)
{
  T *p = (T *)e->p + at, *ax = (T *)e->s[0] + at;
  const T *g = (const T *)e->g + at;
  const float eta = *e->extra[0], mu = *e->extra[1];
  const vec decay = v_set((T)a->weight_decay), keep = v_set((T)(1 - a->lambd * eta)), step = v_set(eta), share = v_set(mu);
  (void)rates;
  for (ptrdiff_t i = 0; i < m; i += VLEN) {
    const ptrdiff_t n = full ? VLEN : m - i;
    const vec p0 = FN(get)(p + i, n), d = FN(optim_gradient)(a, FN(get)(g + i, n), p0, decay), p1 = v_fnma(step, d, v_mul(p0, keep));
    const vec ax0 = FN(get)(ax + i, n);
    FN(put)(ax + i, mu == 1 ? p1 : v_fma(v_sub(p1, ax0), share, ax0), n);
    FN(put)(p + i, p1, n);
  }
}

static void FN(rmsprop_body)(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates)
{
  const ptrdiff_t f = m - m % VLEN;
  if (f) FN(rmsprop_run)(a, e, at, f, rates, 1);
  if (m > f) FN(rmsprop_run)(a, e, at + f, m - f, rates, 0);
}
static void FN(rmsprop_update)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(optim_walk)(p, begin, end, FN(rmsprop_body)); }
static void FN(adagrad_body)(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates)
{
  const ptrdiff_t f = m - m % VLEN;
  if (f) FN(adagrad_run)(a, e, at, f, rates, 1);
  if (m > f) FN(adagrad_run)(a, e, at + f, m - f, rates, 0);
}
static void FN(adagrad_update)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(optim_walk)(p, begin, end, FN(adagrad_body)); }
static void FN(adadelta_body)(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates)
{
  const ptrdiff_t f = m - m % VLEN;
  if (f) FN(adadelta_run)(a, e, at, f, rates, 1);
  if (m > f) FN(adadelta_run)(a, e, at + f, m - f, rates, 0);
}
static void FN(adadelta_update)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(optim_walk)(p, begin, end, FN(adadelta_body)); }
static void FN(rprop_body)(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates)
{
  const ptrdiff_t f = m - m % VLEN;
  if (f) FN(rprop_run)(a, e, at, f, rates, 1);
  if (m > f) FN(rprop_run)(a, e, at + f, m - f, rates, 0);
}
static void FN(rprop_update)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(optim_walk)(p, begin, end, FN(rprop_body)); }
static void FN(asgd_body)(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates)
{
  const ptrdiff_t f = m - m % VLEN;
  if (f) FN(asgd_run)(a, e, at, f, rates, 1);
  if (m > f) FN(asgd_run)(a, e, at + f, m - f, rates, 0);
}
static void FN(asgd_update)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(optim_walk)(p, begin, end, FN(asgd_body)); }

static void FN(asgd_advance)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_optim_args *a = p;
  (void)thread;
  for (ptrdiff_t i = begin; i < end; i++) {
    const fn_optim_entry *e = a->entry + i;
    const double step = *e->step;
    *e->extra[0] = (float)(*a->lr / pow(1 + a->lambd * *a->lr * step, a->alpha));
    *e->extra[1] = (float)(1 / (step - a->t0 > 1 ? step - a->t0 : 1));
  }
}

/* The run of chunk c: its gradient and its length. */
static ptrdiff_t FN(grad_chunk)(const fn_grad_args *a, ptrdiff_t c, T **g)
{
  ptrdiff_t low = 0, high = a->entries;
  while (high - low > 1) {
    const ptrdiff_t mid = (low + high) / 2;
    if (a->entry[mid].chunk <= c) low = mid;
    else high = mid;
  }
  const ptrdiff_t at = (c - a->entry[low].chunk) * OPTIM_CHUNK, n = a->entry[low].n - at;
  *g = (T *)a->entry[low].g + at;
  return n < OPTIM_CHUNK ? n : OPTIM_CHUNK;
}

static void FN(grad_norm)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_grad_args *a = p;
  T *g;
  (void)thread;
  for (ptrdiff_t c = begin; c < end; c++) {
    const ptrdiff_t n = FN(grad_chunk)(a, c, &g);
    ((T *)a->part)[c] = a->kind == 2 ? FN(reduce_run)(REDUCE_SUMSQ, g, n, 0)
                      : a->kind == 1 ? FN(reduce_run)(REDUCE_SUMABS, g, n, 0) : FN(reduce_run)(REDUCE_MAXABS, g, n, 0);
  }
}

static void FN(grad_scale)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_grad_args *a = p;
  const vec k = v_set(*(const T *)a->factor);
  T *g;
  (void)thread;
  for (ptrdiff_t c = begin; c < end; c++) {
    const ptrdiff_t n = FN(grad_chunk)(a, c, &g);
    for (ptrdiff_t i = 0; i < n; i += VLEN) FN(put)(g + i, v_mul(FN(get)(g + i, n - i), k), n - i);
  }
}

static void FN(grad_clamp)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_grad_args *a = p;
  const vec low = v_set((T)a->low), high = v_set((T)a->high);
  T *g;
  (void)thread;
  for (ptrdiff_t c = begin; c < end; c++) {
    const ptrdiff_t n = FN(grad_chunk)(a, c, &g);
    for (ptrdiff_t i = 0; i < n; i += VLEN) FN(put)(g + i, v_min(high, v_max(low, FN(get)(g + i, n - i))), n - i);   /* NaN stays */
  }
}
