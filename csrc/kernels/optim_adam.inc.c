/* Adam and its relatives. */

/* The parameter after decoupled decay, the gradient, and the new averages of it and of its square. */
typedef struct { vec p, d, s, q; } FN(adam_moments);
typedef struct { vec decay, keep, lerp, beta2, rest2; } FN(adam_constants);

FN_INLINE FN(adam_constants) FN(adam_constants_of)(const fn_optim_args *a, double lr)
{
  return (FN(adam_constants)){ v_set((T)a->weight_decay), v_set((T)(a->decoupled ? 1 - lr * a->weight_decay : 1)),
                               v_set((T)(1 - a->beta1)), v_set((T)a->beta2), v_set((T)(1 - a->beta2)) };
}

FN_INLINE FN(adam_moments) FN(adam_visit)(const fn_optim_args *a, const FN(adam_constants) *with, const T *p, const T *g, T *s, T *q, ptrdiff_t n)
{
  const vec p0 = FN(get)(p, n), d = FN(optim_gradient)(a, FN(get)(g, n), p0, with->decay), s0 = FN(get)(s, n);
  const vec s1 = v_fma(v_sub(d, s0), with->lerp, s0), q1 = v_fma(v_mul(d, with->rest2), d, v_mul(FN(get)(q, n), with->beta2));
  FN(put)(s, s1, n);
  FN(put)(q, q1, n);
  return (FN(adam_moments)){ v_mul(p0, with->keep), d, s1, q1 };
}

/* adam: s = { exp_avg, exp_avg_sq, max_exp_avg_sq if amsgrad }. */
FN_INLINE void FN(adam_run)(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates, const int full)
{
  if (*e->step != rates->step) {
    rates->step = *e->step;
    rates->c[0] = rates->lr / (1 - pow(a->beta1, rates->step));
    rates->c[1] = 1 / sqrt(1 - pow(a->beta2, rates->step));
  }
  T *p = (T *)e->p + at, *s = (T *)e->s[0] + at, *q = (T *)e->s[1] + at, *top = a->amsgrad ? (T *)e->s[2] + at : NULL;
  const T *g = (const T *)e->g + at;
  const vec size = v_set((T)rates->c[0]), unbias = v_set((T)rates->c[1]), eps = v_set((T)a->eps);
  const FN(adam_constants) with = FN(adam_constants_of)(a, rates->lr);
  for (ptrdiff_t i = 0; i < m; i += VLEN) {
    const ptrdiff_t n = full ? VLEN : m - i;
    const FN(adam_moments) x = FN(adam_visit)(a, &with, p + i, g + i, s + i, q + i, n);
    vec seen = x.q;
    if (top) FN(put)(top + i, seen = FN(reduce_join)(REDUCE_MAX, FN(get)(top + i, n), x.q), n);
    const vec ratio = v_div(x.s, v_fma(v_sqrt(seen), unbias, eps));
    FN(put)(p + i, v_fnma(size, ratio, x.p), n);
  }
}
#define OP adam
#include "kernels/optim_update.inc.c"

/* nadam: s = { exp_avg, exp_avg_sq }, extra = { mu_product }. */
static double FN(nadam_mu)(const fn_optim_args *a, double step) { return a->beta1 * (1 - 0.5 * pow(0.96, step * a->nadam_decay)); }
FN_INLINE void FN(nadam_run)(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates, const int full)
{
  const double mu = FN(nadam_mu)(a, *e->step), next = FN(nadam_mu)(a, *e->step + 1), product = *e->extra[0];
  T *p = (T *)e->p + at, *s = (T *)e->s[0] + at, *q = (T *)e->s[1] + at;
  const T *g = (const T *)e->g + at;
  const vec unbias = v_set((T)(1 / sqrt(1 - pow(a->beta2, *e->step)))), eps = v_set((T)a->eps);
  const vec now = v_set((T)(rates->lr * (1 - mu) / (1 - product))), ahead = v_set((T)(rates->lr * next / (1 - product * next)));
  const FN(adam_constants) with = FN(adam_constants_of)(a, rates->lr);
  for (ptrdiff_t i = 0; i < m; i += VLEN) {
    const ptrdiff_t n = full ? VLEN : m - i;
    const FN(adam_moments) x = FN(adam_visit)(a, &with, p + i, g + i, s + i, q + i, n);
    const vec move = v_div(v_fma(now, x.d, v_mul(ahead, x.s)), v_fma(v_sqrt(x.q), unbias, eps));
    FN(put)(p + i, v_sub(x.p, move), n);
  }
}
#define OP nadam
#include "kernels/optim_update.inc.c"

/* radam: s = { exp_avg, exp_avg_sq }. */
FN_INLINE void FN(radam_run)(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates, const int full)
{
  const double t = *e->step, power = pow(a->beta2, t), bias1 = 1 - pow(a->beta1, t), bias2 = 1 - power;
  const double limit = 2 / (1 - a->beta2) - 1, rho = limit - 2 * t * power / bias2;
  const int adaptive = rho > 5;
  const double rect = adaptive ? sqrt((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho) * bias2) : 1;
  T *p = (T *)e->p + at, *s = (T *)e->s[0] + at, *q = (T *)e->s[1] + at;
  const T *g = (const T *)e->g + at;
  const vec size = v_set((T)(rates->lr / bias1 * rect)), eps = v_set((T)a->eps);
  const FN(adam_constants) with = FN(adam_constants_of)(a, rates->lr);
  for (ptrdiff_t i = 0; i < m; i += VLEN) {
    const ptrdiff_t n = full ? VLEN : m - i;
    const FN(adam_moments) x = FN(adam_visit)(a, &with, p + i, g + i, s + i, q + i, n);
    FN(put)(p + i, v_fnma(size, adaptive ? v_div(x.s, v_add(v_sqrt(x.q), eps)) : x.s, x.p), n);
  }
}
#define OP radam
#include "kernels/optim_update.inc.c"

/* adamax: s = { exp_avg, exp_inf }. */
FN_INLINE void FN(adamax_run)(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates, const int full)
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
#define OP adamax
#include "kernels/optim_update.inc.c"
