/* Tiles at the edges of images, m = 4: their last tile of an axis has r = 1, 2 or 3 outputs and the points of F(r, 3) that F(4, 3) has too,
   so U serves both: 0, 1 (r > 1: -1; r > 2: 1/2) and infinity, in the planes 0..r and 5 of that axis.  One line of a tile at a time. */

FN_INLINE int FN(winograd_points)(int r) { return r < 4 ? ((2 << r) - 1) | 32 : 63; }

typedef void FN(winograd_line)(int r, const T *from, ptrdiff_t step, T *to, ptrdiff_t to_step);

/* B': r+2 inputs to the points of r. */
static WINOGRAD_ONCE void FN(winograd_line_b)(int r, const T *from, ptrdiff_t step, T *to, ptrdiff_t to_step)
{
  vec x[6], v[6];
  v[2] = v[3] = v[4] = v_zero();
  #pragma GCC unroll 6
  for (int i = 0; i < 6; i++) x[i] = i < r + 2 ? v_load(from + i * step) : v_zero();
  if (r == 4) FN(winograd_b)(4, x, v);
  else if (r == 3) FN(winograd_b_edge)(3, x, v);
  else if (r == 2) FN(winograd_b_edge)(2, x, v);
  else FN(winograd_b_edge)(1, x, v);
  v_store(to, v[0]);
  v_store(to + to_step, v[1]);
  if (r > 1) v_store(to + 2 * to_step, v[2]);
  if (r > 2) v_store(to + 3 * to_step, v[3]);
  if (r > 3) v_store(to + 4 * to_step, v[4]);
  v_store(to + 5 * to_step, v[5]);
}

/* A': the points of r to r outputs. */
static WINOGRAD_ONCE void FN(winograd_line_a)(int r, const T *from, ptrdiff_t step, T *to, ptrdiff_t to_step)
{
  vec z[6], y[4];
  #pragma GCC unroll 5
  for (int i = 0; i < 5; i++) z[i] = i <= r ? v_load(from + i * step) : v_zero();
  const vec last = v_load(from + 5 * step);
  z[5] = r == 4 ? last : v_zero();
  FN(winograd_a)(4, z, y);
  v_store(to, r == 1 ? v_add(y[0], last) : y[0]);
  if (r > 1) v_store(to + to_step, r == 2 ? v_add(y[1], last) : y[1]);
  if (r > 2) v_store(to + 2 * to_step, r == 3 ? v_add(y[2], last) : y[2]);
  if (r > 3) v_store(to + 3 * to_step, y[3]);
}

/* A: r gradients to the points of r. */
static WINOGRAD_ONCE void FN(winograd_line_at)(int r, const T *from, ptrdiff_t step, T *to, ptrdiff_t to_step)
{
  vec y[4], z[6];
  #pragma GCC unroll 4
  for (int i = 0; i < 4; i++) y[i] = i < r ? v_load(from + i * step) : v_zero();
  FN(winograd_at)(4, y, z);
  #pragma GCC unroll 5
  for (int i = 0; i < 5; i++)
    if (i <= r) v_store(to + i * to_step, z[i]);
  v_store(to + 5 * to_step, v_load(from + (r - 1) * step));
}

/* One tile and VLEN channels: all columns j of `columns` (bits) by `line` for `high` outputs, then all rows i of `rows` for `wide`. */
static WINOGRAD_ONCE void
FN(winograd_lines)(FN(winograd_line) *line, int high, int wide, int columns, int rows, const T *from, ptrdiff_t row, ptrdiff_t column, T *to,
                   ptrdiff_t to_row, ptrdiff_t to_column)
{
  _Alignas(64) T part[36 * VLEN];
  for (int j = 0; j < 6; j++) if (columns >> j & 1) line(high, from + j * column, row, part + j * VLEN, 6 * VLEN);
  for (int i = 0; i < 6; i++) if (rows >> i & 1) line(wide, part + i * 6 * VLEN, VLEN, to + i * to_row, to_column);
}

FN_INLINE void FN(winograd_read_edge)(int high, int wide, const T *p, ptrdiff_t row, ptrdiff_t column, T *v, ptrdiff_t plane)
{
  FN(winograd_lines)(FN(winograd_line_b), high, wide, (4 << wide) - 1, FN(winograd_points)(high), p, row, column, v, 6 * plane, plane);
}

FN_INLINE void FN(winograd_write_edge)(int high, int wide, T *p, ptrdiff_t row, ptrdiff_t column, const T *z, ptrdiff_t plane)
{
  FN(winograd_lines)(FN(winograd_line_a), high, wide, FN(winograd_points)(wide), (1 << high) - 1, z, 6 * plane, plane, p, row, column);
}

FN_INLINE void FN(winograd_spread_edge)(int high, int wide, const T *p, ptrdiff_t row, ptrdiff_t column, T *d, ptrdiff_t plane)
{
  FN(winograd_lines)(FN(winograd_line_at), high, wide, (1 << wide) - 1, FN(winograd_points)(high), p, row, column, d, 6 * plane, plane);
}

/* Which of the tiles [t0, t1) take part in a plane: counted from t0. */
typedef struct { ptrdiff_t first, count; } FN(winograd_share);

static FN(winograd_share) FN(winograd_shared)(const fn_winograd_args *a, ptrdiff_t plane, ptrdiff_t t0, ptrdiff_t t1)
{
  if (a->tile != 4) return (FN(winograd_share)){ 0, t1 - t0 };
  const int below = FN(winograd_points)((int)a->edge_h) >> plane / 6 & 1, beside = FN(winograd_points)((int)a->edge_w) >> plane % 6 & 1;
  const ptrdiff_t first = beside ? 0 : a->whole, last = !below ? a->lower : beside ? a->tiles : a->corner;
  const ptrdiff_t from = first > t0 ? first : t0, to = last < t1 ? last : t1;
  return (FN(winograd_share)){ from - t0, to > from ? to - from : 0 };
}
