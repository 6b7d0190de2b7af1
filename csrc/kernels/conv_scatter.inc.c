/* conv_scatter: the input gradient where gx has few channels.  A pixel of gy times all weights gives taps x channels numbers, and for each row
   of the kernel those lie next to each other in gx: runs are added.  No product with the zeros around gy is made, and lanes are full. */

/* Weights (k, c, taps) as panels [panel][k][taps x c]; range: rows k. */
static void FN(conv_scatter_pack)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_conv_args *g = p;
  (void)thread;
  const ptrdiff_t columns = g->taps * g->co, lanes = FN(conv_ceil)(columns, GLEN) * GLEN;
  for (ptrdiff_t k = begin; k < end; k++) {
    const T *w = (const T *)g->w + k * columns;
    for (ptrdiff_t from = 0; from < lanes; from += CONV_NR) {
      const ptrdiff_t width = lanes - from < CONV_NR ? lanes - from : CONV_NR;
      T *to = (T *)g->packed + from * g->ci + k * width;
      for (ptrdiff_t j = 0; j < width; j++) {
        const ptrdiff_t column = from + j, t = column / g->co, c = column % g->co;
        to[j] = column < columns ? w[c * g->taps + t] : (T)0;
      }
    }
  }
}

static inline void FN(conv_add)(T *to, const T *from, ptrdiff_t n)
{
  for (; n >= VLEN; n -= VLEN, to += VLEN, from += VLEN) v_store(to, v_add(v_load(to), v_load(from)));
  if (n > 0) v_storen(to, v_add(v_loadn(to, n), v_loadn(from, n)), n);
}

/* The rows of gx that a row of gy reaches, for each plane of the kernel, before they are added to gx.  A load that meets a part of a recent store
   waits for it (and a masked one counts as whole), and the runs of neighbouring pixels overlap: so every row is there several times, and
   neighbours use them in turn. */
typedef struct { T *p, **row; ptrdiff_t rows, turns, pitch; } FN(conv_ring);
#define conv_ring FN(conv_ring)

static conv_ring FN(conv_ring_of)(const fn_conv_args *g)
{
  const fn_conv_shape *s = &g->shape;
  const ptrdiff_t vectors = FN(conv_ceil)(s->kernel[2] * g->co, VLEN), adds = s->kernel[0] * s->kernel[1] * vectors;
  const ptrdiff_t apart = FN(conv_ceil)(vectors * VLEN, s->stride[2] * g->co), enough = FN(conv_ceil)(CONV_APART, adds);
  conv_ring ring = { NULL, NULL, (s->kernel[1] - 1) * s->dilation[1] + 1, apart < enough ? apart : enough, 0 };
  ring.pitch = (s->in[2] * g->co + 15) / 16 * 16 + 16;
  return ring;
}

/* Scatter: boxes[1] bands of box[1] rows of gx for each image. */
static void FN(conv_scatter_plan)(fn_conv_args *g)
{
  const fn_conv_shape *s = &g->shape;
  const ptrdiff_t window = (s->kernel[1] - 1) * s->dilation[1] + s->stride[1], lanes = FN(conv_ceil)(g->taps * g->co, GLEN) * GLEN;
  const conv_ring ring = FN(conv_ring_of)(g);
  ptrdiff_t most = s->in[1] / (CONV_BAND * window), bands = FN(conv_ceil)(CONV_MIN_UNITS, s->n);
  if (bands > most) bands = most;
  if (bands < 1) bands = 1;
  g->box[1] = FN(conv_ceil)(s->in[1], bands);
  g->boxes[1] = FN(conv_ceil)(s->in[1], g->box[1]);
  g->packed_size = g->ci * lanes;
  g->scratch_size = (CONV_PIXELS * lanes + s->kernel[0] * ring.rows * ring.turns * ring.pitch) * (ptrdiff_t)sizeof(T);
  g->scratch_size += 2 * CONV_PIXELS * (ptrdiff_t)sizeof(ptrdiff_t) + s->kernel[0] * s->kernel[1] * (ptrdiff_t)sizeof(T *);
  g->scratch_size = (g->scratch_size + 255) / 128 * 128;
  g->units = s->n * g->boxes[1];
  g->pack_units = g->ci;
}

/* The products of n pixels of a row of gy, the first at o, into the ring; rows outside [h0, h1) are of another unit. */
static void FN(conv_spread)(const fn_conv_args *g, const conv_ring *ring, const ptrdiff_t *o, ptrdiff_t n, ptrdiff_t h0, ptrdiff_t h1,
                            const T *from, ptrdiff_t pitch)
{
  const fn_conv_shape *s = &g->shape;
  const ptrdiff_t co = g->co, kernel = s->kernel[2], width = s->in[2], rows = s->kernel[0] * s->kernel[1];
  for (ptrdiff_t r = 0; r < rows; r++) {
    const ptrdiff_t a = r / s->kernel[1], at = o[1] * s->stride[1] + r % s->kernel[1] * s->dilation[1];
    const ptrdiff_t d = o[0] * s->stride[0] - s->pad[0] + a * s->dilation[0];
    const int outside = d < 0 || d >= s->in[0] || at - s->pad[1] < h0 || at - s->pad[1] >= h1;
    ring->row[r] = outside ? NULL : ring->p + (a * ring->rows + at % ring->rows) * ring->turns * ring->pitch;
  }
  for (ptrdiff_t i = 0, turn = 0; i < n; i++, from += pitch, turn = turn + 1 < ring->turns ? turn + 1 : 0) {
    const ptrdiff_t w = (o[2] + i) * s->stride[2] - s->pad[2];
    const ptrdiff_t lo = w < 0 ? -w : 0, hi = width - w < kernel ? width - w : kernel, at = turn * ring->pitch + (w + lo) * co;
    const T *run = from + lo * co;
    for (ptrdiff_t r = 0; r < rows; r++, run += kernel * co)
      if (ring->row[r]) FN(conv_add)(ring->row[r] + at, run, (hi - lo) * co);
  }
}

/* Rows [from, to) of the window, counted with the padding, are complete: add them to gx, and leave zeros. */
static void FN(conv_flush)(const fn_conv_args *g, const conv_ring *ring, ptrdiff_t n, ptrdiff_t o, ptrdiff_t from, ptrdiff_t to, ptrdiff_t h0,
                           ptrdiff_t h1)
{
  const fn_conv_shape *s = &g->shape;
  const ptrdiff_t row = s->in[2] * g->co;
  for (ptrdiff_t a = 0; a < s->kernel[0]; a++) {
    const ptrdiff_t d = o * s->stride[0] - s->pad[0] + a * s->dilation[0];
    for (ptrdiff_t at = from; at < to; at++) {
      const ptrdiff_t h = at - s->pad[1];
      if (d < 0 || d >= s->in[0] || h < h0 || h >= h1) continue;
      T *ours = ring->p + (a * ring->rows + at % ring->rows) * ring->turns * ring->pitch;
      T *y = (T *)g->dst + ((n * s->in[0] + d) * s->in[1] + h) * row;
      for (ptrdiff_t j = 0; j < row; j += VLEN) {
        const ptrdiff_t left = row - j < VLEN ? row - j : VLEN;
        vec sum = v_loadn(y + j, left);
        for (ptrdiff_t t = 0; t < ring->turns; t++) {
          sum = v_add(sum, v_load(ours + t * ring->pitch + j));
          v_store(ours + t * ring->pitch + j, v_zero());
        }
        v_storen(y + j, sum, left);
      }
    }
  }
}

/* Rows [h0, h1) of gx of image n, from rows [o0, o1) of gy. */
static void FN(conv_scatter_band)(const fn_conv_args *g, const conv_ring *ring, conv_job *job, T *products, const ptrdiff_t *a_at,
                                  const ptrdiff_t *c_at, ptrdiff_t n, ptrdiff_t o0, ptrdiff_t o1, ptrdiff_t h0, ptrdiff_t h1)
{
  const fn_conv_shape *s = &g->shape;
  const ptrdiff_t lanes = FN(conv_ceil)(g->taps * g->co, GLEN) * GLEN, step = s->stride[1] < ring->rows ? s->stride[1] : ring->rows;
  for (ptrdiff_t d = 0; d < s->out[0]; d++) {
    const ptrdiff_t plane = (n * s->out[0] + d) * s->out[1] * s->out[2];
    for (ptrdiff_t at = o0 * s->out[2], last = o1 * s->out[2]; at < last; at += CONV_PIXELS) {
      const ptrdiff_t pixels = last - at < CONV_PIXELS ? last - at : CONV_PIXELS;
      for (ptrdiff_t j = 0; j < lanes; j += CONV_NR)
        FN(conv_columns)(job, pixels, lanes - j < CONV_NR ? lanes - j : CONV_NR, (const T *)g->src + (plane + at) * g->ci, a_at,
                         (const T *)g->packed + j * g->ci, products + j, c_at);
      for (ptrdiff_t i = 0, few; i < pixels; i += few) {
        const ptrdiff_t o[3] = { d, (at + i) / s->out[2], (at + i) % s->out[2] };
        few = pixels - i < s->out[2] - o[2] ? pixels - i : s->out[2] - o[2];
        FN(conv_spread)(g, ring, o, few, h0, h1, products + i * lanes, lanes);
        if (o[2] + few == s->out[2]) FN(conv_flush)(g, ring, n, d, o[1] * s->stride[1], o[1] * s->stride[1] + step, h0, h1);
      }
    }
    FN(conv_flush)(g, ring, n, d, (o1 - 1) * s->stride[1] + step, (o1 - 1) * s->stride[1] + ring->rows, h0, h1);
  }
}

static void FN(conv_scatter)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_conv_args *g = p;
  const fn_conv_shape *s = &g->shape;
  const ptrdiff_t lanes = FN(conv_ceil)(g->taps * g->co, GLEN) * GLEN, row = s->in[2] * g->co;
  const fn_conv_seg seg = { 0, 0, g->ci };
  conv_job job = { .seg = &seg, .nseg = 1, .a_step = 1 };
  conv_ring ring = FN(conv_ring_of)(g);
  T *products = (T *)(g->scratch + thread * g->scratch_size);
  ring.p = products + CONV_PIXELS * lanes;
  const ptrdiff_t size = s->kernel[0] * ring.rows * ring.turns * ring.pitch;
  ptrdiff_t *a_at = (ptrdiff_t *)(ring.p + size), *c_at = a_at + CONV_PIXELS;
  ring.row = (T **)(c_at + CONV_PIXELS);
  memset(ring.p, 0, (size_t)size * sizeof(T));
  for (ptrdiff_t i = 0; i < CONV_PIXELS; i++) { a_at[i] = i * g->ci; c_at[i] = i * lanes; }
  for (ptrdiff_t u = begin; u < end; u++) {
    const ptrdiff_t n = u / g->boxes[1], h0 = u % g->boxes[1] * g->box[1], h1 = h0 + g->box[1] < s->in[1] ? h0 + g->box[1] : s->in[1];
    for (ptrdiff_t d = 0; d < s->in[0]; d++)
      memset((T *)g->dst + ((n * s->in[0] + d) * s->in[1] + h0) * row, 0, (size_t)((h1 - h0) * row) * sizeof(T));
    /* Rows o of gy that reach the band: o*stride - pad + rows - 1 >= h0 and o*stride - pad < h1. */
    ptrdiff_t o0 = h0 + s->pad[1] - ring.rows + 1, o1 = (h1 + s->pad[1] - 1) / s->stride[1] + 1;
    o0 = o0 <= 0 ? 0 : FN(conv_ceil)(o0, s->stride[1]);
    if (o1 > s->out[1]) o1 = s->out[1];
    if (o0 < o1) FN(conv_scatter_band)(g, &ring, &job, products, a_at, c_at, n, o0, o1, h0, h1);
  }
}
