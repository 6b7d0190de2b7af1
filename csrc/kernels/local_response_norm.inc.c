/* local_response_norm: the window's sum is as many shifted loads of a row of squares as the window has channels. */

/* d^-beta; 3/4, the usual power, by roots. */
FN_INLINE vec FN(lrn_power)(vec d, double beta)
{
  if (beta == 0.75) {
    const vec root = v_sqrt(d);
    return v_div(v_set(1), v_mul(root, v_sqrt(root)));
  }
  return v_pow(d, v_set((T)-beta));
}

FN_INLINE vec FN(lrn_window)(const T *row, ptrdiff_t n, ptrdiff_t size)
{
  vec s = FN(get)(row, n);
  for (ptrdiff_t t = 1; t < size; t++) s = v_add(s, FN(get)(row + t, n));
  return s;
}

FN_INLINE void FN(lrn_squares)(const T *x, T *row, const fn_local_response_norm_args *a)
{
  memset(row, 0, (size_t)a->before * sizeof(T));
  memset(row + a->before + a->c, 0, (size_t)a->after * sizeof(T));
  for (ptrdiff_t i = 0; i < a->c; i += VLEN) {
    const vec v = FN(get)(x + i, a->c - i);
    FN(put)(row + a->before + i, v_mul(v, v), a->c - i);
  }
}

static void FN(local_response_norm_forward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_local_response_norm_args *a = p;
  const ptrdiff_t size = a->before + 1 + a->after;
  T *row = (T *)a->scratch + thread * 2 * (a->c + size);
  for (ptrdiff_t r = begin; r < end; r++) {
    const T *x = (const T *)a->x + r * a->c;
    T *y = (T *)a->y + r * a->c;
    FN(lrn_squares)(x, row, a);
    for (ptrdiff_t i = 0; i < a->c; i += VLEN) {
      const ptrdiff_t m = a->c - i;
      const vec d = v_fma(FN(lrn_window)(row + i, m, size), v_set((T)a->alpha), v_set((T)a->k));
      FN(put)(y + i, v_mul(FN(get)(x + i, m), FN(lrn_power)(d, a->beta)), m);
    }
  }
}

static void FN(local_response_norm_backward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_local_response_norm_args *a = p;
  const ptrdiff_t size = a->before + 1 + a->after;
  const vec slope = v_set((T)(-2 * a->alpha * a->beta));
  T *row = (T *)a->scratch + thread * 2 * (a->c + size), *dot = row + a->c + size;
  for (ptrdiff_t r = begin; r < end; r++) {
    const T *x = (const T *)a->x + r * a->c, *gy = (const T *)a->gy + r * a->c;
    T *gx = (T *)a->y + r * a->c;
    FN(lrn_squares)(x, row, a);
    memset(dot, 0, (size_t)a->after * sizeof(T));
    memset(dot + a->after + a->c, 0, (size_t)a->before * sizeof(T));
    for (ptrdiff_t i = 0; i < a->c; i += VLEN) {
      const ptrdiff_t m = a->c - i;
      const vec d = v_fma(FN(lrn_window)(row + i, m, size), v_set((T)a->alpha), v_set((T)a->k));
      const vec g = v_mul(FN(get)(gy + i, m), FN(lrn_power)(d, a->beta));
      FN(put)(gx + i, g, m);
      FN(put)(dot + a->after + i, v_div(v_mul(g, FN(get)(x + i, m)), d), m);
    }
    for (ptrdiff_t i = 0; i < a->c; i += VLEN) {
      const ptrdiff_t m = a->c - i;
      const vec sum = v_mul(slope, FN(lrn_window)(dot + i, m, size));
      FN(put)(gx + i, v_fma(FN(get)(x + i, m), sum, FN(get)(gx + i, m)), m);
    }
  }
}
