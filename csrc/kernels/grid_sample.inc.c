/* grid_sample: the taps of a place along each axis, then their products, vectors of channels. */

/* One axis of one place: indices (-1: outside, counts as 0), weights and their slopes by the coordinate. */
typedef struct {
  ptrdiff_t index[4];
  T weight[4], slope[4];
  int taps;
} FN(grid_axis);

/* A coordinate brought inside; *g is multiplied by the slope of that.  PyTorch's arithmetic, so that the same taps are found. */
FN_INLINE T FN(grid_reflect)(T u, T low, T span, T *g)
{
  if (span <= 0) { *g = 0; return 0; }
  T d = u - low;
  if (d < 0) { d = -d; *g = -*g; }
  const T flips = (T)floor((double)(d / span)), rest = (T)fmod((double)d, (double)span);
  if (fmod((double)flips, 2) == 0) return rest + low;
  *g = -*g;
  return span - rest + low;
}

FN_INLINE T FN(grid_inside)(const fn_grid_sample_args *a, T u, ptrdiff_t n, T *g)
{
  if (a->padding == GRID_ZEROS) return u;
  if (a->padding == GRID_REFLECTION) u = a->corners ? FN(grid_reflect)(u, 0, (T)(n - 1), g) : FN(grid_reflect)(u, (T)-0.5, (T)n, g);
  if (u <= 0) { *g = 0; return 0; }
  if (u >= (T)(n - 1)) { *g = 0; return (T)(n - 1); }
  return u;
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

static inline FN(grid_axis) FN(grid_taps)(const fn_grid_sample_args *a, T at, ptrdiff_t n)
{
  FN(grid_axis) r;
  T g = a->corners ? (T)(n - 1) / 2 : (T)n / 2;
  if (at != at) at = -1;
  T u = a->corners ? (at + 1) / 2 * (T)(n - 1) : ((at + 1) * (T)n - 1) / 2;
  if (a->mode != GRID_CUBIC) u = FN(grid_inside)(a, u, n, &g);
  if (!(u > (T)-1e9 && u < (T)1e9)) u = (T)-1e9;                             /* far outside, and still an index */
  const T floored = a->mode == GRID_NEAREST ? (T)rint((double)u) : (T)floor((double)u), t = u - floored;
  const ptrdiff_t first = (ptrdiff_t)floored - (a->mode == GRID_CUBIC);
  r.taps = a->mode == GRID_CUBIC ? 4 : a->mode == GRID_LINEAR ? 2 : 1;
  if (a->mode == GRID_CUBIC) FN(grid_cubic)(t, r.weight, r.slope);
  else if (a->mode == GRID_LINEAR) { r.weight[0] = 1 - t; r.weight[1] = t; r.slope[0] = -1; r.slope[1] = 1; }
  else { r.weight[0] = 1; r.slope[0] = 0; }
  for (int k = 0; k < r.taps; k++) {
    T ignored = 1;
    ptrdiff_t i = first + k;
    if (a->mode == GRID_CUBIC && (i < 0 || i >= n)) i = (ptrdiff_t)FN(grid_inside)(a, (T)i, n, &ignored);
    r.index[k] = i < 0 || i >= n ? -1 : i;
    r.slope[k] *= g;
  }
  return r;
}

/* The axes of place p, outermost first. */
FN_INLINE void FN(grid_place)(const fn_grid_sample_args *a, ptrdiff_t p, FN(grid_axis) *axis)
{
  const T *at = (const T *)a->grid + p * a->axes;
  if (a->axes == 3) axis[0] = FN(grid_taps)(a, at[2], a->size[0]);
  else { axis[0].taps = 1; axis[0].index[0] = 0; axis[0].weight[0] = 1; axis[0].slope[0] = 0; }
  axis[1] = FN(grid_taps)(a, at[1], a->size[1]);
  axis[2] = FN(grid_taps)(a, at[0], a->size[2]);
}

/* All taps of a place that are inside: where they are, in pixels, their weights, and the slopes of these along the axes. */
FN_INLINE int FN(grid_all)(const fn_grid_sample_args *a, const FN(grid_axis) *axis, int slopes, ptrdiff_t *at, T *weight, T (*slope)[64])
{
  int n = 0;
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

static void FN(grid_sample_forward)(const void *args, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_grid_sample_args *a = args;
  const ptrdiff_t c = a->c, image = a->size[0] * a->size[1] * a->size[2] * c;
  FN(grid_axis) axis[3];
  ptrdiff_t at[64];
  T weight[64];
  (void)thread;
  for (ptrdiff_t p = begin; p < end; p++) {
    const T *x = (const T *)a->x + p / a->places * image;
    T *y = (T *)a->y + p * c;
    FN(grid_place)(a, p, axis);
    const int n = FN(grid_all)(a, axis, 0, at, weight, NULL);
    for (ptrdiff_t j = 0; j < c; j += VLEN) {
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
  FN(grid_axis) axis[3];
  ptrdiff_t at[64];
  T weight[64], slope[3][64];
  (void)thread;
  for (ptrdiff_t p = begin; p < end; p++) {
    const T *x = (const T *)a->x + p / a->places * image, *gy = (const T *)a->gy + p * c;
    T g[3] = { 0, 0, 0 };
    FN(grid_place)(a, p, axis);
    const int n = FN(grid_all)(a, axis, 1, at, weight, slope);
    for (int k = 0; k < n; k++) {
      vec s = v_zero();
      for (ptrdiff_t j = 0; j < c; j += VLEN) s = v_fma(FN(get)(gy + j, c - j), FN(get)(x + at[k] * c + j, c - j), s);
      const T dot = v_sum(s);
      for (int d = 0; d < 3; d++) g[d] += slope[d][k] * dot;
    }
    for (int d = 0; d < (int)a->axes; d++) ((T *)a->ggrid)[p * a->axes + d] = g[2 - d];
  }
}

static void FN(grid_sample_backward_input)(const void *args, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_grid_sample_args *a = args;
  const ptrdiff_t c = a->c, image = a->size[0] * a->size[1] * a->size[2] * c;
  FN(grid_axis) axis[3];
  ptrdiff_t at[64];
  T weight[64];
  (void)thread;
  for (ptrdiff_t r = begin; r < end; r++) {
    const ptrdiff_t n = r / a->blocks, c0 = r % a->blocks * GRID_BLOCK, width = c - c0 < GRID_BLOCK ? c - c0 : GRID_BLOCK;
    T *gx = (T *)a->gx + n * image + c0;
    for (ptrdiff_t p = n * a->places; p < (n + 1) * a->places; p++) {
      const T *gy = (const T *)a->gy + p * c + c0;
      FN(grid_place)(a, p, axis);
      const int taps = FN(grid_all)(a, axis, 0, at, weight, NULL);
      for (int k = 0; k < taps; k++) {
        T *to = gx + at[k] * c;
        const vec w = v_set(weight[k]);
        for (ptrdiff_t j = 0; j < width; j += VLEN)
          FN(put)(to + j, v_fma(w, FN(get)(gy + j, width - j), FN(get)(to + j, width - j)), width - j);
      }
    }
  }
}
