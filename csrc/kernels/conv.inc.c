/* conv_apply, conv_weight: boxes of pixels, what they see, and the tiles over them. */
#include "kernels/conv_tile.inc.c"
#include "kernels/conv_line.inc.c"
#include "kernels/conv_axis.inc.c"
#include "kernels/conv_pack.inc.c"

/* What the windows of a box see: the source itself or a padded copy.  Strides of images, planes, rows, pixels. */
typedef struct { const T *p; ptrdiff_t stride[4]; } FN(conv_view);
#define conv_view FN(conv_view)

/* A box of pixels: first and count of images, then of positions of a class on each axis; and the class. */
typedef struct { ptrdiff_t at[4], n[4], pixels; conv_axis axis[3]; ptrdiff_t class[3]; } FN(conv_box);
#define conv_box FN(conv_box)

/* The scratch of a thread, cut up. */
typedef struct { T *copy, *panel; ptrdiff_t *a_at, *c_at; fn_conv_seg *seg; } FN(conv_room);
#define conv_room FN(conv_room)

static conv_room FN(conv_room_of)(const fn_conv_args *g, int thread)
{
  char *p = g->scratch + thread * g->scratch_size;
  const ptrdiff_t size = g->box[0] * g->box[1] * g->box[2] * g->box[3];
  conv_room room = { .a_at = (ptrdiff_t *)p, .c_at = (ptrdiff_t *)p + size };
  p += 2 * size * (ptrdiff_t)sizeof(ptrdiff_t);
  room.seg = (fn_conv_seg *)p;
  p += (g->taps * (g->ci / CONV_DEPTH + 2) + size) * (ptrdiff_t)sizeof(fn_conv_seg);
  room.panel = (T *)(((uintptr_t)p + 63) / 64 * 64);
  room.copy = room.panel + (g->pass == FN_CONV_WEIGHT ? (size * CONV_NR + 15) / 16 * 16 : 0);
  return room;
}

/* Box number `index` of a class; 0 where the class has no pixels there. */
static int FN(conv_box_of)(const fn_conv_args *g, ptrdiff_t index, ptrdiff_t class, conv_box *box)
{
  box->pixels = 1;
  for (int a = 3; a >= 0; a--) {
    ptrdiff_t total = g->shape.n;
    if (a > 0) {
      box->class[a - 1] = class % g->classes[a - 1];
      class /= g->classes[a - 1];
      box->axis[a - 1] = FN(conv_axis_of)(g, a - 1, box->class[a - 1]);
      total = box->axis[a - 1].pixels;
    }
    box->at[a] = index % g->boxes[a] * g->box[a];
    index /= g->boxes[a];
    box->n[a] = total - box->at[a] < g->box[a] ? total - box->at[a] : g->box[a];
    if (box->n[a] <= 0) return 0;
    box->pixels *= box->n[a];
  }
  return 1;
}

/* A padded copy of what the box sees of channels [first, first + ci): positions lo, lo + pick, ... on each axis. */
static void FN(conv_copy)(const fn_conv_args *g, const conv_box *box, const ptrdiff_t *lo, const ptrdiff_t *extent, const ptrdiff_t *pick,
                          ptrdiff_t first, ptrdiff_t ci, T *to)
{
  const ptrdiff_t row = extent[2] * ci, *from = g->from, step = pick[2] * g->cs, later = 2 * pick[1] * from[2] * g->cs;
  ptrdiff_t before = lo[2] < 0 ? FN(conv_ceil)(-lo[2], pick[2]) : 0, inside = FN(conv_ceil)(from[2] - lo[2], pick[2]);
  if (before > extent[2]) before = extent[2];
  if (inside > extent[2]) inside = extent[2];
  inside = inside < before ? 0 : inside - before;
  for (ptrdiff_t n = box->at[0]; n < box->at[0] + box->n[0]; n++)
    for (ptrdiff_t i = 0; i < extent[0]; i++)
      for (ptrdiff_t j = 0; j < extent[1]; j++, to += row) {
        const ptrdiff_t d = lo[0] + i * pick[0], h = lo[1] + j * pick[1];
        if (d < 0 || d >= from[0] || h < 0 || h >= from[1] || inside == 0) { memset(to, 0, (size_t)row * sizeof(T)); continue; }
        const T *x = (const T *)g->src + (((n * from[0] + d) * from[1] + h) * from[2] + lo[2] + before * pick[2]) * g->cs + first;
        memset(to, 0, (size_t)(before * ci) * sizeof(T));
        if (ci == step) memcpy(to + before * ci, x, (size_t)(inside * ci) * sizeof(T));
        else for (ptrdiff_t w = 0; w < inside; w++) {
          T *pixel = to + (before + w) * ci;
          for (ptrdiff_t c = 0; c < ci; c += 64 / (ptrdiff_t)sizeof(T)) __builtin_prefetch(x + w * step + c + later, 0, 2);
          for (ptrdiff_t c = 0; c < ci; c += VLEN) {
            const ptrdiff_t left = ci - c < VLEN ? ci - c : VLEN;
            v_storen(pixel + c, v_loadn(x + w * step + c, left), left);
          }
        }
        memset(to + (before + inside) * ci, 0, (size_t)((extent[2] - before - inside) * ci) * sizeof(T));
      }
}

/* The view of a box: position 0 of the window of its first pixel.  A copy has only the positions that are seen where an axis has one tap, and
   then the axis of the box steps by one. */
static void FN(conv_look)(const fn_conv_args *g, conv_box *box, ptrdiff_t first, ptrdiff_t ci, int copy, T *room, conv_view *view)
{
  ptrdiff_t lo[3], extent[3], pick[3];
  int empty = 0;
  for (int d = 0; d < 3; d++) {
    lo[d] = box->at[d + 1] * box->axis[d].step + box->axis[d].first;
    extent[d] = FN(conv_extent)(&box->axis[d], box->n[d + 1]);
    empty |= extent[d] == 0;
    copy |= lo[d] < 0 || lo[d] + extent[d] > g->from[d];
  }
  if (!empty && copy) {
    for (int d = 0; d < 3; d++) {
      pick[d] = box->axis[d].count == 1 ? box->axis[d].step : 1;
      if (box->axis[d].count == 1) { extent[d] = box->n[d + 1]; box->axis[d].step = 1; }
    }
    FN(conv_copy)(g, box, lo, extent, pick, first, ci, room);
    view->p = room;
    view->stride[3] = ci;
    for (int d = 2; d >= 0; d--) view->stride[d] = view->stride[d + 1] * extent[d];
    return;
  }
  view->stride[3] = g->cs;
  for (int d = 2; d >= 0; d--) view->stride[d] = view->stride[d + 1] * g->from[d];
  view->p = (const T *)g->src + first;
  if (!empty)
    view->p += box->at[0] * view->stride[0] + lo[0] * view->stride[1] + lo[1] * view->stride[2] + lo[2] * view->stride[3];
}

/* Where each pixel's window begins in the view, and where the pixel is in dst. */
static void FN(conv_places)(const fn_conv_args *g, const conv_box *box, const conv_view *view, ptrdiff_t co, ptrdiff_t *a_at, ptrdiff_t *c_at)
{
  const ptrdiff_t *step = g->classes;
  for (ptrdiff_t n = 0; n < box->n[0]; n++)
    for (ptrdiff_t d = 0; d < box->n[1]; d++)
      for (ptrdiff_t h = 0; h < box->n[2]; h++) {
        const ptrdiff_t a = n * view->stride[0] + d * box->axis[0].step * view->stride[1] + h * box->axis[1].step * view->stride[2];
        const ptrdiff_t plane = (box->at[0] + n) * g->to[0] + (box->at[1] + d) * step[0] + box->class[0];
        const ptrdiff_t row = plane * g->to[1] + (box->at[2] + h) * step[1] + box->class[1];
        ptrdiff_t c = (row * g->to[2] + box->at[3] * step[2] + box->class[2]) * co;
        for (ptrdiff_t w = 0; w < box->n[3]; w++, c += step[2] * co) {
          *a_at++ = a + w * box->axis[2].step * view->stride[3];
          *c_at++ = c;
        }
      }
}

/* The depth of every tile of the box: taps in the order of the panel, the channels of taps that are neighbours in one stretch. */
static ptrdiff_t FN(conv_segments)(const fn_conv_args *g, const conv_box *box, const conv_view *view, fn_conv_seg *seg)
{
  const conv_axis *x = box->axis;
  const int joined = x[2].gap == 1 && view->stride[3] == g->ci;
  const ptrdiff_t count = joined ? 1 : x[2].count, length = joined ? x[2].count * g->ci : g->ci;
  ptrdiff_t n = 0;
  if (x[2].count == 0) return 0;
  for (ptrdiff_t d = 0; d < x[0].count; d++)
    for (ptrdiff_t h = 0; h < x[1].count; h++)
      for (ptrdiff_t w = 0; w < count; w++) {
        const ptrdiff_t slot = ((x[0].at + d) * g->shape.kernel[1] + x[1].at + h) * g->shape.kernel[2] + x[2].at + w;
        const ptrdiff_t a = d * x[0].gap * view->stride[1] + h * x[1].gap * view->stride[2] + w * x[2].gap * view->stride[3];
        for (ptrdiff_t l = 0; l < length; l += CONV_DEPTH)
          seg[n++] = (fn_conv_seg){ a + l, slot * g->ci + l, length - l < CONV_DEPTH ? length - l : CONV_DEPTH };
      }
  return n;
}

/* All pixels of the box, row by row, times a panel of at most two vectors. */
static void FN(conv_lines)(const fn_conv_args *g, conv_job *job, const conv_box *box, const conv_view *view, ptrdiff_t n, const T *b, T *c)
{
  const ptrdiff_t *step = g->classes, lanes = g->co * g->shape.groups;
  for (ptrdiff_t i = 0; i < box->n[0]; i++)
    for (ptrdiff_t d = 0; d < box->n[1]; d++)
      for (ptrdiff_t h = 0; h < box->n[2]; h++) {
        const ptrdiff_t a = i * view->stride[0] + d * box->axis[0].step * view->stride[1] + h * box->axis[1].step * view->stride[2];
        const ptrdiff_t plane = (box->at[0] + i) * g->to[0] + (box->at[1] + d) * step[0] + box->class[0];
        const ptrdiff_t row = plane * g->to[1] + (box->at[2] + h) * step[1] + box->class[1];
        FN(conv_line)(job, box->n[3], n, view->p + a, box->axis[2].step * view->stride[3], b,
                      c + (row * g->to[2] + box->at[3] * step[2] + box->class[2]) * lanes, step[2] * lanes);
      }
}

/* All pixels of the box, panels [from, to).  seg->b counts rows of a panel on the way in and is changed to elements and back by width. */
static void FN(conv_panels)(const fn_conv_args *g, const conv_box *box, const conv_view *view, const conv_room *room, ptrdiff_t group,
                            ptrdiff_t from, ptrdiff_t to)
{
  const ptrdiff_t nseg = FN(conv_segments)(g, box, view, room->seg), lanes = g->co * g->shape.groups;
  ptrdiff_t was = 1;
  const int lines = g->lines && box->n[3] >= 4;
  if (!lines) FN(conv_places)(g, box, view, lanes, room->a_at, room->c_at);
  for (ptrdiff_t panel = from; panel < to; panel++) {
    ptrdiff_t width, k = panel * CONV_NR;
    const ptrdiff_t n = g->co - k < CONV_NR ? g->co - k : CONV_NR;
    const T *b = (const T *)g->packed + FN(conv_panel)(g, group, k, &width);
    T *c = (T *)g->dst + group * g->co + k, bias[CONV_NR];
    if (g->bias) for (ptrdiff_t j = 0; j < width; j++) bias[j] = j < n ? ((const T *)g->bias)[group * g->co + k + j] : (T)0;
    for (ptrdiff_t i = 0; i < nseg; i++) room->seg[i].b = room->seg[i].b / was * width;
    was = width;
    conv_job job = { .seg = room->seg, .nseg = nseg, .a_step = 1, .bias = g->bias ? bias : NULL };
    if (lines) {
      FN(conv_lines)(g, &job, box, view, n, b, c);
      continue;
    }
    for (ptrdiff_t i = 0; i < nseg || i == 0;) {
      ptrdiff_t depth = 0;
      job.seg = room->seg + i;
      for (job.nseg = 0; i < nseg && (depth == 0 || depth + room->seg[i].len <= CONV_DEPTH); i++, job.nseg++) depth += room->seg[i].len;
      FN(conv_columns)(&job, box->pixels, n, view->p, room->a_at, b, c, room->c_at);
      job.load_c = 1;
      job.bias = NULL;
      if (nseg == 0) break;
    }
  }
}

/* With few channels a copy takes as long as an eighth of the products.  If `pays`, a box whose windows leave the image at the sides alone is
   cut: its middle is read in place, and only the ends, mostly a pixel of each row, are copied.  cut: the ends of up to three parts of the
   last axis; returns their number. */
static int FN(conv_cut)(const fn_conv_args *g, const conv_box *box, int pays, ptrdiff_t *cut)
{
  const conv_axis *x = &box->axis[2];
  const ptrdiff_t end = box->at[3] + box->n[3];
  ptrdiff_t lo, hi, other;
  int parts = 0, inside = pays && x->count > 1;
  for (int d = 0; d < 2; d++) {
    const ptrdiff_t first = box->at[d + 1] * box->axis[d].step + box->axis[d].first;
    inside &= first >= 0 && first + FN(conv_extent)(&box->axis[d], box->n[d + 1]) <= g->from[d];
  }
  if (inside) {
    FN(conv_inside)(x, g->from[2], 0, box->at[3], box->n[3], &lo, &other);
    FN(conv_inside)(x, g->from[2], x->count - 1, box->at[3], box->n[3], &other, &hi);
    inside = hi - lo >= CONV_LINE;
  }
  if (inside && lo > box->at[3]) cut[parts++] = lo;
  if (inside && hi < end) cut[parts++] = hi;
  cut[parts++] = end;
  return parts;
}

/* The channels [k, k + n) of a box of y are finished. */
static __attribute__((noinline)) void FN(conv_done)(const fn_conv_args *g, const conv_box *box, ptrdiff_t k, ptrdiff_t n)
{
  const ptrdiff_t *to = g->to, whole = box->n[3] == to[2];           /* rows that are next to each other are one */
  if (!g->after) return;
  for (ptrdiff_t i = 0; i < box->n[0] * box->n[1]; i++) {
    const ptrdiff_t plane = (box->at[0] + i / box->n[1]) * to[0] + box->at[1] + i % box->n[1];
    for (ptrdiff_t h = 0; h < (whole ? 1 : box->n[2]); h++)
      g->after->run(g->after, (plane * to[1] + box->at[2] + h) * to[2] + box->at[3], whole ? box->n[2] * to[2] : box->n[3], k, n);
  }
}

/* Part i of a box that is cut. */
static conv_box FN(conv_part)(const conv_box *box, const ptrdiff_t *cut, int i)
{
  conv_box part = *box;
  part.at[3] = i ? cut[i - 1] : box->at[3];
  part.n[3] = cut[i] - part.at[3];
  part.pixels = part.n[0] * part.n[1] * part.n[2] * part.n[3];
  return part;
}

static void FN(conv_apply)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  fn_conv_args own = *(const fn_conv_args *)p;
  const fn_conv_args *g = &own;
  const conv_room room = FN(conv_room_of)(g, thread);
  if (g->alone) {                                    /* stores to lines that another core has read take many times as long */
    own.packed = (char *)own.packed + thread * g->alone;
    FN(conv_pack)(g, 0, g->pack_units, thread);
  }
  const ptrdiff_t classes = g->classes[0] * g->classes[1] * g->classes[2];
  for (ptrdiff_t u = begin; u < end; u++) {
    const ptrdiff_t class = u % classes, split = u / classes % g->panel_splits, rest = u / classes / g->panel_splits;
    const ptrdiff_t group = rest % g->shape.groups;
    conv_box box;
    conv_view view;
    ptrdiff_t cut[3];
    if (!FN(conv_box_of)(g, rest / g->shape.groups, class, &box)) continue;
    const int copy = g->ci != g->cs && g->shape.kernel[2] > 1 && box.axis[2].gap == 1;
    const int parts = FN(conv_cut)(g, &box, (int)g->lines, cut);
    const ptrdiff_t from = split * g->panels / g->panel_splits, to = (split + 1) * g->panels / g->panel_splits, k = from * CONV_NR;
    for (int i = 0; i < parts; i++) {
      conv_box part = FN(conv_part)(&box, cut, i);
      FN(conv_look)(g, &part, group * g->ci, g->ci, copy, room.copy, &view);
      FN(conv_panels)(g, &part, &view, &room, group, from, to);
    }
    FN(conv_done)(g, &box, group * g->co + k, (to * CONV_NR < g->co ? to * CONV_NR : g->co) - k);
  }
}

#include "kernels/conv_thirds.inc.c"
#include "kernels/conv_weight.inc.c"
#include "kernels/conv_planar.inc.c"
#include "kernels/conv_planar_weight.inc.c"
#include "kernels/conv_scatter.inc.c"
#include "kernels/conv_plan.inc.c"

#undef conv_job
#undef conv_axis
#undef conv_view
#undef conv_box
#undef conv_kind
#undef conv_room
#undef conv_ring
#undef conv_share
#undef conv_dots
#undef CONV_NR
