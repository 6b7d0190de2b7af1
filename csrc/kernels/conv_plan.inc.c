/* conv_plan: sizes of boxes, panels, parts and scratch, from the shape alone. */
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
  g->panel_splits = g->splits = g->row_blocks = g->bundle = 1;
  g->alone = 0;
  if (g->how == FN_CONV_PLANAR) FN(conv_bundles)(g);
  g->packed_size = s->groups * g->taps * g->ci * FN(conv_lanes)(g);
  const double flops = 2.0 * (double)(s->n * s->out[0]) * (double)(s->out[1] * s->out[2]) * (double)s->k * (double)(s->c / s->groups * g->taps);

  if (g->pass == FN_CONV_WEIGHT && g->how == FN_CONV_PLANAR) {
    FN(conv_planar_weight_plan)(g);
  } else if (g->pass == FN_CONV_WEIGHT) {
    const ptrdiff_t jump = s->stride[2] * g->cs * (ptrdiff_t)sizeof(T);          /* from pixel to pixel: pages apart share few cache lines */
    if (g->ci < CONV_FEW) g->block = g->taps > 1 ? g->ci : 0;
    else if (jump >= (g->taps > 1 ? CONV_JUMP : 4 * CONV_JUMP)) {
      const ptrdiff_t most = CONV_ROWS / 2 / g->taps > 16 ? CONV_ROWS / 2 / g->taps : 16, blocks = FN(conv_ceil)(g->ci, most);
      g->block = FN(conv_ceil)(g->ci, blocks);
    } else g->block = 0;
    FN(conv_boxes)(g, CONV_WPIXELS);
    for (int a = 0; a < 4; a++) boxes *= g->boxes[a];
    g->row_blocks = g->block ? FN(conv_ceil)(g->ci, g->block) : FN(conv_ceil)(g->taps * g->ci, CONV_ROWS);
    if (!g->block && g->row_blocks > g->taps) g->row_blocks = g->taps;
    ptrdiff_t pieces = s->groups * g->row_blocks;
    if (pieces < CONV_MIN_UNITS) g->panel_splits = FN(conv_ceil)(CONV_MIN_UNITS, pieces);
    if (g->panel_splits > CONV_WSPLITS) g->panel_splits = CONV_WSPLITS;
    if (g->panel_splits > g->panels) g->panel_splits = g->panels;
    pieces *= g->panel_splits;
    if (pieces < CONV_MIN_UNITS) g->splits = FN(conv_ceil)(CONV_MIN_UNITS, pieces);
    if (g->splits > boxes) g->splits = boxes;
    g->packed_size *= g->splits;
    g->units = pieces * g->splits;
    g->pack_units = s->groups * g->panels * FN(conv_ceil)(g->taps * g->ci, CONV_CHUNK);
  } else if (g->how == FN_CONV_SCATTER) {
    FN(conv_scatter_plan)(g);
  } else if (g->how == FN_CONV_PLANAR) {
    FN(conv_boxes)(g, CONV_FLAT);
    for (int a = 0; a < 4; a++) boxes *= g->boxes[a];
    g->packed_size = s->groups * g->taps * g->ci * FN(conv_planar_width)(g->co);
    g->units = boxes * g->bundles;
    g->pack_units = g->taps;
  } else {
    g->lines = FN(CONV_TALL) && g->co <= 2 * GLEN && g->taps * g->ci <= CONV_DEPTH && FN(conv_fours_fit)(FN(conv_ceil)(g->to[2], g->classes[2]));
    FN(conv_boxes)(g, g->lines ? CONV_FLAT : CONV_PIXELS);
    for (int a = 0; a < 4; a++) boxes *= g->boxes[a];
    const ptrdiff_t pieces = boxes * s->groups * classes;
    if (pieces < CONV_MIN_UNITS) g->panel_splits = FN(conv_ceil)(CONV_MIN_UNITS, pieces);
    if (g->panel_splits > g->panels) g->panel_splits = g->panels;
    g->units = pieces * g->panel_splits;
    g->pack_units = s->groups * FN(conv_lanes)(g) / VLEN;
    const ptrdiff_t bytes = g->packed_size * (ptrdiff_t)sizeof(T);
    if (bytes <= CONV_ALONE) g->alone = (bytes + 127) / 128 * 128;
  }
  g->unit_flops = flops / (double)g->units;
}
