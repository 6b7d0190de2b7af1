/* index_select, gather, scatter: bytes are moved, never rounded; sums go in the order of the index. */
static void FN(index_bounds)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_index_bounds_args *a = p;
  (void)thread;
  for (ptrdiff_t c = begin; c < end; c++) {
    const ptrdiff_t at = c * INDEX_CHUNK, m = a->n - at < INDEX_CHUNK ? a->n - at : INDEX_CHUNK;
    int64_t low = INT64_MAX, high = INT64_MIN;
    for (ptrdiff_t i = at; i < at + m; i++) {
      const int64_t v = a->index[i];
      low = v < low && v != a->ignore ? v : low;
      high = v > high && v != a->ignore ? v : high;
    }
    a->bounds[2 * c] = low;
    a->bounds[2 * c + 1] = high;
  }
}

/* A row of 2 KB or more would take memcpy's string move, which is slower where rows lie in L3. */
FN_INLINE void FN(index_row)(const char *x, char *y, size_t n)
{
  size_t i = 0;
  for (; VLEN > 1 && i + VLEN * sizeof(T) <= n; i += VLEN * sizeof(T)) v_store((T *)(y + i), v_load((const T *)(x + i)));
  memcpy(y + i, x + i, n - i);
}

static void FN(index_select)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_index_args *a = p;
  const size_t row = (size_t)(a->inner * a->bytes);
  (void)thread;
  for (ptrdiff_t r = begin; r < end; r++) {
    const ptrdiff_t from = r / a->k * a->n + a->index[r % a->k];
    if (a->inner > 1) FN(index_row)((const char *)a->x + (size_t)from * row, (char *)a->y + (size_t)r * row, row);
    else if (a->bytes == 1) ((char *)a->y)[r] = ((const char *)a->x)[from];
    else ((TI *)a->y)[r] = ((const TI *)a->x)[from];
  }
}

static void FN(gather)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_index_args *a = p;
  (void)thread;
  for (ptrdiff_t r = begin; r < end; r++) {
    const int64_t *index = a->index + r * a->inner;
    const ptrdiff_t base = r / a->k * a->x_outer, to = r * a->inner;
    if (a->bytes == 1) {
      for (ptrdiff_t j = 0; j < a->inner; j++) ((char *)a->y)[to + j] = ((const char *)a->x)[base + index[j] * a->x_inner + j];
    } else {
      for (ptrdiff_t j = 0; j < a->inner; j++) ((TI *)a->y)[to + j] = ((const TI *)a->x)[base + index[j] * a->x_inner + j];
    }
  }
}

/* A row of x into a row of y, both of `inner` neighbours. */
FN_INLINE void FN(scatter_row)(int kind, vec scale, const T *x, T *y, ptrdiff_t n)
{
  for (ptrdiff_t j = 0; j < n; j += VLEN) {
    const vec x0 = FN(get)(x + j, n - j), y0 = FN(get)(y + j, n - j);
    FN(put)(y + j, kind == SCATTER_ADD ? v_fma(scale, x0, y0) : v_mul(y0, x0), n - j);
  }
}

FN_INLINE void FN(scatter_one)(int kind, const fn_scatter_args *a, ptrdiff_t from, ptrdiff_t to)
{
  if (kind == SCATTER_ADD) ((T *)a->y)[to] += ((const T *)a->x)[from];
  else if (kind == SCATTER_MUL) ((T *)a->y)[to] *= ((const T *)a->x)[from];
  else if (a->bytes == 1) ((char *)a->y)[to] = ((const char *)a->x)[from];
  else ((TI *)a->y)[to] = ((const TI *)a->x)[from];
}

FN_INLINE void FN(scatter_walk)(int kind, const fn_scatter_args *a, ptrdiff_t begin, ptrdiff_t end)
{
  const int whole = kind != SCATTER_SET && a->index_j == 0 && a->x_j == 1;
  const vec scale = v_set((T)a->scale);
  if (a->fresh) memset((char *)a->y + begin * a->y_inner * a->bytes, 0, (size_t)((end - begin) * a->y_inner * a->bytes));
  for (ptrdiff_t o = begin / a->n; begin < end; begin = ++o * a->n) {
    const int64_t low = begin - o * a->n, high = end - o * a->n < a->n ? end - o * a->n : a->n;
    for (ptrdiff_t i = 0; i < a->k; i++) {
      const int64_t *index = a->index + o * a->index_o + i * a->index_i;
      const ptrdiff_t from = o * a->x_o + i * a->x_i;
      if (whole) {
        if (*index < low || *index >= high || *index == a->ignore) continue;
        FN(scatter_row)(kind, scale, (const T *)a->x + from, (T *)a->y + (o * a->n + *index) * a->y_inner, a->inner);
        continue;
      }
      for (ptrdiff_t j = 0; j < a->inner; j++) {
        const int64_t v = index[j * a->index_j];
        if (v >= low && v < high && v != a->ignore) FN(scatter_one)(kind, a, from + j * a->x_j, (o * a->n + v) * a->y_inner + j);
      }
    }
  }
}

static void FN(scatter)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(scatter_walk)(SCATTER_SET, p, begin, end); }
static void FN(scatter_add)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(scatter_walk)(SCATTER_ADD, p, begin, end); }
static void FN(scatter_mul)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(scatter_walk)(SCATTER_MUL, p, begin, end); }
