/* One axis of a convolution: which taps a class of positions sees, and where; the plan: boxes, panels, parts. */

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

/* Whole rows, planes, images while they fit; then equal shares of the axis that does not. */
static void FN(conv_boxes)(fn_conv_args *g, ptrdiff_t pixels)
{
  ptrdiff_t size = 1, seen = g->ci * (ptrdiff_t)sizeof(T);
  const ptrdiff_t limit = seen > CONV_SOURCE / 48 ? 48 * seen : CONV_SOURCE;       /* very many channels: still some pixels */
  for (int a = 3; a >= 0; a--) {
    conv_axis axis = { 1, 0, 0, 1, 0, g->shape.n };
    if (a > 0) {
      axis = FN(conv_axis_of)(g, a - 1, 0);
      axis.pixels = FN(conv_ceil)(g->to[a - 1], g->classes[a - 1]);
      if (g->pass == FN_CONV_INPUT)
        axis.count = FN(conv_ceil)(g->shape.kernel[a - 1], axis.gap * g->shape.stride[a - 1] / g->shape.dilation[a - 1]);
    }
    const ptrdiff_t over = (axis.count - 1) * axis.gap + 1;
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
  g->scratch_size = (g->scratch_size + 127) / 128 * 128;
}

/* Elements of the panels of a group: all are CONV_NR wide but the last, which has whole vectors. */
static inline ptrdiff_t FN(conv_lanes)(const fn_conv_args *g) { return FN(conv_ceil)(g->co, GLEN) * GLEN; }

static void FN(conv_plan)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  (void)begin; (void)end; (void)thread;
  fn_conv_args *g = ((const fn_conv_plan_args *)p)->conv;
  const fn_conv_shape *s = &g->shape;
  const int input = g->pass == FN_CONV_INPUT;
  ptrdiff_t classes = 1, boxes = 1;
  g->ci = (input ? s->k : s->c) / s->groups;
  g->co = (input ? s->c : s->k) / s->groups;
  g->cs = input ? s->k : s->c;
  g->taps = s->kernel[0] * s->kernel[1] * s->kernel[2];
  for (int d = 0; d < 3; d++) {
    g->from[d] = input ? s->out[d] : s->in[d];
    g->to[d] = input ? s->in[d] : s->out[d];
    g->classes[d] = input ? s->stride[d] : 1;
    classes *= g->classes[d];
  }
  g->panels = FN(conv_ceil)(g->co, CONV_NR);
  g->slots = g->taps;
  g->panel_splits = g->splits = g->row_blocks = 1;
  g->packed_size = s->groups * g->taps * g->ci * FN(conv_lanes)(g);
  const double flops = 2.0 * (double)(s->n * s->out[0]) * (double)(s->out[1] * s->out[2]) * (double)s->k * (double)(s->c / s->groups * g->taps);

  if (g->pass == FN_CONV_WEIGHT) {
    g->fused = g->taps > 1 && g->ci < 32;
    FN(conv_boxes)(g, CONV_WPIXELS);
    for (int a = 0; a < 4; a++) boxes *= g->boxes[a];
    g->row_blocks = FN(conv_ceil)(g->taps * g->ci, CONV_ROWS);
    if (g->row_blocks > g->taps) g->row_blocks = g->taps;
    const ptrdiff_t pieces = s->groups * g->panels * g->row_blocks;
    if (pieces < CONV_MIN_UNITS) g->splits = FN(conv_ceil)(CONV_MIN_UNITS, pieces);
    if (g->splits > boxes) g->splits = boxes;
    g->packed_size *= g->splits;
    g->units = pieces * g->splits;
    g->pack_units = s->groups * FN(conv_ceil)(g->co, VLEN);
  } else {
    FN(conv_boxes)(g, CONV_PIXELS);
    for (int a = 0; a < 4; a++) boxes *= g->boxes[a];
    const ptrdiff_t pieces = boxes * s->groups * classes;
    if (pieces < CONV_MIN_UNITS) g->panel_splits = FN(conv_ceil)(CONV_MIN_UNITS, pieces);
    if (g->panel_splits > g->panels) g->panel_splits = g->panels;
    g->units = pieces * g->panel_splits;
    g->pack_units = s->groups * FN(conv_lanes)(g) / VLEN;
  }
  g->unit_flops = flops / (double)g->units;
}
