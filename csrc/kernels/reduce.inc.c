/* reduce_<kind>: map each x to a term, join the terms.  The kind is a constant where the bodies are inlined. */
FN_INLINE vec FN(reduce_unit)(int kind)
{
  if (kind == REDUCE_PROD) return v_set(1);
  if (kind == REDUCE_MAX) return v_set(-(T)INFINITY);
  if (kind == REDUCE_MIN) return v_set((T)INFINITY);
  return v_zero();
}

FN_INLINE vec FN(reduce_term)(int kind, vec x, vec c)
{
  if (kind == REDUCE_SUMSQ) return v_mul(x, x);
  if (kind == REDUCE_SUMABS || kind == REDUCE_MAXABS) return v_abs(x);
  if (kind == REDUCE_DIFF) return v_sub(x, c);
  if (kind == REDUCE_SQDIFF) return v_mul(v_sub(x, c), v_sub(x, c));
  if (kind == REDUCE_COUNTABS) return v_select(v_eq(v_abs(x), c), v_set(1), v_zero());
  if (kind == REDUCE_COUNTEQ) return v_select(v_eq(x, c), v_set(1), v_zero());
  return x;
}

FN_INLINE int FN(reduce_centred)(int kind)
{
  return kind == REDUCE_DIFF || kind == REDUCE_SQDIFF || kind == REDUCE_COUNTEQ || kind == REDUCE_COUNTABS;
}

FN_INLINE vec FN(reduce_join)(int kind, vec a, vec t)   /* NaN stays: a NaN a never loses a comparison, a NaN t always wins */
{
  if (kind == REDUCE_PROD) return v_mul(a, t);
  if (kind == REDUCE_MAX || kind == REDUCE_MAXABS) return v_select(m_or(v_gt(t, a), v_nan(t)), t, a);
  if (kind == REDUCE_MIN) return v_select(m_or(v_lt(t, a), v_nan(t)), t, a);
  return v_add(a, t);
}

FN_INLINE T FN(reduce_lanes)(int kind, vec a)
{
  if (kind == REDUCE_PROD) {
    T lane[VLEN];
    v_store(lane, a);
    for (int h = VLEN / 2; h; h /= 2)
      for (int l = 0; l < h; l++) lane[l] *= lane[l + h];
    return lane[0];
  }
  if (kind == REDUCE_MAX || kind == REDUCE_MAXABS || kind == REDUCE_MIN) {
    if (m_bits(v_nan(a))) return (T)NAN;
    return kind == REDUCE_MIN ? v_hmin(a) : v_hmax(a);
  }
  return v_sum(a);
}

/* One run of n neighbours: 8 accumulators, folded into one every REDUCE_FOLD vectors, so that a sum is close to pairwise on every ISA. */
enum { FN(REDUCE_FOLD) = 512 };
FN_INLINE T FN(reduce_run)(int kind, const T *x, ptrdiff_t n, T centre)
{
  const vec c = v_set(centre), unit = FN(reduce_unit)(kind);
  vec total = unit;
  ptrdiff_t i = 0;
  if (n < VLEN) return FN(reduce_lanes)(kind, v_select(FN(first)(n), FN(reduce_term)(kind, v_loadn(x, n), c), unit));
  while (i + 8 * VLEN <= n) {
    const ptrdiff_t stop = n - i < FN(REDUCE_FOLD) * VLEN ? n : i + FN(REDUCE_FOLD) * VLEN;
    vec a[8];
#pragma GCC unroll 8
    for (int u = 0; u < 8; u++) a[u] = unit;
    for (; i + 8 * VLEN <= stop; i += 8 * VLEN) {
#pragma GCC unroll 8
      for (int u = 0; u < 8; u++) a[u] = FN(reduce_join)(kind, a[u], FN(reduce_term)(kind, v_load(x + i + u * VLEN), c));
    }
#pragma GCC unroll 4
    for (int h = 4; h; h /= 2)
      for (int u = 0; u < h; u++) a[u] = FN(reduce_join)(kind, a[u], a[u + h]);
    total = FN(reduce_join)(kind, total, a[0]);
  }
  for (; i + VLEN <= n; i += VLEN) total = FN(reduce_join)(kind, total, FN(reduce_term)(kind, v_load(x + i), c));
  if (i < n) total = FN(reduce_join)(kind, total, v_select(FN(first)(n - i), FN(reduce_term)(kind, v_loadn(x + i, n - i), c), unit));
  return FN(reduce_lanes)(kind, total);
}

/* Up to 8 rows into y: a tree over the rows, so y is read and written once for 8 rows. */
FN_INLINE void FN(reduce_rows)(int kind, const T *x, ptrdiff_t stride, ptrdiff_t rows, const T *c, T *y, ptrdiff_t width, int fresh)
{
  const int centred = FN(reduce_centred)(kind);
  ptrdiff_t j = 0;
  if (rows == 8) {
    for (; j + VLEN <= width; j += VLEN) {
      const vec centre = centred ? v_load(c + j) : v_zero();
      vec t[8];
#pragma GCC unroll 8
      for (int u = 0; u < 8; u++) t[u] = FN(reduce_term)(kind, v_load(x + u * stride + j), centre);
#pragma GCC unroll 4
      for (int h = 4; h; h /= 2)
        for (int u = 0; u < h; u++) t[u] = FN(reduce_join)(kind, t[u], t[u + h]);
      v_store(y + j, fresh ? t[0] : FN(reduce_join)(kind, v_load(y + j), t[0]));
    }
  }
  for (; j < width; j += VLEN) {
    const ptrdiff_t m = width - j < VLEN ? width - j : VLEN;
    const vec centre = centred ? FN(get)(c + j, m) : v_zero();
    vec a = FN(reduce_term)(kind, FN(get)(x + j, m), centre);
    for (ptrdiff_t u = 1; u < rows; u++) a = FN(reduce_join)(kind, a, FN(reduce_term)(kind, FN(get)(x + u * stride + j, m), centre));
    FN(put)(y + j, fresh ? a : FN(reduce_join)(kind, FN(get)(y + j, m), a), m);
  }
}

FN_INLINE void FN(reduce_walk)(int kind, const fn_reduce_args *a, ptrdiff_t begin, ptrdiff_t end)
{
  const T *x = a->x, *c = a->c;
  const int centred = FN(reduce_centred)(kind);
  T *y = a->y;
  for (ptrdiff_t r = begin; r < end; r++) {
    const ptrdiff_t block = r % a->blocks, oc = r / a->blocks, o = oc / a->chunks, k = oc % a->chunks * a->chunk;
    const ptrdiff_t m = a->n - k < a->chunk ? a->n - k : a->chunk, j = block * a->width;
    const ptrdiff_t width = a->inner - j < a->width ? a->inner - j : a->width;
    const T *xr = x + (o * a->n + k) * a->inner + j, *cr = centred ? c + o * a->inner + j : NULL;
    if (a->inner == 1) { y[oc] = FN(reduce_run)(kind, xr, m, centred ? *cr : 0); continue; }
    for (ptrdiff_t i = 0; i < width && m == 0; i++) y[oc * a->inner + j + i] = FN(reduce_lanes)(kind, FN(reduce_unit)(kind));
    for (ptrdiff_t i = 0; i < m; i += 8)
      FN(reduce_rows)(kind, xr + i * a->inner, a->inner, m - i < 8 ? m - i : 8, cr, y + oc * a->inner + j, width, i == 0);
  }
}

static void FN(reduce_sum)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(reduce_walk)(REDUCE_SUM, p, begin, end); }
static void FN(reduce_sumsq)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(reduce_walk)(REDUCE_SUMSQ, p, begin, end); }
static void FN(reduce_sumabs)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(reduce_walk)(REDUCE_SUMABS, p, begin, end); }
static void FN(reduce_diff)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(reduce_walk)(REDUCE_DIFF, p, begin, end); }
static void FN(reduce_sqdiff)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(reduce_walk)(REDUCE_SQDIFF, p, begin, end); }
static void FN(reduce_counteq)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(reduce_walk)(REDUCE_COUNTEQ, p, begin, end); }
static void FN(reduce_countabs)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(reduce_walk)(REDUCE_COUNTABS, p, begin, end); }
static void FN(reduce_prod)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(reduce_walk)(REDUCE_PROD, p, begin, end); }
static void FN(reduce_max)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(reduce_walk)(REDUCE_MAX, p, begin, end); }
static void FN(reduce_min)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(reduce_walk)(REDUCE_MIN, p, begin, end); }
static void FN(reduce_maxabs)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(reduce_walk)(REDUCE_MAXABS, p, begin, end); }

static void FN(reduce_var)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_reduce_var_args *a = p;
  (void)thread;
  for (ptrdiff_t r = begin; r < end; r++) {
    const T *x = (const T *)a->x + r * a->n, mean = *x + FN(reduce_run)(REDUCE_DIFF, x, a->n, *x) / (T)a->n;
    ((T *)a->mean)[r] = mean;
    ((T *)a->y)[r] = FN(reduce_run)(REDUCE_SQDIFF, x, a->n, mean) * (T)a->scale;
  }
}

static void FN(rescale)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_rescale_args *a = p;
  const vec scale = v_set((T)a->scale);
  const ptrdiff_t stop = end * RESCALE_PIECE < a->n ? end * RESCALE_PIECE : a->n;
  T *y = a->y;
  (void)thread;
  for (ptrdiff_t i = begin * RESCALE_PIECE; i < stop; i += VLEN) {
    const vec v = v_mul(FN(get)(y + i, stop - i), scale);
    FN(put)(y + i, a->root ? v_sqrt(v) : v, stop - i);
  }
}
