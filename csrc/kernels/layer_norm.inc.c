/* layer_norm, rms_norm: three visits of a row in cache forward, two backward, one of memory. */

/* The sum of x - c, or of its square, over a row: 4 accumulators, which every 256 rounds are added up in double. */
FN_INLINE double FN(layer_sum)(int square, const T *x, ptrdiff_t n, T c)
{
  const vec centre = v_set(c);
  double total = 0;
  for (ptrdiff_t i = 0; i < n; ) {
    const ptrdiff_t stop = n - i < 256 * 4 * VLEN ? n : i + 256 * 4 * VLEN;
    vec a[4] = { v_zero(), v_zero(), v_zero(), v_zero() };
    for (; i + 4 * VLEN <= stop; i += 4 * VLEN) {
#pragma GCC unroll 4
      for (int u = 0; u < 4; u++) {
        const vec d = v_sub(v_load(x + i + u * VLEN), centre);
        a[u] = square ? v_fma(d, d, a[u]) : v_add(a[u], d);
      }
    }
    for (; i + VLEN <= stop; i += VLEN) {
      const vec d = v_sub(v_load(x + i), centre);
      a[0] = square ? v_fma(d, d, a[0]) : v_add(a[0], d);
    }
    total += (double)v_sum(v_add(v_add(a[0], a[1]), v_add(a[2], a[3])));
    for (; i < stop; i++) {
      const T d = x[i] - c;
      total += (double)(square ? d * d : d);
    }
  }
  return total;
}

static void FN(layer_norm_forward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_layer_norm_args *a = p;
  const T *w = a->w, *b = a->b;
  const ptrdiff_t n = a->n;
  (void)thread;
  for (ptrdiff_t r = begin; r < end; r++) {
    const T *x = (const T *)a->x + r * n;
    T *y = (T *)a->y + r * n, mean = 0;
    if (a->mean) mean = ((T *)a->mean)[r] = (T)((double)*x + FN(layer_sum)(0, x, n, *x) / (double)n);
    const T rstd = ((T *)a->rstd)[r] = (T)(1 / sqrt(FN(layer_sum)(1, x, n, mean) / (double)n + a->eps));
    const vec centre = v_set(mean), scale = v_set(rstd);
    for (ptrdiff_t i = 0; i < n; i += VLEN) {
      const ptrdiff_t m = n - i;
      __builtin_prefetch(x + 2 * n + i);             /* memory works while this row is in cache */
      vec v = v_mul(v_sub(FN(get)(x + i, m), centre), scale);
      if (w && b) v = v_fma(v, FN(get)(w + i, m), FN(get)(b + i, m));
      else if (w) v = v_mul(v, FN(get)(w + i, m));
      else if (b) v = v_add(v, FN(get)(b + i, m));
      if (a->stream) v_stream(y + i, v);
      else FN(put)(y + i, v, m);
    }
  }
}

/* Up to 4 rows: s = sum gy w, q = sum gy w xhat of each row, and the columns' sums of gy xhat and gy. */
FN_INLINE void FN(layer_sums)(int rows, const T *x, const T *gy, ptrdiff_t n, const T *w, const T *mean, const T *rstd, T *gw, T *gb, T *s, T *q)
{
  vec a[4] = { v_zero(), v_zero(), v_zero(), v_zero() }, b[4] = { v_zero(), v_zero(), v_zero(), v_zero() };
  for (ptrdiff_t i = 0; i < n; i += VLEN) {
    const ptrdiff_t m = n - i;
    const vec wi = w ? FN(get)(w + i, m) : v_set(1);
    vec gwi = v_zero(), gbi = v_zero();
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++) {
      const vec g = FN(get)(gy + r * n + i, m), gi = v_mul(g, wi);
      const vec h = v_mul(v_sub(FN(get)(x + r * n + i, m), v_set(mean ? mean[r] : 0)), v_set(rstd[r]));
      a[r] = v_add(a[r], gi);
      b[r] = v_fma(gi, h, b[r]);
      gwi = v_fma(g, h, gwi);
      gbi = v_add(gbi, g);
    }
    if (gw) {
      FN(put)(gw + i, v_add(FN(get)(gw + i, m), gwi), m);
      FN(put)(gb + i, v_add(FN(get)(gb + i, m), gbi), m);
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++) { s[r] = v_sum(a[r]); q[r] = v_sum(b[r]); }
}

static void FN(layer_norm_backward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_layer_norm_args *a = p;
  const T *w = a->w;
  const ptrdiff_t n = a->n;
  (void)thread;
  for (ptrdiff_t k = begin; k < end; k++) {
    const ptrdiff_t stop = (k + 1) * a->chunk < a->rows ? (k + 1) * a->chunk : a->rows;
    T *gw = a->part ? (T *)a->part + k * 2 * n : NULL, *gb = gw ? gw + n : NULL;
    if (gw) memset(gw, 0, (size_t)(2 * n) * sizeof(T));
    for (ptrdiff_t r = k * a->chunk; r < stop; r += 4) {
      const int rows = stop - r < 4 ? (int)(stop - r) : 4;
      const T *x = (const T *)a->x + r * n, *gy = (const T *)a->gy + r * n, *rstd = (const T *)a->rstd + r;
      const T *mean = a->mean ? (const T *)a->mean + r : NULL;
      T s[4], q[4];
      if (rows == 4) FN(layer_sums)(4, x, gy, n, w, mean, rstd, gw, gb, s, q);
      else
        for (int u = 0; u < rows; u++) FN(layer_sums)(1, x + u * n, gy + u * n, n, w, mean ? mean + u : NULL, rstd + u, gw, gb, s + u, q + u);
      if (!a->y) continue;
      for (int u = 0; u < rows; u++) {
        const vec centre = v_set(mean ? mean[u] : 0), scale = v_set(rstd[u]);
        const vec shift = v_set(mean ? -s[u] / (T)n : 0), slope = v_set(-q[u] / (T)n);
        T *gx = (T *)a->y + (r + u) * n;
        for (ptrdiff_t i = 0; i < n; i += VLEN) {
          const ptrdiff_t m = n - i;
          __builtin_prefetch(x + (u + 4) * n + i, 0, 2);   /* the next rows, as above */
          __builtin_prefetch(gy + (u + 4) * n + i, 0, 2);
          const vec h = v_mul(v_sub(FN(get)(x + u * n + i, m), centre), scale);
          vec g = FN(get)(gy + u * n + i, m);
          if (w) g = v_mul(g, FN(get)(w + i, m));
          g = v_mul(scale, v_fma(slope, h, v_add(g, shift)));
          if (a->stream) v_stream(gx + i, g);
          else FN(put)(gx + i, g, m);
        }
      }
    }
  }
}

static void FN(layer_norm_weight)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_layer_norm_args *a = p;
  double s[2][LAYER_PIECE];
  (void)thread;
  for (ptrdiff_t j = begin * LAYER_PIECE; j < a->n && j < end * LAYER_PIECE; j += LAYER_PIECE) {
    const ptrdiff_t m = a->n - j < LAYER_PIECE ? a->n - j : LAYER_PIECE;
    memset(s, 0, sizeof s);
    for (ptrdiff_t k = 0; k < a->chunks; k++)
      for (int h = 0; h < 2; h++) {
        const T *part = (const T *)a->part + (k * 2 + h) * a->n + j;
        for (ptrdiff_t i = 0; i < m; i++) s[h][i] += (double)part[i];
      }
    for (ptrdiff_t i = 0; i < m && a->gw; i++) ((T *)a->gw)[j + i] = (T)s[0][i];
    for (ptrdiff_t i = 0; i < m && a->gb; i++) ((T *)a->gb)[j + i] = (T)s[1][i];
  }
}
