/* Weights (k, c, taps) into panels [group][panel][slot of tap][ci][lanes], and the weight gradient back. */

/* Where lanes [at, ...) of a group are in row 0 of their panel; *width: lanes of that panel. */
static inline ptrdiff_t FN(conv_panel)(const fn_conv_args *g, ptrdiff_t group, ptrdiff_t at, ptrdiff_t *width)
{
  const ptrdiff_t lanes = FN(conv_lanes)(g), panel = at / CONV_NR, rows = g->taps * g->ci;
  *width = lanes - panel * CONV_NR < CONV_NR ? lanes - panel * CONV_NR : CONV_NR;
  return (group * lanes + panel * CONV_NR) * rows + at % CONV_NR;
}

/* VLEN rows of `from`, `rs` apart, of which `rows` exist: n <= VLEN of their elements, transposed into r. */
static inline void FN(conv_square)(const T *from, ptrdiff_t rs, ptrdiff_t rows, ptrdiff_t n, vec *r)
{
  if (rows >= VLEN && n == VLEN)
    #pragma GCC unroll 16
    for (int i = 0; i < VLEN; i++) r[i] = v_load(from + i * rs);
  else
    for (int i = 0; i < VLEN; i++) r[i] = i < rows ? v_loadn(from + i * rs, n) : v_zero();
  v_transpose(r);
}

/* Lanes are output channels, rows (c, tap) lie next to each other. */
static void FN(conv_pack_forward)(const fn_conv_args *g, ptrdiff_t group, ptrdiff_t lane)
{
  ptrdiff_t width;
  T *to = (T *)g->packed + FN(conv_panel)(g, group, lane, &width);
  const ptrdiff_t rows = g->ci * g->taps;
  const T *from = (const T *)g->w + (group * g->co + lane) * rows;
  vec r[VLEN];
  ptrdiff_t c = 0, t = 0;
  for (ptrdiff_t q = 0; q < rows; q += VLEN) {
    const ptrdiff_t n = rows - q < VLEN ? rows - q : VLEN;
    FN(conv_square)(from + q, rows, g->co - lane, n, r);
    for (ptrdiff_t l = 0; l < n; l++) {
      v_store(to + (g->slot[t] * g->ci + c) * width, r[l]);
      if (++t == g->taps) { t = 0; c++; }
    }
  }
}

/* Lanes are input channels; for each output channel, the row of a panel, the taps of a lane lie next to each other. */
static void FN(conv_pack_input)(const fn_conv_args *g, ptrdiff_t group, ptrdiff_t lane)
{
  ptrdiff_t width;
  T *to = (T *)g->packed + FN(conv_panel)(g, group, lane, &width);
  vec r[VLEN];
  for (ptrdiff_t k = 0; k < g->ci; k++) {
    const T *from = (const T *)g->w + ((group * g->ci + k) * g->co + lane) * g->taps;
    const ptrdiff_t left = g->co - lane;
    if (g->taps == 1) {
      v_store(to + k * width, v_loadn(from, left < 0 ? 0 : left < VLEN ? left : VLEN));
      continue;
    }
    for (ptrdiff_t t = 0; t < g->taps; t += VLEN) {
      const ptrdiff_t n = g->taps - t < VLEN ? g->taps - t : VLEN;
      FN(conv_square)(from + t, g->taps, left, n, r);
      for (ptrdiff_t l = 0; l < n; l++) v_store(to + (g->slot[t + l] * g->ci + k) * width, r[l]);
    }
  }
}

static void FN(conv_pack)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_conv_args *g = p;
  (void)thread;
  const ptrdiff_t blocks = FN(conv_lanes)(g) / VLEN;
  for (ptrdiff_t u = begin; u < end; u++)
    if (g->pass == FN_CONV_INPUT) FN(conv_pack_input)(g, u / blocks, u % blocks * VLEN);
    else FN(conv_pack_forward)(g, u / blocks, u % blocks * VLEN);
}

/* gw[k][c][t] from the parts [split][group][panel][t][c][lanes]: one panel, CONV_CHUNK of its rows in gw's order. */
static void FN(conv_weight_reduce)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_conv_args *g = p;
  (void)thread;
  const ptrdiff_t rows = g->ci * g->taps, size = g->packed_size / g->splits, chunks = FN(conv_ceil)(rows, CONV_CHUNK);
  for (ptrdiff_t u = begin; u < end; u++) {
    const ptrdiff_t group = u / chunks / g->panels, panel = u / chunks % g->panels, first = u % chunks * CONV_CHUNK;
    const ptrdiff_t last = first + CONV_CHUNK < rows ? first + CONV_CHUNK : rows, k = panel * CONV_NR;
    ptrdiff_t width, c = first / g->taps, t = first % g->taps;
    const T *from = (const T *)g->packed + FN(conv_panel)(g, group, k, &width), *row[VLEN] = { 0 };
    T *to = (T *)g->dst + (group * g->co + k) * rows;
    vec r[VLEN];
    for (ptrdiff_t q = first; q < last; q += VLEN) {
      const ptrdiff_t n = last - q < VLEN ? last - q : VLEN;
      for (ptrdiff_t l = 0; l < n; l++) {
        row[l] = from + (t * g->ci + c) * width;
        if (++t == g->taps) { t = 0; c++; }
      }
      for (ptrdiff_t lane = 0; lane < g->co - k && lane < width; lane += VLEN) {
        const ptrdiff_t lanes = g->co - k - lane < VLEN ? g->co - k - lane : VLEN;
        for (ptrdiff_t l = 0; l < VLEN; l++) {
          vec sum = l < n ? v_load(row[l] + lane) : v_zero();
          for (ptrdiff_t s = 1; l < n && s < g->splits; s++) sum = v_add(sum, v_load(row[l] + lane + s * size));
          r[l] = sum;
        }
        v_transpose(r);
        for (ptrdiff_t l = 0; l < lanes; l++) v_storen(to + (lane + l) * rows + q, r[l], n);
      }
    }
  }
}
