/* softmax, log_softmax: three visits of a row in cache: maximum, exponentials and their sum, scaling.  Columns go side by side. */

/* These two are called, not inlined: they are long, and a call is nothing beside a row. */
static __attribute__((noinline)) T FN(max_run)(const T *x, ptrdiff_t n) { return FN(reduce_run)(REDUCE_MAX, x, n, 0); }

/* sum(exp(x - max)) of a row; y, if given, receives the exponentials. */
static __attribute__((noinline)) T FN(exp_run)(const T *x, T *y, T max, ptrdiff_t n)
{
  const vec vmax = v_set(max);
  vec a[4] = { v_zero(), v_zero(), v_zero(), v_zero() };
  ptrdiff_t i = 0;
  if (n < VLEN) {
    const vec e = v_exp(v_sub(v_loadn(x, n), vmax));
    if (y) v_storen(y, e, n);
    return v_sum(v_select(FN(first)(n), e, v_zero()));
  }
  for (; i + 4 * VLEN <= n; i += 4 * VLEN) {
#pragma GCC unroll 4
    for (int u = 0; u < 4; u++) {
      const vec e = v_exp(v_sub(v_load(x + i + u * VLEN), vmax));
      if (y) v_store(y + i + u * VLEN, e);
      a[u] = v_add(a[u], e);
    }
  }
  for (; i < n; i += VLEN) {
    const ptrdiff_t m = n - i < VLEN ? n - i : VLEN;
    const vec e = v_exp(v_sub(FN(get)(x + i, m), vmax));
    if (y) FN(put)(y + i, e, m);
    a[0] = v_add(a[0], v_select(FN(first)(m), e, v_zero()));
  }
  return v_sum(v_add(v_add(a[0], a[1]), v_add(a[2], a[3])));
}

FN_INLINE T FN(log_sum_exp)(const T *x, ptrdiff_t n)
{
  const T max = FN(max_run)(x, n);
  if (max == (T)INFINITY || max == -(T)INFINITY) return max;
  return max + (T)log((double)FN(exp_run)(x, NULL, max, n));
}

static void FN(reduce_logsumexp)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_reduce_args *a = p;
  (void)thread;
  for (ptrdiff_t r = begin; r < end; r++) {
    const ptrdiff_t block = r % a->blocks, oc = r / a->blocks, o = oc / a->chunks, k = oc % a->chunks * a->chunk;
    const ptrdiff_t n = a->n - k < a->chunk ? a->n - k : a->chunk, j0 = block * a->width;
    const ptrdiff_t j1 = a->inner - j0 < a->width ? a->inner : j0 + a->width, step = a->inner;
    const T *x = (const T *)a->x + (o * a->n + k) * step;
    T *y = (T *)a->y + oc * step;
    if (step == 1) { *y = FN(log_sum_exp)(x, n); continue; }
    for (ptrdiff_t j = j0; j < j1; j += VLEN) {
      const ptrdiff_t m = j1 - j < VLEN ? j1 - j : VLEN;
      vec max = v_set(-(T)INFINITY), sum = v_zero();
      for (ptrdiff_t i = 0; i < n; i++) max = FN(reduce_join)(REDUCE_MAX, max, FN(get)(x + i * step + j, m));
      const vec shift = v_select(v_eq(v_abs(max), v_set((T)INFINITY)), v_zero(), max);
      for (ptrdiff_t i = 0; i < n; i++) sum = v_add(sum, v_exp(v_sub(FN(get)(x + i * step + j, m), shift)));
      FN(put)(y + j, v_add(shift, v_log(sum)), m);
    }
  }
}

FN_INLINE void FN(softmax_rows)(const int log_form, const fn_softmax_forward_args *a, ptrdiff_t begin, ptrdiff_t end)
{
  const ptrdiff_t n = a->n;
  for (ptrdiff_t r = begin; r < end; r++) {
    const T *x = (const T *)a->x + r * n, max = FN(max_run)(x, n);
    T *y = (T *)a->y + r * n;
    const T sum = FN(exp_run)(x, log_form ? NULL : y, max, n);
    const vec top = v_set(max), k = v_set(log_form ? (T)log((double)sum) : 1 / sum);
    ptrdiff_t i = 0;
    for (; i + VLEN <= n; i += VLEN) v_store(y + i, log_form ? v_sub(v_sub(v_load(x + i), top), k) : v_mul(v_load(y + i), k));
    if (i < n) v_storen(y + i, log_form ? v_sub(v_sub(v_loadn(x + i, n - i), top), k) : v_mul(v_loadn(y + i, n - i), k), n - i);
  }
}

/* A block of columns: its rows are visited whole, the maxima and sums of all its columns lie beside. */
FN_INLINE void FN(softmax_columns)(const int log_form, const fn_softmax_forward_args *a, ptrdiff_t begin, ptrdiff_t end)
{
  T max[REDUCE_WIDTH], sum[REDUCE_WIDTH];
  for (ptrdiff_t r = begin; r < end; r++) {
    const ptrdiff_t j = r % a->blocks * a->width, width = a->inner - j < a->width ? a->inner - j : a->width;
    const ptrdiff_t at = r / a->blocks * a->n * a->inner + j, step = a->inner, stop = a->n * step;
    const T *x = (const T *)a->x + at;
    T *y = (T *)a->y + at;
    for (ptrdiff_t u = 0; u < width; u += VLEN) {
      v_store(max + u, v_set(-(T)INFINITY));
      v_store(sum + u, v_zero());
    }
    for (ptrdiff_t i = 0; i < stop; i += step)
      for (ptrdiff_t u = 0; u < width; u += VLEN)
        v_store(max + u, FN(reduce_join)(REDUCE_MAX, v_load(max + u), FN(get)(x + i + u, width - u)));
    for (ptrdiff_t i = 0; i < stop; i += step)
      for (ptrdiff_t u = 0; u < width; u += VLEN) {
        const vec e = v_exp(v_sub(FN(get)(x + i + u, width - u), v_load(max + u)));
        if (!log_form) FN(put)(y + i + u, e, width - u);
        v_store(sum + u, v_add(v_load(sum + u), e));
      }
    for (ptrdiff_t u = 0; u < width; u += VLEN) v_store(sum + u, log_form ? v_log(v_load(sum + u)) : v_div(v_set(1), v_load(sum + u)));
    for (ptrdiff_t i = 0; i < stop; i += step)
      for (ptrdiff_t u = 0; u < width; u += VLEN) {
        const vec k = v_load(sum + u);
        const vec v = log_form ? v_sub(v_sub(FN(get)(x + i + u, width - u), v_load(max + u)), k) : v_mul(FN(get)(y + i + u, width - u), k);
        FN(put)(y + i + u, v, width - u);
      }
  }
}

static void FN(softmax_forward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_softmax_forward_args *a = p;
  (void)thread;
  if (a->inner == 1) FN(softmax_rows)(0, a, begin, end);
  else FN(softmax_columns)(0, a, begin, end);
}

static void FN(log_softmax_forward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_softmax_forward_args *a = p;
  (void)thread;
  if (a->inner == 1) FN(softmax_rows)(1, a, begin, end);
  else FN(softmax_columns)(1, a, begin, end);
}

/* softmax: gx = y * (gy - sum(y * gy)).  log_softmax: gx = gy - exp(y) * sum(gy). */
FN_INLINE vec FN(softmax_term)(const int log_form, vec y, vec gy) { return log_form ? gy : v_mul(y, gy); }
FN_INLINE vec FN(softmax_slope)(const int log_form, vec y, vec gy, vec s)
{
  return log_form ? v_fnma(v_exp(y), s, gy) : v_mul(y, v_sub(gy, s));
}

FN_INLINE void FN(softmax_backward_rows)(const int log_form, const fn_softmax_backward_args *a, ptrdiff_t begin, ptrdiff_t end)
{
  const ptrdiff_t n = a->n;
  for (ptrdiff_t r = begin; r < end; r++) {
    const T *y = (const T *)a->y + r * n, *gy = (const T *)a->gy + r * n;
    T *gx = (T *)a->gx + r * n;
    vec t[4] = { v_zero(), v_zero(), v_zero(), v_zero() };
    ptrdiff_t i = 0;
    for (; i + 4 * VLEN <= n; i += 4 * VLEN) {
#pragma GCC unroll 4
      for (int u = 0; u < 4; u++) t[u] = v_add(t[u], FN(softmax_term)(log_form, v_load(y + i + u * VLEN), v_load(gy + i + u * VLEN)));
    }
    for (; i < n; i += VLEN) {
      const ptrdiff_t m = n - i < VLEN ? n - i : VLEN;
      t[0] = v_add(t[0], FN(softmax_term)(log_form, FN(get)(y + i, m), FN(get)(gy + i, m)));
    }
    const vec s = v_set(v_sum(v_add(v_add(t[0], t[1]), v_add(t[2], t[3]))));
    for (i = 0; i + VLEN <= n; i += VLEN) v_store(gx + i, FN(softmax_slope)(log_form, v_load(y + i), v_load(gy + i), s));
    if (i < n) v_storen(gx + i, FN(softmax_slope)(log_form, v_loadn(y + i, n - i), v_loadn(gy + i, n - i), s), n - i);
  }
}

FN_INLINE void FN(softmax_backward_columns)(const int log_form, const fn_softmax_backward_args *a, ptrdiff_t begin, ptrdiff_t end)
{
  T sum[REDUCE_WIDTH];
  for (ptrdiff_t r = begin; r < end; r++) {
    const ptrdiff_t j = r % a->blocks * a->width, width = a->inner - j < a->width ? a->inner - j : a->width;
    const ptrdiff_t at = r / a->blocks * a->n * a->inner + j, step = a->inner, stop = a->n * step;
    const T *y = (const T *)a->y + at, *gy = (const T *)a->gy + at;
    T *gx = (T *)a->gx + at;
    for (ptrdiff_t u = 0; u < width; u += VLEN) v_store(sum + u, v_zero());
    for (ptrdiff_t i = 0; i < stop; i += step)
      for (ptrdiff_t u = 0; u < width; u += VLEN) {
        const vec t = FN(softmax_term)(log_form, FN(get)(y + i + u, width - u), FN(get)(gy + i + u, width - u));
        v_store(sum + u, v_add(v_load(sum + u), t));
      }
    for (ptrdiff_t i = 0; i < stop; i += step)
      for (ptrdiff_t u = 0; u < width; u += VLEN) {
        const ptrdiff_t m = width - u;
        FN(put)(gx + i + u, FN(softmax_slope)(log_form, FN(get)(y + i + u, m), FN(get)(gy + i + u, m), v_load(sum + u)), m);
      }
  }
}

static void FN(softmax_backward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_softmax_backward_args *a = p;
  (void)thread;
  if (a->inner == 1) FN(softmax_backward_rows)(0, a, begin, end);
  else FN(softmax_backward_columns)(0, a, begin, end);
}

static void FN(log_softmax_backward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_softmax_backward_args *a = p;
  (void)thread;
  if (a->inner == 1) FN(softmax_backward_rows)(1, a, begin, end);
  else FN(softmax_backward_columns)(1, a, begin, end);
}
