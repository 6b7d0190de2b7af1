/* Resizing and blurring: a weighted sum of rows of the window, then weighted sums along it. */

/* One output of a resized axis, as Pillow weighs it: taps from the first pixel on, which add up to 1.  Plain kinds take the nearest two or four
   pixels, the border's again beyond it.  Returns the first pixel, and the number of taps in *n. */
static ptrdiff_t FN(image_tap)(int kind, ptrdiff_t i, ptrdiff_t in, ptrdiff_t out, ptrdiff_t room, T *w, ptrdiff_t *n)
{
  const double scale = (double)in / (double)out;
  const int cubic = kind == IMAGE_CUBIC || kind == IMAGE_CUBIC_PLAIN, plain = kind == IMAGE_LINEAR_PLAIN || kind == IMAGE_CUBIC_PLAIN;
  *n = 1;
  w[0] = 1;
  if (kind == IMAGE_NEAREST) return i * in / out;
  if (kind == IMAGE_NEAREST_EXACT) return (2 * i + 1) * in / (2 * out);
  const double wide = plain || scale < 1 ? 1 : scale, reach = cubic ? 2 * wide : wide, mid = ((double)i + 0.5) * scale;
  const double a = plain ? -0.75 : -0.5;
  ptrdiff_t low, high;
  if (plain) {
    low = (ptrdiff_t)floor(mid - 0.5) - cubic;
    high = low + (cubic ? 4 : 2);
  } else {
    low = (ptrdiff_t)(mid - reach + 0.5);
    high = (ptrdiff_t)(mid + reach + 0.5);
    if (mid - reach + 0.5 < 0) low = 0;
    if (high > in) high = in;
  }
  const ptrdiff_t first = low < 0 ? 0 : low > in - 1 ? in - 1 : low, last = high > in ? in : high < 1 ? 1 : high;
  double sum = 0;
  *n = last - first > room ? room : last - first;
  for (ptrdiff_t k = 0; k < *n; k++) w[k] = 0;
  for (ptrdiff_t j = low; j < high; j++) {
    const double d = fabs(((double)j + 0.5 - mid) / wide);
    const double v = !cubic ? (d < 1 ? 1 - d : 0) : d < 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
    ptrdiff_t k = (j < 0 ? 0 : j > in - 1 ? in - 1 : j) - first;
    if (k >= *n) k = *n - 1;
    sum += v;
    w[k] += (T)v;
  }
  for (ptrdiff_t k = 0; k < *n; k++) w[k] /= (T)sum;
  return first;
}

FN_INLINE void FN(image_add_row)(const char *x, ptrdiff_t at, T w, int first, T *y, ptrdiff_t n, int is_float)
{
  if (first) for (ptrdiff_t i = 0; i < n; i++) y[i] = w * FN(image_value)(x, at + i, is_float);
  else for (ptrdiff_t i = 0; i < n; i++) y[i] += w * FN(image_value)(x, at + i, is_float);
}

/* Adds row i of the window, times w, to the sums of rows: in the order of x, pixels or planes. */
static void FN(image_add)(const FN(image_job) *job, ptrdiff_t i, T w, int first, T *sum, ptrdiff_t plane)
{
  const fn_image_args *a = job->a;
  const int64_t *p = job->plan;
  const int pixels = a->xw != 1;
  const ptrdiff_t at = (i + p[1]) * a->xh + p[3] * a->xw, n = pixels ? p[9] * a->c : p[9];
  for (ptrdiff_t k = 0; k < (pixels ? 1 : a->c); k++) {
    if (a->x_float) FN(image_add_row)(job->x, at + k * a->xc, w, first, sum + k * plane, n, 1);
    else FN(image_add_row)(job->x, at + k * a->xc, w, first, sum + k * plane, n, 0);
  }
}

/* Weights of the columns of a resized picture, or the two kernels of a blur; once a picture. */
static void FN(image_filter_begin)(FN(image_job) *job)
{
  const fn_image_args *a = job->a;
  const int64_t *p = job->plan;
  ptrdiff_t n;
  if (a->source == IMAGE_BLUR) {
    for (int axis = 0; axis < 2; axis++) {
      T *w = axis ? job->weight : job->tap;
      const ptrdiff_t size = (ptrdiff_t)job->real[axis];
      const double sigma = job->real[2 + axis];
      double sum = 0;
      for (ptrdiff_t k = 0; k < size; k++) {
        const double d = ((double)k - (double)(size - 1) / 2) / sigma;
        w[k] = (T)exp(-0.5 * d * d);
        sum += w[k];
      }
      for (ptrdiff_t k = 0; k < size; k++) w[k] /= (T)sum;
    }
    return;
  }
  job->most = 1;
  for (ptrdiff_t i = 0; i < a->w; i++) {
    T *w = job->weight + i * a->taps[1];
    job->start[2 * i] = (int32_t)FN(image_tap)(a->source, p[12] * i + p[13], p[9], p[15], a->taps[1], w, &n);
    job->start[2 * i + 1] = (int32_t)n;
    if (n > job->most) job->most = n;
    for (; n < a->taps[1]; n++) w[n] = 0;
  }
  memset(job->sum + p[9] * a->c, 0, (size_t)((a->taps[1] + 2) * a->c) * sizeof(T));      /* what those too many find behind the last pixel */
}

/* The weighted sum of n pixels of three channels, in four lanes; the fourth is for nothing. */
FN_INLINE void FN(image_pixel_sum)(const T *w, const T *x, int n, T *s)
{
  for (int k = 0; k < 4; k++) s[k] += w[0] * x[k];
#pragma GCC unroll 4
  for (int t = 1; t < n; t++)
    for (int k = 0; k < 4; k++) s[k] += w[t] * x[3 * t + k];
}

/* All outputs take as many taps, `each` at a time: those too many weigh nothing. */
FN_INLINE void FN(image_columns_three)(const FN(image_job) *job, const T *sum, int each, ptrdiff_t most)
{
  const fn_image_args *a = job->a;
  for (ptrdiff_t i = 0; i < a->w; i++) {
    const T *w = job->weight + i * a->taps[1], *x = sum + job->start[2 * i] * 3;
    T s[4] = { 0, 0, 0, 0 };
    for (ptrdiff_t t = 0; t < most; t += each) FN(image_pixel_sum)(w + t, x + 3 * t, each, s);
    for (int k = 0; k < 3; k++) job->row[k * job->pitch + i] = s[k];
  }
}

FN_INLINE void FN(image_columns)(const FN(image_job) *job, const T *sum, ptrdiff_t step, ptrdiff_t plane, ptrdiff_t c)
{
  const fn_image_args *a = job->a;
  for (ptrdiff_t i = 0; i < a->w; i++) {
    const T *w = job->weight + i * a->taps[1], *x = sum + job->start[2 * i] * step;
    const ptrdiff_t n = job->start[2 * i + 1];
    for (ptrdiff_t k0 = 0; k0 < c; k0 += 3) {
      const ptrdiff_t most = c - k0 < 3 ? c - k0 : 3;
      T s[3] = { 0, 0, 0 };
      for (ptrdiff_t t = 0; t < n; t++)
        for (ptrdiff_t k = 0; k < most; k++) s[k] += w[t] * x[t * step + (k0 + k) * plane];
      for (ptrdiff_t k = 0; k < most; k++) job->row[(k0 + k) * job->pitch + i] = s[k];
    }
  }
}

static void FN(image_resize)(const FN(image_job) *job, ptrdiff_t y)
{
  const fn_image_args *a = job->a;
  const int64_t *p = job->plan;
  ptrdiff_t n;
  const ptrdiff_t first = FN(image_tap)(a->source, p[10] * y + p[11], p[8], p[14], a->taps[0], job->tap, &n);
  const ptrdiff_t step = a->xw != 1 ? a->c : 1, plane = a->xw != 1 ? 1 : p[9];
  for (ptrdiff_t k = 0; k < n; k++) FN(image_add)(job, first + k, job->tap[k], k == 0, job->sum, plane);
  if (a->c == 3 && step == 3) {
    if (job->most <= 2) FN(image_columns_three)(job, job->sum, 2, 2);
    else if (job->most == 3) FN(image_columns_three)(job, job->sum, 3, 3);
    else if (job->most == 4) FN(image_columns_three)(job, job->sum, 4, 4);
    else FN(image_columns_three)(job, job->sum, 2, job->most);
  } else FN(image_columns)(job, job->sum, step, plane, a->c);
}

static void FN(image_blur)(const FN(image_job) *job, ptrdiff_t y)
{
  const fn_image_args *a = job->a;
  const int64_t *p = job->plan;
  const ptrdiff_t height = (ptrdiff_t)job->real[0], width = (ptrdiff_t)job->real[1], up = height / 2, left = width / 2;
  const ptrdiff_t step = a->xw != 1 ? a->c : 1, plane = a->xw != 1 ? 1 : p[9] + 2 * left, i = p[10] * y + p[11];
  const ptrdiff_t run = a->xw != 1 ? p[9] * a->c : p[9] + (a->c - 1) * plane, last = p[9] - 1;
  T *const sum = job->sum + left * step;
  for (ptrdiff_t k = 0; k < height; k++) {
    ptrdiff_t j = i + k - up;
    j = j < 0 ? -j : j >= p[8] ? 2 * (p[8] - 1) - j : j;
    FN(image_add)(job, j, job->tap[k], k == 0, sum, plane);
  }
  for (ptrdiff_t k = 0; k < a->c; k++)
    for (ptrdiff_t t = 1; t <= left; t++) {
      sum[k * plane - t * step] = sum[k * plane + t * step];
      sum[k * plane + (last + t) * step] = sum[k * plane + (last - t) * step];
    }
  for (ptrdiff_t t = 0; t < width; t++) {
    const T w = job->weight[t], *x = job->sum + t * step;
    if (t == 0) for (ptrdiff_t j = 0; j < run; j++) job->wide[j] = w * x[j];
    else for (ptrdiff_t j = 0; j < run; j++) job->wide[j] += w * x[j];
  }
  for (ptrdiff_t k = 0; k < a->c; k++)
    for (ptrdiff_t j = 0; j < a->w; j++) job->row[k * job->pitch + j] = job->wide[(p[12] * j + p[13]) * step + k * plane];
}
