/* Transforms of weights: between (k, c, 3, 3) and planes.  One function for each kind of tile and direction. */
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
FN_INLINE void FN(winograd_filters)(const int side, const fn_winograd_args *a, ptrdiff_t c0, ptrdiff_t c1, ptrdiff_t k, T *u)
{
  const int rows = FN(winograd_rows_of_g)(side);
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
      FN(winograd_g)(side, x, r);
      #pragma GCC unroll 6
      for (int i = 0; i < rows; i++) part[i][j] = r[i];
    }
    #pragma GCC unroll 6
    for (int i = 0; i < rows; i++) {
      vec r[6];
      FN(winograd_g)(side, part[i], r);
      #pragma GCC unroll 6
      for (int j = 0; j < rows; j++) v_store(u + (i * rows + j) * a->u_plane, r[j]);
    }
  }
}
static WINOGRAD_ONCE void FN(winograd_filters_2)(const fn_winograd_args *a, ptrdiff_t c0, ptrdiff_t c1, ptrdiff_t k, T *u)
{
  FN(winograd_filters)(4, a, c0, c1, k, u);
}
static WINOGRAD_ONCE void FN(winograd_filters_4)(const fn_winograd_args *a, ptrdiff_t c0, ptrdiff_t c1, ptrdiff_t k, T *u)
{
  FN(winograd_filters)(6, a, c0, c1, k, u);
}
static WINOGRAD_ONCE void FN(winograd_filters_strided)(const fn_winograd_args *a, ptrdiff_t c0, ptrdiff_t c1, ptrdiff_t k, T *u)
{
  FN(winograd_filters)(WINOGRAD_STRIDED, a, c0, c1, k, u);
}

/* gw = G'(sum of parts)G for VLEN outputs k and the inputs c0..c1, from u[part][plane][c - c0] with row from one c to the next. */
FN_INLINE void FN(winograd_gradients)(const int side, const fn_winograd_args *a, ptrdiff_t c0, ptrdiff_t c1, ptrdiff_t k, const T *u, ptrdiff_t row)
{
  const int rows = FN(winograd_rows_of_g)(side);
  const ptrdiff_t lanes = FN(winograd_lanes)(a->k - k);
  _Alignas(64) T total[36 * VLEN], taps[VLEN * 9 * VLEN];
  for (ptrdiff_t c = c0; c < c1; c++, u += row) {
    const T *p = u;
    ptrdiff_t plane = a->u_plane;
    if (a->splits > 1) {
      for (int i = 0; i < rows * rows; i++) {
        vec sum = v_load(u + i * a->u_plane);
        for (ptrdiff_t s = 1; s < a->splits; s++) sum = v_add(sum, v_load(u + (s * rows * rows + i) * a->u_plane));
        v_store(total + i * VLEN, sum);
      }
      p = total;
      plane = VLEN;
    }
    vec part[3][6], r[3];
    #pragma GCC unroll 6
    for (int j = 0; j < rows; j++) {
      vec x[6];
      #pragma GCC unroll 6
      for (int i = 0; i < rows; i++) x[i] = v_load(p + (i * rows + j) * plane);
      FN(winograd_gt)(side, x, r);
      #pragma GCC unroll 3
      for (int i = 0; i < 3; i++) part[i][j] = r[i];
    }
    #pragma GCC unroll 3
    for (int i = 0; i < 3; i++) {
      FN(winograd_gt)(side, part[i], r);
      #pragma GCC unroll 3
      for (int j = 0; j < 3; j++) v_store(taps + ((c - c0) % VLEN * 9 + 3 * i + j) * VLEN, r[j]);
    }
    const ptrdiff_t count = (c - c0) % VLEN + 1;
    if (count == VLEN || c + 1 == c1) FN(winograd_untaps)(a, c + 1 - count, count, k, lanes, taps);
  }
}
static WINOGRAD_ONCE void FN(winograd_gradients_2)(const fn_winograd_args *a, ptrdiff_t c0, ptrdiff_t c1, ptrdiff_t k, const T *u, ptrdiff_t row)
{
  FN(winograd_gradients)(4, a, c0, c1, k, u, row);
}
static WINOGRAD_ONCE void FN(winograd_gradients_4)(const fn_winograd_args *a, ptrdiff_t c0, ptrdiff_t c1, ptrdiff_t k, const T *u, ptrdiff_t row)
{
  FN(winograd_gradients)(6, a, c0, c1, k, u, row);
}
static WINOGRAD_ONCE void
FN(winograd_gradients_strided)(const fn_winograd_args *a, ptrdiff_t c0, ptrdiff_t c1, ptrdiff_t k, const T *u, ptrdiff_t row)
{
  FN(winograd_gradients)(WINOGRAD_STRIDED, a, c0, c1, k, u, row);
}
