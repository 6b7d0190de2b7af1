/* <optimizer>_update: one visit of parameter, gradient and state.  Formulas: PyTorch's, operation by operation. */
typedef struct { double lr; float step; double c[6]; } FN(optim_rates);

/* <optimizer>_run: m elements of an entry from `at` on,
only whole vectors if full.  <optimizer>_body: both parts.  rates: what depends on the step, computed again only when the step differs. */
typedef void FN(optim_body)(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates);

FN_INLINE void FN(optim_walk)(const fn_optim_args *a, ptrdiff_t begin, ptrdiff_t end, FN(optim_body) *body)
{
  ptrdiff_t low = 0, high = a->entries;
  FN(optim_rates) rates = { .lr = *a->lr, .step = -1 };
  while (high - low > 1) {
    const ptrdiff_t mid = (low + high) / 2;
    if (a->entry[mid].chunk <= begin) low = mid;
    else high = mid;
  }
  for (const fn_optim_entry *e = a->entry + low; begin < end; e++) {
    ptrdiff_t at = (begin - e->chunk) * OPTIM_CHUNK;
    for (; at < e->n && begin < end; at += OPTIM_CHUNK, begin++)
      body(a, e, at, e->n - at < OPTIM_CHUNK ? e->n - at : OPTIM_CHUNK, &rates);
  }
}

/* The gradient with its sign and its weight decay. */
FN_INLINE vec FN(optim_gradient)(const fn_optim_args *a, vec g, vec p, vec decay)
{
  if (a->maximize) g = v_sub(v_zero(), g);
  return a->weight_decay != 0 && !a->decoupled ? v_fma(p, decay, g) : g;
}

/* sgd: s = { momentum buffer } or none. */
FN_INLINE void FN(sgd_run)(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates,
                           const int full)
{
  T *p = (T *)e->p + at, *s = a->momentum != 0 ? (T *)e->s[0] + at : NULL;
  const T *g = (const T *)e->g + at;
  const vec lr = v_set((T)rates->lr), decay = v_set((T)a->weight_decay), mom = v_set((T)a->momentum), damp = v_set((T)(1 - a->dampening));
  for (ptrdiff_t i = 0; i < m; i += VLEN) {
    const ptrdiff_t n = full ? VLEN : m - i;
    const vec p0 = FN(get)(p + i, n);
    vec d = FN(optim_gradient)(a, FN(get)(g + i, n), p0, decay);
    if (s) {
      const vec b = e->first ? d : v_fma(mom, FN(get)(s + i, n), v_mul(damp, d));
      FN(put)(s + i, b, n);
      d = a->nesterov ? v_fma(mom, b, d) : b;
    }
    FN(put)(p + i, v_fnma(lr, d, p0), n);
  }
}

/* adam: s = { exp_avg, exp_avg_sq, max_exp_avg_sq if amsgrad }. */
FN_INLINE void FN(adam_run)(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates,
                            const int full)
{
  if (*e->step != rates->step) {
    rates->step = *e->step;
    rates->c[0] = rates->lr / (1 - pow(a->beta1, rates->step));
    rates->c[1] = 1 / sqrt(1 - pow(a->beta2, rates->step));
  }
  T *p = (T *)e->p + at, *s = (T *)e->s[0] + at, *q = (T *)e->s[1] + at, *top = a->amsgrad ? (T *)e->s[2] + at : NULL;
  const T *g = (const T *)e->g + at;
  const vec size = v_set((T)rates->c[0]), unbias = v_set((T)rates->c[1]), eps = v_set((T)a->eps), decay = v_set((T)a->weight_decay);
  const vec keep = v_set((T)(a->decoupled ? 1 - rates->lr * a->weight_decay : 1));
  const vec lerp = v_set((T)(1 - a->beta1)), beta2 = v_set((T)a->beta2), rest2 = v_set((T)(1 - a->beta2));
  for (ptrdiff_t i = 0; i < m; i += VLEN) {
    const ptrdiff_t n = full ? VLEN : m - i;
    const vec p0 = FN(get)(p + i, n), d = FN(optim_gradient)(a, FN(get)(g + i, n), p0, decay), s0 = FN(get)(s + i, n);
    const vec s1 = v_fma(v_sub(d, s0), lerp, s0), q1 = v_fma(v_mul(d, rest2), d, v_mul(FN(get)(q + i, n), beta2));
    vec seen = q1;
    FN(put)(s + i, s1, n);
    FN(put)(q + i, q1, n);
    if (top) FN(put)(top + i, seen = FN(reduce_join)(REDUCE_MAX, FN(get)(top + i, n), q1), n);
    const vec ratio = v_div(s1, v_fma(v_sqrt(seen), unbias, eps));
    FN(put)(p + i, v_fnma(size, ratio, v_mul(p0, keep)), n);
  }
}

/* nadam: s = { exp_avg, exp_avg_sq }, extra = { mu_product }. */
static double FN(nadam_mu)(const fn_optim_args *a, double step) { return a->beta1 * (1 - 0.5 * pow(0.96, step * a->nadam_decay)); }
FN_INLINE void FN(nadam_run)(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates,
                             const int full)
{
  const double mu = FN(nadam_mu)(a, *e->step), next = FN(nadam_mu)(a, *e->step + 1), product = *e->extra[0];
  T *p = (T *)e->p + at, *s = (T *)e->s[0] + at, *q = (T *)e->s[1] + at;
  const T *g = (const T *)e->g + at;
  const vec unbias = v_set((T)(1 / sqrt(1 - pow(a->beta2, *e->step)))), eps = v_set((T)a->eps), decay = v_set((T)a->weight_decay);
  const vec keep = v_set((T)(a->decoupled ? 1 - rates->lr * a->weight_decay : 1));
  const vec now = v_set((T)(rates->lr * (1 - mu) / (1 - product))), ahead = v_set((T)(rates->lr * next / (1 - product * next)));
  const vec lerp = v_set((T)(1 - a->beta1)), beta2 = v_set((T)a->beta2), rest2 = v_set((T)(1 - a->beta2));
  for (ptrdiff_t i = 0; i < m; i += VLEN) {
    const ptrdiff_t n = full ? VLEN : m - i;
    const vec p0 = FN(get)(p + i, n), d = FN(optim_gradient)(a, FN(get)(g + i, n), p0, decay), s0 = FN(get)(s + i, n);
    const vec s1 = v_fma(v_sub(d, s0), lerp, s0), q1 = v_fma(v_mul(d, rest2), d, v_mul(FN(get)(q + i, n), beta2));
    FN(put)(s + i, s1, n);
    FN(put)(q + i, q1, n);
    const vec move = v_div(v_fma(now, d, v_mul(ahead, s1)), v_fma(v_sqrt(q1), unbias, eps));
    FN(put)(p + i, v_sub(v_mul(p0, keep), move), n);
  }
}

/* radam: s = { exp_avg, exp_avg_sq }. */
FN_INLINE void FN(radam_run)(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates,
                             const int full)
{
  const double t = *e->step, power = pow(a->beta2, t), bias1 = 1 - pow(a->beta1, t), bias2 = 1 - power;
  const double limit = 2 / (1 - a->beta2) - 1, rho = limit - 2 * t * power / bias2;
  const int adaptive = rho > 5;
  const double rect = adaptive ? sqrt((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho) * bias2) : 1;
  T *p = (T *)e->p + at, *s = (T *)e->s[0] + at, *q = (T *)e->s[1] + at;
  const T *g = (const T *)e->g + at;
  const vec size = v_set((T)(rates->lr / bias1 * rect)), eps = v_set((T)a->eps), decay = v_set((T)a->weight_decay);
  const vec keep = v_set((T)(a->decoupled ? 1 - rates->lr * a->weight_decay : 1));
  const vec lerp = v_set((T)(1 - a->beta1)), beta2 = v_set((T)a->beta2), rest2 = v_set((T)(1 - a->beta2));
  for (ptrdiff_t i = 0; i < m; i += VLEN) {
    const ptrdiff_t n = full ? VLEN : m - i;
    const vec p0 = FN(get)(p + i, n), d = FN(optim_gradient)(a, FN(get)(g + i, n), p0, decay), s0 = FN(get)(s + i, n);
    const vec s1 = v_fma(v_sub(d, s0), lerp, s0), q1 = v_fma(v_mul(d, rest2), d, v_mul(FN(get)(q + i, n), beta2));
    FN(put)(s + i, s1, n);
    FN(put)(q + i, q1, n);
    FN(put)(p + i, v_fnma(size, adaptive ? v_div(s1, v_add(v_sqrt(q1), eps)) : s1, v_mul(p0, keep)), n);
  }
}

/* adamax: s = { exp_avg, exp_inf }. */
FN_INLINE void FN(adamax_run)(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates,
                              const int full)
{
  T *p = (T *)e->p + at, *s = (T *)e->s[0] + at, *q = (T *)e->s[1] + at;
  const T *g = (const T *)e->g + at;
  const vec size = v_set((T)(rates->lr / (1 - pow(a->beta1, *e->step)))), eps = v_set((T)a->eps), decay = v_set((T)a->weight_decay);
  const vec lerp = v_set((T)(1 - a->beta1)), beta2 = v_set((T)a->beta2);
  for (ptrdiff_t i = 0; i < m; i += VLEN) {
    const ptrdiff_t n = full ? VLEN : m - i;
    const vec p0 = FN(get)(p + i, n), d = FN(optim_gradient)(a, FN(get)(g + i, n), p0, decay), s0 = FN(get)(s + i, n);
    const vec s1 = v_fma(v_sub(d, s0), lerp, s0), q1 = FN(reduce_join)(REDUCE_MAX, v_mul(FN(get)(q + i, n), beta2), v_add(v_abs(d), eps));
    FN(put)(s + i, s1, n);
    FN(put)(q + i, q1, n);
    FN(put)(p + i, v_fnma(size, v_div(s1, q1), p0), n);
  }
}

/* lion: s = { exp_avg }. */
FN_INLINE void FN(lion_run)(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates,
                            const int full)
{
  T *p = (T *)e->p + at, *s = (T *)e->s[0] + at;
  const T *g = (const T *)e->g + at;
  const vec lr = v_set((T)rates->lr), decay = v_set((T)a->weight_decay), zero = v_zero(), minus = v_set((T)-0.0);
  const vec keep = v_set((T)(a->decoupled ? 1 - rates->lr * a->weight_decay : 1));
  const vec lerp1 = v_set((T)(1 - a->beta1)), lerp2 = v_set((T)(1 - a->beta2));
  for (ptrdiff_t i = 0; i < m; i += VLEN) {
    const ptrdiff_t n = full ? VLEN : m - i;
    const vec p0 = FN(get)(p + i, n), d = FN(optim_gradient)(a, FN(get)(g + i, n), p0, decay), s0 = FN(get)(s + i, n);
    const vec u = v_fma(v_sub(d, s0), lerp1, s0), step = v_select(v_eq(u, zero), zero, v_or(v_and(u, minus), lr));
    FN(put)(s + i, v_fma(v_sub(d, s0), lerp2, s0), n);
    FN(put)(p + i, v_sub(v_mul(p0, keep), v_select(v_nan(u), u, step)), n);
  }
}

static void FN(sgd_body)(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates)
{
  const ptrdiff_t f = m - m % VLEN;
  if (f) FN(sgd_run)(a, e, at, f, rates, 1);
  if (m > f) FN(sgd_run)(a, e, at + f, m - f, rates, 0);
}
static void FN(sgd_update)(const void *p, ptrdiff_t begin, ptrdiff_t end,
                           int thread) { (void)thread; FN(optim_walk)(p, begin, end, FN(sgd_body)); }
static void FN(adam_body)(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates)
{
  const ptrdiff_t f = m - m % VLEN;
  if (f) FN(adam_run)(a, e, at, f, rates, 1);
  if (m > f) FN(adam_run)(a, e, at + f, m - f, rates, 0);
}
static void FN(adam_update)(const void *p, ptrdiff_t begin, ptrdiff_t end,
                            int thread) { (void)thread; FN(optim_walk)(p, begin, end, FN(adam_body)); }
static void FN(nadam_body)(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates)
{
  const ptrdiff_t f = m - m % VLEN;
  if (f) FN(nadam_run)(a, e, at, f, rates, 1);
  if (m > f) FN(nadam_run)(a, e, at + f, m - f, rates, 0);
}
static void FN(nadam_update)(const void *p, ptrdiff_t begin, ptrdiff_t end,
                             int thread) { (void)thread; FN(optim_walk)(p, begin, end, FN(nadam_body)); }
static void FN(radam_body)(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates)
{
  const ptrdiff_t f = m - m % VLEN;
  if (f) FN(radam_run)(a, e, at, f, rates, 1);
  if (m > f) FN(radam_run)(a, e, at + f, m - f, rates, 0);
}
static void FN(radam_update)(const void *p, ptrdiff_t begin, ptrdiff_t end,
                             int thread) { (void)thread; FN(optim_walk)(p, begin, end, FN(radam_body)); }
static void FN(adamax_body)(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates)
{
  const ptrdiff_t f = m - m % VLEN;
  if (f) FN(adamax_run)(a, e, at, f, rates, 1);
  if (m > f) FN(adamax_run)(a, e, at + f, m - f, rates, 0);
}
static void FN(adamax_update)(const void *p, ptrdiff_t begin, ptrdiff_t end,
                              int thread) { (void)thread; FN(optim_walk)(p, begin, end, FN(adamax_body)); }
static void FN(lion_body)(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates)
{
  const ptrdiff_t f = m - m % VLEN;
  if (f) FN(lion_run)(a, e, at, f, rates, 1);
  if (m > f) FN(lion_run)(a, e, at + f, m - f, rates, 0);
}
static void FN(lion_update)(const void *p, ptrdiff_t begin, ptrdiff_t end,
                            int thread) { (void)thread; FN(optim_walk)(p, begin, end, FN(lion_body)); }

static void FN(optim_advance)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_optim_args *a = p;
  (void)thread;
  for (ptrdiff_t i = begin; i < end; i++) {
    const fn_optim_entry *e = a->entry + i;
    *e->step += 1;
    if (e->extra[0] && a->nadam_decay != 0) *e->extra[0] *= (float)FN(nadam_mu)(a, *e->step);
  }
}
