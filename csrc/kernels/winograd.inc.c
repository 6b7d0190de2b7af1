/* winograd_plan, winograd_filter, winograd_forward, winograd_input, winograd_output: blocks of tiles, plane by plane. */
#define gemm_job FN(gemm_job)
#define GEMM_NR  FN(GEMM_NR)
#include "kernels/winograd_transform.inc.c"
#include "kernels/winograd_filter.inc.c"

static void FN(winograd_read_any)(const fn_winograd_args *a, int phase, ptrdiff_t t0, ptrdiff_t t1, ptrdiff_t c0, ptrdiff_t c1, T *v)
{
  if (a->side == WINOGRAD_STRIDED) FN(winograd_read_strided)(a, phase, t0, t1, c0, c1, v);
  else if (a->tile == 4) FN(winograd_read_4)(a, t0, t1, c0, c1, v);
  else FN(winograd_read_2)(a, t0, t1, c0, c1, v);
}
static void FN(winograd_spread_any)(const fn_winograd_args *a, ptrdiff_t t0, ptrdiff_t t1, T *d)
{
  if (a->side == WINOGRAD_STRIDED) FN(winograd_spread_strided)(a, t0, t1, d);
  else if (a->tile == 4) FN(winograd_spread_4)(a, t0, t1, d);
  else FN(winograd_spread_2)(a, t0, t1, d);
}
static void
FN(winograd_write_any)(const fn_winograd_args *a, int phase, ptrdiff_t t0, ptrdiff_t t1, ptrdiff_t k0, ptrdiff_t k1, const T *z, ptrdiff_t z_row)
{
  if (a->side == WINOGRAD_STRIDED) FN(winograd_write_strided)(a, phase, t0, t1, k0, k1, z, z_row);
  else if (a->tile == 4) FN(winograd_write_4)(a, t0, t1, k0, k1, z, z_row);
  else FN(winograd_write_2)(a, t0, t1, k0, k1, z, z_row);
  for (ptrdiff_t t = t0; a->after && t < t1;) {      /* tiles beside each other: rows of pixels */
    winograd_window s = FN(winograd_at_tile)(a, t, 0, a->y, a->oh, a->ow, a->k, 1, 0, 0, (int)a->tile, 0);
    const ptrdiff_t at = (s.p - (T *)a->y) / a->k, rows = __builtin_ctz(~s.rows);
    ptrdiff_t pixels = 0;
    while (t < t1 && (s.p - (T *)a->y) / a->k == at + pixels && __builtin_ctz(~s.rows) == rows) {
      pixels += __builtin_ctz(~s.columns);
      if (++t < t1) s = FN(winograd_at_tile)(a, t, 0, a->y, a->oh, a->ow, a->k, 1, 0, 0, (int)a->tile, 0);
    }
    for (ptrdiff_t i = 0; i < rows; i++) a->after->run(a->after, at + i * a->ow, pixels, k0, k1 - k0);
  }
}

/* The planes of a phase that meet the same plane of U: `count` of them from `first` on, in rows of `columns`. */
typedef struct { ptrdiff_t kernel, first, columns, count; } FN(winograd_kernel);
#define winograd_kernel FN(winograd_kernel)

/* The n-th of a phase; none after the last.  Along an odd axis all planes share the last row of U. */
static inline winograd_kernel FN(winograd_kernel_of)(const fn_winograd_args *a, int phase, ptrdiff_t n)
{
  const int odd_row = FN(winograd_odd_row)(phase), odd_column = FN(winograd_odd_column)(phase);
  const ptrdiff_t columns = odd_column ? 1 : a->side, i = n / columns, j = n % columns, rows = a->side + (a->phases > 1);
  const ptrdiff_t wide = odd_column ? a->side - 1 : 1;
  return (winograd_kernel){ .kernel = (odd_row ? rows - 1 : i) * rows + (odd_column ? rows - 1 : j), .first = i * a->side + j, .columns = wide,
                           .count = i < (odd_row ? 1 : a->side) ? odd_row ? wide * (a->side - 1) : wide : 0 };
}
static inline ptrdiff_t FN(winograd_meets)(const fn_winograd_args *a, const winograd_kernel *s, ptrdiff_t i)
{
  return s->first + i / s->columns * a->side + i % s->columns;
}

/* Elements of a plane: a stride that is a multiple of a page and one line more, so that the planes of a tile fall into different sets. */
static inline ptrdiff_t FN(winograd_plane)(ptrdiff_t elements)
{
  const ptrdiff_t page = 4096 / (ptrdiff_t)sizeof(T), line = 64 / (ptrdiff_t)sizeof(T);
  return (elements + page - 1) / page * page + line;
}

/* A row of at least n elements: whole vectors, and not a multiple of 1 KiB, so that a column of rows does not fall into one set. */
static inline ptrdiff_t FN(winograd_row)(ptrdiff_t n)
{
  const ptrdiff_t line = 64 / (ptrdiff_t)sizeof(T), row = (n + line - 1) / line * line;
  return row * (ptrdiff_t)sizeof(T) % 1024 ? row : row + line;
}

static inline ptrdiff_t FN(winograd_pieces)(ptrdiff_t n, ptrdiff_t of) { return (n + of - 1) / of; }

/* Where piece i of n begins, when `whole` is cut into n nearly equal pieces. */
static inline ptrdiff_t FN(winograd_cut)(ptrdiff_t whole, ptrdiff_t i, ptrdiff_t n) { return whole * i / n; }

/* Tiles of a block: V and the products of a block, or V and D, should stay in L2. */
static ptrdiff_t FN(winograd_block)(const fn_winograd_args *a)
{
  const ptrdiff_t bytes = (a->c_row + a->k_row) * a->planes * (ptrdiff_t)sizeof(T);
  const ptrdiff_t fit = WINOGRAD_L2 / bytes, least = a->weight ? 48 : 24;
  return fit < least ? least : fit < 96 ? fit : 96;
}

/* The weight gradient in patches of channels.  Of a narrow layer where they are units enough, and then the transforms of few tiles are made
   by every thread for itself: that takes less time than to wait for another's, and to fetch them. */
static int FN(winograd_patches)(fn_winograd_args *a)
{
  const ptrdiff_t patches = FN(winograd_pieces)(a->c, WINOGRAD_ROWS), units = a->panels * patches;
  a->fused = a->c * a->k > WINOGRAD_NARROW || (a->tiles <= WINOGRAD_FEW && units > 1);
  if (!a->fused) return 0;
  a->groups = FN(winograd_pieces)(a->tiles, WINOGRAD_FEW);
  const ptrdiff_t tiles = FN(winograd_pieces)(a->tiles, a->groups);
  a->c_patch = WINOGRAD_ROWS;
  a->k_patch = GEMM_NR;
  a->c_row = FN(winograd_row)(WINOGRAD_ROWS);
  a->k_row = FN(winograd_row)(GEMM_TAIL && a->panels == 1 ? a->k : GEMM_NR);
  a->v_plane = FN(winograd_plane)(tiles * a->c_row);
  a->z_plane = FN(winograd_plane)(tiles * a->k_row);
  a->u_plane = FN(winograd_plane)(WINOGRAD_ROWS * GEMM_NR);
  a->v_patch = a->phases * a->planes * a->v_plane;
  a->d_patch = a->planes * a->z_plane;
  a->v_size = patches * a->v_patch;
  a->d_size = a->panels * a->d_patch;
  a->units = units;
  a->own_size = a->kernels * a->u_plane;
  a->alone = a->groups == 1 && a->d_size * (ptrdiff_t)sizeof(T) <= WINOGRAD_ALONE;
  if (a->alone) {
    a->own_size += a->v_patch + a->d_size;
    a->v_size = a->d_size = 0;
  } else if (a->groups > 1) a->u_size = units * a->own_size;
  return 1;
}

/* Few tiles: panels of k are the units, an even number of them for two threads.  A narrow layer's have as many columns as that needs, and
   every thread makes V for itself. */
static int FN(winograd_fused)(fn_winograd_args *a)
{
  if (a->weight) return FN(winograd_patches)(a);
  const ptrdiff_t in = a->planes * (a->x_step > 1 ? a->phases : 1), out = a->planes * (a->y_step > 1 ? a->phases : 1);
  const ptrdiff_t pairs = FN(winograd_pieces)(a->k, 2 * GEMM_NR);
  const ptrdiff_t width = FN(winograd_pieces)(a->k, 2 * pairs * VLEN) * VLEN;
  const ptrdiff_t bytes = a->tiles * a->c * in * (ptrdiff_t)sizeof(T), most = a->c * a->k > WINOGRAD_NARROW ? WINOGRAD_ALONE : WINOGRAD_L2;
  a->alone = GEMM_TAIL && a->k > width && bytes <= most && FN(winograd_pieces)(a->k, width) % 2 == 0;
  const int even = a->panels % 2 == 0 || a->panels > 8;            /* two threads share the panels evenly, or nearly */
  a->fused = a->c * a->k > WINOGRAD_NARROW ? a->tiles <= WINOGRAD_FEW && (even || a->alone) : a->alone;
  if (!a->fused) return a->alone = 0;
  if (a->alone) a->width = width;
  a->c_patch = WINOGRAD_DEPTH;
  a->k_patch = a->width;
  a->c_row = FN(winograd_row)(FN(winograd_least)(a->c, a->c_patch));
  a->k_row = FN(winograd_row)(a->width);
  a->v_plane = FN(winograd_plane)(a->tiles * a->c_row);
  a->z_plane = FN(winograd_plane)(a->tiles * a->k_row);
  a->u_plane = FN(winograd_plane)(FN(winograd_least)(a->c, a->c_patch) * a->width);
  a->v_patch = in * a->v_plane;
  a->v_size = FN(winograd_pieces)(a->c, a->c_patch) * a->v_patch;
  a->own_size = a->kernels * a->u_plane + out * a->z_plane;
  a->units = FN(winograd_pieces)(a->k, a->width);
  if (a->alone) {
    a->own_size += a->v_size;
    a->v_size = 0;
  }
  return 1;
}

static void FN(winograd_plan)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  (void)begin; (void)end; (void)thread;
  if (sizeof(T) != sizeof(float)) return;
  fn_winograd_args *a = ((const fn_winograd_plan_args *)p)->plan;
  const int strided = a->x_step * a->y_step > 1;
  a->side = strided ? WINOGRAD_STRIDED : a->tile + 2;
  a->planes = a->side * a->side;
  a->kernels = (a->side + strided) * (a->side + strided);
  a->phases = strided ? 4 : 1;
  const ptrdiff_t outs_h = FN(winograd_pieces)(a->oh + a->off_h, a->y_step), outs_w = FN(winograd_pieces)(a->ow + a->off_w, a->y_step);
  a->edge_h = a->tile == 4 ? outs_h % 4 : 0;
  a->edge_w = a->tile == 4 ? outs_w % 4 : 0;
  a->whole_h = a->edge_h ? outs_h / 4 : FN(winograd_pieces)(outs_h, a->tile);
  a->whole_w = a->edge_w ? outs_w / 4 : FN(winograd_pieces)(outs_w, a->tile);
  a->whole = a->edge_w ? a->images * a->whole_h : 0;
  a->lower = a->whole + a->images * a->whole_h * a->whole_w;
  a->corner = a->lower + (a->edge_h ? a->images * a->whole_w : 0);
  a->tiles = a->corner + (a->edge_h && a->edge_w ? a->images : 0);
  a->width = GEMM_NR;
  a->panels = FN(winograd_pieces)(a->k, GEMM_NR);
  a->c_patch = a->c;
  a->k_patch = GEMM_TAIL ? a->k : a->panels * GEMM_NR;
  a->v_patch = a->d_patch = 0;
  a->u_size = a->v_size = a->d_size = a->own_size = a->units = a->filter_units = a->finish_units = 0;
  a->groups = a->splits = a->blocks = 1;
  a->fused = a->alone = 0;
  if (a->tiles == 0 || FN(winograd_fused)(a)) return;
  a->c_row = FN(winograd_row)(a->c_patch);
  a->k_row = FN(winograd_row)(a->k_patch);
  /* An even number of blocks, for two threads. */
  a->blocks = FN(winograd_pieces)(a->tiles, FN(winograd_block)(a));
  if (a->blocks > 1) a->blocks += a->blocks % 2;
  const ptrdiff_t tiles = FN(winograd_pieces)(a->tiles, a->blocks);
  a->v_plane = FN(winograd_plane)(tiles * a->c_row);
  a->z_plane = FN(winograd_plane)(tiles * a->k_row);
  a->own_size = a->planes * (a->v_plane + a->z_plane);
  if (a->weight) {
    a->splits = FN(winograd_least)(WINOGRAD_SPLITS, FN(winograd_pieces)(a->blocks, 4));
    if (a->blocks > 1) a->splits += a->splits % 2;
    a->u_plane = FN(winograd_plane)(a->c * a->k_row);
    a->u_size = a->splits * a->kernels * a->u_plane;
    a->units = a->splits;
    a->finish_units = a->panels * a->c;
  } else {
    a->u_plane = FN(winograd_plane)(a->panels * a->c * GEMM_NR);
    a->u_size = a->kernels * a->u_plane;
    a->units = a->blocks;
    a->filter_units = a->panels * a->c;
    a->alone = a->c * a->k <= WINOGRAD_NARROW;
    if (a->alone) {
      a->own_size += a->u_size;
      a->u_size = a->filter_units = 0;
    }
  }
}

/* U of one panel and the inputs c0..c1, to u[plane][c - c0][width]. */
static void FN(winograd_filter_panel)(const fn_winograd_args *a, ptrdiff_t panel, ptrdiff_t c0, ptrdiff_t c1, T *u)
{
  const ptrdiff_t k0 = panel * a->width;
  for (ptrdiff_t j = 0; j < a->width && (!GEMM_TAIL || k0 + j < a->k); j += VLEN)
    if (a->side == WINOGRAD_STRIDED) FN(winograd_filters_strided)(a, c0, c1, k0 + j, u + j);
    else if (a->tile == 4) FN(winograd_filters_4)(a, c0, c1, k0 + j, u + j);
    else FN(winograd_filters_2)(a, c0, c1, k0 + j, u + j);
}

/* U of the rows begin..end of all panels, to u[plane][panel][c][GEMM_NR]. */
static void FN(winograd_filter_rows)(const fn_winograd_args *a, ptrdiff_t begin, ptrdiff_t end, T *u)
{
  for (ptrdiff_t i = begin; i < end;) {
    const ptrdiff_t panel = i / a->c, c0 = i % a->c, c1 = FN(winograd_least)(FN(winograd_least)(a->c, c0 + 16), c0 + end - i);
    FN(winograd_filter_panel)(a, panel, c0, c1, u + i * GEMM_NR);
    i += c1 - c0;
  }
}

static void FN(winograd_filter)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_winograd_args *a = p;
  (void)thread;
  if (sizeof(T) == sizeof(float)) FN(winograd_filter_rows)(a, begin, end, a->u);
}

static inline gemm_job FN(winograd_job)(ptrdiff_t k, ptrdiff_t a_rs, ptrdiff_t a_cs, ptrdiff_t b_rs, ptrdiff_t c_rs, int load_c)
{
  return (gemm_job){ .k = k, .a_rs = a_rs, .a_cs = a_cs, .b_rs = b_rs, .c_rs = c_rs, .load_c = load_c, .lowest = -(T)INFINITY };
}

/* A phase reads its part of x, and all add to the same products; or all read the same, and each writes its part of y. */
static void FN(winograd_forward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_winograd_args *a = p;
  if (sizeof(T) != sizeof(float)) return;
  T *v = (T *)a->own + thread * a->own_size, *z = v + a->planes * a->v_plane, *mine = z + a->planes * a->z_plane;
  const T *u = a->alone ? mine : a->u;
  if (a->alone) FN(winograd_filter_rows)(a, 0, a->panels * a->c, mine);
  for (ptrdiff_t unit = begin; unit < end; unit++) {
    const ptrdiff_t t0 = FN(winograd_cut)(a->tiles, unit, a->blocks), t1 = FN(winograd_cut)(a->tiles, unit + 1, a->blocks);
    for (int phase = 0; phase < a->phases; phase++) {
      if (phase == 0 || a->x_step > 1) FN(winograd_read_any)(a, phase, t0, t1, 0, a->c, v);
      winograd_kernel s;
      for (ptrdiff_t i = 0; s = FN(winograd_kernel_of)(a, phase, i), s.count > 0; i++)
        for (ptrdiff_t panel = 0; panel < a->panels; panel++)
          for (ptrdiff_t j = 0; j < s.count; j++) {
            const ptrdiff_t k0 = panel * GEMM_NR, n = FN(winograd_least)(a->k - k0, GEMM_NR), plane = FN(winograd_meets)(a, &s, j);
            const FN(winograd_share) some = FN(winograd_shared)(a, plane, t0, t1);
            if (some.count == 0) continue;
            gemm_job job = FN(winograd_job)(a->c, a->c_row, 1, GEMM_NR, a->k_row, phase > 0 && a->x_step > 1);
            FN(gemm_rows)(&job, some.count, GEMM_TAIL ? n : GEMM_NR, v + plane * a->v_plane + some.first * a->c_row,
                          u + s.kernel * a->u_plane + panel * a->c * GEMM_NR, z + plane * a->z_plane + some.first * a->k_row + k0, NULL);
          }
      if (phase == a->phases - 1 || a->y_step > 1) FN(winograd_write_any)(a, a->y_step > 1 ? phase : 0, t0, t1, 0, a->k, z, a->k_row);
    }
  }
}

/* V of all phases, one after the other, where each has its own. */
static void FN(winograd_read_all)(const fn_winograd_args *a, ptrdiff_t t0, ptrdiff_t t1, ptrdiff_t c0, ptrdiff_t c1, T *v)
{
  for (int phase = 0; phase < (a->x_step > 1 ? a->phases : 1); phase++)
    FN(winograd_read_any)(a, phase, t0, t1, c0, c1, v + phase * a->planes * a->v_plane);
}

static void FN(winograd_input)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_winograd_args *a = p;
  (void)thread;
  if (sizeof(T) != sizeof(float)) return;
  const ptrdiff_t first = FN(winograd_cut)(a->tiles, a->group, a->groups);
  FN(winograd_read_all)(a, first + begin, first + end, 0, a->c, (T *)a->v + begin * a->c_row);
  if (a->weight) FN(winograd_spread_any)(a, first + begin, first + end, (T *)a->d + begin * a->k_row);
}

static void FN(winograd_output)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_winograd_args *a = p;
  if (sizeof(T) != sizeof(float)) return;
  const ptrdiff_t next_v = a->x_step > 1 ? a->planes * a->v_plane : 0, next_z = a->y_step > 1 ? a->planes * a->z_plane : 0;  /* phase */
  const ptrdiff_t outs = a->y_step > 1 ? a->phases : 1;
  T *u = (T *)a->own + thread * a->own_size, *z = u + a->kernels * a->u_plane, *mine = z + outs * a->planes * a->z_plane;
  const T *v = a->alone ? mine : a->v;
  if (a->alone) FN(winograd_read_all)(a, 0, a->tiles, 0, a->c, mine);
  for (ptrdiff_t unit = begin; unit < end; unit++) {
    const ptrdiff_t k0 = unit * a->width, n = FN(winograd_least)(a->k - k0, a->width);
    for (ptrdiff_t c0 = 0; c0 < a->c; c0 += a->c_patch) {
      const ptrdiff_t c1 = FN(winograd_least)(a->c, c0 + a->c_patch);
      const T *patch = v + c0 / a->c_patch * a->v_patch;
      FN(winograd_filter_panel)(a, unit, c0, c1, u);
      winograd_kernel s;
      for (int phase = 0; phase < a->phases; phase++)
        for (ptrdiff_t i = 0; s = FN(winograd_kernel_of)(a, phase, i), s.count > 0; i++)
          for (ptrdiff_t j = 0; j < s.count; j++) {
            const ptrdiff_t plane = FN(winograd_meets)(a, &s, j);
            const FN(winograd_share) some = FN(winograd_shared)(a, plane, 0, a->tiles);
            if (some.count == 0) continue;
            gemm_job job = FN(winograd_job)(c1 - c0, a->c_row, 1, a->width, a->k_row, c0 > 0 || (phase > 0 && a->x_step > 1));
            FN(gemm_rows)(&job, some.count, GEMM_TAIL ? n : GEMM_NR, patch + phase * next_v + plane * a->v_plane + some.first * a->c_row,
                          u + s.kernel * a->u_plane, z + phase * next_z + plane * a->z_plane + some.first * a->k_row, NULL);
          }
    }
    for (int phase = 0; phase < outs; phase++) FN(winograd_write_any)(a, phase, 0, a->tiles, k0, k0 + n, z + phase * next_z, a->k_row);
  }
}

#include "kernels/winograd_weight.inc.c"
#undef winograd_window
#undef winograd_kernel
#undef winograd_kind
#undef WINOGRAD_STRIDED
#undef WINOGRAD_ONCE
#undef gemm_job
#undef GEMM_NR
