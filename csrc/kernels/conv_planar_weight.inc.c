/* conv_planar_weight: the weight gradient of few output channels.  Lanes are pixels here too: planes of x, shifted by the tap, times planes of gy,
   summed over all pixels of a share in as many vectors as there are weights. */

/* The planes and sums of a thread.  Rows of gy are as long as those of x, with zeros behind, so that a whole plane is one stretch. */
typedef struct { T *sum, *x, *gy; ptrdiff_t *at; } FN(conv_dots);
#define conv_dots FN(conv_dots)

static void FN(conv_planar_weight_plan)(fn_conv_args *g)
{
  const ptrdiff_t width = FN(conv_planar_width)(g->co), weights = g->taps * g->ci + GEMM_NV;
  ptrdiff_t boxes = 1, positions = 1;
  g->block = 0;
  FN(conv_boxes)(g, CONV_FLAT);
  for (int a = 0; a < 4; a++) {
    boxes *= g->boxes[a];
    const ptrdiff_t step = a > 0 ? g->shape.stride[a - 1] : 1, over = a > 0 ? (g->shape.kernel[a - 1] - 1) * g->shape.dilation[a - 1] : 0;
    positions *= step * (g->box[a] + over / step);
  }
  g->splits = FN(conv_ceil)(CONV_MIN_UNITS, g->bundles);
  if (g->splits > boxes) g->splits = boxes;
  g->packed_size *= g->splits;
  g->units = g->splits * g->bundles;
  g->pack_units = g->shape.groups * g->panels * FN(conv_ceil)(g->taps * g->ci, CONV_CHUNK);
  g->scratch_size = weights * width * VLEN + g->ci * (positions + CONV_NR + 32) + width * (positions + 16 * g->box[0] * g->box[1]) + 64;
  g->scratch_size *= g->bundle;
  g->scratch_size = (g->scratch_size * (ptrdiff_t)sizeof(T) + weights * (ptrdiff_t)sizeof(ptrdiff_t) + 255) / 128 * 128;
}

/* GEMM_NV weights of mr output channels: n vectors of pixels. */
FN_INLINE void FN(conv_dot_tile)(const int mr, const T *x, const ptrdiff_t *at, const T *gy, ptrdiff_t pitch, ptrdiff_t n, T *sums, ptrdiff_t width)
{
  vec sum[8 * GEMM_NV];
  #pragma GCC unroll 8
  for (int j = 0; j < GEMM_NV; j++)
    #pragma GCC unroll 8
    for (int i = 0; i < mr; i++) sum[j * mr + i] = v_load(sums + (j * width + i) * VLEN);
  const T *row[GEMM_NV];
  #pragma GCC unroll 8
  for (int j = 0; j < GEMM_NV; j++) row[j] = x + at[j];
  for (ptrdiff_t l = 0; l < n * VLEN; l += VLEN) {
    vec y[8];
    #pragma GCC unroll 8
    for (int i = 0; i < mr; i++) y[i] = v_load(gy + i * pitch + l);
    #pragma GCC unroll 8
    for (int j = 0; j < GEMM_NV; j++) {
      vec v = v_load(row[j] + l);
      v_keep(v);
      #pragma GCC unroll 8
      for (int i = 0; i < mr; i++) sum[j * mr + i] = v_fma(v, y[i], sum[j * mr + i]);
    }
  }
  #pragma GCC unroll 8
  for (int j = 0; j < GEMM_NV; j++)
    #pragma GCC unroll 8
    for (int i = 0; i < mr; i++) v_store(sums + (j * width + i) * VLEN, sum[j * mr + i]);
}

static __attribute__((noinline)) void FN(conv_dot_rows)(int mr, const T *x, const ptrdiff_t *at, const T *gy, ptrdiff_t pitch, ptrdiff_t n, T *sums,
                                                        ptrdiff_t width)
{
  switch (mr) {
    case 1: FN(conv_dot_tile)(1, x, at, gy, pitch, n, sums, width); return;
    case 2: FN(conv_dot_tile)(2, x, at, gy, pitch, n, sums, width); return;
    case 3: FN(conv_dot_tile)(3, x, at, gy, pitch, n, sums, width); return;
    case 4: FN(conv_dot_tile)(4, x, at, gy, pitch, n, sums, width); return;
    case 6: FN(conv_dot_tile)(6, x, at, gy, pitch, n, sums, width); return;
  }
}

/* gy of plane (n, d) of the box, channels of `groups` groups: `length` numbers for each. */
static void FN(conv_planar_gy)(const fn_conv_args *g, const conv_box *box, ptrdiff_t n, ptrdiff_t d, ptrdiff_t row, ptrdiff_t length, ptrdiff_t pitch,
                               ptrdiff_t group, ptrdiff_t groups, T *to)
{
  const ptrdiff_t *out = g->to, width = FN(conv_planar_width)(g->co);
  for (ptrdiff_t k = 0; k < groups * width; k++) memset(to + k * pitch, 0, (size_t)length * sizeof(T));
  for (ptrdiff_t h = 0; h < box->n[2]; h++) {
    const ptrdiff_t at = (((box->at[0] + n) * out[0] + box->at[1] + d) * out[1] + box->at[2] + h) * out[2] + box->at[3];
    const T *gy = (const T *)g->w + at * g->shape.k + group * g->co;
    if (width == g->co) FN(conv_planes_row)(gy, g->shape.k, groups * g->co, box->n[3], to + h * row, pitch, 2 * out[2] * g->shape.k);
    else for (ptrdiff_t i = 0; i < groups; i++)
      FN(conv_planes_row)(gy + i * g->co, g->shape.k, g->co, box->n[3], to + i * width * pitch + h * row, pitch, 2 * out[2] * g->shape.k);
  }
}

static void FN(conv_planar_weight_box)(const fn_conv_args *g, const conv_box *box, ptrdiff_t group, ptrdiff_t groups, const conv_dots *dots)
{
  const ptrdiff_t width = FN(conv_planar_width)(g->co), weights = g->taps * g->ci, *kernel = g->shape.kernel;
  ptrdiff_t lo[3], extent[3], phases = 1;
  for (int d = 0; d < 3; d++) {
    lo[d] = box->at[d + 1] * box->axis[d].step + box->axis[d].first;
    extent[d] = FN(conv_ceil)(FN(conv_extent)(&box->axis[d], box->n[d + 1]), FN(conv_phases)(g, d));
    phases *= FN(conv_phases)(g, d);
  }
  const ptrdiff_t plane = extent[1] * extent[2], image = phases * extent[0] * plane, all = box->n[0] * image;
  const ptrdiff_t pitch = (all + CONV_NR + 15) / 16 * 16, stride[3] = { image, plane, extent[2] };
  const ptrdiff_t vectors = FN(conv_ceil)((box->n[2] - 1) * extent[2] + box->n[3], VLEN), length = (box->n[2] * extent[2] + 15) / 16 * 16;
  const ptrdiff_t planes = box->n[0] * box->n[1];
  FN(conv_planes)(g, box, lo, extent, pitch, group * g->ci, groups * g->ci, dots->x);
  for (ptrdiff_t c = 0; c < groups * g->ci; c++) memset(dots->x + c * pitch + all, 0, (size_t)(pitch - all) * sizeof(T));
  for (ptrdiff_t i = 0; i < planes; i++)
    FN(conv_planar_gy)(g, box, i / box->n[1], i % box->n[1], extent[2], length, planes * length, group, groups, dots->gy + i * length);
  for (ptrdiff_t t = 0; t < g->taps; t++) {
    const ptrdiff_t shift = FN(conv_shift)(g, box->axis, stride, t / kernel[2] / kernel[1], t / kernel[2] % kernel[1], t % kernel[2]);
    for (ptrdiff_t c = 0; c < g->ci; c++) dots->at[c * g->taps + t] = c * pitch + shift;
  }
  for (ptrdiff_t j = 0; j < GEMM_NV; j++) dots->at[weights + j] = 0;
  for (ptrdiff_t i = 0; i < planes * groups; i++) {
    const ptrdiff_t of = i / planes, at = i % planes;
    const T *x = dots->x + of * g->ci * pitch + at / box->n[1] * image + at % box->n[1] * plane, *gy = dots->gy + (of * width * planes + at) * length;
    T *sum = dots->sum + of * (weights + GEMM_NV) * width * VLEN;
    const int mr = (int)(width <= 6 ? width : 4);
    for (ptrdiff_t j = 0; j < weights; j += GEMM_NV)
      for (ptrdiff_t k = 0; k < width; k += mr)
        FN(conv_dot_rows)(mr, x, dots->at + j, gy + k * planes * length, planes * length, vectors, sum + (j * width + k) * VLEN, width);
  }
}

static void FN(conv_planar_weight)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_conv_args *g = p;
  const ptrdiff_t width = FN(conv_planar_width)(g->co), weights = g->taps * g->ci, size = g->packed_size / g->splits;
  const ptrdiff_t boxes = g->boxes[0] * g->boxes[1] * g->boxes[2] * g->boxes[3];
  conv_dots dots;
  dots.at = (ptrdiff_t *)(g->scratch + thread * g->scratch_size);
  dots.sum = (T *)(((uintptr_t)(dots.at + weights + GEMM_NV) + 63) / 64 * 64);
  const ptrdiff_t sums = (weights + GEMM_NV) * width * VLEN;
  dots.x = dots.sum + g->bundle * sums;
  for (ptrdiff_t u = begin; u < end; u++) {
    const ptrdiff_t split = u / g->bundles, group = u % g->bundles * g->bundle;
    const ptrdiff_t groups = g->shape.groups - group < g->bundle ? g->shape.groups - group : g->bundle;
    memset(dots.sum, 0, (size_t)(groups * sums) * sizeof(T));
    for (ptrdiff_t b = split * boxes / g->splits; b < (split + 1) * boxes / g->splits; b++) {
      conv_box box;
      if (!FN(conv_box_of)(g, b, 0, &box)) continue;
      ptrdiff_t all = box.n[0];
      for (int d = 0; d < 3; d++)
        all *= FN(conv_ceil)(FN(conv_extent)(&box.axis[d], box.n[d + 1]), FN(conv_phases)(g, d)) * FN(conv_phases)(g, d);
      dots.gy = dots.x + groups * g->ci * ((all + CONV_NR + 15) / 16 * 16);
      FN(conv_planar_weight_box)(g, &box, group, groups, &dots);
    }
    for (ptrdiff_t i = 0; i < groups * g->co; i++) {
      const ptrdiff_t of = i / g->co, k = i % g->co;
      ptrdiff_t lanes;
      T *to = (T *)g->packed + split * size + FN(conv_panel)(g, group + of, k, &lanes);
      for (ptrdiff_t j = 0; j < weights; j++)
        to[(j % g->taps * g->ci + j / g->taps) * lanes] = v_sum(v_load(dots.sum + of * sums + (j * width + k) * VLEN));
    }
  }
}
