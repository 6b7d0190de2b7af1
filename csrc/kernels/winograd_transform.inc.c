/* Transforms of tiles: between images and planes.  One function for each kind of tile and direction. */
#define WINOGRAD_ONCE __attribute__((noinline, noclone))     /* these bodies are long: one copy of each */
#include "kernels/winograd_matrix.inc.c"
#include "kernels/winograd_edge.inc.c"

/* A parity of rows and of columns; 0, 0 where there is no stride. */
static inline int FN(winograd_odd_row)(int phase) { return phase >> 1; }
static inline int FN(winograd_odd_column)(int phase) { return phase & 1; }

/* Where a tile, or its pixels of one phase, lie in an image: the first may be outside, rows and columns are bits that say which are inside. */
typedef struct {
  T        *p;
  ptrdiff_t row, column, last;                       /* from the first pixel to the last */
  uint32_t  rows, columns;
  int       whole, cut;                              /* inside as a whole; less than m outputs along an axis */
  winograd_kind high, wide;
} FN(winograd_window);
#define winograd_window FN(winograd_window)

/* The bits i of 0..size-1 for which 0 <= at + i * step < end; step is 1 or 2. */
static inline uint32_t FN(winograd_inside)(ptrdiff_t at, ptrdiff_t size, ptrdiff_t step, ptrdiff_t end)
{
  const ptrdiff_t half = step - 1, i0 = at < 0 ? (half - at) >> half : 0, i1 = end <= at ? 0 : (end - at + half) >> half;
  const ptrdiff_t last = i1 < size ? i1 : size;
  return last <= i0 ? 0 : (1u << last) - (1u << i0);
}

/* size: pixels along an axis for m outputs, of an odd phase one less when `shrinks`. */
static inline winograd_window
FN(winograd_at_tile)(const fn_winograd_args *a, ptrdiff_t t, int phase, T *image, ptrdiff_t h, ptrdiff_t w, ptrdiff_t depth, ptrdiff_t step,
                     ptrdiff_t off_h, ptrdiff_t off_w, int size, int shrinks)
{
  const int below = t >= a->lower, beside = t < a->whole || t >= a->corner;
  const ptrdiff_t tiles_h = below ? 1 : a->whole_h, tiles_w = beside ? 1 : a->whole_w;
  const ptrdiff_t n = t - (t >= a->corner ? a->corner : below ? a->lower : beside ? 0 : a->whole);
  const ptrdiff_t tw = beside ? a->whole_w : n % tiles_w, th = below ? a->whole_h : n / tiles_w % tiles_h;
  const int odd_row = FN(winograd_odd_row)(phase), odd_column = FN(winograd_odd_column)(phase);
  const ptrdiff_t i = step * a->tile * th - off_h + odd_row, j = step * a->tile * tw - off_w + odd_column;
  const int high = below ? (int)a->edge_h : a->tile, wide = beside ? (int)a->edge_w : a->tile, side = (int)a->side;
  const int rows = size - a->tile + high - (shrinks & odd_row), columns = size - a->tile + wide - (shrinks & odd_column);
  winograd_window s = { .p = image + n / (tiles_w * tiles_h) * h * w * depth, .row = step * w * depth, .column = step * depth,
                        .rows = FN(winograd_inside)(i, rows, step, h), .columns = FN(winograd_inside)(j, columns, step, w),
                        .cut = high + wide < 2 * a->tile, .high = { side, high, odd_row }, .wide = { side, wide, odd_column } };
  s.p += (i * w + j) * depth;
  s.last = (rows - 1) * s.row + (columns - 1) * s.column;
  s.whole = s.rows == (1u << rows) - 1 && s.columns == (1u << columns) - 1;
  return s;
}

/* The pixels of a window at its channels c.., size x size vectors next to each other; zeros outside the image and past lanes. */
static WINOGRAD_ONCE void FN(winograd_gather)(const winograd_window *s, int size, ptrdiff_t c, ptrdiff_t lanes, T *to)
{
  for (int i = 0; i < size; i++)
    for (int j = 0; j < size; j++, to += VLEN) {
      const int inside = (s->rows >> i & s->columns >> j & 1) != 0;
      v_store(to, inside ? v_loadn(s->p + i * s->row + j * s->column + c, lanes) : v_zero());
    }
}

/* And back, as far as they are inside. */
static WINOGRAD_ONCE void FN(winograd_scatter)(const winograd_window *s, int size, ptrdiff_t c, ptrdiff_t lanes, const T *from)
{
  for (int i = 0; i < size; i++)
    for (int j = 0; j < size; j++, from += VLEN)
      if (s->rows >> i & s->columns >> j & 1) v_storen(s->p + i * s->row + j * s->column + c, v_load(from), lanes);
}

/* Whether whole vectors from channel c on of all pixels of the window lie in the image's memory, which ends at `end`. */
static inline int FN(winograd_direct)(const winograd_window *s, ptrdiff_t c, const T *end)
{
  return s->whole && s->p + s->last + c + VLEN <= end;
}

static inline ptrdiff_t FN(winograd_least)(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }
static inline ptrdiff_t FN(winograd_lanes)(ptrdiff_t n) { return n < 0 ? 0 : n < VLEN ? n : VLEN; }

/* Tiles at the edge, and where vectors are single numbers, which have no registers to gain by a tile at once, all that can. */
FN_INLINE int FN(winograd_by_lines)(const int side, const winograd_window *s) { return side != 4 && (VLEN == 1 || s->cut); }

/* B'xB of one tile and VLEN channels, half of the rows at a time so that they stay in registers. */
FN_INLINE void FN(winograd_read)(const int side, const T *p, ptrdiff_t row, ptrdiff_t column, T *v, ptrdiff_t plane)
{
  #pragma GCC unroll 2
  for (int half = 0; half < 2; half++) {
    vec part[3][6];
    #pragma GCC unroll 6
    for (int j = 0; j < side; j++) {
      vec x[6], r[6];
      #pragma GCC unroll 6
      for (int i = 0; i < side; i++)                 /* the first half does not depend on the last row, nor the second on the first */
        x[i] = i == (half ? 0 : side - 1) ? v_zero() : v_load(p + i * row + j * column);
      FN(winograd_b)(side, x, r);
      #pragma GCC unroll 3
      for (int i = 0; i < side / 2; i++) part[i][j] = r[half * (side / 2) + i];
    }
    #pragma GCC unroll 3
    for (int i = 0; i < side / 2; i++) {
      vec r[6];
      FN(winograd_b)(side, part[i], r);
      #pragma GCC unroll 6
      for (int j = 0; j < side; j++) v_store(v + ((half * (side / 2) + i) * side + j) * plane, r[j]);
    }
  }
}

/* The same of one phase of a stride.  An odd phase has one input and one point less: the input before stands for it.  The hardware does not
   foresee a walk over every second pixel of every second row, so the next tile is asked for. */
FN_INLINE void FN(winograd_read_phase)(int phase, const T *p, ptrdiff_t row, ptrdiff_t column, T *v, ptrdiff_t plane)
{
  const int side = WINOGRAD_STRIDED, odd_row = FN(winograd_odd_row)(phase), odd_column = FN(winograd_odd_column)(phase);
  const ptrdiff_t last_row = (side - 1 - odd_row) * row, last_column = (side - 1 - odd_column) * column;
  vec part[5][5];
  #pragma GCC unroll 5
  for (int j = 0; j < side; j++) {
    const T *line = p + (j == side - 1 ? last_column : j * column);
    vec x[5], r[5];
    #pragma GCC unroll 5
    for (int i = 0; i < side; i++) x[i] = v_load(line + (i == side - 1 ? last_row : i * row));
    if (j < side - 1) {
      #pragma GCC unroll 5
      for (int i = 0; i < side - 1; i++) __builtin_prefetch(line + i * row + (side - 1) * column);
    }
    FN(winograd_b)(side, x, r);
    #pragma GCC unroll 5
    for (int i = 0; i < side; i++) part[i][j] = r[i];
  }
  #pragma GCC unroll 5
  for (int i = 0; i < side; i++) {
    if (i == side - 1 && odd_row) return;
    vec r[5];
    FN(winograd_b)(side, part[i], r);
    #pragma GCC unroll 5
    for (int j = 0; j < side; j++)
      if (j < side - 1 || !odd_column) v_store(v + (i * side + j) * plane, r[j]);
  }
}

/* V[patch of c][plane][tile - t0][c] of tiles [t0, t1) and the inputs first..last, from a patch to its end; nobody reads lanes past c. */
FN_INLINE void FN(winograd_read_tiles)(const int side, const fn_winograd_args *a, int phase, ptrdiff_t t0, ptrdiff_t t1,
                                       ptrdiff_t first, ptrdiff_t last, T *v)
{
  _Alignas(64) T edge[36 * VLEN];
  const T *end = (const T *)a->x + a->images * a->ih * a->iw * a->c;
  for (ptrdiff_t t = t0; t < t1; t++, v += a->c_row) {
    const winograd_window s = FN(winograd_at_tile)(a, t, phase, (T *)a->x, a->ih, a->iw, a->c, a->x_step, a->pad_h, a->pad_w, side, 1);
    for (ptrdiff_t c0 = first, patch = 0; c0 < last; c0 += a->c_patch, patch += a->v_patch)
      for (ptrdiff_t c = c0; c < c0 + a->c_patch && c < last; c += VLEN) {
        const int direct = FN(winograd_direct)(&s, c, end);
        if (!direct) FN(winograd_gather)(&s, side, c, FN(winograd_lanes)(a->c - c), edge);
        const T *p = direct ? s.p + c : edge;
        const ptrdiff_t row = direct ? s.row : side * VLEN, column = direct ? s.column : VLEN;
        if (FN(winograd_by_lines)(side, &s)) FN(winograd_read_edge)(s.high, s.wide, p, row, column, v + patch + c - c0, a->v_plane);
        else if (side == WINOGRAD_STRIDED) FN(winograd_read_phase)(phase, p, row, column, v + patch + c - c0, a->v_plane);
        else FN(winograd_read)(side, p, row, column, v + patch + c - c0, a->v_plane);
      }
  }
}
static WINOGRAD_ONCE void
FN(winograd_read_2)(const fn_winograd_args *a, ptrdiff_t t0, ptrdiff_t t1, ptrdiff_t c0, ptrdiff_t c1, T *v)
{
  FN(winograd_read_tiles)(4, a, 0, t0, t1, c0, c1, v);
}
static WINOGRAD_ONCE void
FN(winograd_read_4)(const fn_winograd_args *a, ptrdiff_t t0, ptrdiff_t t1, ptrdiff_t c0, ptrdiff_t c1, T *v)
{
  FN(winograd_read_tiles)(6, a, 0, t0, t1, c0, c1, v);
}
static WINOGRAD_ONCE void
FN(winograd_read_strided)(const fn_winograd_args *a, int phase, ptrdiff_t t0, ptrdiff_t t1, ptrdiff_t c0, ptrdiff_t c1, T *v)
{
  FN(winograd_read_tiles)(WINOGRAD_STRIDED, a, phase, t0, t1, c0, c1, v);
}

/* A'zA of one tile and VLEN channels; an odd phase has zeros for the last point. */
FN_INLINE void FN(winograd_write)(const int side, int phase, vec bias, T *p, ptrdiff_t row, ptrdiff_t column, const T *z, ptrdiff_t plane)
{
  const int m = FN(winograd_m)(side), odd_row = FN(winograd_odd_row)(phase), odd_column = FN(winograd_odd_column)(phase);
  vec part[4][6];
  #pragma GCC unroll 6
  for (int j = 0; j < side; j++) {
    vec x[6], r[4];
    #pragma GCC unroll 6
    for (int i = 0; i < side; i++) {
      const int none = side == WINOGRAD_STRIDED && ((i == side - 1 && odd_row) || (j == side - 1 && odd_column));
      x[i] = none ? v_zero() : v_load(z + (i * side + j) * plane);
    }
    FN(winograd_a)(side, x, r);
    #pragma GCC unroll 4
    for (int i = 0; i < m; i++) part[i][j] = r[i];
  }
  #pragma GCC unroll 4
  for (int i = 0; i < m; i++) {
    vec r[4];
    FN(winograd_a)(side, part[i], r);
    #pragma GCC unroll 4
    for (int j = 0; j < m; j++) v_store(p + i * row + j * column, v_add(r[j], bias));
  }
}

/* The outputs k0..k1 of tiles [t0, t1) from products[plane][tile - t0][k - k0].  A tile of a phase begins with an odd row (winograd.pyx). */
FN_INLINE void FN(winograd_write_tiles)(const int side, const fn_winograd_args *a, int phase, ptrdiff_t t0, ptrdiff_t t1, ptrdiff_t k0, ptrdiff_t k1,
                                        const T *z, ptrdiff_t z_row)
{
  const int m = FN(winograd_m)(side);
  _Alignas(64) T edge[16 * VLEN];
  for (ptrdiff_t t = t0; t < t1; t++, z += z_row) {
    const winograd_window s = FN(winograd_at_tile)(a, t, a->y_step > 1 ? 3 - phase : 0, a->y, a->oh, a->ow, a->k, a->y_step,
                                                   a->off_h, a->off_w, m, 0);
    const winograd_kind high = { side, s.high.r, FN(winograd_odd_row)(phase) }, wide = { side, s.wide.r, FN(winograd_odd_column)(phase) };
    for (ptrdiff_t k = k0; k < k1; k += VLEN) {
      const int direct = s.whole && k + VLEN <= k1;
      const vec bias = a->bias ? v_loadn((const T *)a->bias + k, FN(winograd_lanes)(k1 - k)) : v_zero();
      T *to = direct ? s.p + k : edge;
      const ptrdiff_t row = direct ? s.row : m * VLEN, column = direct ? s.column : VLEN;
      if (FN(winograd_by_lines)(side, &s)) FN(winograd_write_edge)(high, wide, bias, to, row, column, z + k - k0, a->z_plane);
      else FN(winograd_write)(side, phase, bias, to, row, column, z + k - k0, a->z_plane);
      if (!direct) FN(winograd_scatter)(&s, m, k, FN(winograd_lanes)(k1 - k), edge);
    }
  }
}
static WINOGRAD_ONCE void
FN(winograd_write_2)(const fn_winograd_args *a, ptrdiff_t t0, ptrdiff_t t1, ptrdiff_t k0, ptrdiff_t k1, const T *z, ptrdiff_t z_row)
{
  FN(winograd_write_tiles)(4, a, 0, t0, t1, k0, k1, z, z_row);
}
static WINOGRAD_ONCE void
FN(winograd_write_4)(const fn_winograd_args *a, ptrdiff_t t0, ptrdiff_t t1, ptrdiff_t k0, ptrdiff_t k1, const T *z, ptrdiff_t z_row)
{
  FN(winograd_write_tiles)(6, a, 0, t0, t1, k0, k1, z, z_row);
}
static WINOGRAD_ONCE void
FN(winograd_write_strided)(const fn_winograd_args *a, int phase, ptrdiff_t t0, ptrdiff_t t1, ptrdiff_t k0, ptrdiff_t k1, const T *z, ptrdiff_t z_row)
{
  FN(winograd_write_tiles)(WINOGRAD_STRIDED, a, phase, t0, t1, k0, k1, z, z_row);
}

/* A gy A' of one tile and VLEN channels. */
FN_INLINE void FN(winograd_spread)(const int side, const T *p, ptrdiff_t row, ptrdiff_t column, T *d, ptrdiff_t plane)
{
  const int m = FN(winograd_m)(side);
  vec part[6][4];
  #pragma GCC unroll 4
  for (int j = 0; j < m; j++) {
    vec y[4], r[6];
    #pragma GCC unroll 4
    for (int i = 0; i < m; i++) y[i] = v_load(p + i * row + j * column);
    FN(winograd_at)(side, y, r);
    #pragma GCC unroll 6
    for (int i = 0; i < side; i++) part[i][j] = r[i];
  }
  #pragma GCC unroll 6
  for (int i = 0; i < side; i++) {
    vec r[6];
    FN(winograd_at)(side, part[i], r);
    #pragma GCC unroll 6
    for (int j = 0; j < side; j++) v_store(d + (i * side + j) * plane, r[j]);
  }
}

/* D[patch of k][plane][tile - t0][k] of tiles [t0, t1); zeros from k to the end of what a product reads. */
FN_INLINE void FN(winograd_spread_tiles)(const int side, const fn_winograd_args *a, ptrdiff_t t0, ptrdiff_t t1, T *d)
{
  const int m = FN(winograd_m)(side);
  const ptrdiff_t padded = GEMM_TAIL ? a->k : a->panels * GEMM_NR;
  _Alignas(64) T edge[16 * VLEN];
  const T *end = (const T *)a->y + a->images * a->oh * a->ow * a->k;
  for (ptrdiff_t t = t0; t < t1; t++, d += a->k_row) {
    const winograd_window s = FN(winograd_at_tile)(a, t, 0, a->y, a->oh, a->ow, a->k, 1, 0, 0, m, 0);
    for (ptrdiff_t k0 = 0, patch = 0; k0 < padded; k0 += a->k_patch, patch += a->d_patch)
      for (ptrdiff_t k = k0; k < k0 + a->k_patch && k < padded; k += VLEN) {
        const int direct = (GEMM_TAIL || k + VLEN <= a->k) && FN(winograd_direct)(&s, k, end);
        if (!direct) FN(winograd_gather)(&s, m, k, FN(winograd_lanes)(a->k - k), edge);
        const T *from = direct ? s.p + k : edge;
        const ptrdiff_t row = direct ? s.row : m * VLEN, column = direct ? s.column : VLEN;
        if (FN(winograd_by_lines)(side, &s)) FN(winograd_spread_edge)(s.high, s.wide, from, row, column, d + patch + k - k0, a->z_plane);
        else FN(winograd_spread)(side, from, row, column, d + patch + k - k0, a->z_plane);
      }
  }
}
static WINOGRAD_ONCE void FN(winograd_spread_2)(const fn_winograd_args *a, ptrdiff_t t0, ptrdiff_t t1, T *d)
{
  FN(winograd_spread_tiles)(4, a, t0, t1, d);
}
static WINOGRAD_ONCE void FN(winograd_spread_4)(const fn_winograd_args *a, ptrdiff_t t0, ptrdiff_t t1, T *d)
{
  FN(winograd_spread_tiles)(6, a, t0, t1, d);
}
static WINOGRAD_ONCE void FN(winograd_spread_strided)(const fn_winograd_args *a, ptrdiff_t t0, ptrdiff_t t1, T *d)
{
  FN(winograd_spread_tiles)(WINOGRAD_STRIDED, a, t0, t1, d);
}
