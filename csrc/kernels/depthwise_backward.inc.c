/* Depthwise convolution, gradients.  Input: a tile is some neighbours of a row of gx; each pixel of gy is loaded once for those it reaches.
   Weight: the sums of a kernel's rows stay in registers while gy and x pass by. */

#define DW_PAIRS 64                                  /* rows of gy that reach one row of gx, at most, in a tile */

/* Where rows of gy and of the weights begin that one row of gx sees. */
typedef struct { ptrdiff_t gy, w; } FN(dw_pair);

/* The output whose tap t sees place i of an axis, or -1. */
FN_INLINE ptrdiff_t FN(dw_output)(const fn_conv_shape *s, int axis, ptrdiff_t i, ptrdiff_t t)
{
  const ptrdiff_t at = i + s->pad[axis] - t * s->dilation[axis];
  return at < 0 || at % s->stride[axis] || at / s->stride[axis] >= s->out[axis] ? -1 : at / s->stride[axis];
}

/* tile columns of gx from column i on, a multiple of the stride (of 2) from the first window; live: which of them are there. */
FN_INLINE void FN(dw_input_tile)(const fn_conv_shape *s, const FN(dw_pair) *pair, int pairs, const T *gy, const T *w, T *gx, ptrdiff_t i,
                                 int stream, const int kw, const int stride)
{
  const int tile = DW_TILE, low = (kw - 1) / stride, columns = low + (tile - 1) / stride + 1;
  const ptrdiff_t c = s->c, first = (i + s->pad[2]) / stride - low;
  const uint32_t inside = FN(dw_inside)(first, s->out[2], columns), live = FN(dw_inside)(i, s->in[2], tile);
  for (ptrdiff_t at = 0; at < c; at += VLEN) {
    const ptrdiff_t v = at + VLEN <= c ? at : c - VLEN;
    vec acc[DW_TILE];
    #pragma GCC unroll 8
    for (int q = 0; q < tile; q++) acc[q] = v_zero();
    for (int p = 0; p < pairs; p++) {
      const T *g = gy + pair[p].gy + first * c + v, *wr = w + pair[p].w + v;
      vec wv[5];
      #pragma GCC unroll 5
      for (int t = 0; t < kw; t++) wv[t] = v_load(wr + t * c);
      #pragma GCC unroll 8
      for (int u = 0; u < columns; u++)
        if (inside >> u & 1) {
          vec gv = v_load(g + u * c);
          v_keep(gv);
          #pragma GCC unroll 8
          for (int q = 0; q < tile; q++)
            if (q - (u - low) * stride >= 0 && q - (u - low) * stride < kw) acc[q] = v_fma(gv, wv[q - (u - low) * stride], acc[q]);
        }
    }
    #pragma GCC unroll 8
    for (int q = 0; q < tile; q++)
      if (live >> q & 1 && stream) v_stream(gx + q * c + v, acc[q]);
      else if (live >> q & 1) v_store(gx + q * c + v, acc[q]);
  }
}

FN_INLINE void FN(dw_input_row)(const fn_conv_shape *s, const FN(dw_pair) *pair, int pairs, const T *gy, const T *w, T *gx, int stream,
                                const int kw, const int stride)
{
  for (ptrdiff_t i = -(s->pad[2] % stride); i < s->in[2]; i += DW_TILE)
    FN(dw_input_tile)(s, pair, pairs, gy, w, gx + i * s->c, i, stream, kw, stride);
}

/* Any kernel: one place of gx. */
FN_INLINE void FN(dw_input_any)(const fn_conv_shape *s, const T *gy, const T *w, T *gx, const ptrdiff_t *place, ptrdiff_t n)
{
  vec acc = v_zero();
  for (ptrdiff_t i = 0; i < s->kernel[0]; i++) {
    const ptrdiff_t od = FN(dw_output)(s, 0, place[0], i);
    for (ptrdiff_t j = 0; j < s->kernel[1] && od >= 0; j++) {
      const ptrdiff_t oh = FN(dw_output)(s, 1, place[1], j);
      for (ptrdiff_t k = 0; k < s->kernel[2] && oh >= 0; k++) {
        const ptrdiff_t ow = FN(dw_output)(s, 2, place[2], k);
        if (ow < 0) continue;
        const T *g = gy + ((od * s->out[1] + oh) * s->out[2] + ow) * s->c, *wt = w + ((i * s->kernel[1] + j) * s->kernel[2] + k) * s->c;
        acc = v_fma(FN(get)(g, n), FN(get)(wt, n), acc);
      }
    }
  }
  FN(put)(gx, acc, n);
}

static void FN(depthwise_input)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_depthwise_args *a = p;
  const fn_conv_shape *s = &a->s;
  const ptrdiff_t c = s->c, kw = s->kernel[2], bands = (s->in[1] + a->band - 1) / a->band;
  const int plain = sizeof(T) == sizeof(float) && s->dilation[2] == 1 && c >= VLEN;
  const int tiles = plain && s->stride[2] == 2 && (kw == 3 || kw == 5) && s->kernel[0] * s->kernel[1] <= DW_PAIRS;
  (void)thread;
  for (ptrdiff_t u = begin; u < end; u++) {
    const ptrdiff_t plane = u / bands, j0 = u % bands * a->band, j1 = j0 + a->band < s->in[1] ? j0 + a->band : s->in[1];
    const T *gy = (const T *)a->x + plane / s->in[0] * s->out[0] * s->out[1] * s->out[2] * c, *w = a->w;
    for (ptrdiff_t j = j0; j < j1; j++) {
      ptrdiff_t place[3] = { plane % s->in[0], j, 0 };
      T *gx = (T *)a->y + (plane * s->in[1] + j) * s->in[2] * c;
      FN(dw_pair) pair[DW_PAIRS];
      int pairs = 0;
      for (ptrdiff_t t = 0; t < s->kernel[0] && tiles; t++)
        for (ptrdiff_t q = 0; q < s->kernel[1]; q++) {
          const ptrdiff_t od = FN(dw_output)(s, 0, place[0], t), oh = FN(dw_output)(s, 1, j, q);
          if (od >= 0 && oh >= 0) pair[pairs++] = (FN(dw_pair)){ (od * s->out[1] + oh) * s->out[2] * c, (t * s->kernel[1] + q) * kw * c };
        }
      if (tiles && kw == 3) FN(dw_input_row)(s, pair, pairs, gy, w, gx, a->stream, 3, 2);
      else if (tiles) FN(dw_input_row)(s, pair, pairs, gy, w, gx, a->stream, 5, 2);
      else
        for (; place[2] < s->in[2]; place[2]++)
          for (ptrdiff_t v = 0; v < c; v += VLEN)
            FN(dw_input_any)(s, gy + v, w + v, gx + place[2] * c + v, place, c - v < VLEN ? c - v : VLEN);
    }
  }
}

#define DW_COLUMNS 4                                 /* pixels of gy in registers */

/* Adds `wide` pixels of gy, from column o of a row, to the sums of `high` rows of the kernel.  x: the rows of x, NULL where outside. */
FN_INLINE void FN(dw_weight_tile)(vec *acc, const T *const *x, const T *gy, ptrdiff_t c, ptrdiff_t first, uint32_t inside, const int kw,
                                  const int stride, const int high, const int wide)
{
  vec g[DW_COLUMNS];
  #pragma GCC unroll 4
  for (int q = 0; q < wide; q++) g[q] = v_load(gy + q * c);
  #pragma GCC unroll 3
  for (int r = 0; r < high; r++) {
    if (!x[r]) continue;
    #pragma GCC unroll 12
    for (int u = 0; u < (wide - 1) * stride + kw; u++)
      if (inside >> u & 1) {
        vec xv = v_load(x[r] + (first + u) * c);
        v_keep(xv);
        #pragma GCC unroll 4
        for (int q = 0; q < wide; q++)
          if (u - q * stride >= 0 && u - q * stride < kw) acc[r * kw + u - q * stride] = v_fma(xv, g[q], acc[r * kw + u - q * stride]);
      }
  }
}

/* What the next row of gy needs, for `wide` columns: a row of gy and `rows` rows of x.  Hardware does not foresee jumps of a pixel. */
FN_INLINE void FN(dw_weight_ahead)(const T *x, const T *gy, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t c, const int wide, const int stride)
{
  for (int q = 0; q < wide; q++) __builtin_prefetch(gy + q * c, 0, 2);
  for (; rows > 0; rows--, x += row)
    for (int q = 0; q < wide * stride; q++) __builtin_prefetch(x + q * c, 0, 2);
}

/* Rows t1... (`high` of them) of plane t0 of the kernel: their sums over rows [j0, j1) of a plane of gy, for one vector of channels.
   far: ask for the rows that come next. */
FN_INLINE void FN(dw_weight_band)(const fn_conv_shape *s, const T *x, const T *gy, T *part, ptrdiff_t stretch, ptrdiff_t d, ptrdiff_t t1,
                                  ptrdiff_t j0, ptrdiff_t j1, int far, const int kw, const int stride, const int high)
{
  const ptrdiff_t c = s->c, line = s->in[2] * c;
  vec acc[10];
  #pragma GCC unroll 10
  for (int t = 0; t < high * kw; t++) acc[t] = v_zero();
  for (ptrdiff_t j = j0; j < j1; j++) {
    const T *row[3], *g = gy + j * s->out[2] * c;
    for (int r = 0; r < high; r++) {
      const ptrdiff_t h = j * s->stride[1] - s->pad[1] + (t1 + r) * s->dilation[1];
      row[r] = h < 0 || h >= s->in[1] || t1 + r >= s->kernel[1] ? NULL : x + (d * s->in[1] + h) * s->in[2] * c;
    }
    const T *next = x + (d * s->in[1] + j * s->stride[1] - s->pad[1] + (s->kernel[1] - 1) * s->dilation[1] + 1) * line;
    ptrdiff_t o = 0;
    for (; o + DW_COLUMNS <= s->out[2]; o += DW_COLUMNS) {
      const ptrdiff_t first = o * stride - s->pad[2];
      if (far) FN(dw_weight_ahead)(next + o * stride * c, g + (s->out[2] + o) * c, line, s->stride[1], c, DW_COLUMNS, stride);
      FN(dw_weight_tile)(acc, row, g + o * c, c, first, FN(dw_inside)(first, s->in[2], (DW_COLUMNS - 1) * stride + kw), kw, stride, high, DW_COLUMNS);
    }
    if (kw == 3 && s->out[2] - o >= 2) {              /* 7 and 14 columns are common */
      const ptrdiff_t first = o * stride - s->pad[2], left = s->out[2] - o;
      if (left == 3) FN(dw_weight_tile)(acc, row, g + o * c, c, first, FN(dw_inside)(first, s->in[2], 2 * stride + kw), kw, stride, high, 3);
      else FN(dw_weight_tile)(acc, row, g + o * c, c, first, FN(dw_inside)(first, s->in[2], stride + kw), kw, stride, high, 2);
      continue;
    }
    for (; o < s->out[2]; o++) {
      const ptrdiff_t first = o * stride - s->pad[2];
      FN(dw_weight_tile)(acc, row, g + o * c, c, first, FN(dw_inside)(first, s->in[2], kw), kw, stride, high, 1);
    }
  }
  #pragma GCC unroll 10
  for (int t = 0; t < high * kw; t++)
    if (t1 + t / kw < s->kernel[1]) {
      T *to = part + (t1 * kw + t) * stretch;
      v_store(to, v_add(v_load(to), acc[t]));
    }
}

/* Any kernel: the sums of one tap, n channels. */
FN_INLINE void FN(dw_weight_any)(const fn_conv_shape *s, const T *x, const T *gy, T *to, ptrdiff_t d, ptrdiff_t th, ptrdiff_t tw, ptrdiff_t j0,
                                 ptrdiff_t j1, ptrdiff_t n)
{
  vec acc[2] = { v_zero(), v_zero() };
  for (ptrdiff_t j = j0; j < j1; j++) {
    const ptrdiff_t h = j * s->stride[1] - s->pad[1] + th * s->dilation[1];
    if (h < 0 || h >= s->in[1]) continue;
    for (ptrdiff_t o = 0; o < s->out[2]; o++) {
      const ptrdiff_t i = o * s->stride[2] - s->pad[2] + tw * s->dilation[2];
      if (i < 0 || i >= s->in[2]) continue;
      acc[o & 1] = v_fma(FN(get)(x + ((d * s->in[1] + h) * s->in[2] + i) * s->c, n), FN(get)(gy + (j * s->out[2] + o) * s->c, n), acc[o & 1]);
    }
  }
  FN(put)(to, v_add(FN(get)(to, n), v_add(acc[0], acc[1])), n);
}

/* Rows [j0, j1) of a plane of gy: the sums of every tap, a vector of channels after the other. */
FN_INLINE void FN(dw_weight_unit)(const fn_depthwise_weight_args *a, const T *x, const T *gy, T *part, ptrdiff_t stretch, ptrdiff_t od, ptrdiff_t j0,
                                  ptrdiff_t j1, const int kw, const int stride, const int high)
{
  const fn_conv_shape *s = &a->s;
  const ptrdiff_t c = s->c;
  for (ptrdiff_t b = 0; b < stretch; b += VLEN) {
    const ptrdiff_t v = b + VLEN <= c ? b : c - VLEN;
    for (ptrdiff_t t = 0; t < s->kernel[0]; t++) {
      const ptrdiff_t d = od * s->stride[0] - s->pad[0] + t * s->dilation[0];
      if (d < 0 || d >= s->in[0]) continue;
      for (ptrdiff_t r = 0; r < s->kernel[1]; r += high)
        FN(dw_weight_band)(s, x + v, gy + v, part + b + t * s->kernel[1] * kw * stretch, stretch, d, r, j0, j1,
                               a->far && r + high >= s->kernel[1], kw, stride, high);
    }
  }
}

/* The same for any kernel and any number of channels. */
static void FN(dw_weight_every)(const fn_depthwise_weight_args *a, const T *x, const T *gy, T *part, ptrdiff_t stretch, ptrdiff_t od, ptrdiff_t j0,
                                ptrdiff_t j1)
{
  const fn_conv_shape *s = &a->s;
  const ptrdiff_t c = s->c, kw = s->kernel[2], area = s->kernel[1] * kw;
  for (ptrdiff_t b = 0; b < stretch; b += VLEN) {
    const ptrdiff_t v = b + VLEN <= c || c < VLEN ? b : c - VLEN;
    for (ptrdiff_t t = 0; t < s->kernel[0]; t++) {
      const ptrdiff_t d = od * s->stride[0] - s->pad[0] + t * s->dilation[0];
      for (ptrdiff_t r = 0; r < area && d >= 0 && d < s->in[0]; r++)
        FN(dw_weight_any)(s, x + v, gy + v, part + b + (t * area + r) * stretch, d, r / kw, r % kw, j0, j1, c < VLEN ? c : VLEN);
    }
  }
}

/* A function for each size of kernel: one that had all of them would take the compiler seconds. */
typedef void FN(dw_weight)(const fn_depthwise_weight_args *a, const T *x, const T *gy, T *part, ptrdiff_t stretch, ptrdiff_t od, ptrdiff_t j0,
                           ptrdiff_t j1);

static void FN(dw_weight_31)(const fn_depthwise_weight_args *a, const T *x, const T *gy, T *part, ptrdiff_t stretch, ptrdiff_t od, ptrdiff_t j0,
                             ptrdiff_t j1)
{
  FN(dw_weight_unit)(a, x, gy, part, stretch, od, j0, j1, 3, 1, 3);
}

static void FN(dw_weight_32)(const fn_depthwise_weight_args *a, const T *x, const T *gy, T *part, ptrdiff_t stretch, ptrdiff_t od, ptrdiff_t j0,
                             ptrdiff_t j1)
{
  FN(dw_weight_unit)(a, x, gy, part, stretch, od, j0, j1, 3, 2, 3);
}

static void FN(dw_weight_51)(const fn_depthwise_weight_args *a, const T *x, const T *gy, T *part, ptrdiff_t stretch, ptrdiff_t od, ptrdiff_t j0,
                             ptrdiff_t j1)
{
  FN(dw_weight_unit)(a, x, gy, part, stretch, od, j0, j1, 5, 1, 2);
}

static void FN(dw_weight_52)(const fn_depthwise_weight_args *a, const T *x, const T *gy, T *part, ptrdiff_t stretch, ptrdiff_t od, ptrdiff_t j0,
                             ptrdiff_t j1)
{
  FN(dw_weight_unit)(a, x, gy, part, stretch, od, j0, j1, 5, 2, 2);
}

static void FN(dw_weight_71)(const fn_depthwise_weight_args *a, const T *x, const T *gy, T *part, ptrdiff_t stretch, ptrdiff_t od, ptrdiff_t j0,
                             ptrdiff_t j1)
{
  FN(dw_weight_unit)(a, x, gy, part, stretch, od, j0, j1, 7, 1, 1);
}

static void FN(depthwise_weight)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_depthwise_weight_args *a = p;
  const fn_conv_shape *s = &a->s;
  const ptrdiff_t c = s->c, kw = s->kernel[2], stretch = (c + VLEN - 1) / VLEN * VLEN;
  const ptrdiff_t taps = s->kernel[0] * s->kernel[1] * kw, bands = (s->out[1] + a->band - 1) / a->band, all = s->n * s->out[0] * bands;
  FN(dw_weight) *run = FN(dw_weight_every);
  const int plain = sizeof(T) == sizeof(float) && s->dilation[2] == 1 && c >= VLEN;
  if (plain && s->stride[2] == 1)
    run = kw == 3 ? FN(dw_weight_31) : kw == 5 ? FN(dw_weight_51) : kw == 7 ? FN(dw_weight_71) : run;
  else if (plain && s->stride[2] == 2)
    run = kw == 3 ? FN(dw_weight_32) : kw == 5 ? FN(dw_weight_52) : run;
  (void)thread;
  for (ptrdiff_t m = begin; m < end; m++) {
    T *part = (T *)a->parts + m * taps * stretch;
    memset(part, 0, (size_t)(taps * stretch) * sizeof(T));
    for (ptrdiff_t u = all * m / a->count; u < all * (m + 1) / a->count; u++) {
      const ptrdiff_t plane = u / bands, j0 = u % bands * a->band, j1 = j0 + a->band < s->out[1] ? j0 + a->band : s->out[1];
      const T *x = (const T *)a->x + plane / s->out[0] * s->in[0] * s->in[1] * s->in[2] * c;
      run(a, x, (const T *)a->gy + plane * s->out[1] * s->out[2] * c, part, stretch, plane % s->out[0], j0, j1);
    }
  }
}

static void FN(depthwise_reduce)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_depthwise_pack_args *a = p;
  const ptrdiff_t blocks = (a->c + VLEN - 1) / VLEN, stretch = blocks * VLEN;
  T *gw = a->packed;
  (void)thread;
  for (ptrdiff_t c = begin; c < end; c++) {
    const ptrdiff_t b = c / VLEN, v = (b + 1) * VLEN <= a->c || a->c < VLEN ? b * VLEN : a->c - VLEN;
    for (ptrdiff_t t = 0; t < a->taps; t++) {
      const T *part = (const T *)a->w + t * stretch + b * VLEN + c - v;
      T sum = 0;
      for (ptrdiff_t m = 0; m < a->count; m++) sum += part[m * a->taps * stretch];
      gw[c * a->taps + t] = sum;
    }
  }
}

#undef DW_TILE
#undef DW_L1
#undef DW_L2
#undef DW_RUN
#undef DW_PAIRS
#undef DW_COLUMNS
