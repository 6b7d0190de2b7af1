/* conv_weight: rows are taps x channels, columns output channels, the depth is the pixels of a box. */

/* gy of the box, n columns from `from` on, with rows of `width` lanes, zero past the columns. */
static void FN(conv_gather)(const fn_conv_args *g, const conv_box *box, ptrdiff_t from, ptrdiff_t n, ptrdiff_t width, T *to)
{
  const ptrdiff_t *out = g->to;
  for (ptrdiff_t i = box->at[0]; i < box->at[0] + box->n[0]; i++)
    for (ptrdiff_t d = box->at[1]; d < box->at[1] + box->n[1]; d++)
      for (ptrdiff_t h = box->at[2]; h < box->at[2] + box->n[2]; h++) {
        const T *y = (const T *)g->w + (((i * out[0] + d) * out[1] + h) * out[2] + box->at[3]) * g->shape.k + from;
        for (ptrdiff_t w = 0; w < box->n[3]; w++, y += g->shape.k, to += width) {
          for (ptrdiff_t j = 0; j < n; j += 64 / (ptrdiff_t)sizeof(T)) __builtin_prefetch(y + j + 2 * out[2] * g->shape.k, 0, 2);
          for (ptrdiff_t j = 0; j < width; j += VLEN)
            v_store(to + j, n - j >= VLEN ? v_load(y + j) : v_loadn(y + j, n - j < 0 ? 0 : n - j));
        }
      }
}

/* The depth for a tap: rows of pixels.  Read in place, the pixels whose tap is outside are left out; in a copy none is, and the depth is the
   same for all taps, whose place is with the rows.  bare: gy is read in place too. */
static ptrdiff_t FN(conv_pixels)(const fn_conv_args *g, const conv_box *box, const conv_view *view, const ptrdiff_t *tap, ptrdiff_t width,
                                 int bare, fn_conv_seg *seg)
{
  ptrdiff_t lo[3], hi[3], n = 0;
  for (int d = 0; d < 3; d++) {
    if (g->block) { lo[d] = box->at[d + 1]; hi[d] = lo[d] + box->n[d + 1]; }
    else FN(conv_inside)(&box->axis[d], g->from[d], tap[d], box->at[d + 1], box->n[d + 1], &lo[d], &hi[d]);
  }
  if (hi[2] <= lo[2]) return 0;
  for (ptrdiff_t i = 0; i < box->n[0]; i++)
    for (ptrdiff_t d = lo[0]; d < hi[0]; d++)
      for (ptrdiff_t h = lo[1]; h < hi[1]; h++) {
        const ptrdiff_t to[3] = { d - box->at[1], h - box->at[2], lo[2] - box->at[3] };
        const ptrdiff_t *size = box->n, *whole = g->to;
        fn_conv_seg *s = seg + n++;
        s->a = i * view->stride[0];
        for (int a = 0; a < 3; a++) s->a += (to[a] * box->axis[a].step + (g->block ? 0 : tap[a] * box->axis[a].gap)) * view->stride[a + 1];
        if (bare) s->b = ((((box->at[0] + i) * whole[0] + d) * whole[1] + h) * whole[2] + lo[2]) * width;
        else s->b = (((i * size[1] + to[0]) * size[2] + to[1]) * size[3] + to[2]) * width;
        s->len = hi[2] - lo[2];
      }
  return n;
}

/* The view without a copy, which may begin before the source: only elements inside are read. */
static void FN(conv_bare)(const fn_conv_args *g, const conv_box *box, ptrdiff_t group, conv_view *view)
{
  ptrdiff_t at = group * g->ci;
  view->stride[3] = g->cs;
  for (int d = 2; d >= 0; d--) view->stride[d] = view->stride[d + 1] * g->from[d];
  at += box->at[0] * view->stride[0];
  for (int d = 0; d < 3; d++) at += (box->at[d + 1] * box->axis[d].step + box->axis[d].first) * view->stride[d + 1];
  view->p = (const T *)((uintptr_t)g->src + (uintptr_t)(at * (ptrdiff_t)sizeof(T)));
}

/* The work of a unit: taps [t0, t1) and channels [c0, c1) of a group are its rows; panels [p0, p1), boxes [b0, b1). */
typedef struct { ptrdiff_t group, t0, t1, c0, c1, p0, p1, b0, b1; } FN(conv_share);
#define conv_share FN(conv_share)

/* Whether rows of taps x channels of a box are threes that touch, none of which is cut. */
static int FN(conv_threes)(const fn_conv_args *g, const conv_share *share, const conv_box *box, const conv_view *view, ptrdiff_t width)
{
  const ptrdiff_t channels = share->c1 - share->c0;
  const int joined = box->axis[2].gap == 1 && view->stride[3] == channels;
  return FN(CONV_TALL) && g->block && channels == g->ci && width == GLEN && (channels * (joined ? g->shape.kernel[2] : 1)) % 3 == 0;
}

/* All rows of one box and panel; gy has rows of `width` there.  In a copy all rows have the same depth; read in place, those of a tap. */
static void FN(conv_weight_panel)(const fn_conv_args *g, const conv_share *share, const conv_box *box, const conv_view *view, fn_conv_seg *seg,
                                  const T *gy, int bare, ptrdiff_t width, int first, T *c)
{
  const ptrdiff_t *kernel = g->shape.kernel, channels = share->c1 - share->c0, rows = (share->t1 - share->t0) * channels;
  const int threes = FN(conv_threes)(g, share, box, view, width);
  ptrdiff_t a_at[CONV_PIXELS], c_at[CONV_PIXELS];
  conv_job job = { .seg = seg, .a_step = box->axis[2].step * view->stride[3], .load_c = !first };
  for (ptrdiff_t r = 0; r < rows;) {
    const ptrdiff_t most = g->block ? rows : (r / channels + 1) * channels, last = most < r + CONV_PIXELS ? most : r + CONV_PIXELS;
    for (ptrdiff_t i = r; i < last; i++) {
      const ptrdiff_t t = share->t0 + i / channels, tap[3] = { t / kernel[2] / kernel[1], t / kernel[2] % kernel[1], t % kernel[2] };
      if (i == r) job.nseg = FN(conv_pixels)(g, box, view, tap, width, bare, seg);
      a_at[i - r] = i % channels;
      if (g->block) for (int d = 0; d < 3; d++) a_at[i - r] += tap[d] * box->axis[d].gap * view->stride[d + 1];
      c_at[i - r] = (t * g->ci + share->c0 + i % channels) * width;
    }
    if (threes) FN(conv_thirds)(&job, last - r, view->p, a_at, gy, c + c_at[0]);
    else FN(conv_columns)(&job, last - r, width, view->p, a_at, gy, c, c_at);
    r = last;
  }
}

/* All panels of one box, or part of one, that `view` shows. */
static void FN(conv_weight_box)(const fn_conv_args *g, const conv_room *room, const conv_share *share, const conv_box *box, const conv_view *view,
                                int first, T *part)
{
  for (ptrdiff_t panel = share->p0; panel < share->p1; panel++) {
    const ptrdiff_t k = panel * CONV_NR, n = g->co - k < CONV_NR ? g->co - k : CONV_NR;
    ptrdiff_t width;
    T *c = part + FN(conv_panel)(g, share->group, k, &width);
    const int bare = g->shape.groups == 1 && width == g->shape.k;        /* one panel without a tail is gy itself */
    if (!bare) FN(conv_gather)(g, box, share->group * g->co + k, n, width, room->panel);
    FN(conv_weight_panel)(g, share, box, view, room->seg, bare ? g->w : room->panel, bare, width, first, c);
  }
}

static void FN(conv_weight_unit)(const fn_conv_args *g, const conv_room *room, const conv_share *share, T *part)
{
  const int few = g->block == g->cs && g->ci < CONV_FEW && g->co <= GLEN;      /* in place a pixel is what a copy would have */
  for (ptrdiff_t b = share->b0; b < share->b1; b++) {
    conv_box box;
    conv_view view;
    ptrdiff_t cut[3];
    if (!FN(conv_box_of)(g, b, 0, &box)) continue;
    if (!g->block) {
      FN(conv_bare)(g, &box, share->group, &view);
      FN(conv_weight_box)(g, room, share, &box, &view, b == share->b0, part);
      continue;
    }
    const int parts = FN(conv_cut)(g, &box, few, cut);
    for (int i = 0; i < parts; i++) {
      conv_box some = FN(conv_part)(&box, cut, i);
      FN(conv_look)(g, &some, share->group * g->ci + share->c0, share->c1 - share->c0, !few, room->copy, &view);
      FN(conv_weight_box)(g, room, share, &some, &view, b == share->b0 && i == 0, part);
    }
  }
}

static void FN(conv_weight)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_conv_args *g = p;
  const conv_room room = FN(conv_room_of)(g, thread);
  const ptrdiff_t size = g->packed_size / g->splits, boxes = g->boxes[0] * g->boxes[1] * g->boxes[2] * g->boxes[3];
  const ptrdiff_t parts = g->panel_splits, blocks = g->row_blocks, groups = g->shape.groups;
  for (ptrdiff_t u = begin; u < end; u++) {
    const ptrdiff_t panel = u % parts, r = u / parts % blocks, split = u / parts / blocks / groups;
    conv_share share = { u / parts / blocks % groups, 0, g->taps, 0, g->ci, panel * g->panels / parts, (panel + 1) * g->panels / parts,
                         split * boxes / g->splits, (split + 1) * boxes / g->splits };
    if (g->block) { share.c0 = r * g->ci / blocks; share.c1 = (r + 1) * g->ci / blocks; }
    else { share.t0 = r * g->taps / blocks; share.t1 = (r + 1) * g->taps / blocks; }
    FN(conv_weight_unit)(g, &room, &share, (T *)g->packed + split * size);
  }
}
