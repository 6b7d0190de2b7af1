/* conv_planar: few output channels, in all or in each group.  They would leave most lanes of a vector empty, so here lanes are pixels: the box is copied plane by plane,
   one for each channel, padded; a row of B is a stretch of a plane, shifted by the tap, and rows of A are weights.  Pixels are counted through
   the padded rows, and the few that lie in the padding are dropped at the end. */

/* rows x n numbers, rows fs apart, are written as n rows ts apart.  Images are read and written by jumps, which hardware does not foresee, so
   memory is asked for `later` numbers ahead, a row of pixels or two, on the side of the image.  Out of short jumps it is what comes next, on
   both sides.  out: `to` is the image, and if 2 one larger than the caches, of which whole lines are written past them. */
FN_INLINE void FN(conv_turn_any)(const int out, const T *from, ptrdiff_t fs, ptrdiff_t rows, ptrdiff_t n, T *to, ptrdiff_t ts, ptrdiff_t later)
{
  const int jumps = (out ? ts : fs) > 4 * VLEN;
  for (ptrdiff_t i = 0; i < rows; i += VLEN)
    for (ptrdiff_t j = 0; j < n; j += VLEN) {
      const ptrdiff_t i0 = rows - i < VLEN && rows > VLEN ? rows - VLEN : i;        /* some twice rather than a part */
      const ptrdiff_t j0 = n - j < VLEN && n > VLEN ? n - VLEN : j;
      const ptrdiff_t most = n - j0 < VLEN ? n - j0 : VLEN, lanes = rows - i0 < VLEN ? rows - i0 : VLEN;
      const T *a = from + i0 * fs + j0;
      T *b = to + j0 * ts + i0;
      vec r[VLEN];
      if (jumps && out == 0) for (ptrdiff_t l = 0; l < lanes; l++) __builtin_prefetch(a + l * fs + later, 0, 2);
      if (jumps && out == 1) for (ptrdiff_t l = 0; l < most; l++) __builtin_prefetch(b + l * ts + later, 1);
      if (lanes == VLEN && most == VLEN) {
        #pragma GCC unroll 16
        for (int l = 0; l < VLEN; l++) {
          r[l] = v_load(a + l * fs);
          if (!jumps) __builtin_prefetch(a + (VLEN + l) * fs);
          if (!jumps) __builtin_prefetch(b + (VLEN + l) * ts);
        }
        v_transpose(r);
        #pragma GCC unroll 16
        for (int l = 0; l < VLEN; l++)
          if (out == 2) v_stream(b + l * ts, r[l]);
          else v_store(b + l * ts, r[l]);
      } else {
        FN(conv_square)(a, fs, lanes, most, r);
        for (ptrdiff_t l = 0; l < most; l++) v_storen(b + l * ts, r[l], lanes);
      }
    }
}

static __attribute__((noinline)) void
FN(conv_turn)(int out, const T *from, ptrdiff_t fs, ptrdiff_t rows, ptrdiff_t n, T *to, ptrdiff_t ts, ptrdiff_t later)
{
  if (out == 2) FN(conv_turn_any)(2, from, fs, rows, n, to, ts, later);
  else if (out) FN(conv_turn_any)(1, from, fs, rows, n, to, ts, later);
  else FN(conv_turn_any)(0, from, fs, rows, n, to, ts, later);
}

/* n pixels of `channels` channels, `step` apart, into planes `pitch` apart. */
static void FN(conv_planes_row)(const T *x, ptrdiff_t step, ptrdiff_t channels, ptrdiff_t n, T *y, ptrdiff_t pitch, ptrdiff_t later)
{
  if (channels == 1 && step == 1) { memcpy(y, x, (size_t)n * sizeof(T)); return; }
  if (channels <= 4) {
    for (ptrdiff_t c = 0; c < channels; c++)
      for (ptrdiff_t w = 0; w < n; w++) y[c * pitch + w] = x[w * step + c];
    return;
  }
  FN(conv_turn)(0, x, step, n, channels, y, pitch, later);
}

/* A plane [n][phase...][extent...] for each of the channels [first, first + ci) of the source. */
static void FN(conv_planes)(const fn_conv_args *g, const conv_box *box, const ptrdiff_t *lo, const ptrdiff_t *extent, ptrdiff_t pitch,
                            ptrdiff_t first, ptrdiff_t ci, T *to)
{
  const ptrdiff_t *from = g->from, step[3] = { FN(conv_phases)(g, 0), FN(conv_phases)(g, 1), FN(conv_phases)(g, 2) };
  const ptrdiff_t phase = extent[0] * extent[1] * extent[2], depth = step[0] * extent[0], height = step[1] * extent[1];
  for (ptrdiff_t n = box->at[0]; n < box->at[0] + box->n[0]; n++, to += step[0] * step[1] * step[2] * phase)
    for (ptrdiff_t i = 0; i < depth; i++)
      for (ptrdiff_t j = 0; j < height; j++) {
        T *line = to + (i % step[0] * step[1] + j % step[1]) * step[2] * phase + (i / step[0] * extent[1] + j / step[1]) * extent[2];
        for (ptrdiff_t k = 0; k < step[2]; k++) {
          const ptrdiff_t d = lo[0] + i, h = lo[1] + j, w = lo[2] + k;
          ptrdiff_t before = w < 0 ? FN(conv_ceil)(-w, step[2]) : 0, inside = w < from[2] ? FN(conv_ceil)(from[2] - w, step[2]) : 0;
          if (inside > extent[2]) inside = extent[2];
          T *y = line + k * phase;
          const int empty = d < 0 || d >= from[0] || h < 0 || h >= from[1] || inside <= before;
          if (empty || inside - before < extent[2])
            for (ptrdiff_t c = 0; c < ci; c++) memset(y + c * pitch, 0, (size_t)extent[2] * sizeof(T));
          if (empty) continue;
          const T *x = (const T *)g->src + (((n * from[0] + d) * from[1] + h) * from[2] + w + before * step[2]) * g->cs + first;
          FN(conv_planes_row)(x, step[2] * g->cs, ci, inside - before, y + before, pitch, 2 * from[2] * g->cs);
        }
      }
}

/* mr channels of GEMM_NV vectors of pixels: segments are taps, their steps channels, `pitch` apart in B and `rows` apart in A. */
FN_INLINE void FN(conv_planar_tile)(const int mr, const fn_conv_seg *seg, ptrdiff_t nseg, ptrdiff_t rows, ptrdiff_t pitch, const T *a, const T *b,
                                    const T *bias, T *c, ptrdiff_t c_rs)
{
  gvec sum[8 * GEMM_NV];
  #pragma GCC unroll 8
  for (int i = 0; i < mr; i++)
    #pragma GCC unroll 8
    for (int j = 0; j < GEMM_NV; j++) sum[i * GEMM_NV + j] = g_set(bias[i]);
  for (const fn_conv_seg *end = seg + nseg; seg < end; seg++) {
    const T *weight = a + seg->a, *row = b + seg->b;
    for (ptrdiff_t l = seg->len; l > 0; l--, weight += rows, row += pitch) {
      gvec v[GEMM_NV];
      #pragma GCC unroll 8
      for (int j = 0; j < GEMM_NV; j++) {
        v[j] = g_load(row + j * GLEN);
        g_keep(v[j]);                                /* they cross lines: loading each again for every channel takes twice the time */
      }
      #pragma GCC unroll 8
      for (int i = 0; i < mr; i++) {
        const gvec s = g_set(weight[i]);
        #pragma GCC unroll 8
        for (int j = 0; j < GEMM_NV; j++) sum[i * GEMM_NV + j] = g_fma(s, v[j], sum[i * GEMM_NV + j]);
      }
    }
  }
  #pragma GCC unroll 8
  for (int i = 0; i < mr; i++)
    #pragma GCC unroll 8
    for (int j = 0; j < GEMM_NV; j++) g_store(c + i * c_rs + j * GLEN, sum[i * GEMM_NV + j]);
}

static __attribute__((noinline)) void FN(conv_planar_rows)(int mr, const fn_conv_seg *seg, ptrdiff_t nseg, ptrdiff_t rows, ptrdiff_t pitch,
                                                           const T *a, const T *b, const T *bias, T *c, ptrdiff_t c_rs)
{
  switch (mr) {
    case 1: FN(conv_planar_tile)(1, seg, nseg, rows, pitch, a, b, bias, c, c_rs); return;
    case 2: FN(conv_planar_tile)(2, seg, nseg, rows, pitch, a, b, bias, c, c_rs); return;
    case 3: FN(conv_planar_tile)(3, seg, nseg, rows, pitch, a, b, bias, c, c_rs); return;
    case 4: FN(conv_planar_tile)(4, seg, nseg, rows, pitch, a, b, bias, c, c_rs); return;
    case 6: FN(conv_planar_tile)(6, seg, nseg, rows, pitch, a, b, bias, c, c_rs); return;
  }
}

FN_INLINE void FN(conv_weave)(const ptrdiff_t co, const T *from, ptrdiff_t pitch, ptrdiff_t n, T *to, ptrdiff_t step)
{
  for (ptrdiff_t w = 0; w < n; w++, to += step) {
    __builtin_prefetch(to + 32 * step, 1);
    #pragma GCC unroll 4
    for (ptrdiff_t k = 0; k < co; k++) to[k] = from[k * pitch + w];
  }
}

/* A row of pixels from planes to dst. */
static void FN(conv_planar_store)(const T *from, ptrdiff_t pitch, ptrdiff_t n, ptrdiff_t co, T *to, ptrdiff_t step, ptrdiff_t later, int past)
{
  const ptrdiff_t line = 64 / (ptrdiff_t)sizeof(T);
  if (co == 1 && step == 1) memcpy(to, from, (size_t)n * sizeof(T));
  else if (co == 1) FN(conv_weave)(1, from, pitch, n, to, step);
  else if (co == 2) FN(conv_weave)(2, from, pitch, n, to, step);
  else if (co == 3) FN(conv_weave)(3, from, pitch, n, to, step);
  else if (co == 4 || VLEN == 1) FN(conv_weave)(co, from, pitch, n, to, step);
  else FN(conv_turn)(past && co % line == 0 && (uintptr_t)to % 64 == 0 ? 2 : 1, from, pitch, co, n, to, step, later);
}

/* Weights as [group][slot of tap][ci][width]; range: taps. */
static void FN(conv_planar_pack)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_conv_args *g = p;
  (void)thread;
  const ptrdiff_t width = FN(conv_planar_width)(g->co), input = g->pass == FN_CONV_INPUT;
  for (ptrdiff_t t = begin; t < end; t++)
    for (ptrdiff_t group = 0; group < g->shape.groups; group++) {
      const T *w = (const T *)g->w + group * g->ci * g->co * g->taps + t;
      T *to = (T *)g->packed + (group * g->taps + g->slot[t]) * g->ci * width;
      for (ptrdiff_t c = 0; c < g->ci; c++)
        for (ptrdiff_t k = 0; k < width; k++) to[c * width + k] = k < g->co ? w[(input ? c * g->co + k : k * g->ci + c) * g->taps] : (T)0;
    }
}

/* A stretch of the depth for each tap. */
static ptrdiff_t FN(conv_planar_taps)(const fn_conv_args *g, const conv_box *box, const conv_view *view, ptrdiff_t width, fn_conv_seg *seg)
{
  const conv_axis *x = box->axis;
  ptrdiff_t n = 0;
  for (ptrdiff_t d = 0; d < x[0].count; d++)
    for (ptrdiff_t h = 0; h < x[1].count; h++)
      for (ptrdiff_t w = 0; w < x[2].count; w++) {
        const ptrdiff_t slot = ((x[0].at + d) * g->shape.kernel[1] + x[1].at + h) * g->shape.kernel[2] + x[2].at + w;
        seg[n++] = (fn_conv_seg){ slot * g->ci * width, FN(conv_shift)(g, x, view->stride, d, h, w), g->ci };
      }
  return n;
}

/* What all classes of a box see together, an interval on each axis: first[d] and extent[d] of the source. */
static void FN(conv_planar_seen)(const fn_conv_args *g, ptrdiff_t index, ptrdiff_t *first, ptrdiff_t *extent)
{
  for (int d = 2; d >= 0; d--) {
    const ptrdiff_t at = index % g->boxes[d + 1] * g->box[d + 1];
    ptrdiff_t lo = PTRDIFF_MAX, hi = PTRDIFF_MIN;
    index /= g->boxes[d + 1];
    for (ptrdiff_t r = 0; r < g->classes[d]; r++) {
      const conv_axis axis = FN(conv_axis_of)(g, d, r);
      const ptrdiff_t n = axis.pixels - at < g->box[d + 1] ? axis.pixels - at : g->box[d + 1], begin = at * axis.step + axis.first;
      if (n <= 0 || axis.count == 0) continue;
      if (begin < lo) lo = begin;
      if (begin + FN(conv_extent)(&axis, n) > hi) hi = begin + FN(conv_extent)(&axis, n);
    }
    first[d] = lo < hi ? lo : 0;
    extent[d] = lo < hi ? hi - lo : g->box[d + 1];              /* no taps: zeros, or the bias */
  }
}

/* A class of a box: its taps, where its first pixel's window begins in a plane, and the numbers from its first pixel to its last. */
typedef struct { conv_box box; const fn_conv_seg *seg; ptrdiff_t nseg, at, run; T *result; } FN(conv_kind);
#define conv_kind FN(conv_kind)
_Static_assert(sizeof(conv_kind) <= CONV_KIND, "CONV_KIND");

/* The classes of a box that have pixels; returns their number.  Each has `size` numbers of `result`. */
static ptrdiff_t FN(conv_kinds)(const fn_conv_args *g, ptrdiff_t index, const ptrdiff_t *first, const ptrdiff_t *extent, const conv_view *view,
                                fn_conv_seg *seg, T *result, ptrdiff_t size, conv_kind *kind)
{
  const ptrdiff_t classes = g->classes[0] * g->classes[1] * g->classes[2];
  ptrdiff_t n = 0;
  for (ptrdiff_t class = 0; class < classes; class++) {
    conv_kind *one = kind + n;
    const conv_axis *axis = one->box.axis;
    if (!FN(conv_box_of)(g, index, class, &one->box)) continue;
    one->seg = seg;
    one->nseg = FN(conv_planar_taps)(g, &one->box, view, FN(conv_planar_width)(g->co), seg);
    one->run = (one->box.n[2] - 1) * extent[2] + one->box.n[3];
    one->result = result + n * size;
    one->at = 0;
    for (int d = 0; d < 3 && one->nseg; d++) one->at += (one->box.at[d + 1] * axis[d].step + axis[d].first - first[d]) * view->stride[d + 1];
    seg += one->nseg;
    n++;
  }
  return n;
}

/* Rows of pixels of plane (n, d) of a class, to dst. */
static void FN(conv_planar_out)(const fn_conv_args *g, const conv_kind *kind, ptrdiff_t n, ptrdiff_t d, ptrdiff_t group, ptrdiff_t groups,
                                ptrdiff_t row, ptrdiff_t length)
{
  const conv_box *box = &kind->box;
  const ptrdiff_t width = FN(conv_planar_width)(g->co), all = g->co * g->shape.groups, step = g->classes[2] * all, later = g->classes[1] * g->to[2] * all;
  const int past = g->shape.n * g->to[0] * g->to[1] * g->to[2] * all > CONV_PAST / (ptrdiff_t)sizeof(T) && all % 16 == 0 && !g->after;
  const ptrdiff_t at = ((box->at[0] + n) * g->to[0] + (box->at[1] + d) * g->classes[0] + box->class[0]) * g->to[1];
  for (ptrdiff_t h = 0; h < box->n[2]; h++) {
    const ptrdiff_t line = at + (box->at[2] + h) * g->classes[1] + box->class[1];
    T *to = (T *)g->dst + (line * g->to[2] + box->at[3] * g->classes[2] + box->class[2]) * all + group * g->co;
    if (width == g->co) FN(conv_planar_store)(kind->result + h * row, length, box->n[3], groups * g->co, to, step, later, past);
    else for (ptrdiff_t i = 0; i < groups; i++)
      FN(conv_planar_store)(kind->result + i * width * length + h * row, length, box->n[3], g->co, to + i * g->co, step, later, past);
  }
}

/* A unit is a box of all classes: they read the same planes, each stretch while it is in L1. */
static void FN(conv_planar)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_conv_args *g = p;
  const conv_room room = FN(conv_room_of)(g, thread);
  const ptrdiff_t width = FN(conv_planar_width)(g->co), classes = g->classes[0] * g->classes[1] * g->classes[2];
  const int mr = (int)(width <= 6 ? width : 4);
  conv_kind *kind = (conv_kind *)room.copy;
  T *result = (T *)(((uintptr_t)(kind + classes) + 63) / 64 * 64), bias[16] = { 0 };
  for (ptrdiff_t u = begin; u < end; u++) {
    const ptrdiff_t index = u / g->bundles, group = u % g->bundles * g->bundle;
    const ptrdiff_t groups = g->shape.groups - group < g->bundle ? g->shape.groups - group : g->bundle;
    ptrdiff_t first[3], extent[3];
    conv_view view = { .stride[3] = 1 };
    FN(conv_planar_seen)(g, index, first, extent);
    for (int d = 2; d >= 0; d--) extent[d] = FN(conv_ceil)(extent[d], FN(conv_phases)(g, d));
    for (int d = 2; d >= 0; d--) view.stride[d] = view.stride[d + 1] * extent[d];
    for (int d = 2; d >= 0; d--) view.stride[0] *= FN(conv_phases)(g, d);
    const ptrdiff_t most = (g->box[2] - 1) * extent[2] + g->box[3], length = (most + CONV_NR - 1) / CONV_NR * CONV_NR;
    const ptrdiff_t size = groups * width * length, kinds = FN(conv_kinds)(g, index, first, extent, &view, room.seg, result, size, kind);
    if (kinds == 0) continue;
    const conv_box *box = &kind->box;                /* of class 0, or the first that has pixels here: no other has more */
    const ptrdiff_t pitch = (box->n[0] * view.stride[0] + CONV_NR + 15) / 16 * 16;
    T *planes = result + classes * size;
    FN(conv_planes)(g, box, first, extent, pitch, group * g->ci, groups * g->ci, planes);
    for (ptrdiff_t n = 0; n < box->n[0]; n++)
      for (ptrdiff_t d = 0; d < box->n[1]; d++) {
        const T *plane = planes + n * view.stride[0] + d * view.stride[1];
        for (ptrdiff_t i = 0; i < groups; i++, plane += g->ci * pitch) {
          const T *w = (const T *)g->packed + (group + i) * g->taps * g->ci * width, *b = (const T *)g->bias + (group + i) * g->co;
          if (g->bias) for (ptrdiff_t k = 0; k < g->co; k++) bias[k] = b[k];
          for (ptrdiff_t q = 0; q < length; q += CONV_NR)
            for (const conv_kind *one = kind; one < kind + kinds; one++)
              for (ptrdiff_t k = 0; k < width && q < one->run && d < one->box.n[1]; k += mr)
                FN(conv_planar_rows)(mr, one->seg, one->nseg, width, pitch, w + k, plane + one->at + q, bias + k,
                                     one->result + (i * width + k) * length + q, length);
        }
        for (const conv_kind *one = kind; one < kind + kinds; one++)
          if (d < one->box.n[1]) FN(conv_planar_out)(g, one, n, d, group, groups, extent[2], length);
      }
    FN(conv_done)(g, box, group * g->co, groups * g->co);
  }
}
