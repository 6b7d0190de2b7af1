/* Batch, group and instance norm, the small steps between the passes: partial results of chunks, in order and in double, to coefficients. */

/* How many values of each column of fold f chunk k has seen. */
FN_INLINE double FN(norm_count)(const fn_batch_norm_args *a, ptrdiff_t k, ptrdiff_t f)
{
  const ptrdiff_t lines = a->lines - k * a->chunk < a->chunk ? a->lines - k * a->chunk : a->chunk;
  return (double)(lines + (k == a->chunks - 1 && f * a->c < a->tail));
}

static void FN(batch_norm_merge)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_batch_norm_args *a = p;
  const ptrdiff_t each = a->c / a->groups;
  const double rows = (double)a->rows;
  (void)thread;
  for (ptrdiff_t r = begin; r < end; r++) {
    const ptrdiff_t instance = r / a->pieces, g0 = r % a->pieces * a->piece, g1 = g0 + a->piece < a->groups ? g0 + a->piece : a->groups;
    const ptrdiff_t c0 = g0 * each, n = (g1 - g0) * each;
    const T *part = (const T *)a->part + instance * a->chunks * NORM_PARTS * a->width + c0;
    double *mean = a->sum + instance * 2 * a->c + c0, *square = mean + a->c;
    for (ptrdiff_t c = 0; c < n; c++) mean[c] = square[c] = 0;
    for (ptrdiff_t k = 0; k < a->chunks; k++)
      for (ptrdiff_t f = 0; f < a->fold; f++) {
        const double share = FN(norm_count)(a, k, f) / rows;
        const T *m = part + k * NORM_PARTS * a->width + f * a->c;
        for (ptrdiff_t c = 0; c < n; c++) mean[c] += share * (double)m[c];
      }
    for (ptrdiff_t k = 0; k < a->chunks; k++)
      for (ptrdiff_t f = 0; f < a->fold; f++) {
        const double count = FN(norm_count)(a, k, f);
        const T *m = part + k * NORM_PARTS * a->width + f * a->c, *q = m + a->width;
        for (ptrdiff_t c = 0; c < n; c++) square[c] += (double)q[c] + count * ((double)m[c] - mean[c]) * ((double)m[c] - mean[c]);
      }
    for (ptrdiff_t g = g0; g < g1; g++) {
      const double *m = mean + (g - g0) * each, *q = square + (g - g0) * each;
      double centre = 0, spread = 0;
      for (ptrdiff_t c = 0; c < each; c++) centre += m[c];
      centre /= (double)each;
      for (ptrdiff_t c = 0; c < each; c++) spread += q[c] + rows * (m[c] - centre) * (m[c] - centre);
      ((T *)a->mean)[instance * a->groups + g] = (T)centre;
      if (!a->rows) spread = 0;                      /* nothing was seen: its rstd times a sum of nothing is 0, not NaN */
      ((T *)a->rstd)[instance * a->groups + g] = (T)(1 / sqrt(spread / (a->rows ? rows * (double)each : 1) + a->eps));
    }
  }
}

static void FN(batch_norm_running)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_batch_norm_args *a = p;
  const double keep = 1 - a->momentum, take = a->momentum / (double)a->instances, unbiased = take / (double)(a->rows - 1);
  T *mean = a->running_mean, *var = a->running_var;
  (void)thread;
  for (ptrdiff_t c = begin * NORM_PIECE; c < a->c && c < end * NORM_PIECE; c++) {
    double m = 0, q = 0;
    for (ptrdiff_t i = 0; i < a->instances; i++) {
      m += a->sum[i * 2 * a->c + c];
      q += a->sum[(i * 2 + 1) * a->c + c];
    }
    mean[c] = (T)(keep * (double)mean[c] + take * m);
    var[c] = (T)(keep * (double)var[c] + unbiased * q);
  }
}

static void FN(batch_norm_coef)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_batch_norm_args *a = p;
  const ptrdiff_t each = a->c / a->groups;
  const T *w = a->w, *b = a->b;
  (void)thread;
  for (ptrdiff_t i = begin; i < end; i++) {
    const T *mean = (const T *)a->mean + i * a->groups, *rstd = (const T *)a->rstd + i * a->groups;
    T *m = (T *)a->coef + i * NORM_COEFS * a->width, *scale = m + NORM_SCALE * a->width, *shift = m + NORM_SHIFT * a->width;
    for (ptrdiff_t g = 0, c = 0; g < a->groups; g++)
      for (ptrdiff_t end_c = c + each; c < end_c; c++) {
        m[c] = mean[g];
        scale[c] = w ? w[c] * rstd[g] : rstd[g];
        shift[c] = b ? b[c] : 0;
      }
    for (ptrdiff_t f = 1; f < a->fold; f++)
      for (int k = NORM_MEAN; k <= NORM_SHIFT; k++) memcpy(m + k * a->width + f * a->c, m + k * a->width, (size_t)a->c * sizeof(T));
  }
}

static void FN(batch_norm_gradient)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_batch_norm_args *a = p;
  const ptrdiff_t each = a->c / a->groups;
  const double count = (double)a->rows * (double)each;
  const T *w = a->w;
  (void)thread;
  for (ptrdiff_t r = begin; r < end; r++) {
    const ptrdiff_t instance = r / a->pieces, g0 = r % a->pieces * a->piece, g1 = g0 + a->piece < a->groups ? g0 + a->piece : a->groups;
    const ptrdiff_t c0 = g0 * each, n = (g1 - g0) * each;
    const T *part = (const T *)a->part + instance * a->chunks * NORM_PARTS * a->width + c0;
    double *sum = a->sum + instance * 2 * a->c + c0, *dot = sum + a->c;
    T *scale = (T *)a->coef + (instance * NORM_COEFS + NORM_GSCALE) * a->width + c0, *slope = scale + a->width, *shift = slope + a->width;
    for (ptrdiff_t c = 0; c < n; c++) sum[c] = dot[c] = 0;
    for (ptrdiff_t k = 0; k < a->chunks; k++)
      for (ptrdiff_t f = 0; f < a->fold; f++) {
        const T *s = part + k * NORM_PARTS * a->width + f * a->c, *q = s + a->width;
        for (ptrdiff_t c = 0; c < n; c++) {
          sum[c] += (double)s[c];
          dot[c] += (double)q[c];
        }
      }
    for (ptrdiff_t g = g0; g < g1; g++) {
      const double rstd = (double)((const T *)a->rstd)[instance * a->groups + g];
      double s = 0, q = 0;
      for (ptrdiff_t c = (g - g0) * each; c < (g - g0 + 1) * each; c++) {
        const double wc = w ? (double)w[c0 + c] : 1;
        s += wc * sum[c];
        q += wc * dot[c];
      }
      for (ptrdiff_t c = (g - g0) * each; c < (g - g0 + 1) * each; c++) {
        scale[c] = (T)((w ? (double)w[c0 + c] : 1) * rstd);
        slope[c] = a->fixed ? 0 : (T)(-rstd * rstd * rstd * q / count);
        shift[c] = a->fixed ? 0 : (T)(-rstd * s / count);
      }
    }
    for (ptrdiff_t f = 1; f < a->fold; f++)
      for (int k = 0; k < 3; k++) memcpy(scale + k * a->width + f * a->c, scale + k * a->width, (size_t)n * sizeof(T));
  }
}

static void FN(batch_norm_weight)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_batch_norm_args *a = p;
  const ptrdiff_t each = a->c / a->groups;
  const T *rstd = a->rstd;
  (void)thread;
  for (ptrdiff_t c = begin * NORM_PIECE; c < a->c && c < end * NORM_PIECE; c++) {
    double s = 0, q = 0;
    for (ptrdiff_t i = 0; i < a->instances; i++) {
      s += a->sum[i * 2 * a->c + c];
      q += a->sum[(i * 2 + 1) * a->c + c] * (double)rstd[i * a->groups + c / each];
    }
    if (a->gw) ((T *)a->gw)[c] = (T)q;
    if (a->gb) ((T *)a->gb)[c] = (T)s;
  }
}

static void FN(batch_norm_fixed)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_batch_norm_args *a = p;
  (void)thread;
  for (ptrdiff_t c = begin * NORM_PIECE; c < a->c && c < end * NORM_PIECE; c++) {
    ((T *)a->mean)[c] = ((const T *)a->running_mean)[c];
    ((T *)a->rstd)[c] = (T)(1 / sqrt((double)((const T *)a->running_var)[c] + a->eps));
  }
}
