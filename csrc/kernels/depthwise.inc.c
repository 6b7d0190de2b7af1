/* Depthwise convolution, forward and input gradient: a tile is some pixels of a row and one vector of channels.  Each pixel of x is loaded
   once for all outputs of the tile that see it; a kernel's row of weights stays in registers.  Only float32 has tiles: float64, which is
   for checks, takes the way of any kernel, and the wheel is 40 KB smaller. */

#define DW_TILE 8                                    /* no tile is wider */
#define DW_L1   (20 << 10)                           /* bytes of L1 for the rows of x under a window, where they are part of the channels */
#define DW_L2   (512 << 10)                          /* bytes of L2 for them */
#define DW_RUN  384                                  /* bytes of a pixel: three rows from L2 cost less than jumps from shorter runs */

/* Bit j: is first + j a place of an axis of n? */
FN_INLINE uint32_t FN(dw_inside)(ptrdiff_t first, ptrdiff_t n, int count)
{
  const ptrdiff_t low = first < 0 ? -first : 0, high = n - first < count ? n - first : count;
  return low >= high ? 0 : (uint32_t)(((uint64_t)1 << high) - ((uint64_t)1 << low));
}

/* The taps of one axis that fall inside it: places first + t*dilation for t in [begin, end). */
typedef struct { ptrdiff_t first, begin, end; } FN(dw_taps);

FN_INLINE FN(dw_taps) FN(dw_taps_at)(const fn_conv_shape *s, int axis, ptrdiff_t o)
{
  const ptrdiff_t first = o * s->stride[axis] - s->pad[axis], dilation = s->dilation[axis], n = s->in[axis];
  const ptrdiff_t begin = first < 0 ? (-first + dilation - 1) / dilation : 0, end = first >= n ? 0 : (n - 1 - first) / dilation + 1;
  return (FN(dw_taps)){ first, begin, end < s->kernel[axis] ? end : s->kernel[axis] };
}

/* The taps (i, j) of an output row that fall inside: the first one's row of x and of the weights, and the steps to the next. */
typedef struct { const char *x, *w; ptrdiff_t planes, rows, x_row, w_row, x_plane, w_plane; } FN(dw_rows);

FN_INLINE FN(dw_rows) FN(dw_rows_at)(const fn_conv_shape *s, const T *x, const T *w, const FN(dw_taps) *d, const FN(dw_taps) *h)
{
  FN(dw_rows) r;
  const ptrdiff_t line = s->in[2] * s->c * (ptrdiff_t)sizeof(T), kernel = s->kernel[2] * s->c * (ptrdiff_t)sizeof(T);
  r.planes = d->end - d->begin;
  r.rows = h->end > h->begin ? h->end - h->begin : 0;
  r.x_row = s->dilation[1] * line;
  r.w_row = kernel;
  r.x_plane = s->dilation[0] * s->in[1] * line - r.rows * r.x_row;
  r.w_plane = (s->kernel[1] - r.rows) * kernel;
  r.x = (const char *)x + ((d->first + d->begin * s->dilation[0]) * s->in[1] + h->first + h->begin * s->dilation[1]) * line;
  r.w = (const char *)w + (d->begin * s->kernel[1] + h->begin) * kernel;
  return r;
}

/* `tile` outputs of a row whose windows begin at column `first`, for channels [c0, c1).  inside: which of the columns from `first` on are
   inside the image; only the outermost kernel - 1 on both sides may not be.
   The last vector may overlap the one before: what both write is the same. */
FN_INLINE void FN(dw_forward_tile)(const fn_depthwise_args *a, const FN(dw_rows) *r, ptrdiff_t first, uint32_t inside, T *y, ptrdiff_t c0, ptrdiff_t c1,
                                   const int kw, const int stride, const int tile)
{
  const ptrdiff_t c = a->s.c;
  const T *bias = a->bias;
  for (ptrdiff_t at = c0; at < c1; at += VLEN) {
    const ptrdiff_t v = at + VLEN <= c ? at : c - VLEN;
    const T *x = (const T *)r->x + first * c + v, *w = (const T *)r->w + v;
    if (a->far) {                                    /* what the next rows need; hardware does not foresee jumps of a pixel */
      for (int q = 0; q < stride; q++)
        for (int u = 0; u < tile * stride; u++) __builtin_prefetch((const char *)(x + u * c) + (r->rows + q) * r->x_row);
      for (int u = 0; u < tile && !a->stream; u++) __builtin_prefetch(y + v + (a->s.out[2] + u) * c, 1);
    }
    vec acc[DW_TILE];
    #pragma GCC unroll 8
    for (int q = 0; q < tile; q++) acc[q] = bias ? v_load(bias + v) : v_zero();
    for (ptrdiff_t i = r->planes; i > 0; i--) {
      for (ptrdiff_t j = r->rows; j > 0; j--) {
        vec wv[7];
        #pragma GCC unroll 7
        for (int t = 0; t < kw; t++) wv[t] = v_load(w + t * c);
        #pragma GCC unroll 20
        for (int u = 0; u < (tile - 1) * stride + kw; u++)
          if ((u >= kw - 1 && u <= (tile - 1) * stride) || inside >> u & 1) {
            vec xv = v_load(x + u * c);
            v_keep(xv);
            #pragma GCC unroll 8
            for (int q = 0; q < tile; q++)
              if (u - q * stride >= 0 && u - q * stride < kw) acc[q] = v_fma(xv, wv[u - q * stride], acc[q]);
          }
        x = (const T *)((const char *)x + r->x_row);
        w = (const T *)((const char *)w + r->w_row);
      }
      x = (const T *)((const char *)x + r->x_plane);
      w = (const T *)((const char *)w + r->w_plane);
    }
    #pragma GCC unroll 8
    for (int q = 0; q < tile; q++)
      if (a->stream) v_stream(y + v + q * c, acc[q]);
      else v_store(y + v + q * c, acc[q]);
  }
}

/* Any kernel: one output, nv vectors of channels or n channels of one. */
FN_INLINE void FN(dw_forward_any)(const fn_conv_shape *s, const T *x, const T *w, const T *bias, T *y, const FN(dw_taps) *d, const FN(dw_taps) *h,
                                  const FN(dw_taps) *o, const int nv, ptrdiff_t n)
{
  const ptrdiff_t c = s->c;
  vec acc[4];
  for (int v = 0; v < nv; v++) acc[v] = bias ? FN(get)(bias + v * VLEN, n) : v_zero();
  for (ptrdiff_t i = d->begin; i < d->end; i++)
    for (ptrdiff_t j = h->begin; j < h->end; j++) {
      const T *row = x + (((d->first + i * s->dilation[0]) * s->in[1] + h->first + j * s->dilation[1]) * s->in[2] + o->first) * c;
      const T *wr = w + (i * s->kernel[1] + j) * s->kernel[2] * c;
      for (ptrdiff_t k = o->begin; k < o->end; k++)
        for (int v = 0; v < nv; v++)
          acc[v] = v_fma(FN(get)(row + k * s->dilation[2] * c + v * VLEN, n), FN(get)(wr + k * c + v * VLEN, n), acc[v]);
    }
  for (int v = 0; v < nv; v++) FN(put)(y + v * VLEN, acc[v], n);
}

typedef void FN(dw_tile)(const fn_depthwise_args *a, const FN(dw_rows) *r, ptrdiff_t first, uint32_t inside, T *y, ptrdiff_t c0, ptrdiff_t c1);

static void FN(dw_forward_318)(const fn_depthwise_args *a, const FN(dw_rows) *r, ptrdiff_t first, uint32_t inside, T *y, ptrdiff_t c0, ptrdiff_t c1)
{
  FN(dw_forward_tile)(a, r, first, inside, y, c0, c1, 3, 1, 8);
}

static void FN(dw_forward_317)(const fn_depthwise_args *a, const FN(dw_rows) *r, ptrdiff_t first, uint32_t inside, T *y, ptrdiff_t c0, ptrdiff_t c1)
{
  FN(dw_forward_tile)(a, r, first, inside, y, c0, c1, 3, 1, 7);
}

static void FN(dw_forward_314)(const fn_depthwise_args *a, const FN(dw_rows) *r, ptrdiff_t first, uint32_t inside, T *y, ptrdiff_t c0, ptrdiff_t c1)
{
  FN(dw_forward_tile)(a, r, first, inside, y, c0, c1, 3, 1, 4);
}

static void FN(dw_forward_328)(const fn_depthwise_args *a, const FN(dw_rows) *r, ptrdiff_t first, uint32_t inside, T *y, ptrdiff_t c0, ptrdiff_t c1)
{
  FN(dw_forward_tile)(a, r, first, inside, y, c0, c1, 3, 2, 8);
}

static void FN(dw_forward_327)(const fn_depthwise_args *a, const FN(dw_rows) *r, ptrdiff_t first, uint32_t inside, T *y, ptrdiff_t c0, ptrdiff_t c1)
{
  FN(dw_forward_tile)(a, r, first, inside, y, c0, c1, 3, 2, 7);
}

static void FN(dw_forward_324)(const fn_depthwise_args *a, const FN(dw_rows) *r, ptrdiff_t first, uint32_t inside, T *y, ptrdiff_t c0, ptrdiff_t c1)
{
  FN(dw_forward_tile)(a, r, first, inside, y, c0, c1, 3, 2, 4);
}

static void FN(dw_forward_517)(const fn_depthwise_args *a, const FN(dw_rows) *r, ptrdiff_t first, uint32_t inside, T *y, ptrdiff_t c0, ptrdiff_t c1)
{
  FN(dw_forward_tile)(a, r, first, inside, y, c0, c1, 5, 1, 7);
}

static void FN(dw_forward_514)(const fn_depthwise_args *a, const FN(dw_rows) *r, ptrdiff_t first, uint32_t inside, T *y, ptrdiff_t c0, ptrdiff_t c1)
{
  FN(dw_forward_tile)(a, r, first, inside, y, c0, c1, 5, 1, 4);
}

static void FN(dw_forward_527)(const fn_depthwise_args *a, const FN(dw_rows) *r, ptrdiff_t first, uint32_t inside, T *y, ptrdiff_t c0, ptrdiff_t c1)
{
  FN(dw_forward_tile)(a, r, first, inside, y, c0, c1, 5, 2, 7);
}

static void FN(dw_forward_524)(const fn_depthwise_args *a, const FN(dw_rows) *r, ptrdiff_t first, uint32_t inside, T *y, ptrdiff_t c0, ptrdiff_t c1)
{
  FN(dw_forward_tile)(a, r, first, inside, y, c0, c1, 5, 2, 4);
}

static void FN(dw_forward_717)(const fn_depthwise_args *a, const FN(dw_rows) *r, ptrdiff_t first, uint32_t inside, T *y, ptrdiff_t c0, ptrdiff_t c1)
{
  FN(dw_forward_tile)(a, r, first, inside, y, c0, c1, 7, 1, 7);
}

/* Rows [j0, j1) of a plane of the outputs, a chunk of channels after the other: as many as let the rows that a window spans stay in L1,
   or all of them where those were few.
   The last tile of a row may overlap the one before. */
static void FN(dw_forward_band)(const fn_depthwise_args *a, const T *x, T *y, const FN(dw_taps) *d, ptrdiff_t j0, ptrdiff_t j1)
{
  const fn_conv_shape *s = &a->s;
  const ptrdiff_t n = s->out[2], stride = s->stride[2], kw = s->kernel[2], sevens = (n + 6) / 7 * 7;
  const ptrdiff_t tile = kw == 3 && n >= 8 && (n + 7) / 8 * 8 < sevens ? 8 : kw < 7 && (n < 7 || (n + 3) / 4 * 4 < sevens) ? 4 : 7;
  FN(dw_tile) *run;
  if (kw == 7) run = FN(dw_forward_717);
  else if (kw == 3 && stride == 1) run = tile == 8 ? FN(dw_forward_318) : tile == 7 ? FN(dw_forward_317) : FN(dw_forward_314);
  else if (kw == 3) run = tile == 8 ? FN(dw_forward_328) : tile == 7 ? FN(dw_forward_327) : FN(dw_forward_324);
  else if (stride == 1) run = tile == 7 ? FN(dw_forward_517) : FN(dw_forward_514);
  else run = tile == 7 ? FN(dw_forward_527) : FN(dw_forward_524);
  const ptrdiff_t lines = (ptrdiff_t)sizeof(T) * s->in[2] * s->kernel[1], fit = DW_L1 / (lines * VLEN);
  const int jumpy = s->kernel[1] <= 3 && fit * VLEN * (ptrdiff_t)sizeof(T) < DW_RUN;
  const ptrdiff_t chunk = lines * s->c <= (jumpy ? DW_L2 : 2 * DW_L1 + DW_L1 / 4) ? s->c : fit > 1 ? fit * VLEN : VLEN;
  for (ptrdiff_t c = 0; c < s->c; c += chunk)
    for (ptrdiff_t j = j0; j < j1; j++) {
      const FN(dw_taps) h = FN(dw_taps_at)(s, 1, j);
      const FN(dw_rows) r = FN(dw_rows_at)(s, x, a->w, d, &h);
      for (ptrdiff_t at = 0; at < n; at += tile) {
        const ptrdiff_t o = at + tile <= n ? at : n - tile, first = o * stride - s->pad[2];
        const uint32_t inside = FN(dw_inside)(first, s->in[2], (int)((tile - 1) * stride + kw));
        run(a, &r, first, inside, y + (j * n + o) * s->c, c, c + chunk < s->c ? c + chunk : s->c);
      }
    }
}

static void FN(depthwise_forward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_depthwise_args *a = p;
  const fn_conv_shape *s = &a->s;
  const ptrdiff_t c = s->c, kw = s->kernel[2], stride = s->stride[2], bands = (s->out[1] + a->band - 1) / a->band;
  const T *w = a->w, *bias = a->bias;
  const int tiles = ((kw == 3 || kw == 5) && (stride == 1 || stride == 2) && s->out[2] >= 4) || (kw == 7 && stride == 1 && s->out[2] >= 7);
  const int plain = sizeof(T) == sizeof(float) && tiles && s->dilation[2] == 1 && c >= VLEN && s->pad[2] < kw && (s->out[2] - 1) * stride - s->pad[2] < s->in[2];
  (void)thread;
  for (ptrdiff_t u = begin; u < end; u++) {
    const ptrdiff_t plane = u / bands;
    const FN(dw_taps) d = FN(dw_taps_at)(s, 0, plane % s->out[0]);
    const ptrdiff_t j0 = u % bands * a->band, j1 = j0 + a->band < s->out[1] ? j0 + a->band : s->out[1];
    const T *x = (const T *)a->x + plane / s->out[0] * s->in[0] * s->in[1] * s->in[2] * c;
    T *y = (T *)a->y + plane * s->out[1] * s->out[2] * c;
    if (plain) FN(dw_forward_band)(a, x, y, &d, j0, j1);
    else
      for (ptrdiff_t j = j0; j < j1; j++)
        for (ptrdiff_t o = 0; o < s->out[2]; o++) {
          const FN(dw_taps) h = FN(dw_taps_at)(s, 1, j), k = FN(dw_taps_at)(s, 2, o);
          T *to = y + (j * s->out[2] + o) * c;
          ptrdiff_t v = 0;
          for (; v + 4 * VLEN <= c; v += 4 * VLEN) FN(dw_forward_any)(s, x + v, w + v, bias ? bias + v : NULL, to + v, &d, &h, &k, 4, VLEN);
          for (; v < c; v += VLEN) 
            FN(dw_forward_any)(s, x + v, w + v, bias ? bias + v : NULL, to + v, &d, &h, &k, 1, c - v < VLEN ? c - v : VLEN);
        }
    if (a->after) a->after->run(a->after, (plane * s->out[1] + j0) * s->out[2], (j1 - j0) * s->out[2], 0, c);
  }
}

static void FN(depthwise_pack)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_depthwise_pack_args *a = p;
  const T *w = a->w;
  (void)thread;
  for (ptrdiff_t t = begin; t < end; t++) {
    T *to = (T *)a->packed + (a->flip ? a->taps - 1 - t : t) * a->c;
    for (ptrdiff_t c = 0; c < a->c; c++) to[c] = w[c * a->taps + t];
  }
}
