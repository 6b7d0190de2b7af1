/* cross_entropy: one read of the logits forward, one read and one write backward; a row is visited again only in cache. */

/* sum_c w[c] (lse - x[c]) over a row, with w = 1 where NULL. */
static T FN(smooth_sum)(const T *x, const T *w, T lse, ptrdiff_t n)
{
  const vec top = v_set(lse), one = v_set(1);
  vec a = v_zero();
  for (ptrdiff_t i = 0; i < n; i += VLEN) {
    const ptrdiff_t m = n - i < VLEN ? n - i : VLEN;
    a = v_fma(w ? FN(get)(w + i, m) : v_select(FN(first)(m), one, v_zero()), v_sub(top, FN(get)(x + i, m)), a);
  }
  return v_sum(a);
}

/* w q' of one vector of a row of probabilities. */
FN_INLINE vec FN(target_mass)(const T *q, const T *w, vec keep, vec floor, ptrdiff_t m)
{
  const vec mass = v_fma(FN(get)(q, m), keep, floor);
  return v_select(FN(first)(m), w ? v_mul(mass, FN(get)(w, m)) : mass, v_zero());
}

/* lse of at most VLEN short rows, transposed so that each row is a lane: no sum goes across a vector. */
enum { FN(SHORT_ROW) = 32 };
static vec FN(short_rows_lse)(const T *x, ptrdiff_t rows, ptrdiff_t n)
{
  T tile[FN(SHORT_ROW) * VLEN];
  for (ptrdiff_t l = 0; l < VLEN; l++) {
    const T *xr = x + (l < rows ? l : 0) * n;
    for (ptrdiff_t c = 0; c < n; c++) tile[c * VLEN + l] = xr[c];
  }
  vec max = v_load(tile), sum = v_zero();
  for (ptrdiff_t c = 1; c < n; c++) max = FN(reduce_join)(REDUCE_MAX, max, v_load(tile + c * VLEN));
  for (ptrdiff_t c = 0; c < n; c++) sum = v_add(sum, v_exp(v_sub(v_load(tile + c * VLEN), max)));
  return v_add(max, v_log(sum));
}

/* lse of some rows: their logarithms are taken together. */
static void FN(rows_lse)(const T *x, T *lse, ptrdiff_t rows, ptrdiff_t n)
{
  if (VLEN > 1 && n > 0 && n <= FN(SHORT_ROW)) {
    for (ptrdiff_t r = 0; r < rows; r += VLEN) FN(put)(lse + r, FN(short_rows_lse)(x + r * n, rows - r < VLEN ? rows - r : VLEN, n), rows - r);
    return;
  }
  for (ptrdiff_t r = 0; r < rows; r += VLEN) {
    const ptrdiff_t m = rows - r < VLEN ? rows - r : VLEN;
    T max[VLEN], sum[VLEN];
    for (ptrdiff_t l = 0; l < m; l++) {
      const T *xr = x + (r + l) * n;
      max[l] = FN(max_run)(xr, n);
      sum[l] = FN(exp_run)(xr, NULL, max[l], n);
    }
    FN(put)(lse + r, v_add(FN(get)(max, m), v_log(FN(get)(sum, m))), m);
  }
}

FN_INLINE T FN(index_loss)(const T *x, const T *w, T lse, ptrdiff_t n, T s, int64_t t)
{
  const T loss = (1 - s) * (w ? w[t] : 1) * (lse - x[t]);
  return s == 0 ? loss : loss + s / (T)n * FN(smooth_sum)(x, w, lse, n);
}

static T FN(prob_loss)(const T *x, const T *w, const T *q, T lse, ptrdiff_t n, T s)
{
  const vec keep = v_set(1 - s), floor = v_set(s / (T)n), top = v_set(lse), zero = v_zero();
  vec sum = v_zero();
  for (ptrdiff_t i = 0; i < n; i += VLEN) {
    const ptrdiff_t m = n - i < VLEN ? n - i : VLEN;
    const vec u = FN(target_mass)(q + i, w ? w + i : NULL, keep, floor, m);
    sum = v_add(sum, v_select(v_eq(u, zero), zero, v_mul(u, v_sub(top, FN(get)(x + i, m)))));
  }
  return v_sum(sum);
}

static void FN(cross_entropy_forward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_cross_entropy_forward_args *a = p;
  const T *w = a->weight, s = (T)a->smoothing;
  T *loss = a->loss, *mass = a->mass, *lse = a->lse;
  const ptrdiff_t n = a->n;
  (void)thread;
  for (ptrdiff_t r = begin; r < end; r++) {
    const T *x = (const T *)a->x + r * n;
    if ((r - begin) % VLEN == 0) FN(rows_lse)(x, lse + r, end - r < VLEN ? end - r : VLEN, n);
    mass[r] = 1;
    if (!a->index) loss[r] = FN(prob_loss)(x, w, (const T *)a->prob + r * n, lse[r], n, s);
    else if (a->index[r] == a->ignore) loss[r] = mass[r] = 0;
    else {
      loss[r] = FN(index_loss)(x, w, lse[r], n, s, a->index[r]);
      if (w) mass[r] = w[a->index[r]];
    }
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

/* nll: loss = -w[t] x[t]; the argument structs are those of cross_entropy, x holds log-probabilities. */
static void FN(nll_forward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_cross_entropy_forward_args *a = p;
  const T *w = a->weight;
  (void)thread;
  for (ptrdiff_t r = begin; r < end; r++) {
    const int64_t t = a->index[r];
    const T mass = t == a->ignore ? 0 : w ? w[t] : 1;
    ((T *)a->loss)[r] = t == a->ignore ? 0 : -mass * ((const T *)a->x)[r * a->n + t];
    ((T *)a->mass)[r] = mass;
  }
}

static void FN(nll_backward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_cross_entropy_backward_args *a = p;
  const T *w = a->weight, total = a->total ? *(const T *)a->total : 1;
  (void)thread;
  memset((T *)a->gx + begin * a->n, 0, (size_t)((end - begin) * a->n) * sizeof(T));
  for (ptrdiff_t r = begin; r < end; r++) {
    const int64_t t = a->index[r];
    if (t != a->ignore) ((T *)a->gx)[r * a->n + t] = -(w ? w[t] : 1) * ((const T *)a->gy)[r * a->gy_stride] / total;
  }
}
