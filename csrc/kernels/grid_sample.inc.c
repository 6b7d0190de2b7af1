/* grid_sample: the taps of a place along each axis, then their products, vectors of channels. */

/* Coordinates of up to GRID_BATCH places along each axis, as vectors find them: the pixel before, the fraction past it, and the slope of
   the coordinate in pixels by the one in the grid. */
typedef struct {
  T pixel[3][GRID_BATCH], past[3][GRID_BATCH], slope[3][GRID_BATCH];
} FN(grid_batch);

/* One axis of one place: indices (-1: outside, counts as 0), weights and their slopes by the coordinate. */
typedef struct {
  ptrdiff_t index[4];
  T weight[4], slope[4];
  int taps;
} FN(grid_axis);

/* Mirrored between low and low + span as often as it takes; *g changes its sign with each mirror. */
FN_INLINE vec FN(grid_reflect)(vec u, T low, T span, vec *g)
{
  if (span <= 0) { *g = v_zero(); return v_zero(); }
  const vec signed_d = v_sub(u, v_set(low)), d = v_abs(signed_d), flips = v_floor(v_div(d, v_set(span)));
  const vec half = v_mul(flips, v_set((T)0.5)), rest = v_fnma(flips, v_set(span), d);
  const vmask even = v_eq(v_floor(half), half);
  *g = v_select(v_lt(signed_d, v_zero()), v_sub(v_zero(), *g), *g);
  *g = v_select(even, *g, v_sub(v_zero(), *g));
  return v_add(v_set(low), v_select(even, rest, v_sub(v_set(span), rest)));
}

/* Coordinates brought inside; *g is multiplied by the slope of that. */
FN_INLINE vec FN(grid_inside)(const fn_grid_sample_args *a, vec u, ptrdiff_t n, vec *g)
{
  const vec last = v_set((T)(n - 1));
  if (a->padding == GRID_ZEROS) return u;
  if (a->padding == GRID_REFLECTION) u = a->corners ? FN(grid_reflect)(u, 0, (T)(n - 1), g) : FN(grid_reflect)(u, (T)-0.5, (T)n, g);
  *g = v_select(m_or(v_le(u, v_zero()), v_ge(u, last)), v_zero(), *g);
  return v_select(v_le(u, v_zero()), v_zero(), v_select(v_ge(u, last), last, u));
}

/* The places from p on, of which there are m. */
static void FN(grid_locate)(const fn_grid_sample_args *a, ptrdiff_t p, ptrdiff_t m, FN(grid_batch) *b)
{
  for (ptrdiff_t d = 3 - a->axes; d < 3; d++) {
    const T *grid = (const T *)a->grid + p * a->axes + 2 - d, n = (T)a->size[d];
    for (ptrdiff_t i = 0; i < m; i++) b->past[d][i] = grid[i * a->axes];
    for (ptrdiff_t i = m; i % VLEN; i++) b->past[d][i] = 0;
    for (ptrdiff_t i = 0; i < m; i += VLEN) {
      vec at = v_load(b->past[d] + i), g = v_set(a->corners ? (n - 1) / 2 : n / 2);
      at = v_add(v_select(v_nan(at), v_set(-1), at), v_set(1));
      vec u = a->corners ? v_mul(v_mul(at, v_set((T)0.5)), v_set(n - 1)) : v_mul(v_sub(v_mul(at, v_set(n)), v_set(1)), v_set((T)0.5));
      if (a->mode != GRID_CUBIC) u = FN(grid_inside)(a, u, a->size[d], &g);
      u = v_min(v_max(u, v_set((T)-1e9)), v_set((T)1e9));                    /* far outside, and still an index */
      const vec pixel = a->mode == GRID_NEAREST ? v_round(u) : v_floor(u);
      v_store(b->pixel[d] + i, pixel);
      v_store(b->past[d] + i, v_sub(u, pixel));
      v_store(b->slope[d] + i, g);
    }
  }
}

/* Keys' kernel, a = -3/4, for the four places around one at t past the second; and its slope. */
FN_INLINE void FN(grid_cubic)(T t, T *w, T *s)
{
  const T a = (T)-0.75;
  for (int k = 0; k < 4; k++) {
    const T x = k == 0 ? 1 + t : k == 1 ? t : k == 2 ? 1 - t : 2 - t, sign = k < 2 ? 1 : -1;
    w[k] = k == 1 || k == 2 ? ((a + 2) * x - (a + 3)) * x * x + 1 : ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
    s[k] = sign * (k == 1 || k == 2 ? (3 * (a + 2) * x - 2 * (a + 3)) * x : (3 * a * x - 10 * a) * x + 8 * a);
  }
}

/* A pixel that the padding puts inside. */
FN_INLINE ptrdiff_t FN(grid_pixel)(const fn_grid_sample_args *a, ptrdiff_t i, ptrdiff_t n)
{
  const ptrdiff_t period = a->corners ? 2 * (n - 1) : 2 * n;
  if (a->padding == GRID_REFLECTION) {
    if (period == 0) return 0;
    i = (i % period + period) % period;
    if (i >= n) i = a->corners ? period - i : period - 1 - i;
  }
  if (a->padding == GRID_BORDER) i = i < 0 ? 0 : i >= n ? n - 1 : i;
  return i;
}

FN_INLINE void FN(grid_taps)(const fn_grid_sample_args *a, T pixel, T t, T g, ptrdiff_t n, FN(grid_axis) *r)
{
  const ptrdiff_t first = (ptrdiff_t)pixel - (a->mode == GRID_CUBIC);
  r->taps = a->mode == GRID_CUBIC ? 4 : a->mode == GRID_LINEAR ? 2 : 1;
  if (a->mode == GRID_CUBIC) FN(grid_cubic)(t, r->weight, r->slope);
  else if (a->mode == GRID_LINEAR) { r->weight[0] = 1 - t; r->weight[1] = t; r->slope[0] = -1; r->slope[1] = 1; }
  else { r->weight[0] = 1; r->slope[0] = 0; }
  for (int k = 0; k < r->taps; k++) {
    ptrdiff_t i = first + k;
    if (a->mode == GRID_CUBIC && (i < 0 || i >= n)) i = FN(grid_pixel)(a, i, n);
    r->index[k] = i < 0 || i >= n ? -1 : i;
    r->slope[k] *= g;
  }
}

/* The axes of one place of a batch, outermost first. */
FN_INLINE void FN(grid_place)(const fn_grid_sample_args *a, const FN(grid_batch) *b, ptrdiff_t i, FN(grid_axis) *axis)
{
  if (a->axes == 3) FN(grid_taps)(a, b->pixel[0][i], b->past[0][i], b->slope[0][i], a->size[0], axis);
  else { axis[0].taps = 1; axis[0].index[0] = 0; axis[0].weight[0] = 1; axis[0].slope[0] = 0; }
  for (int d = 1; d < 3; d++) FN(grid_taps)(a, b->pixel[d][i], b->past[d][i], b->slope[d][i], a->size[d], axis + d);
}

/* All taps of a place that are inside: where they are, in pixels, their weights, and the slopes of these along the axes. */
static int FN(grid_all)(const fn_grid_sample_args *a, const FN(grid_batch) *b, ptrdiff_t p, int slopes, ptrdiff_t *at, T *weight, T (*slope)[64])
{
  FN(grid_axis) axis[3];
  int n = 0;
  FN(grid_place)(a, b, p, axis);
  for (int i = 0; i < axis[0].taps; i++)
    for (int j = 0; j < axis[1].taps; j++)
      for (int k = 0; k < axis[2].taps; k++) {
        if (axis[0].index[i] < 0 || axis[1].index[j] < 0 || axis[2].index[k] < 0) continue;
        const T u = axis[0].weight[i], v = axis[1].weight[j], w = axis[2].weight[k];
        at[n] = (axis[0].index[i] * a->size[1] + axis[1].index[j]) * a->size[2] + axis[2].index[k];
        weight[n] = u * v * w;
        if (slopes) {
          slope[0][n] = axis[0].slope[i] * v * w;
          slope[1][n] = u * axis[1].slope[j] * w;
          slope[2][n] = u * v * axis[2].slope[k];
        }
        n++;
      }
  return n;
}

/* The same, quickly for the usual: two axes, all four pixels, or the nearest one, inside. */
FN_INLINE int FN(grid_find)(const fn_grid_sample_args *a, const FN(grid_batch) *b, ptrdiff_t p, int slopes, ptrdiff_t *at, T *weight,
                            T (*slope)[64])
{
  const ptrdiff_t i = (ptrdiff_t)b->pixel[1][p], j = (ptrdiff_t)b->pixel[2][p], wide = a->size[2], more = a->mode == GRID_LINEAR;
  if (a->axes != 2 || a->mode == GRID_CUBIC || i < 0 || j < 0 || i + more >= a->size[1] || j + more >= wide)
    return FN(grid_all)(a, b, p, slopes, at, weight, slope);
  const T v = b->past[1][p], w = b->past[2][p];
  at[0] = i * wide + j;
  weight[0] = 1;
  if (slopes) slope[0][0] = slope[1][0] = slope[2][0] = 0;
  if (!more) return 1;
  at[1] = at[0] + 1;
  at[2] = at[0] + wide;
  at[3] = at[2] + 1;
  weight[0] = (1 - v) * (1 - w);
  weight[1] = (1 - v) * w;
  weight[2] = v * (1 - w);
  weight[3] = v * w;
  if (slopes) {
    const T gv = b->slope[1][p], gw = b->slope[2][p];
    slope[1][0] = -gv * (1 - w);
    slope[1][1] = -gv * w;
    slope[1][2] = gv * (1 - w);
    slope[1][3] = gv * w;
    slope[2][0] = -gw * (1 - v);
    slope[2][1] = gw * (1 - v);
    slope[2][2] = -gw * v;
    slope[2][3] = gw * v;
    for (int k = 0; k < 4; k++) slope[0][k] = 0;
  }
  return 4;
}

/* The weighted sum over the taps for c channels, so few that scalars are quicker than a masked vector. */
FN_INLINE void FN(grid_few)(int c, int n, const ptrdiff_t *at, const T *weight, const T *x, T *y)
{
  T s[4] = { 0, 0, 0, 0 };
  for (int k = 0; k < n; k++) {
    const T *q = x + at[k] * c;
#pragma GCC unroll 4
    for (int j = 0; j < c; j++) s[j] += weight[k] * q[j];
  }
#pragma GCC unroll 4
  for (int j = 0; j < c; j++) y[j] = s[j];
}

static void FN(grid_sample_forward)(const void *args, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_grid_sample_args *a = args;
  const ptrdiff_t c = a->c, image = a->size[0] * a->size[1] * a->size[2] * c;
  ptrdiff_t at[64];
  T weight[64];
  FN(grid_batch) batch;
  (void)thread;
  ptrdiff_t image_of = begin / a->places, left = (image_of + 1) * a->places - begin;
  for (ptrdiff_t p = begin; p < end; p++, left--) {
    if (left == 0) { image_of++; left = a->places; }
    const T *x = (const T *)a->x + image_of * image;
    T *y = (T *)a->y + p * c;
    const ptrdiff_t in = (p - begin) % GRID_BATCH;
    if (in == 0) FN(grid_locate)(a, p, end - p < GRID_BATCH ? end - p : GRID_BATCH, &batch);
    const int n = FN(grid_find)(a, &batch, in, 0, at, weight, NULL);
    if (c == 1) FN(grid_few)(1, n, at, weight, x, y);
    else if (c == 3) FN(grid_few)(3, n, at, weight, x, y);
    else for (ptrdiff_t j = 0; j < c; j += VLEN) {
      vec s = v_zero();
      for (int k = 0; k < n; k++) s = v_fma(v_set(weight[k]), FN(get)(x + at[k] * c + j, c - j), s);
      FN(put)(y + j, s, c - j);
    }
  }
}

static void FN(grid_sample_backward_grid)(const void *args, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_grid_sample_args *a = args;
  const ptrdiff_t c = a->c, image = a->size[0] * a->size[1] * a->size[2] * c;
  ptrdiff_t at[64];
  T weight[64], slope[3][64];
  FN(grid_batch) batch;
  (void)thread;
  for (ptrdiff_t p = begin; p < end; p++) {
    const T *x = (const T *)a->x + p / a->places * image, *gy = (const T *)a->gy + p * c;
    T g[3] = { 0, 0, 0 };
    const ptrdiff_t in = (p - begin) % GRID_BATCH;
    if (in == 0) FN(grid_locate)(a, p, end - p < GRID_BATCH ? end - p : GRID_BATCH, &batch);
    const int n = FN(grid_find)(a, &batch, in, 1, at, weight, slope);
    for (int k = 0; k < n; k++) {
      T dot = 0;
      if (c == 1) dot = gy[0] * x[at[k]];
      else if (c == 3) dot = gy[0] * x[at[k] * 3] + gy[1] * x[at[k] * 3 + 1] + gy[2] * x[at[k] * 3 + 2];
      else {
        vec s = v_zero();
        for (ptrdiff_t j = 0; j < c; j += VLEN) s = v_fma(FN(get)(gy + j, c - j), FN(get)(x + at[k] * c + j, c - j), s);
        dot = v_sum(s);
      }
      for (int d = 0; d < 3; d++) g[d] += slope[d][k] * dot;
    }
    for (int d = 0; d < (int)a->axes; d++) ((T *)a->ggrid)[p * a->axes + d] = g[2 - d];
  }
}

static void FN(grid_sample_backward_input)(const void *args, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_grid_sample_args *a = args;
  const ptrdiff_t c = a->c, image = a->size[0] * a->size[1] * a->size[2] * c;
  ptrdiff_t at[64];
  T weight[64];
  FN(grid_batch) batch;
  (void)thread;
  for (ptrdiff_t r = begin; r < end; r++) {
    const ptrdiff_t n = r / a->blocks, c0 = r % a->blocks * GRID_BLOCK, width = c - c0 < GRID_BLOCK ? c - c0 : GRID_BLOCK;
    T *gx = (T *)a->gx + n * image + c0;
    for (ptrdiff_t i = 0; i < a->places; i++) {
      const ptrdiff_t p = n * a->places + i, in = i % GRID_BATCH;
      const T *gy = (const T *)a->gy + p * c + c0;
      if (in == 0) FN(grid_locate)(a, p, a->places - i < GRID_BATCH ? a->places - i : GRID_BATCH, &batch);
      const int taps = FN(grid_find)(a, &batch, in, 0, at, weight, NULL);
      for (int k = 0; k < taps; k++) {
        T *to = gx + at[k] * c;
        const vec w = v_set(weight[k]);
        if (c == 1) to[0] += weight[k] * gy[0];                              /* a masked store and the load after it would wait */
        else if (c == 3) { to[0] += weight[k] * gy[0]; to[1] += weight[k] * gy[1]; to[2] += weight[k] * gy[2]; }
        else
          for (ptrdiff_t j = 0; j < width; j += VLEN)
            FN(put)(to + j, v_fma(w, FN(get)(gy + j, width - j), FN(get)(to + j, width - j)), width - j);
      }
    }
  }
}
