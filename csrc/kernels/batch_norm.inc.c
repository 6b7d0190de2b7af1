/* Batch, group and instance norm, the passes over the image: statistics, result, sums of the gradient, gradient. */

/* The part of an image that one unit of the range is: `lines` lines from x on, `n` columns, `extra` columns of one line more. */
typedef struct {
  ptrdiff_t at, lines, n, extra, instance, j, part;
} FN(norm_unit);

FN_INLINE FN(norm_unit) FN(norm_place)(const fn_batch_norm_args *a, ptrdiff_t r)
{
  FN(norm_unit) u;
  const ptrdiff_t chunk = r / a->blocks % a->chunks, first = chunk * a->chunk;
  u.instance = r / a->blocks / a->chunks;
  u.j = r % a->blocks * a->block;
  u.n = a->width - u.j < a->block ? a->width - u.j : a->block;
  u.lines = a->lines - first < a->chunk ? a->lines - first : a->chunk;
  u.extra = chunk == a->chunks - 1 && a->tail > u.j ? (a->tail - u.j < u.n ? a->tail - u.j : u.n) : 0;
  u.at = u.instance * a->rows * a->c + first * a->width + u.j;
  u.part = (u.instance * a->chunks + chunk) * NORM_PARTS * a->width + u.j;
  return u;
}

/* How many lines are walked side by side: their columns share coefficients and sums, but memory likes to be read in order.  Narrow lines
   go one by one; of wide ones, coefficients and sums would not stay in the first cache. */
enum { FN(NORM_GROUP) = 8 };
FN_INLINE ptrdiff_t FN(norm_group)(const fn_batch_norm_args *a) { return a->width <= 512 ? 1 : FN(NORM_GROUP); }

/* s += sum(x - k), q += sum((x - k)^2) over some lines */
FN_INLINE void FN(norm_stats_lines)(const T *x, ptrdiff_t step, ptrdiff_t lines, const T *k, T *s, T *q, ptrdiff_t n)
{
  for (ptrdiff_t j = 0; j < n; j += VLEN) {
    const ptrdiff_t m = n - j;
    const vec shift = FN(get)(k + j, m);
    vec a = FN(get)(s + j, m), b = FN(get)(q + j, m);
    for (ptrdiff_t i = 0; i < lines; i++) {
      const vec d = v_sub(FN(get)(x + i * step + j, m), shift);
      a = v_add(a, d);
      b = v_fma(d, d, b);
    }
    FN(put)(s + j, a, m);
    FN(put)(q + j, b, m);
  }
}

/* What x is taken relative to, near its mean: the mean of 8 lines, exact where they are equal; of fewer, the first. */
FN_INLINE void FN(norm_centre)(const T *x, ptrdiff_t step, ptrdiff_t lines, T *k, ptrdiff_t n)
{
  for (ptrdiff_t j = 0; j < n; j += VLEN) {
    const ptrdiff_t m = n - j;
    vec t[8] = { FN(get)(x + j, m) };
    if (lines >= 8) {
      for (int i = 1; i < 8; i++) t[i] = FN(get)(x + i * step + j, m);
      for (int h = 4; h; h /= 2)
        for (int i = 0; i < h; i++) t[i] = v_add(t[i], t[i + h]);
      t[0] = v_mul(t[0], v_set((T)0.125));
    }
    FN(put)(k + j, t[0], m);
  }
}

/* Sums around k become mean and sum of squares around the mean of `count` values. */
FN_INLINE void FN(norm_stats_end)(const T *k, T *s, T *q, ptrdiff_t count, ptrdiff_t n)
{
  const vec one = v_set((T)1 / (T)count);
  for (ptrdiff_t j = 0; j < n; j += VLEN) {
    const ptrdiff_t m = n - j;
    const vec a = FN(get)(s + j, m), d = v_mul(a, one);
    FN(put)(s + j, v_add(FN(get)(k + j, m), d), m);
    FN(put)(q + j, v_max(v_zero(), v_fnma(a, d, FN(get)(q + j, m))), m);
  }
}

static void FN(batch_norm_stats)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_batch_norm_args *a = p;
  (void)thread;
  for (ptrdiff_t r = begin; r < end; r++) {
    const FN(norm_unit) u = FN(norm_place)(a, r);
    const T *x = (const T *)a->x + u.at;
    T *s = (T *)a->part + u.part, *q = s + a->width, *k = q + a->width;
    memset(s, 0, (size_t)u.n * sizeof(T));
    memset(q, 0, (size_t)u.n * sizeof(T));
    FN(norm_centre)(x, a->width, u.lines, k, u.n);
    if (FN(norm_group)(a) == 1)
      for (ptrdiff_t i = 0; i < u.lines; i++) FN(norm_stats_lines)(x + i * a->width, a->width, 1, k, s, q, u.n);
    else
      for (ptrdiff_t i = 0; i < u.lines; i += FN(NORM_GROUP))
        FN(norm_stats_lines)(x + i * a->width, a->width, u.lines - i < FN(NORM_GROUP) ? u.lines - i : FN(NORM_GROUP), k, s, q, u.n);
    if (u.extra) FN(norm_stats_lines)(x + u.lines * a->width, a->width, 1, k, s, q, u.extra);
    FN(norm_stats_end)(k, s, q, u.lines + 1, u.extra);
    FN(norm_stats_end)(k + u.extra, s + u.extra, q + u.extra, u.lines, u.n - u.extra);
  }
}

/* The rarer activations: one copy of their code, called. */
static __attribute__((noinline)) vec FN(norm_act_rare)(int act, vec slope, vec z)
{
  if (act == NORM_ACT_LEAKY) return v_select(v_gt(z, v_zero()), z, v_mul(z, slope));
  if (act == NORM_ACT_SILU) return v_div(z, v_add(v_set(1), v_exp(v_sub(v_zero(), z))));
  if (act == NORM_ACT_HARDSWISH) return v_div(v_mul(z, v_min(v_set(6), v_max(v_zero(), v_add(z, v_set(3))))), v_set(6));
  return z;
}

FN_INLINE vec FN(norm_act_value)(int act, vec slope, vec z)
{
  if (act == NORM_ACT_NONE) return z;
  if (act == NORM_ACT_RELU) return v_max(v_zero(), z);
  return act == NORM_ACT_RELU6 ? v_min(v_set(6), v_max(v_zero(), z)) : FN(norm_act_rare)(act, slope, z);
}

/* g act'(z); the relus and leaky relu with a positive slope may be given the output in place of z. */
static __attribute__((noinline)) vec FN(norm_act_rare_slope)(int act, vec slope, vec g, vec z)
{
  if (act == NORM_ACT_LEAKY) return v_select(v_gt(z, v_zero()), g, v_mul(g, slope));
  if (act == NORM_ACT_SILU) {
    const vec s = v_sigmoid(z);
    return v_mul(g, v_mul(s, v_fma(z, v_sub(v_set(1), s), v_set(1))));
  }
  if (act == NORM_ACT_HARDSWISH) {
    const vec middle = v_mul(g, v_add(v_div(z, v_set(3)), v_set(0.5)));
    return v_select(v_le(z, v_set(-3)), v_zero(), v_select(v_lt(z, v_set(3)), middle, g));
  }
  return g;
}

FN_INLINE vec FN(norm_act_slope)(int act, vec slope, vec g, vec z)
{
  if (act == NORM_ACT_RELU) return v_select(v_le(z, v_zero()), v_zero(), g);
  if (act == NORM_ACT_RELU6) return v_select(m_or(v_le(z, v_zero()), v_ge(z, v_set(6))), v_zero(), g);
  return FN(norm_act_rare_slope)(act, slope, g, z);
}

FN_INLINE void FN(norm_forward_lines)(int act, int residual, int stream, const fn_batch_norm_args *a, const T *coef, ptrdiff_t at, ptrdiff_t lines,
                                      ptrdiff_t n)
{
  const T *x = (const T *)a->x + at, *r = residual ? (const T *)a->r + at : NULL;
  T *y = (T *)a->y + at;
  const ptrdiff_t step = a->width;
  const vec slope = v_set((T)a->slope);
  for (ptrdiff_t j = 0; j < n; j += VLEN) {
    const ptrdiff_t m = n - j;
    const vec mean = FN(get)(coef + NORM_MEAN * step + j, m), scale = FN(get)(coef + NORM_SCALE * step + j, m);
    const vec shift = FN(get)(coef + NORM_SHIFT * step + j, m);
    for (ptrdiff_t i = 0; i < lines; i++) {
      vec z = v_fma(v_sub(FN(get)(x + i * step + j, m), mean), scale, shift);
      if (residual) z = v_add(z, FN(get)(r + i * step + j, m));
      z = FN(norm_act_value)(act, slope, z);
      if (stream) v_stream(y + i * step + j, z);
      else FN(put)(y + i * step + j, z, m);
    }
  }
}

FN_INLINE void FN(norm_forward_walk)(int act, int residual, const fn_batch_norm_args *a, ptrdiff_t begin, ptrdiff_t end)
{
  for (ptrdiff_t r = end; r-- > begin;) {            /* what the pass before read last may still be in a cache */
    const FN(norm_unit) u = FN(norm_place)(a, r);
    const T *coef = (const T *)a->coef + u.instance * NORM_COEFS * a->width + u.j;
    if (a->stream && FN(norm_group)(a) == 1)
      for (ptrdiff_t i = 0; i < u.lines; i++) FN(norm_forward_lines)(act, residual, 1, a, coef, u.at + i * a->width, 1, u.n);
    else if (FN(norm_group)(a) == 1)
      for (ptrdiff_t i = 0; i < u.lines; i++) FN(norm_forward_lines)(act, residual, 0, a, coef, u.at + i * a->width, 1, u.n);
    else
      for (ptrdiff_t i = 0; i < u.lines; i += FN(NORM_GROUP))
        FN(norm_forward_lines)(act, residual, 0, a, coef, u.at + i * a->width, u.lines - i < FN(NORM_GROUP) ? u.lines - i : FN(NORM_GROUP), u.n);
    if (u.extra) FN(norm_forward_lines)(act, residual, 0, a, coef, u.at + u.lines * a->width, 1, u.extra);
  }
}

static void FN(batch_norm_forward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_batch_norm_args *a = p;
  (void)thread;
  if (a->act == NORM_ACT_NONE && !a->r) FN(norm_forward_walk)(NORM_ACT_NONE, 0, a, begin, end);
  else if (a->act == NORM_ACT_RELU && !a->r) FN(norm_forward_walk)(NORM_ACT_RELU, 0, a, begin, end);
  else if (a->act == NORM_ACT_RELU) FN(norm_forward_walk)(NORM_ACT_RELU, 1, a, begin, end);
  else FN(norm_forward_walk)(a->act, a->r != NULL, a, begin, end);
}

/* from: 0: z is computed from x (and r, if there), 1: r is the output. */
FN_INLINE void FN(norm_sums_lines)(int act, int from, int keep, const fn_batch_norm_args *a, const T *coef, ptrdiff_t at, ptrdiff_t lines,
                                   T *s, T *q, ptrdiff_t n)
{
  const T *x = (const T *)a->x + at, *gy = (const T *)a->gy + at, *r = a->r ? (const T *)a->r + at : NULL;
  T *to = keep ? (T *)a->g + at : NULL;
  const ptrdiff_t step = a->width;
  const vec slope = v_set((T)a->slope);
  for (ptrdiff_t j = 0; j < n; j += VLEN) {
    const ptrdiff_t m = n - j;
    const vec mean = FN(get)(coef + NORM_MEAN * step + j, m), scale = FN(get)(coef + NORM_SCALE * step + j, m);
    const vec shift = FN(get)(coef + NORM_SHIFT * step + j, m);
    vec sum = FN(get)(s + j, m), dot = FN(get)(q + j, m);
    for (ptrdiff_t i = 0; i < lines; i++) {
      const ptrdiff_t k = i * step + j;
      const vec d = v_sub(FN(get)(x + k, m), mean);
      vec g = FN(get)(gy + k, m);
      if (act != NORM_ACT_NONE) {
        vec z;
        if (from) z = FN(get)(r + k, m);
        else {
          z = v_fma(d, scale, shift);
          if (act != NORM_ACT_RELU && r) z = v_add(z, FN(get)(r + k, m));
        }
        g = FN(norm_act_slope)(act, slope, g, z);
      }
      if (keep) FN(put)(to + k, g, m);
      sum = v_add(sum, g);
      dot = v_fma(g, d, dot);
    }
    FN(put)(s + j, sum, m);
    FN(put)(q + j, dot, m);
  }
}

FN_INLINE void FN(norm_sums_walk)(int act, int from, int keep, const fn_batch_norm_args *a, ptrdiff_t begin, ptrdiff_t end)
{
  for (ptrdiff_t r = begin; r < end; r++) {
    const FN(norm_unit) u = FN(norm_place)(a, r);
    const T *coef = (const T *)a->coef + u.instance * NORM_COEFS * a->width + u.j;
    T *s = (T *)a->part + u.part, *q = s + a->width;
    memset(s, 0, (size_t)u.n * sizeof(T));
    memset(q, 0, (size_t)u.n * sizeof(T));
    if (FN(norm_group)(a) == 1)
      for (ptrdiff_t i = 0; i < u.lines; i++) FN(norm_sums_lines)(act, from, keep, a, coef, u.at + i * a->width, 1, s, q, u.n);
    else
      for (ptrdiff_t i = 0; i < u.lines; i += FN(NORM_GROUP))
        FN(norm_sums_lines)(act, from, keep, a, coef, u.at + i * a->width, u.lines - i < FN(NORM_GROUP) ? u.lines - i : FN(NORM_GROUP), s, q, u.n);
    if (u.extra) FN(norm_sums_lines)(act, from, keep, a, coef, u.at + u.lines * a->width, 1, s, q, u.extra);
  }
}

static void FN(batch_norm_sums)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_batch_norm_args *a = p;
  (void)thread;
  if (a->act == NORM_ACT_NONE) FN(norm_sums_walk)(NORM_ACT_NONE, 0, 0, a, begin, end);
  else if (a->act == NORM_ACT_RELU && a->from_output) FN(norm_sums_walk)(NORM_ACT_RELU, 1, 1, a, begin, end);
  else if (a->act == NORM_ACT_RELU) FN(norm_sums_walk)(NORM_ACT_RELU, 0, 0, a, begin, end);
  else if (a->act == NORM_ACT_RELU6 && !a->g) FN(norm_sums_walk)(NORM_ACT_RELU6, 0, 0, a, begin, end);
  else FN(norm_sums_walk)(a->act, a->from_output, 1, a, begin, end);
}

FN_INLINE void FN(norm_backward_lines)(int act, int stream, const fn_batch_norm_args *a, const T *coef, ptrdiff_t at, ptrdiff_t lines, ptrdiff_t n)
{
  const T *x = (const T *)a->x + at, *gy = (const T *)a->gy + at;
  T *gx = (T *)a->y + at;
  const ptrdiff_t step = a->width;
  for (ptrdiff_t j = 0; j < n; j += VLEN) {
    const ptrdiff_t m = n - j;
    const vec mean = FN(get)(coef + NORM_MEAN * step + j, m), scale = FN(get)(coef + NORM_SCALE * step + j, m);
    const vec shift = FN(get)(coef + NORM_SHIFT * step + j, m), gscale = FN(get)(coef + NORM_GSCALE * step + j, m);
    const vec gslope = FN(get)(coef + NORM_GSLOPE * step + j, m), gshift = FN(get)(coef + NORM_GSHIFT * step + j, m);
    for (ptrdiff_t i = 0; i < lines; i++) {
      const ptrdiff_t k = i * step + j;
      const vec d = v_sub(FN(get)(x + k, m), mean);
      vec g = FN(get)(gy + k, m);
      if (act != NORM_ACT_NONE) g = FN(norm_act_slope)(act, v_zero(), g, v_fma(d, scale, shift));
      g = v_fma(gscale, g, v_fma(gslope, d, gshift));
      if (stream) v_stream(gx + k, g);
      else FN(put)(gx + k, g, m);
    }
  }
}

FN_INLINE void FN(norm_backward_walk)(int act, const fn_batch_norm_args *a, ptrdiff_t begin, ptrdiff_t end)
{
  for (ptrdiff_t r = end; r-- > begin;) {            /* what the pass before read last may still be in a cache */
    const FN(norm_unit) u = FN(norm_place)(a, r);
    const T *coef = (const T *)a->coef + u.instance * NORM_COEFS * a->width + u.j;
    if (a->stream && FN(norm_group)(a) == 1)
      for (ptrdiff_t i = 0; i < u.lines; i++) FN(norm_backward_lines)(act, 1, a, coef, u.at + i * a->width, 1, u.n);
    else if (FN(norm_group)(a) == 1)
      for (ptrdiff_t i = 0; i < u.lines; i++) FN(norm_backward_lines)(act, 0, a, coef, u.at + i * a->width, 1, u.n);
    else
      for (ptrdiff_t i = 0; i < u.lines; i += FN(NORM_GROUP))
        FN(norm_backward_lines)(act, 0, a, coef, u.at + i * a->width, u.lines - i < FN(NORM_GROUP) ? u.lines - i : FN(NORM_GROUP), u.n);
    if (u.extra) FN(norm_backward_lines)(act, 0, a, coef, u.at + u.lines * a->width, 1, u.extra);
  }
}

static void FN(batch_norm_backward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_batch_norm_args *a = p;
  (void)thread;
  if (a->act == NORM_ACT_RELU) FN(norm_backward_walk)(NORM_ACT_RELU, a, begin, end);
  else if (a->act == NORM_ACT_RELU6) FN(norm_backward_walk)(NORM_ACT_RELU6, a, begin, end);
  else FN(norm_backward_walk)(NORM_ACT_NONE, a, begin, end);
}
