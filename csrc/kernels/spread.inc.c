/* spread_<kind>: the gradient of a reduction, gx = f(x, gy, y, c), with gy, y and c repeated over n; and the backward of prod. */

/* The part that does not depend on x: computed once a row, or once a column block. */
FN_INLINE vec FN(spread_slope)(int kind, vec gy, vec y, vec c, vec scale)
{
  const vec zero = v_zero();
  if (kind == SPREAD_VAR) return v_mul(gy, scale);
  if (kind == SPREAD_STD) return v_select(v_eq(y, zero), zero, v_div(v_mul(gy, scale), y));
  if (kind == SPREAD_NORM) return v_select(v_eq(y, zero), zero, v_div(gy, y));
  if (kind == SPREAD_MAX || kind == SPREAD_MAXABS) return v_div(gy, c);
  return gy;
}

FN_INLINE vec FN(spread_one)(int kind, vec x, vec y, vec c, vec slope)
{
  const vec zero = v_zero(), sign = v_and(x, v_set((T)-0.0));
  if (kind == SPREAD_VAR || kind == SPREAD_STD) return v_mul(v_sub(x, c), slope);
  if (kind == SPREAD_NORM) return v_mul(x, slope);
  if (kind == SPREAD_SIGN) return v_select(v_eq(x, zero), zero, v_xor(slope, sign));
  if (kind == SPREAD_MAX) return v_select(v_eq(x, y), slope, zero);
  if (kind == SPREAD_MAXABS) return v_select(m_and(v_eq(v_abs(x), y), v_ne(x, zero)), v_xor(slope, sign), zero);
  return v_mul(slope, v_exp(v_sub(x, y)));           /* SPREAD_LOGSUMEXP */
}

FN_INLINE void FN(spread_walk)(int kind, const fn_spread_args *a, ptrdiff_t begin, ptrdiff_t end)
{
  const int reads_c = kind == SPREAD_VAR || kind == SPREAD_STD || kind == SPREAD_MAX || kind == SPREAD_MAXABS;
  const int reads_y = kind != SPREAD_VAR && kind != SPREAD_SIGN;
  const vec scale = v_set((T)a->scale);
  const T *gy = a->gy, *y = a->y, *c = a->c;
  T slopes[REDUCE_WIDTH];
  for (ptrdiff_t r = begin; r < end; r++) {
    const ptrdiff_t block = r % a->blocks, oc = r / a->blocks, o = oc / a->chunks, k = oc % a->chunks * a->chunk;
    const ptrdiff_t m = a->n - k < a->chunk ? a->n - k : a->chunk, j = block * a->width;
    const ptrdiff_t width = a->inner - j < a->width ? a->inner - j : a->width, at = (o * a->n + k) * a->inner + j, q = o * a->inner + j;
    const T *x = (const T *)a->x + at;
    T *gx = (T *)a->gx + at;
    if (a->inner == 1) {
      const vec vy = v_set(reads_y ? y[q] : 0), vc = v_set(reads_c ? c[q] : 0);
      const vec slope = FN(spread_slope)(kind, v_set(gy[q]), vy, vc, scale);
      ptrdiff_t i = 0;
      for (; i + VLEN <= m; i += VLEN) v_store(gx + i, FN(spread_one)(kind, v_load(x + i), vy, vc, slope));
      if (i < m) v_storen(gx + i, FN(spread_one)(kind, v_loadn(x + i, m - i), vy, vc, slope), m - i);
      continue;
    }
    for (ptrdiff_t u = 0; u < width; u += VLEN) {
      const ptrdiff_t w = width - u < VLEN ? width - u : VLEN;
      const vec vy = reads_y ? FN(get)(y + q + u, w) : v_zero(), vc = reads_c ? FN(get)(c + q + u, w) : v_zero();
      v_store(slopes + u, FN(spread_slope)(kind, FN(get)(gy + q + u, w), vy, vc, scale));
    }
    for (ptrdiff_t i = 0; i < m; i++) {
      const T *xi = x + i * a->inner;
      T *gi = gx + i * a->inner;
      for (ptrdiff_t u = 0; u < width; u += VLEN) {
        const ptrdiff_t w = width - u < VLEN ? width - u : VLEN;
        const vec vy = reads_y ? FN(get)(y + q + u, w) : v_zero(), vc = reads_c ? FN(get)(c + q + u, w) : v_zero();
        FN(put)(gi + u, FN(spread_one)(kind, FN(get)(xi + u, w), vy, vc, v_load(slopes + u)), w);
      }
    }
  }
}

static void FN(spread_var)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(spread_walk)(SPREAD_VAR, p, begin, end); }
static void FN(spread_std)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(spread_walk)(SPREAD_STD, p, begin, end); }
static void FN(spread_norm)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(spread_walk)(SPREAD_NORM, p, begin, end); }
static void FN(spread_sign)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(spread_walk)(SPREAD_SIGN, p, begin, end); }
static void FN(spread_max)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(spread_walk)(SPREAD_MAX, p, begin, end); }
static void FN(spread_maxabs)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(spread_walk)(SPREAD_MAXABS, p, begin, end); }
static void FN(spread_logsumexp)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(spread_walk)(SPREAD_LOGSUMEXP, p, begin, end); }

static void FN(prod_backward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_prod_backward_args *a = p;
  (void)thread;
  for (ptrdiff_t q = begin; q < end; q++) {
    const ptrdiff_t at = q / a->inner * a->n * a->inner + q % a->inner;
    const T *x = (const T *)a->x + at, gy = ((const T *)a->gy)[q], y = ((const T *)a->y)[q];
    T *gx = (T *)a->gx + at, others = 1;
    ptrdiff_t zeros = 0;
    for (ptrdiff_t i = 0; i < a->n; i++) {           /* the product of the others: not a division by zero */
      if (x[i * a->inner] == 0) zeros++;
      else others *= x[i * a->inner];
    }
    for (ptrdiff_t i = 0; i < a->n; i++) {
      const T v = x[i * a->inner];
      gx[i * a->inner] = zeros == 0 ? gy * y / v : zeros == 1 && v == 0 ? gy * others : 0;
    }
  }
}
