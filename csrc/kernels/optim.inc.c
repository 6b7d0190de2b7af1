/* <optimizer>_update: one visit of parameter, gradient and state.  Formulas: PyTorch's, operation by operation.
   Each optimizer is a <optimizer>_run: m elements of an entry from `at` on, whole vectors alone if `full`. */

/* rates: what depends on the step, computed again only when the step differs. */
typedef struct { double lr; float step; double c[2]; } FN(optim_rates);
typedef void FN(optim_body)(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates);

/* The entry that owns a chunk. */
static inline const fn_optim_entry *FN(optim_owner)(const fn_optim_entry *entry, ptrdiff_t entries, ptrdiff_t chunk)
{
  ptrdiff_t low = 0, high = entries;
  while (high - low > 1) {
    const ptrdiff_t mid = (low + high) / 2;
    if (entry[mid].chunk <= chunk) low = mid;
    else high = mid;
  }
  return entry + low;
}

FN_INLINE void FN(optim_walk)(const fn_optim_args *a, ptrdiff_t begin, ptrdiff_t end, FN(optim_body) *body)
{
  FN(optim_rates) rates = { .lr = *a->lr, .step = -1 };
  for (const fn_optim_entry *e = FN(optim_owner)(a->entry, a->entries, begin); begin < end; e++) {
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
FN_INLINE void FN(sgd_run)(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates, const int full)
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
#define OP sgd
#include "kernels/optim_update.inc.c"

/* lion: s = { exp_avg }. */
FN_INLINE void FN(lion_run)(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates, const int full)
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
#define OP lion
#include "kernels/optim_update.inc.c"

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
#define OP rmsprop
#include "kernels/optim_update.inc.c"

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
#define OP adagrad
#include "kernels/optim_update.inc.c"

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
#define OP adadelta
#include "kernels/optim_update.inc.c"

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
#define OP rprop
#include "kernels/optim_update.inc.c"

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
#define OP asgd
#include "kernels/optim_update.inc.c"

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

#include "kernels/optim_adam.inc.c"

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
