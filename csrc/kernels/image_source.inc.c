/* Where the pixels of a row come from: a window of the picture, mirrored or not, or a warp of it. */

/* One picture under work.  Rows are planar: channel k of pixel j of the row at row[k * pitch + j]. */
typedef struct {
  const fn_image_args *a;
  int64_t        plan[IMAGE_PLAN];
  const double  *real;
  const char    *x;
  int            source;
  T             *row, *work, *sum, *wide, *weight, *tap;
  int32_t       *start;
  ptrdiff_t      pitch, most;                        /* most: taps of a column */
} FN(image_job);

FN_INLINE T FN(image_value)(const char *x, ptrdiff_t i, int is_float)
{
  return is_float ? ((const T *)x)[i] : (T)((const uint8_t *)x)[i];
}

FN_INLINE void FN(image_run)(const char *x, ptrdiff_t at, ptrdiff_t step, T *y, ptrdiff_t n, int is_float)
{
  for (ptrdiff_t i = 0; i < n; i++) y[i] = FN(image_value)(x, at + i * step, is_float);
}

/* n pixels from `at` on; the usual strides are constants, so that they are vectorised. */
FN_INLINE void FN(image_pixels)(const fn_image_args *a, const char *x, ptrdiff_t at, ptrdiff_t step, T *y, ptrdiff_t pitch, ptrdiff_t n, int is_float)
{
  if (a->c == 3 && a->xc == 1 && (step == 3 || step == -3)) {
    if (step == 3)
      for (ptrdiff_t i = 0; i < n; i++)
        for (int k = 0; k < 3; k++) y[k * pitch + i] = FN(image_value)(x, at + 3 * i + k, is_float);
    else
      for (ptrdiff_t i = 0; i < n; i++)
        for (int k = 0; k < 3; k++) y[k * pitch + n - 1 - i] = FN(image_value)(x, at - 3 * (n - 1) + 3 * i + k, is_float);
    return;
  }
  for (ptrdiff_t k = 0; k < a->c; k++) {
    if (step == 1) FN(image_run)(x, at + k * a->xc, 1, y + k * pitch, n, is_float);
    else FN(image_run)(x, at + k * a->xc, step, y + k * pitch, n, is_float);
  }
}

FN_INLINE void FN(image_fill)(const FN(image_job) *job, ptrdiff_t from, ptrdiff_t to)
{
  for (ptrdiff_t k = 0; k < job->a->c; k++)
    for (ptrdiff_t i = from; i < to; i++) job->row[k * job->pitch + i] = job->a->fill[k];
}

/* The columns [*from, *to) of row y that show a part of x, and the place of the first one; false where none does. */
FN_INLINE int FN(image_seen)(const fn_image_args *a, const int64_t *p, ptrdiff_t y, ptrdiff_t *from, ptrdiff_t *to, ptrdiff_t *at)
{
  const ptrdiff_t i = p[0] * y + p[1];
  ptrdiff_t first = p[2] > 0 ? p[6] - p[3] : p[3] - p[7] + 1, end = p[2] > 0 ? p[7] - p[3] : p[3] - p[6] + 1;
  *from = first < 0 ? 0 : first;
  *to = end > a->w ? a->w : end;
  *at = i * a->xh + (p[2] * *from + p[3]) * a->xw;
  return i >= p[4] && i < p[5] && *from < *to;
}

static void FN(image_window)(const FN(image_job) *job, ptrdiff_t y)
{
  const fn_image_args *a = job->a;
  ptrdiff_t from, to, at;
  if (!FN(image_seen)(a, job->plan, y, &from, &to, &at)) { FN(image_fill)(job, 0, a->w); return; }
  FN(image_fill)(job, 0, from);
  FN(image_fill)(job, to, a->w);
  if (a->x_float) FN(image_pixels)(a, job->x, at, job->plan[2] * a->xw, job->row + from, job->pitch, to - from, 1);
  else FN(image_pixels)(a, job->x, at, job->plan[2] * a->xw, job->row + from, job->pitch, to - from, 0);
}

/* A window of bytes that no colour changes. */
static void FN(image_bytes)(const FN(image_job) *job, ptrdiff_t y, uint8_t *to_row)
{
  const fn_image_args *a = job->a;
  ptrdiff_t from, to, at;
  const uint8_t *x = (const uint8_t *)job->x;
  if (!FN(image_seen)(a, job->plan, y, &from, &to, &at)) from = to = a->w;
  for (ptrdiff_t k = 0; k < a->c; k++) {
    for (ptrdiff_t i = 0; i < from; i++) to_row[i * a->yw + k * a->yc] = (uint8_t)a->fill[k];
    for (ptrdiff_t i = to; i < a->w; i++) to_row[i * a->yw + k * a->yc] = (uint8_t)a->fill[k];
  }
  if (from == to) return;
  const ptrdiff_t step = job->plan[2] * a->xw;
  uint8_t *y0 = to_row + from * a->yw;
  x += at;
  if (a->c == 3 && a->xc == 1 && a->yc == 1 && a->yw == 3) {
    if (step == 3) memcpy(y0, x, (size_t)(to - from) * 3);
    else for (ptrdiff_t i = 0; i < to - from; i++) { y0[3 * i] = x[i * step]; y0[3 * i + 1] = x[i * step + 1]; y0[3 * i + 2] = x[i * step + 2]; }
    return;
  }
  for (ptrdiff_t k = 0; k < a->c; k++, x += a->xc, y0 += a->yc) {
    if (step == 1 && a->yw == 1) memcpy(y0, x, (size_t)(to - from));
    else if (step == -1 && a->yw == 1) for (ptrdiff_t i = 0; i < to - from; i++) y0[i] = x[-i];
    else for (ptrdiff_t i = 0; i < to - from; i++) y0[i * a->yw] = x[i * step];
  }
}

/* Whether a warp only moves the picture by whole pixels or mirrors it: then plan says so as for a window. */
static int FN(image_whole)(const double *m, int64_t *plan)
{
  const double far = 1e9;
  if (m[1] != 0 || m[3] != 0 || m[6] != 0 || m[7] != 0 || m[8] != 1 || fabs(m[0]) != 1 || fabs(m[4]) != 1) return 0;
  if (m[2] != floor(m[2]) || m[5] != floor(m[5]) || fabs(m[2]) > far || fabs(m[5]) > far) return 0;
  plan[0] = (int64_t)m[4];
  plan[1] = (int64_t)m[5] - (m[4] < 0);
  plan[2] = (int64_t)m[0];
  plan[3] = (int64_t)m[2] - (m[0] < 0);
  return 1;
}

/* Where in x, from its first pixel's centre, the pixels of row y lie: the pixel before, and for bilinear the fraction past it. */
static void FN(image_places)(const FN(image_job) *job, ptrdiff_t y)
{
  const double *m = job->real, mid = (double)y + 0.5;
  const int nearest = job->a->source == IMAGE_WARP_NEAREST, flat = m[6] == 0 && m[7] == 0 && m[8] == 1;
  const T shift = nearest ? 0 : (T)0.5, far = (T)1e6;
  T *const col = job->work, *const row = col + job->pitch, *const past_col = row + job->pitch, *const past_row = past_col + job->pitch;
  T ramp[VLEN];
  for (int l = 0; l < VLEN; l++) ramp[l] = (T)l + (T)0.5;
  const T u0 = (T)(m[1] * mid + m[2]), v0 = (T)(m[4] * mid + m[5]), w0 = (T)(m[7] * mid + m[8]);
  for (ptrdiff_t i = 0; i < job->a->w; i += VLEN) {
    const vec at = v_add(v_load(ramp), v_set((T)i));
    vec u = v_add(v_mul(at, v_set((T)m[0])), v_set(u0)), v = v_add(v_mul(at, v_set((T)m[3])), v_set(v0));
    if (!flat) {
      const vec w = v_add(v_mul(at, v_set((T)m[6])), v_set(w0));
      u = v_div(u, w);
      v = v_div(v, w);
    }
    u = v_min(v_max(v_sub(u, v_set(shift)), v_set(-far)), v_set(far));
    v = v_min(v_max(v_sub(v, v_set(shift)), v_set(-far)), v_set(far));
    const vec fu = v_floor(u), fv = v_floor(v);
    v_store(col + i, fu);
    v_store(row + i, fv);
    v_store(past_col + i, v_sub(u, fu));
    v_store(past_row + i, v_sub(v, fv));
  }
}

/* Pixel i of the row whose places are known, whatever lies beyond the picture. */
FN_INLINE void FN(image_warp_pixel)(const FN(image_job) *job, ptrdiff_t i, int is_float)
{
  const fn_image_args *a = job->a;
  const int64_t *p = job->plan;
  const T *const col = job->work, *const row = col + job->pitch, *const past_col = row + job->pitch, *const past_row = past_col + job->pitch;
  const ptrdiff_t u = (ptrdiff_t)col[i], v = (ptrdiff_t)row[i], at = v * a->xh + u * a->xw;
  const int left = u >= p[6] && u < p[7], right = u + 1 >= p[6] && u + 1 < p[7], up = v >= p[4] && v < p[5], down = v + 1 >= p[4] && v + 1 < p[5];
  const int near = a->source == IMAGE_WARP_NEAREST;
  const T s = near ? 0 : past_col[i], t = near ? 0 : past_row[i], w3 = s * t, w2 = t - w3, w1 = s - w3, w0 = 1 - s - w2;
  if (left && right && up && down && !near) {
    for (ptrdiff_t k = 0; k < a->c; k++) {
      const ptrdiff_t q = at + k * a->xc;
      job->row[k * job->pitch + i] = w0 * FN(image_value)(job->x, q, is_float) + w1 * FN(image_value)(job->x, q + a->xw, is_float)
                                     + w2 * FN(image_value)(job->x, q + a->xh, is_float)
                                     + w3 * FN(image_value)(job->x, q + a->xh + a->xw, is_float);
    }
    return;
  }
  for (ptrdiff_t k = 0; k < a->c; k++) {
    const ptrdiff_t q = at + k * a->xc;
    const T f = (T)a->fill[k];
    job->row[k * job->pitch + i] = near ? (up && left ? FN(image_value)(job->x, q, is_float) : f)
                                   : w0 * (up && left ? FN(image_value)(job->x, q, is_float) : f)
                                   + w1 * (up && right ? FN(image_value)(job->x, q + a->xw, is_float) : f)
                                   + w2 * (down && left ? FN(image_value)(job->x, q + a->xh, is_float) : f)
                                   + w3 * (down && right ? FN(image_value)(job->x, q + a->xh + a->xw, is_float) : f);
  }
}

/* Channel k of the bytes of pixels. */
FN_INLINE vec FN(image_byte)(vec word, int k)
{
  const vec byte = v_and(k ? v_shr(word, 8 * k) : word, v_setbits(255));
  return v_sub(v_or(byte, v_setbits(0x4B000000)), v_set((T)8388608));       /* 2^23 + byte, less 2^23 */
}

/* Pixels of three bytes side by side: those inside are fetched as words, four for each, and weighed as vectors; returns false where some pixels
   between the first and the last one inside are not. */
static int FN(image_warp_words)(const FN(image_job) *job, ptrdiff_t *first, ptrdiff_t *end)
{
  const fn_image_args *a = job->a;
  const int64_t *p = job->plan;
  const T *const col = job->work, *const row = col + job->pitch, *const past_col = row + job->pitch, *const past_row = past_col + job->pitch;
  const int more = a->source == IMAGE_WARP;
  const uint8_t *const x = (const uint8_t *)job->x;
  T *const word = job->work + 4 * job->pitch;                              /* bits, not numbers */
  const ptrdiff_t pitch = job->pitch, x0 = p[6], x1 = p[7] - 1, y0 = p[4], y1 = p[5] - 1;        /* a word may reach into the next pixel */
  ptrdiff_t count = 0;
  *first = a->w;
  *end = 0;
  for (ptrdiff_t i = 0; i < a->w; i++) {
    const ptrdiff_t u = (ptrdiff_t)col[i], v = (ptrdiff_t)row[i];
    if (u < x0 || u + more >= x1 || v < y0 || v + more > y1) { word[i] = 0; continue; }
    const uint8_t *q = x + v * a->xh + u * 3;
    memcpy(word + i, q, 4);
    if (more) {
      memcpy(word + pitch + i, q + 3, 4);
      memcpy(word + 2 * pitch + i, q + a->xh, 4);
      memcpy(word + 3 * pitch + i, q + a->xh + 3, 4);
    }
    if (i < *first) *first = i;
    *end = i + 1;
    count++;
  }
  if (count == 0) { *first = *end = a->w; return 1; }
  for (ptrdiff_t i = 0; i < a->w; i += VLEN) {
    const vec q0 = v_load(word + i);
    if (!more) {
      for (int k = 0; k < 3; k++) v_store(job->row + k * pitch + i, FN(image_byte)(q0, k));
      continue;
    }
    const vec q1 = v_load(word + pitch + i), q2 = v_load(word + 2 * pitch + i), q3 = v_load(word + 3 * pitch + i);
    const vec s = v_load(past_col + i), t = v_load(past_row + i);
    const vec w3 = v_mul(s, t), w2 = v_sub(t, w3), w1 = v_sub(s, w3), w0 = v_sub(v_sub(v_set(1), s), w2);
    for (int k = 0; k < 3; k++)
      v_store(job->row + k * pitch + i, v_add(v_add(v_add(v_mul(w0, FN(image_byte)(q0, k)), v_mul(w1, FN(image_byte)(q1, k))),
                                                    v_mul(w2, FN(image_byte)(q2, k))), v_mul(w3, FN(image_byte)(q3, k))));
  }
  return count == *end - *first;
}

static void FN(image_warp)(const FN(image_job) *job, ptrdiff_t y)
{
  const fn_image_args *a = job->a;
  ptrdiff_t first = a->w, end = a->w;
  FN(image_places)(job, y);
  if (a->x_float) {
    for (ptrdiff_t i = 0; i < a->w; i++) FN(image_warp_pixel)(job, i, 1);
    return;
  }
  if (a->c == 3 && a->xc == 1 && a->xw == 3 && !FN(image_warp_words)(job, &first, &end)) first = end = a->w;
  for (ptrdiff_t i = 0; i < a->w; i++) {
    if (i == first) i = end;
    if (i < a->w) FN(image_warp_pixel)(job, i, 0);
  }
}
