/* cross_entropy: one read of the logits forward, one read and one write backward; a row is visited again only in cache. */

/* sum_c w[c] (lse - x[c]) over a row, with w = 1 where NULL; *k receives sum_c w[c]. */
static T FN(smooth_sum)(const T *x, const T *w, T lse, ptrdiff_t n, T *k)
{
  const vec top = v_set(lse), one = v_set(1);
  vec a = v_zero(), b = v_zero();
  for (ptrdiff_t i = 0; i < n; i += VLEN) {
    const ptrdiff_t m = n - i < VLEN ? n - i : VLEN;
    const vec wi = w ? FN(get)(w + i, m) : v_select(FN(first)(m), one, v_zero());
    a = v_fma(wi, v_sub(top, FN(get)(x + i, m)), a);
    b = v_add(b, wi);
  }
  *k = v_sum(b);
  return v_sum(a);
}

/* w q' of one vector of a row of probabilities. */
FN_INLINE vec FN(target_mass)(const T *q, const T *w, vec keep, vec floor, ptrdiff_t m)
{
  const vec mass = v_fma(FN(get)(q, m), keep, floor);
  return v_select(FN(first)(m), w ? v_mul(mass, FN(get)(w, m)) : mass, v_zero());
}

static void FN(cross_entropy_forward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_cross_entropy_forward_args *a = p;
  const T *w = a->weight, s = (T)a->smoothing;
  const ptrdiff_t n = a->n;
  (void)thread;
  for (ptrdiff_t r = begin; r < end; r++) {
    const T *x = (const T *)a->x + r * n, lse = FN(log_sum_exp)(x, n);
    T loss = 0, mass = 1, k;
    if (a->index) {
      const int64_t t = a->index[r];
      if (t == a->ignore) mass = 0;
      else {
        mass = w ? w[t] : 1;
        loss = (1 - s) * mass * (lse - x[t]);
        if (s != 0) loss += s / (T)n * FN(smooth_sum)(x, w, lse, n, &k);
      }
    } else {
      const T *q = (const T *)a->prob + r * n;
      const vec keep = v_set(1 - s), floor = v_set(s / (T)n), top = v_set(lse), zero = v_zero();
      vec sum = v_zero();
      for (ptrdiff_t i = 0; i < n; i += VLEN) {
        const ptrdiff_t m = n - i < VLEN ? n - i : VLEN;
        const vec u = FN(target_mass)(q + i, w ? w + i : NULL, keep, floor, m);
        sum = v_add(sum, v_select(v_eq(u, zero), zero, v_mul(u, v_sub(top, FN(get)(x + i, m)))));
      }
      loss = v_sum(sum);
    }
    ((T *)a->loss)[r] = loss;
    ((T *)a->mass)[r] = mass;
    ((T *)a->lse)[r] = lse;
  }
}

/* gx = exp(x - lse) k g - s / n w g, and the index gets its own part after. */
FN_INLINE void FN(cross_entropy_index_row)(const T *x, const T *w, T *gx, ptrdiff_t n, T lse, T kg, T sg, int64_t t, T hit)
{
  const vec top = v_set(lse), slope = v_set(kg), smooth = v_set(sg);
  ptrdiff_t i = 0;
  for (; i + VLEN <= n; i += VLEN) {
    const vec e = v_mul(v_exp(v_sub(v_load(x + i), top)), slope);
    v_store(gx + i, sg == 0 ? e : v_sub(e, w ? v_mul(smooth, v_load(w + i)) : smooth));
  }
  if (i < n) {
    const ptrdiff_t m = n - i;
    const vec e = v_mul(v_exp(v_sub(FN(get)(x + i, m), top)), slope);
    FN(put)(gx + i, sg == 0 ? e : v_sub(e, w ? v_mul(smooth, FN(get)(w + i, m)) : smooth), m);
  }
  gx[t] -= hit;
}

static void FN(cross_entropy_backward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_cross_entropy_backward_args *a = p;
  const T *w = a->weight, s = (T)a->smoothing, total = a->total ? *(const T *)a->total : 1;
  const ptrdiff_t n = a->n;
  T classes = (T)n;                                  /* sum of the class weights */
  (void)thread;
  if (w && s != 0) classes = FN(reduce_run)(REDUCE_SUM, w, n, 0);
  for (ptrdiff_t r = begin; r < end; r++) {
    const T *x = (const T *)a->x + r * n, lse = ((const T *)a->lse)[r], g = ((const T *)a->gy)[r * a->gy_stride] / total;
    T *gx = a->gx ? (T *)a->gx + r * n : NULL;
    if (a->index) {
      const int64_t t = a->index[r];
      if (t == a->ignore) { memset(gx, 0, (size_t)n * sizeof(T)); continue; }
      const T hit = (1 - s) * (w ? w[t] : 1);
      FN(cross_entropy_index_row)(x, w, gx, n, lse, g * (hit + s / (T)n * classes), g * s / (T)n, t, g * hit);
      continue;
    }
    const T *q = (const T *)a->prob + r * n;
    T *gq = a->gprob ? (T *)a->gprob + r * n : NULL;
    const vec keep = v_set(1 - s), floor = v_set(s / (T)n), top = v_set(lse), vg = v_set(g), kg = v_set(-g * (1 - s));
    vec sum = v_zero();
    for (ptrdiff_t i = 0; i < n; i += VLEN) sum = v_add(sum, FN(target_mass)(q + i, w ? w + i : NULL, keep, floor, n - i < VLEN ? n - i : VLEN));
    const vec k = v_set(v_sum(sum));
    for (ptrdiff_t i = 0; i < n; i += VLEN) {
      const ptrdiff_t m = n - i < VLEN ? n - i : VLEN;
      const vec d = v_sub(FN(get)(x + i, m), top), u = FN(target_mass)(q + i, w ? w + i : NULL, keep, floor, m);
      if (gq) FN(put)(gq + i, v_mul(kg, w ? v_mul(d, FN(get)(w + i, m)) : d), m);
      if (gx) FN(put)(gx + i, v_mul(vg, v_sub(v_mul(v_exp(d), k), u)), m);
    }
  }
}
