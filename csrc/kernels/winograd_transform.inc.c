/* Transforms of tiles: between images and planes, and between weights and planes.  One function for each m and direction. */
#define WINOGRAD_ONCE __attribute__((noinline, noclone))     /* these bodies are long: one copy of each */
#include "kernels/winograd_matrix.inc.c"
#include "kernels/winograd_edge.inc.c"

/* Where a tile lies in an image: its first pixel may be outside, rows and columns are bits that say which are inside. */
typedef struct {
  T        *p;
  ptrdiff_t row, column;
  uint32_t  rows, columns;
  int       whole, high, wide;                       /* inside as a whole; outputs of the tile */
} FN(winograd_window);
#define winograd_window FN(winograd_window)

/* The bits i of 0..size-1 for which 0 <= at + i < end. */
static inline uint32_t FN(winograd_inside)(ptrdiff_t at, ptrdiff_t size, ptrdiff_t end)
{
  const ptrdiff_t i0 = at < 0 ? -at : 0, i1 = end - at < size ? end - at : size;
  return i1 <= i0 ? 0 : (1u << i1) - (1u << i0);
}

static inline winograd_window
FN(winograd_at_tile)(const fn_winograd_args *a, ptrdiff_t t, T *image, ptrdiff_t h, ptrdiff_t w, ptrdiff_t depth, ptrdiff_t pad_h, ptrdiff_t pad_w, int size)
{
  const int below = t >= a->lower, beside = t < a->whole || t >= a->corner;
  const ptrdiff_t tiles_h = below ? 1 : a->whole_h, tiles_w = beside ? 1 : a->whole_w;
  const ptrdiff_t n = t - (t >= a->corner ? a->corner : below ? a->lower : beside ? 0 : a->whole);
  const ptrdiff_t tw = beside ? a->whole_w : n % tiles_w, th = below ? a->whole_h : n / tiles_w % tiles_h;
  const ptrdiff_t i = a->tile * th - pad_h, j = a->tile * tw - pad_w;
  winograd_window s = { .p = image + n / (tiles_w * tiles_h) * h * w * depth, .row = w * depth, .column = depth,
                        .rows = FN(winograd_inside)(i, size, h), .columns = FN(winograd_inside)(j, size, w),
                        .high = below ? (int)a->edge_h : a->tile, .wide = beside ? (int)a->edge_w : a->tile };
  s.p += i * s.row + j * s.column;
  s.whole = s.rows == (1u << size) - 1 && s.columns == (1u << size) - 1;
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
static inline int FN(winograd_direct)(const winograd_window *s, int size, ptrdiff_t c, const T *end)
{
  return s->whole && s->p + (size - 1) * (s->row + s->column) + c + VLEN <= end;
}

static inline ptrdiff_t FN(winograd_least)(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }
static inline ptrdiff_t FN(winograd_lanes)(ptrdiff_t n) { return n < 0 ? 0 : n < VLEN ? n : VLEN; }

/* B'xB of one tile and VLEN channels, half of the rows at a time so that they stay in registers. */
FN_INLINE void FN(winograd_read)(const int m, const T *p, ptrdiff_t row, ptrdiff_t column, T *v, ptrdiff_t plane)
{
  #pragma GCC unroll 2
  for (int half = 0; half < 2; half++) {
    vec part[3][6];
    #pragma GCC unroll 6
    for (int j = 0; j < m + 2; j++) {
      vec x[6], r[6];
      #pragma GCC unroll 6
      for (int i = 0; i < m + 2; i++)                /* the first half does not depend on the last row, nor the second on the first */
        x[i] = i == (half ? 0 : m + 1) ? v_zero() : v_load(p + i * row + j * column);
      FN(winograd_b)(m, x, r);
      #pragma GCC unroll 3
      for (int i = 0; i < m / 2 + 1; i++) part[i][j] = r[half * (m / 2 + 1) + i];
    }
    #pragma GCC unroll 3
    for (int i = 0; i < m / 2 + 1; i++) {
      vec r[6];
      FN(winograd_b)(m, part[i], r);
      #pragma GCC unroll 6
      for (int j = 0; j < m + 2; j++) v_store(v + ((half * (m / 2 + 1) + i) * (m + 2) + j) * plane, r[j]);
    }
  }
}

/* V[patch of c][plane][tile - t0][c] of tiles [t0, t1) and the inputs first..last, from a patch to its end; nobody reads lanes past c. */
FN_INLINE void FN(winograd_read_tiles)(const int m, const fn_winograd_args *a, ptrdiff_t t0, ptrdiff_t t1, ptrdiff_t first, ptrdiff_t last, T *v)
{
  _Alignas(64) T edge[36 * VLEN];
  const T *end = (const T *)a->x + a->images * a->ih * a->iw * a->c;
  for (ptrdiff_t t = t0; t < t1; t++, v += a->c_row) {
    const winograd_window s = FN(winograd_at_tile)(a, t, (T *)a->x, a->ih, a->iw, a->c, a->pad_h, a->pad_w, m + 2);
    for (ptrdiff_t c0 = first, patch = 0; c0 < last; c0 += a->c_patch, patch += a->v_patch)
      for (ptrdiff_t c = c0; c < c0 + a->c_patch && c < last; c += VLEN) {
        const int cut = m == 4 && s.high + s.wide < 8, direct = FN(winograd_direct)(&s, m + 2, c, end);
        const T *from = direct ? s.p + c : edge;
        const ptrdiff_t row = direct ? s.row : (m + 2) * VLEN, column = direct ? s.column : VLEN;
        if (!direct) FN(winograd_gather)(&s, m + 2, c, FN(winograd_lanes)(a->c - c), edge);
        if (cut) FN(winograd_read_edge)(s.high, s.wide, from, row, column, v + patch + c - c0, a->v_plane);
        else FN(winograd_read)(m, from, row, column, v + patch + c - c0, a->v_plane);
      }
  }
}
static WINOGRAD_ONCE void
FN(winograd_read_2)(const fn_winograd_args *a, ptrdiff_t t0, ptrdiff_t t1, ptrdiff_t c0, ptrdiff_t c1, T *v)
{
  FN(winograd_read_tiles)(2, a, t0, t1, c0, c1, v);
}
static WINOGRAD_ONCE void
FN(winograd_read_4)(const fn_winograd_args *a, ptrdiff_t t0, ptrdiff_t t1, ptrdiff_t c0, ptrdiff_t c1, T *v)
{
  FN(winograd_read_tiles)(4, a, t0, t1, c0, c1, v);
}

/* A'zA of one tile and VLEN channels. */
FN_INLINE void FN(winograd_write)(const int m, T *p, ptrdiff_t row, ptrdiff_t column, const T *z, ptrdiff_t plane)
{
  vec part[4][6];
  #pragma GCC unroll 6
  for (int j = 0; j < m + 2; j++) {
    vec x[6], r[4];
    #pragma GCC unroll 6
    for (int i = 0; i < m + 2; i++) x[i] = v_load(z + (i * (m + 2) + j) * plane);
    FN(winograd_a)(m, x, r);
    #pragma GCC unroll 4
    for (int i = 0; i < m; i++) part[i][j] = r[i];
  }
  #pragma GCC unroll 4
  for (int i = 0; i < m; i++) {
    vec r[4];
    FN(winograd_a)(m, part[i], r);
    #pragma GCC unroll 4
    for (int j = 0; j < m; j++) v_store(p + i * row + j * column, r[j]);
  }
}

/* The outputs k0..k1 of tiles [t0, t1) from products[plane][tile - t0][k - k0]. */
FN_INLINE void FN(winograd_write_tiles)(const int m, const fn_winograd_args *a, ptrdiff_t t0, ptrdiff_t t1, ptrdiff_t k0, ptrdiff_t k1,
                                        const T *z, ptrdiff_t z_row)
{
  _Alignas(64) T edge[16 * VLEN];
  for (ptrdiff_t t = t0; t < t1; t++, z += z_row) {
    const winograd_window s = FN(winograd_at_tile)(a, t, a->y, a->oh, a->ow, a->k, 0, 0, m);
    for (ptrdiff_t k = k0; k < k1; k += VLEN) {
      const int cut = m == 4 && s.high + s.wide < 8, direct = (s.whole || cut) && k + VLEN <= k1;
      T *to = direct ? s.p + k : edge;
      const ptrdiff_t row = direct ? s.row : m * VLEN, column = direct ? s.column : VLEN;
      if (cut) FN(winograd_write_edge)(s.high, s.wide, to, row, column, z + k - k0, a->z_plane);
      else FN(winograd_write)(m, to, row, column, z + k - k0, a->z_plane);
      if (!direct) FN(winograd_scatter)(&s, m, k, FN(winograd_lanes)(k1 - k), edge);
    }
  }
}
static WINOGRAD_ONCE void
FN(winograd_write_2)(const fn_winograd_args *a, ptrdiff_t t0, ptrdiff_t t1, ptrdiff_t k0, ptrdiff_t k1, const T *z, ptrdiff_t z_row)
{
  FN(winograd_write_tiles)(2, a, t0, t1, k0, k1, z, z_row);
}
static WINOGRAD_ONCE void
FN(winograd_write_4)(const fn_winograd_args *a, ptrdiff_t t0, ptrdiff_t t1, ptrdiff_t k0, ptrdiff_t k1, const T *z, ptrdiff_t z_row)
{
  FN(winograd_write_tiles)(4, a, t0, t1, k0, k1, z, z_row);
}

/* A gy A' of one tile and VLEN channels. */
FN_INLINE void FN(winograd_spread)(const int m, const T *p, ptrdiff_t row, ptrdiff_t column, T *d, ptrdiff_t plane)
{
  vec part[6][4];
  #pragma GCC unroll 4
  for (int j = 0; j < m; j++) {
    vec y[4], r[6];
    #pragma GCC unroll 4
    for (int i = 0; i < m; i++) y[i] = v_load(p + i * row + j * column);
    FN(winograd_at)(m, y, r);
    #pragma GCC unroll 6
    for (int i = 0; i < m + 2; i++) part[i][j] = r[i];
  }
  #pragma GCC unroll 6
  for (int i = 0; i < m + 2; i++) {
    vec r[6];
    FN(winograd_at)(m, part[i], r);
    #pragma GCC unroll 6
    for (int j = 0; j < m + 2; j++) v_store(d + (i * (m + 2) + j) * plane, r[j]);
  }
}

/* D[patch of k][plane][tile - t0][k] of tiles [t0, t1); zeros from k to the end of what a product reads. */
FN_INLINE void FN(winograd_spread_tiles)(const int m, const fn_winograd_args *a, ptrdiff_t t0, ptrdiff_t t1, T *d)
{
  const ptrdiff_t padded = GEMM_TAIL ? a->k : a->panels * GEMM_NR;
  _Alignas(64) T edge[16 * VLEN];
  const T *end = (const T *)a->y + a->images * a->oh * a->ow * a->k;
  for (ptrdiff_t t = t0; t < t1; t++, d += a->k_row) {
    const winograd_window s = FN(winograd_at_tile)(a, t, a->y, a->oh, a->ow, a->k, 0, 0, m);
    for (ptrdiff_t k0 = 0, patch = 0; k0 < padded; k0 += a->k_patch, patch += a->d_patch)
      for (ptrdiff_t k = k0; k < k0 + a->k_patch && k < padded; k += VLEN) {
        const int cut = m == 4 && s.high + s.wide < 8, inside = k + VLEN <= a->k;
        const int direct = cut || !(GEMM_TAIL || inside) ? (s.whole || cut) && inside : FN(winograd_direct)(&s, m, k, end);
        const T *from = direct ? s.p + k : edge;
        const ptrdiff_t row = direct ? s.row : m * VLEN, column = direct ? s.column : VLEN;
        if (!direct) FN(winograd_gather)(&s, m, k, FN(winograd_lanes)(a->k - k), edge);
        if (cut) FN(winograd_spread_edge)(s.high, s.wide, from, row, column, d + patch + k - k0, a->z_plane);
        else FN(winograd_spread)(m, from, row, column, d + patch + k - k0, a->z_plane);
      }
  }
}
static WINOGRAD_ONCE void FN(winograd_spread_2)(const fn_winograd_args *a, ptrdiff_t t0, ptrdiff_t t1, T *d)
{
  FN(winograd_spread_tiles)(2, a, t0, t1, d);
}
static WINOGRAD_ONCE void FN(winograd_spread_4)(const fn_winograd_args *a, ptrdiff_t t0, ptrdiff_t t1, T *d)
{
  FN(winograd_spread_tiles)(4, a, t0, t1, d);
}

/* rows x n elements, at most VLEN x VLEN, are transposed. */
static WINOGRAD_ONCE void FN(winograd_turn)(const T *from, ptrdiff_t from_stride, ptrdiff_t rows, ptrdiff_t n, T *to, ptrdiff_t to_stride)
{
  vec r[VLEN];
  if (rows == VLEN && n == VLEN) {
    #pragma GCC unroll 16
    for (int i = 0; i < VLEN; i++) r[i] = v_load(from + i * from_stride);
  } else {
    #pragma GCC unroll 16
    for (int i = 0; i < VLEN; i++) r[i] = i < rows ? v_loadn(from + i * from_stride, n) : v_zero();
  }
  v_transpose(r);
  if (rows == VLEN) {
    #pragma GCC unroll 16
    for (int i = 0; i < VLEN; i++) if (i < n) v_store(to + i * to_stride, r[i]);
  } else {
    #pragma GCC unroll 16
    for (int i = 0; i < VLEN; i++) if (i < n) v_storen(to + i * to_stride, r[i], rows);
  }
}

/* Between the weights of `lanes` k and `count` c, at most VLEN, and a buffer [c][tap][VLEN].  The taps of a c, or of all of them, touch. */
static void FN(winograd_taps)(const fn_winograd_args *a, ptrdiff_t c, ptrdiff_t count, ptrdiff_t k, ptrdiff_t lanes, T *taps)
{
  const ptrdiff_t together = a->w_cs == 9 ? count : 1;
  const T *w = (const T *)a->w + c * a->w_cs + k * a->w_ks;
  for (ptrdiff_t i = 0; i < count; i += together, w += a->w_cs, taps += 9 * VLEN)
    for (ptrdiff_t j = 0; j < 9 * together; j += VLEN)
      FN(winograd_turn)(w + j, a->w_ks, lanes, FN(winograd_least)(VLEN, 9 * together - j), taps + j * VLEN, VLEN);
}
static void FN(winograd_untaps)(const fn_winograd_args *a, ptrdiff_t c, ptrdiff_t count, ptrdiff_t k, ptrdiff_t lanes, const T *taps)
{
  T *gw = (T *)a->gw + c * a->w_cs + k * a->w_ks;
  for (ptrdiff_t j = 0; j < 9 * count; j += VLEN)
    FN(winograd_turn)(taps + j * VLEN, VLEN, FN(winograd_least)(VLEN, 9 * count - j), lanes, gw + j, a->w_ks);
}

/* U = G w G' for VLEN outputs k and the inputs c0..c1, to u[plane][c - c0] with a->width from one c to the next. */
FN_INLINE void FN(winograd_filters)(const int m, const fn_winograd_args *a, ptrdiff_t c0, ptrdiff_t c1, ptrdiff_t k, T *u)
{
  const ptrdiff_t lanes = FN(winograd_lanes)(a->k - k), step = a->flip ? -VLEN : VLEN;
  _Alignas(64) T taps[VLEN * 9 * VLEN];
  if (lanes < VLEN) memset(taps, 0, sizeof taps);
  for (ptrdiff_t c = c0; c < c1; c++, u += a->width) {
    const ptrdiff_t at = (c - c0) % VLEN;
    if (at == 0) FN(winograd_taps)(a, c, FN(winograd_lanes)(c1 - c), k, lanes, taps);
    const T *w = taps + (at * 9 + (a->flip ? 8 : 0)) * VLEN;
    vec part[6][3];
    #pragma GCC unroll 3
    for (int j = 0; j < 3; j++) {
      const vec x[3] = { v_load(w + j * step), v_load(w + (3 + j) * step), v_load(w + (6 + j) * step) };
      vec r[6];
      FN(winograd_g)(m, x, r);
      #pragma GCC unroll 6
      for (int i = 0; i < m + 2; i++) part[i][j] = r[i];
    }
    #pragma GCC unroll 6
    for (int i = 0; i < m + 2; i++) {
      vec r[6];
      FN(winograd_g)(m, part[i], r);
      #pragma GCC unroll 6
      for (int j = 0; j < m + 2; j++) v_store(u + (i * (m + 2) + j) * a->u_plane, r[j]);
    }
  }
}
static WINOGRAD_ONCE void FN(winograd_filters_2)(const fn_winograd_args *a, ptrdiff_t c0, ptrdiff_t c1, ptrdiff_t k, T *u)
{
  FN(winograd_filters)(2, a, c0, c1, k, u);
}
static WINOGRAD_ONCE void FN(winograd_filters_4)(const fn_winograd_args *a, ptrdiff_t c0, ptrdiff_t c1, ptrdiff_t k, T *u)
{
  FN(winograd_filters)(4, a, c0, c1, k, u);
}

/* gw = G'(sum of parts)G for VLEN outputs k and the inputs c0..c1, from u[part][plane][c - c0] with row from one c to the next. */
FN_INLINE void FN(winograd_gradients)(const int m, const fn_winograd_args *a, ptrdiff_t c0, ptrdiff_t c1, ptrdiff_t k, const T *u, ptrdiff_t row)
{
  const ptrdiff_t lanes = FN(winograd_lanes)(a->k - k);
  _Alignas(64) T total[36 * VLEN], taps[VLEN * 9 * VLEN];
  for (ptrdiff_t c = c0; c < c1; c++, u += row) {
    const T *p = u;
    ptrdiff_t plane = a->u_plane;
    if (a->splits > 1) {
      for (int i = 0; i < (m + 2) * (m + 2); i++) {
        vec sum = v_load(u + i * a->u_plane);
        for (ptrdiff_t s = 1; s < a->splits; s++) sum = v_add(sum, v_load(u + (s * (m + 2) * (m + 2) + i) * a->u_plane));
        v_store(total + i * VLEN, sum);
      }
      p = total;
      plane = VLEN;
    }
    vec part[3][6], r[3];
    #pragma GCC unroll 6
    for (int j = 0; j < m + 2; j++) {
      vec x[6];
      #pragma GCC unroll 6
      for (int i = 0; i < m + 2; i++) x[i] = v_load(p + (i * (m + 2) + j) * plane);
      FN(winograd_gt)(m, x, r);
      #pragma GCC unroll 3
      for (int i = 0; i < 3; i++) part[i][j] = r[i];
    }
    #pragma GCC unroll 3
    for (int i = 0; i < 3; i++) {
      FN(winograd_gt)(m, part[i], r);
      #pragma GCC unroll 3
      for (int j = 0; j < 3; j++) v_store(taps + ((c - c0) % VLEN * 9 + 3 * i + j) * VLEN, r[j]);
    }
    const ptrdiff_t count = (c - c0) % VLEN + 1;
    if (count == VLEN || c + 1 == c1) FN(winograd_untaps)(a, c + 1 - count, count, k, lanes, taps);
  }
}
static WINOGRAD_ONCE void FN(winograd_gradients_2)(const fn_winograd_args *a, ptrdiff_t c0, ptrdiff_t c1, ptrdiff_t k, const T *u, ptrdiff_t row)
{
  FN(winograd_gradients)(2, a, c0, c1, k, u, row);
}
static WINOGRAD_ONCE void FN(winograd_gradients_4)(const fn_winograd_args *a, ptrdiff_t c0, ptrdiff_t c1, ptrdiff_t k, const T *u, ptrdiff_t row)
{
  FN(winograd_gradients)(4, a, c0, c1, k, u, row);
}
