/* Tiles at the edges of images, m = 4: their last tile of an axis has r = 1, 2 or 3 outputs and the points of F(r, 3) that F(4, 3) has too,
   so U serves both: 0, 1 (r > 1: -1; r > 2: 1/2) and infinity, in the planes 0..r and 5 of that axis.  With stride 2 they are the first r
   of 1/2, -1/2, 3/2 and, in an even phase, infinity, in the planes 0..r-1 and 4.  One line of a tile at a time. */

FN_INLINE int FN(winograd_points)(int side, int r) { return ((1 << (side == WINOGRAD_STRIDED ? r : r < 4 ? r + 1 : 5)) - 1) | 1 << (side - 1); }

/* Of a line with r outputs, in an odd or an even phase; bias is added to the outputs. */
typedef struct { int side, r, odd; } FN(winograd_kind);
#define winograd_kind FN(winograd_kind)
typedef void FN(winograd_line)(winograd_kind k, vec bias, const T *from, ptrdiff_t step, T *to, ptrdiff_t to_step);

static inline int FN(winograd_inputs)(winograd_kind k) { return k.side == WINOGRAD_STRIDED ? k.r + 1 - k.odd : k.r + 2; }
static inline int FN(winograd_finite)(winograd_kind k) { return k.side == WINOGRAD_STRIDED ? k.r : k.r + 1; }

/* B': inputs to the points of r. */
static WINOGRAD_ONCE void FN(winograd_line_b)(winograd_kind k, vec bias, const T *from, ptrdiff_t step, T *to, ptrdiff_t to_step)
{
  const int inputs = FN(winograd_inputs)(k), finite = FN(winograd_finite)(k), strided = k.side == WINOGRAD_STRIDED;
  (void)bias;
  vec x[6], v[6];
  v[1] = v[2] = v[3] = v[4] = v[5] = v_zero();
  #pragma GCC unroll 6
  for (int i = 0; i < 6; i++) x[i] = i < inputs ? v_load(from + i * step) : v_zero();
  if (k.r == 4 && strided) FN(winograd_b)(WINOGRAD_STRIDED, x, v);
  else if (k.r == 3 && strided) FN(winograd_b_edge)(WINOGRAD_STRIDED, 3, x, v);
  else if (k.r == 2 && strided) FN(winograd_b_edge)(WINOGRAD_STRIDED, 2, x, v);
  else if (strided) FN(winograd_b_edge)(WINOGRAD_STRIDED, 1, x, v);
  else if (k.r == 4) FN(winograd_b)(6, x, v);
  else if (k.r == 3) FN(winograd_b_edge)(6, 3, x, v);
  else if (k.r == 2) FN(winograd_b_edge)(6, 2, x, v);
  else FN(winograd_b_edge)(6, 1, x, v);
  #pragma GCC unroll 5
  for (int i = 0; i < 5; i++)
    if (i < finite) v_store(to + i * to_step, v[i]);
  if (!k.odd) v_store(to + (k.side - 1) * to_step, strided ? v[4] : v[5]);
}

/* A': the points of r to r outputs. */
static WINOGRAD_ONCE void FN(winograd_line_a)(winograd_kind k, vec bias, const T *from, ptrdiff_t step, T *to, ptrdiff_t to_step)
{
  const int finite = FN(winograd_finite)(k);
  vec z[6], y[4];
  z[5] = v_zero();
  #pragma GCC unroll 5
  for (int i = 0; i < 5; i++) z[i] = i < finite ? v_load(from + i * step) : v_zero();
  if (k.side == WINOGRAD_STRIDED) FN(winograd_a)(WINOGRAD_STRIDED, z, y);
  else FN(winograd_a)(6, z, y);
  const vec last = k.odd ? v_zero() : v_load(from + (k.side - 1) * step);
  #pragma GCC unroll 4
  for (int i = 0; i < 4; i++)
    if (i < k.r) v_store(to + i * to_step, v_add(bias, i == k.r - 1 ? v_add(y[i], last) : y[i]));
}

/* A: r gradients to the points of r. */
static WINOGRAD_ONCE void FN(winograd_line_at)(winograd_kind k, vec bias, const T *from, ptrdiff_t step, T *to, ptrdiff_t to_step)
{
  const int finite = FN(winograd_finite)(k);
  (void)bias;
  vec y[4], z[6];
  #pragma GCC unroll 4
  for (int i = 0; i < 4; i++) y[i] = i < k.r ? v_load(from + i * step) : v_zero();
  if (k.side == WINOGRAD_STRIDED) FN(winograd_at)(WINOGRAD_STRIDED, y, z);
  else FN(winograd_at)(6, y, z);
  #pragma GCC unroll 5
  for (int i = 0; i < 5; i++)
    if (i < finite) v_store(to + i * to_step, z[i]);
  v_store(to + (k.side - 1) * to_step, v_load(from + (k.r - 1) * step));
}

/* One tile and VLEN channels: all columns j of `columns` (bits) by `line`, of the kind `high`, then all rows i of `rows`, of the kind `wide`. */
static WINOGRAD_ONCE void
FN(winograd_lines)(FN(winograd_line) *line, winograd_kind high, winograd_kind wide, vec bias, int columns, int rows, const T *from, ptrdiff_t row,
                   ptrdiff_t column, T *to, ptrdiff_t to_row, ptrdiff_t to_column)
{
  _Alignas(64) T part[36 * VLEN];
  for (int j = 0; j < 6; j++) if (columns >> j & 1) line(high, v_zero(), from + j * column, row, part + j * VLEN, 6 * VLEN);
  for (int i = 0; i < 6; i++) if (rows >> i & 1) line(wide, bias, part + i * 6 * VLEN, VLEN, to + i * to_row, to_column);
}

/* The points of a line as bits; an odd phase has no last one. */
static inline int FN(winograd_bits)(winograd_kind k) { return FN(winograd_points)(k.side, k.r) & ~(k.odd << (k.side - 1)); }

FN_INLINE void FN(winograd_read_edge)(winograd_kind high, winograd_kind wide, const T *p, ptrdiff_t row, ptrdiff_t column, T *v, ptrdiff_t plane)
{
  FN(winograd_lines)(FN(winograd_line_b), high, wide, v_zero(), (1 << FN(winograd_inputs)(wide)) - 1, FN(winograd_bits)(high), p, row, column,
                     v, high.side * plane, plane);
}

FN_INLINE void FN(winograd_write_edge)(winograd_kind high, winograd_kind wide, vec bias, T *p, ptrdiff_t row, ptrdiff_t column,
                                       const T *z, ptrdiff_t plane)
{
  FN(winograd_lines)(FN(winograd_line_a), high, wide, bias, FN(winograd_bits)(wide), (1 << high.r) - 1, z, high.side * plane, plane, p, row, column);
}

FN_INLINE void FN(winograd_spread_edge)(winograd_kind high, winograd_kind wide, const T *p, ptrdiff_t row, ptrdiff_t column, T *d, ptrdiff_t plane)
{
  FN(winograd_lines)(FN(winograd_line_at), high, wide, v_zero(), (1 << wide.r) - 1, FN(winograd_bits)(high), p, row, column,
                     d, high.side * plane, plane);
}

/* Which of the tiles [t0, t1) take part in a plane: counted from t0. */
typedef struct { ptrdiff_t first, count; } FN(winograd_share);

static FN(winograd_share) FN(winograd_shared)(const fn_winograd_args *a, ptrdiff_t plane, ptrdiff_t t0, ptrdiff_t t1)
{
  if (a->tile != 4) return (FN(winograd_share)){ 0, t1 - t0 };
  const int below = FN(winograd_points)((int)a->side, (int)a->edge_h) >> plane / a->side & 1;
  const int beside = FN(winograd_points)((int)a->side, (int)a->edge_w) >> plane % a->side & 1;
  const ptrdiff_t first = beside ? 0 : a->whole, last = !below ? a->lower : beside ? a->tiles : a->corner;
  const ptrdiff_t from = first > t0 ? first : t0, to = last < t1 ? last : t1;
  return (FN(winograd_share)){ from - t0, to > from ? to - from : 0 };
}
