/* copy, copy_bytes (elements of one byte), accumulate: walk the range row by row; a row is contiguous on both sides, or is moved element by element. */

static void FN(copy_row)(const T *x, ptrdiff_t xs, T *y, ptrdiff_t ys, ptrdiff_t n)
{
  const ptrdiff_t large = (12 << 20) / (ptrdiff_t)sizeof(T);               /* one thread's share of what no cache will keep */
  if (xs == 1 && ys == 1 && n >= large) { FN(copy_stream)(x, y, n); return; }
  if (xs == 1 && ys == 1) { memmove(y, x, (size_t)n * sizeof(T)); return; }
  if (xs == 0 && ys == 1) {
    const vec v = v_set(*x);
    ptrdiff_t i = 0;
    for (; i + VLEN <= n; i += VLEN) v_store(y + i, v);
    v_storen(y + i, v, n - i);
    return;
  }
  for (ptrdiff_t i = 0; i < n; i++) y[i * ys] = x[i * xs];
}

static inline void FN(copy_walk)(const fn_copy_args *a, ptrdiff_t begin, ptrdiff_t end,
                                 void (*row)(const T *, ptrdiff_t, T *, ptrdiff_t, ptrdiff_t))
{
  const ptrdiff_t last = a->ndim - 1, n = a->dims[last];
  ptrdiff_t at[FN_MAXDIM] = { begin }, rest = begin;
  if (last) for (ptrdiff_t d = last; d >= 0; d--) { at[d] = rest % a->dims[d]; rest /= a->dims[d]; }
  while (begin < end) {
    ptrdiff_t xo = 0, yo = 0, run = n - at[last];
    if (run > end - begin) run = end - begin;
    for (ptrdiff_t d = 0; d <= last; d++) { xo += at[d] * a->xs[d]; yo += at[d] * a->ys[d]; }
    row((const T *)a->x + xo, a->xs[last], (T *)a->y + yo, a->ys[last], run);
    begin += run;
    at[last] = 0;
    for (ptrdiff_t d = last - 1; d >= 0 && ++at[d] == a->dims[d]; d--) at[d] = 0;
  }
}

/* Rows of y from columns of x: squares of one vector by one vector, transposed in registers.  VLEN columns are read from end to end. */
static void FN(copy_columns)(const T *x, ptrdiff_t xs, T *y, ptrdiff_t ys, ptrdiff_t rows, ptrdiff_t n)
{
  for (ptrdiff_t j = 0; j < n; j += VLEN) {
    const ptrdiff_t w = n - j < VLEN ? n - j : VLEN;
    for (ptrdiff_t i = 0; i < rows; i += VLEN) {
      const ptrdiff_t h = rows - i < VLEN ? rows - i : VLEN;
      const T *from = x + j * xs + i;
      T *to = y + i * ys + j;
      vec r[VLEN];
      if (h == VLEN && w == VLEN) {
#pragma GCC unroll 16
        for (ptrdiff_t c = 0; c < VLEN; c++) r[c] = v_load(from + c * xs);
        v_transpose(r);
#pragma GCC unroll 16
        for (ptrdiff_t c = 0; c < VLEN; c++) v_store(to + c * ys, r[c]);
      } else {
        for (ptrdiff_t d = 0; d < w; d++)
          for (ptrdiff_t c = 0; c < h; c++) to[c * ys + d] = from[d * xs + c];
      }
    }
  }
}

/* Rows so short that a call for each would take longer than they do. */
static void FN(copy_short)(const T *x, ptrdiff_t xs, T *y, ptrdiff_t ys, ptrdiff_t rows, ptrdiff_t n)
{
  for (; rows > 0; rows--, x += xs, y += ys) {
    ptrdiff_t i = 0;
    for (; i + VLEN <= n; i += VLEN) v_store(y + i, v_load(x + i));
    if (i < n) v_storen(y + i, v_loadn(x + i, n - i), n - i);
  }
}

/* Short rows, or the last two axes exchange their places in memory: whole rows of a range in blocks, what remains by itself. */
static void FN(copy_blocks)(const fn_copy_args *a, ptrdiff_t begin, ptrdiff_t end)
{
  const ptrdiff_t last = a->ndim - 1, n = a->dims[last], xs = a->xs[last], ys = a->ys[last - 1];
  while (begin < end) {
    ptrdiff_t xo = 0, yo = 0, row = begin / n, column = begin % n, rest = row;
    for (ptrdiff_t d = last - 1; d >= 0; d--) {
      const ptrdiff_t at = rest % a->dims[d];
      xo += at * a->xs[d], yo += at * a->ys[d], rest /= a->dims[d];
    }
    ptrdiff_t rows = (end - begin) / n, left = a->dims[last - 1] - row % a->dims[last - 1];
    if (rows > left) rows = left;
    if (column == 0 && rows > 0) {
      if (xs == 1) FN(copy_short)((const T *)a->x + xo, a->xs[last - 1], (T *)a->y + yo, ys, rows, n);
      else FN(copy_columns)((const T *)a->x + xo, xs, (T *)a->y + yo, ys, rows, n);
      begin += rows * n;
    } else {
      const ptrdiff_t run = n - column < end - begin ? n - column : end - begin;
      FN(copy_row)((const T *)a->x + xo + column * xs, xs, (T *)a->y + yo + column, 1, run);
      begin += run;
    }
  }
}

static void FN(copy)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_copy_args *a = p;
  const ptrdiff_t last = a->ndim - 1;
  (void)thread;
  if (last && a->ys[last] == 1 && (a->xs[last] == 1 ? a->dims[last] <= COPY_SHORT : a->xs[last - 1] == 1)) FN(copy_blocks)(a, begin, end);
  else FN(copy_walk)(a, begin, end, FN(copy_row));
}

static void FN(accumulate)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  (void)thread;
  FN(copy_walk)(p, begin, end, FN(accumulate_row));
}

static void FN(copy_bytes)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_copy_args *a = p;
  const ptrdiff_t last = a->ndim - 1, n = a->dims[last];
  (void)thread;
  while (begin < end) {
    ptrdiff_t xo = 0, yo = 0, rest = begin / n, at = begin % n, run = n - at;
    if (run > end - begin) run = end - begin;
    for (ptrdiff_t d = last - 1; d >= 0; rest /= a->dims[d--]) {
      xo += rest % a->dims[d] * a->xs[d];
      yo += rest % a->dims[d] * a->ys[d];
    }
    const char *x = (const char *)a->x + xo + at * a->xs[last];
    char *y = (char *)a->y + yo + at * a->ys[last];
    if (a->xs[last] == 1 && a->ys[last] == 1) memmove(y, x, (size_t)run);
    else for (ptrdiff_t i = 0; i < run; i++) y[i * a->ys[last]] = x[i * a->xs[last]];
    begin += run;
  }
}
