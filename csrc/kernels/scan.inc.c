/* cumsum, cumprod: one running value a column, SCAN_WIDTH columns side by side. */
FN_INLINE void FN(scan_columns)(const int product, const T *x, T *y, ptrdiff_t n, ptrdiff_t first, ptrdiff_t step, const ptrdiff_t width)
{
  double acc[SCAN_WIDTH];
  for (ptrdiff_t l = 0; l < width; l++) acc[l] = product ? 1 : 0;
  for (ptrdiff_t i = 0, k = first; i < n; i++, k += step)
    for (ptrdiff_t l = 0; l < width; l++) {
      acc[l] = product ? acc[l] * x[k + l] : acc[l] + x[k + l];
      y[k + l] = (T)acc[l];
    }
}

/* `rows` contiguous rows at once: one row alone would wait for each addition. */
FN_INLINE void FN(scan_rows)(const int product, const T *x, T *y, ptrdiff_t n, ptrdiff_t first, ptrdiff_t step, const int rows)
{
  double acc[4] = { product, product, product, product };
  for (ptrdiff_t i = 0, k = first; i < n; i++, k += step) {
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++) {
      acc[r] = product ? acc[r] * x[r * n + k] : acc[r] + x[r * n + k];
      y[r * n + k] = (T)acc[r];
    }
  }
}

FN_INLINE void FN(scan_walk)(const int product, const fn_scan_args *a, ptrdiff_t begin, ptrdiff_t end)
{
  const T *x = a->x;
  T *y = a->y;
  const ptrdiff_t first = a->reverse ? (a->n - 1) * a->inner : 0, step = a->reverse ? -a->inner : a->inner;
  if (a->inner == 1) {
    ptrdiff_t r = begin;
    for (; r + 4 <= end; r += 4) FN(scan_rows)(product, x + r * a->n, y + r * a->n, a->n, first, step, 4);
    for (; r < end; r++) FN(scan_rows)(product, x + r * a->n, y + r * a->n, a->n, first, step, 1);
    return;
  }
  for (ptrdiff_t r = begin; r < end; r++) {
    const ptrdiff_t j = r % a->blocks * SCAN_WIDTH, at = r / a->blocks * a->n * a->inner + j;
    if (a->inner - j >= SCAN_WIDTH) FN(scan_columns)(product, x + at, y + at, a->n, first, step, SCAN_WIDTH);
    else FN(scan_columns)(product, x + at, y + at, a->n, first, step, a->inner - j);
  }
}

static void FN(cumsum)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(scan_walk)(0, p, begin, end); }
static void FN(cumprod)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(scan_walk)(1, p, begin, end); }

/* gx[i] = sum over k >= i of gy[k] y[k] / x[i].  At the first zero z of a column y[k] / x[z] is a product that skips z, and after it nothing is left. */
static void FN(cumprod_backward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_cumprod_backward_args *a = p;
  const ptrdiff_t n = a->n, s = a->inner;
  (void)thread;
  for (ptrdiff_t q = begin; q < end; q++) {
    const ptrdiff_t at = q / s * n * s + q % s;
    const T *x = (const T *)a->x + at, *y = (const T *)a->y + at, *gy = (const T *)a->gy + at;
    T *gx = (T *)a->gx + at;
    ptrdiff_t z = 0;
    while (z < n && x[z * s] != 0) z++;
    if (z < n) {
      double skip = z ? y[(z - 1) * s] : 1, sum = 0;
      for (ptrdiff_t k = z; k < n; k++) {
        if (k > z) skip *= x[k * s];
        sum += gy[k * s] * skip;
      }
      for (ptrdiff_t k = z + 1; k < n; k++) gx[k * s] = 0;
      gx[z * s] = (T)sum;
    }
    double sum = 0;
    for (ptrdiff_t k = z - 1; k >= 0; k--) {
      sum += (double)gy[k * s] * y[k * s];
      gx[k * s] = (T)(sum / x[k * s]);
    }
  }
}
