/* One axis of a convolution: which taps a class of positions sees, and where; boxes. */

/* Position j of class r on the axis reads the source at j*step + first + i*gap for its taps i = 0, 1 ... count-1.  In a panel they are the
   places at, at+1 ... of the axis. */
typedef struct { ptrdiff_t step, first, gap, count, at, pixels; } FN(conv_axis);
#define conv_axis FN(conv_axis)

static inline ptrdiff_t FN(conv_gcd)(ptrdiff_t a, ptrdiff_t b)
{
  while (b) { const ptrdiff_t t = a % b; a = b; b = t; }
  return a;
}

static inline ptrdiff_t FN(conv_ceil)(ptrdiff_t a, ptrdiff_t b) { return (a + b - 1) / b; }

/* Input pass: tap t of class r reads o = (r + pad - t*dilation) / stride where that is whole; then so do the taps t + period.  The last of
   them reads the first o, so the order of taps is turned round. */
static conv_axis FN(conv_axis_of)(const fn_conv_args *g, int d, ptrdiff_t class)
{
  const ptrdiff_t stride = g->shape.stride[d], dilation = g->shape.dilation[d], pad = g->shape.pad[d], kernel = g->shape.kernel[d];
  if (g->pass != FN_CONV_INPUT) return (conv_axis){ stride, -pad, dilation, kernel, 0, g->to[d] };
  const ptrdiff_t period = stride / FN(conv_gcd)(stride, dilation);
  conv_axis axis = { 1, 0, period * dilation / stride, 0, 0, 0 };
  for (ptrdiff_t r = 0; r <= class; r++) {
    ptrdiff_t t = 0;
    axis.at += axis.count;
    axis.count = 0;
    while (t < period && t < kernel && (r + pad - t * dilation) % stride != 0) t++;
    if (t == period || t >= kernel) continue;
    axis.count = (kernel - 1 - t) / period + 1;
    axis.first = (r + pad - (t + (axis.count - 1) * period) * dilation) / stride;
  }
  axis.pixels = class < g->to[d] ? (g->to[d] - class - 1) / stride + 1 : 0;
  return axis;
}

/* The place of tap t on the axis in a panel. */
static ptrdiff_t FN(conv_place)(const fn_conv_args *g, int d, ptrdiff_t t)
{
  if (g->pass != FN_CONV_INPUT) return t;
  const ptrdiff_t stride = g->shape.stride[d], period = stride / FN(conv_gcd)(stride, g->shape.dilation[d]);
  const ptrdiff_t class = ((t * g->shape.dilation[d] - g->shape.pad[d]) % stride + stride) % stride;
  const conv_axis axis = FN(conv_axis_of)(g, d, class);
  return axis.at + axis.count - 1 - t / period;
}

static void FN(conv_tables)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  (void)begin; (void)end; (void)thread;
  fn_conv_args *g = ((const fn_conv_plan_args *)p)->conv;
  const ptrdiff_t *kernel = g->shape.kernel;
  for (ptrdiff_t d = 0; d < kernel[0]; d++)
    for (ptrdiff_t h = 0; h < kernel[1]; h++)
      for (ptrdiff_t w = 0; w < kernel[2]; w++) {
        const ptrdiff_t dh = FN(conv_place)(g, 0, d) * kernel[1] + FN(conv_place)(g, 1, h);
        g->slot[(d * kernel[1] + h) * kernel[2] + w] = dh * kernel[2] + FN(conv_place)(g, 2, w);
      }
}

/* The extent of the source that n positions see. */
static inline ptrdiff_t FN(conv_extent)(const conv_axis *axis, ptrdiff_t n)
{
  return axis->count == 0 ? 0 : (n - 1) * axis->step + (axis->count - 1) * axis->gap + 1;
}

/* The positions [*lo, *hi) of n from `at` on for which tap t of the axis lies inside the source. */
static inline void FN(conv_inside)(const conv_axis *axis, ptrdiff_t extent, ptrdiff_t t, ptrdiff_t at, ptrdiff_t n, ptrdiff_t *lo, ptrdiff_t *hi)
{
  const ptrdiff_t first = axis->first + t * axis->gap, step = axis->step;          /* position j reads j*step + first */
  *lo = first >= 0 ? 0 : (-first + step - 1) / step;
  *hi = extent - first <= 0 ? 0 : (extent - first + step - 1) / step;
  if (*lo < at) *lo = at;
  if (*hi > at + n) *hi = at + n;
}

/* Planar: a plane is cut into as many phases as the stride is long, for positions that differ by the stride to lie next to each other. */
static inline ptrdiff_t FN(conv_phases)(const fn_conv_args *g, int d) { return g->pass == FN_CONV_INPUT ? 1 : g->shape.stride[d]; }

/* Where the tap (d, h, w) begins in a plane, with the strides of a phase: [1], [2], 1. */
static inline ptrdiff_t FN(conv_shift)(const fn_conv_args *g, const conv_axis *x, const ptrdiff_t *stride, ptrdiff_t d, ptrdiff_t h, ptrdiff_t w)
{
  const ptrdiff_t step[3] = { FN(conv_phases)(g, 0), FN(conv_phases)(g, 1), FN(conv_phases)(g, 2) };
  const ptrdiff_t at[3] = { d * x[0].gap, h * x[1].gap, w * x[2].gap };
  const ptrdiff_t phase = (at[0] % step[0] * step[1] + at[1] % step[1]) * step[2] + at[2] % step[2];
  return phase * (stride[0] / (step[0] * step[1] * step[2])) + at[0] / step[0] * stride[1] + at[1] / step[1] * stride[2] + at[2] / step[2];
}

/* Planar: output channels as rows of tiles; 5 are 6, and more than 6 are fours. */
static inline ptrdiff_t FN(conv_planar_width)(ptrdiff_t co) { return co <= 4 ? co : co <= 6 ? 6 : (co + 3) / 4 * 4; }

/* Planar: groups of few channels together fill the squares that are transposed. */
static void FN(conv_bundles)(fn_conv_args *g)
{
  const ptrdiff_t most = 16 / (g->ci > g->co ? g->ci : g->co), groups = g->shape.groups;
  g->bundle = most < 1 ? 1 : most < groups ? most : groups;
  g->bundles = FN(conv_ceil)(groups, g->bundle);
}

/* Whole rows, planes, images while they fit; then equal shares of the axis that does not. */
static void FN(conv_boxes)(fn_conv_args *g, ptrdiff_t pixels)
{
  ptrdiff_t size = 1, seen = (g->pass == FN_CONV_WEIGHT && g->block ? g->block : g->ci * g->bundle) * (ptrdiff_t)sizeof(T);
  const ptrdiff_t cache = g->how == FN_CONV_PLANAR ? CONV_NEAR : g->pass == FN_CONV_WEIGHT ? CONV_WSOURCE : CONV_SOURCE;
  const ptrdiff_t limit = seen > cache / 48 ? 48 * seen : cache;   /* some pixels at least */
  for (int a = 3; a >= 0; a--) {
    conv_axis axis = { 1, 0, 0, 1, 0, g->shape.n };
    if (a > 0) {
      axis = FN(conv_axis_of)(g, a - 1, 0);
      axis.pixels = FN(conv_ceil)(g->to[a - 1], g->classes[a - 1]);
      if (g->pass == FN_CONV_INPUT)
        axis.count = FN(conv_ceil)(g->shape.kernel[a - 1], axis.gap * g->shape.stride[a - 1] / g->shape.dilation[a - 1]);
      if (g->pass == FN_CONV_INPUT && g->how == FN_CONV_PLANAR) {                    /* what all classes see */
        axis.gap = 1;
        axis.count = ((g->shape.kernel[a - 1] - 1) * g->shape.dilation[a - 1] + g->shape.stride[a - 1] - 1) / g->shape.stride[a - 1] + 1;
      }
    }
    ptrdiff_t over = (axis.count - 1) * axis.gap + 1;
    if (g->how == FN_CONV_PLANAR) over = FN(conv_ceil)(over, axis.step) * axis.step;           /* whole phases */
    ptrdiff_t most = (limit / seen - over) / axis.step + 1;
    if (most > pixels / size) most = pixels / size;
    if (most > axis.pixels) most = axis.pixels;
    if (most < 1) most = 1;
    g->boxes[a] = FN(conv_ceil)(axis.pixels, most);
    g->box[a] = FN(conv_ceil)(axis.pixels, g->boxes[a]);
    g->boxes[a] = FN(conv_ceil)(axis.pixels, g->box[a]);
    size *= g->box[a];
    seen *= (g->box[a] - 1) * axis.step + over;
  }
  /* Scratch of a thread: the copy; for each pixel two places; segments; a panel of gy. */
  const ptrdiff_t depth = g->taps * (g->ci / CONV_DEPTH + 2) + size;
  g->scratch_size = (seen + 127) / 64 * 64 + 2 * size * (ptrdiff_t)sizeof(ptrdiff_t) + depth * (ptrdiff_t)sizeof(fn_conv_seg) + 128;
  if (g->pass == FN_CONV_WEIGHT) g->scratch_size += (size * CONV_NR + 64) * (ptrdiff_t)sizeof(T);
  if (g->how == FN_CONV_PLANAR) {
    const ptrdiff_t width = FN(conv_planar_width)(g->co), positions = seen / (g->ci * g->bundle * (ptrdiff_t)sizeof(T));
    const ptrdiff_t classes = g->classes[0] * g->classes[1] * g->classes[2];
    g->scratch_size += g->bundle * (g->ci * (CONV_NR + 16) + classes * width * (positions + CONV_NR)) * (ptrdiff_t)sizeof(T);
    g->scratch_size += classes * CONV_KIND + 128;
  }
  g->scratch_size = (g->scratch_size + 127) / 128 * 128;
}

/* Elements of the panels of a group: all are CONV_NR wide but the last, which has whole vectors. */
static inline ptrdiff_t FN(conv_lanes)(const fn_conv_args *g) { return FN(conv_ceil)(g->co, GLEN) * GLEN; }
