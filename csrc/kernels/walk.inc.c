/* The walk over any layout that all elementwise kernels share.  A row sees contiguous operands only (or single elements, where it says so):
   other strides pass through a small tile on the stack, so the arithmetic, and its bits, are the same for every layout. */
enum { FN(TILE) = 1024 / sizeof(T), FN(SHORT) = 48 };     /* elements of a tile (more, and streaming slows down); rows up to SHORT share one */

/* numbers: the op's; same: bit k is set where p[k] is one element for the whole row. */
typedef void FN(row_fn)(void *const *p, unsigned same, ptrdiff_t n, const fn_elementwise_args *a);

typedef struct {
  uint8_t size[4];                                   /* bytes of an element of each operand */
  uint8_t operands, same;                            /* how many, and which the row takes as a single element (bits) */
} FN(row_form);

static void FN(tile_load)(void *to, const void *from, ptrdiff_t stride, ptrdiff_t n, int size)
{
  if (size == 8) for (ptrdiff_t i = 0; i < n; i++) ((uint64_t *)to)[i] = ((const uint64_t *)from)[i * stride];
  else if (size == 4) for (ptrdiff_t i = 0; i < n; i++) ((uint32_t *)to)[i] = ((const uint32_t *)from)[i * stride];
  else for (ptrdiff_t i = 0; i < n; i++) ((uint8_t *)to)[i] = ((const uint8_t *)from)[i * stride];
}

static void FN(tile_store)(void *to, const void *from, ptrdiff_t stride, ptrdiff_t n, int size)
{
  if (size == 8) for (ptrdiff_t i = 0; i < n; i++) ((uint64_t *)to)[i * stride] = ((const uint64_t *)from)[i];
  else if (size == 4) for (ptrdiff_t i = 0; i < n; i++) ((uint32_t *)to)[i * stride] = ((const uint32_t *)from)[i];
  else for (ptrdiff_t i = 0; i < n; i++) ((uint8_t *)to)[i * stride] = ((const uint8_t *)from)[i];
}

/* One row of n elements at p, part of it in tiles. */
static __attribute__((noinline, noclone)) void FN(tiled_row)(char *const *p, const fn_elementwise_args *a, unsigned direct, unsigned same, ptrdiff_t n,
                                                    FN(row_form) form, FN(row_fn) *row)
{
  char tile[4][FN(TILE) * 8] __attribute__((aligned(64)));
  const ptrdiff_t last = a->ndim - 1;
  void *q[4] = { 0 };
  for (ptrdiff_t i = 0; i < n; i += FN(TILE)) {
    const ptrdiff_t m = n - i < FN(TILE) ? n - i : FN(TILE);
    for (int k = 0; k < form.operands; k++) {
      const ptrdiff_t stride = a->strides[k][last];
      q[k] = p[k] + i * stride * form.size[k];
      if (direct >> k & 1) continue;
      if (k && (stride || i == 0)) FN(tile_load)(tile[k], q[k], stride, m, form.size[k]);
      q[k] = tile[k];
    }
    row(q, same, m, a);
    if (direct & 1) continue;
    void *y = p[0] + i * a->strides[0][last] * form.size[0];
    if (a->strides[0][last] == 1) FN(copy_stream)(q[0], y, m);
    else FN(tile_store)(y, q[0], a->strides[0][last], m, form.size[0]);
  }
}

/* rows of n elements, n small: as many as a tile holds become one row.  p: the first row. */
static __attribute__((noinline, noclone)) void FN(short_rows)(char *const *p, const fn_elementwise_args *a, ptrdiff_t rows, ptrdiff_t n,
                                                              FN(row_form) form, FN(row_fn) *row)
{
  char tile[4][FN(TILE) * 8] __attribute__((aligned(64)));
  const ptrdiff_t last = a->ndim - 1, step = FN(TILE) / n;
  void *q[4] = { 0 };
  for (ptrdiff_t r = 0; r < rows; r += step) {
    const ptrdiff_t m = rows - r < step ? rows - r : step;
    unsigned same = 0, direct = 0;
    for (int k = 0; k < form.operands; k++) {
      const ptrdiff_t down = a->strides[k][last - 1], right = a->strides[k][last], size = form.size[k];
      q[k] = p[k] + r * down * size;
      if (k && !down && !right && form.same >> k & 1) { same |= 1u << k; continue; }
      if (right == 1 && down == n) { direct |= 1u << k; continue; }
      if (k && (down || r == 0))
        for (ptrdiff_t i = 0; i < m; i++) FN(tile_load)(tile[k] + i * n * size, (char *)q[k] + i * down * size, right, n, (int)size);
      q[k] = tile[k];
    }
    row(q, same, m * n, a);
    if (direct & 1) continue;
    const ptrdiff_t down = a->strides[0][last - 1], size = form.size[0];
    for (ptrdiff_t i = 0; i < m; i++)
      FN(tile_store)(p[0] + (r + i) * down * size, tile[0] + i * n * size, a->strides[0][last], n, (int)size);
  }
}

static __attribute__((noinline, noclone)) void FN(walk)(const fn_elementwise_args *a, ptrdiff_t begin, ptrdiff_t end, FN(row_form) form, FN(row_fn) *row)
{
  const ptrdiff_t last = a->ndim - 1, n = a->dims[last];
  const int operands = form.operands;
  unsigned direct = 0, same = 0;
  for (int k = 0; k < operands; k++) {
    const ptrdiff_t stride = a->strides[k][last];
    if (k && stride == 0 && form.same >> k & 1) same |= 1u << k;
    if (stride == 1 || same >> k & 1 || n == 1) direct |= 1u << k;
  }
  if (a->stream && direct & 1 && form.size[0] == sizeof(T)) direct &= ~1u;
  const unsigned all = (1u << operands) - 1;
  if (!last && direct == all) {                      /* one row: a call on ten elements should not pay for what follows */
    char *p[4];
    for (int k = 0; k < operands; k++) p[k] = (char *)a->p[k] + begin * a->strides[k][0] * form.size[k];
    row((void *const *)p, same, end - begin, a);
    return;
  }
  ptrdiff_t at[FN_MAXDIM] = { begin }, rest = begin;
  if (last) for (ptrdiff_t d = last; d >= 0; d--) { at[d] = rest % a->dims[d]; rest /= a->dims[d]; }
  while (begin < end) {
    char *p[4] = { 0 };
    ptrdiff_t run = n - at[last];
    if (run > end - begin) run = end - begin;
    for (int k = 0; k < operands; k++) {
      ptrdiff_t o = 0;
      for (ptrdiff_t d = 0; d <= last; d++) o += at[d] * a->strides[k][d];
      p[k] = (char *)a->p[k] + o * form.size[k];
    }
    if (run == n && n <= FN(SHORT) && last) {
      const ptrdiff_t left = a->dims[last - 1] - at[last - 1], whole = (end - begin) / n, rows = whole < left ? whole : left;
      FN(short_rows)(p, a, rows, n, form, row);
      run = rows * n;
      at[last - 1] += rows - 1;
    } else if (direct == all) {
      row((void *const *)p, same, run, a);
    } else {
      FN(tiled_row)(p, a, direct, same, run, form, row);
    }
    begin += run;
    at[last] = 0;
    for (ptrdiff_t d = last - 1; d >= 0 && ++at[d] == a->dims[d]; d--) at[d] = 0;
  }
}
