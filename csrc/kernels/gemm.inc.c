/* gemm_plan, gemm, gemm_reduce: from a range of units down to tiles. */
#include "kernels/gemm_tile.inc.c"
#include "kernels/gemm_pack.inc.c"

/* One batch and one share of k: where C (or the partial sums) is, and what is done to it. */
typedef struct {
  const T  *a, *b, *bias;
  T        *c;
  ptrdiff_t c_rs, c_cs, k0, k1;
  int       accumulate, act;
  const fn_after *after;                             /* for each piece of C; NULL: nothing, or later */
} FN(gemm_part);
#define gemm_part FN(gemm_part)

static inline vec FN(gemm_act)(int act, vec x)
{
  switch (act) {
    case FN_ACT_RELU:    return v_max(v_zero(), x);
    case FN_ACT_TANH:    return v_tanh(x);
    case FN_ACT_SIGMOID: return v_sigmoid(x);
    default:             return x;
  }
}

/* The activation on rows x n of C, while it is hot. */
static __attribute__((noinline)) void FN(gemm_finish)(const gemm_part *at, ptrdiff_t i0, ptrdiff_t rows, ptrdiff_t j0, ptrdiff_t n)
{
  for (ptrdiff_t i = i0; i < i0 + rows; i++) {
    T *c = at->c + i * at->c_rs + j0 * at->c_cs, lane[VLEN];
    for (ptrdiff_t j = 0; j < n; j += VLEN) {
      const ptrdiff_t lanes = n - j < VLEN ? n - j : VLEN;
      if (at->c_cs == 1) { v_storen(c + j, FN(gemm_act)(at->act, v_loadn(c + j, lanes)), lanes); continue; }
      for (ptrdiff_t l = 0; l < VLEN; l++) lane[l] = l < lanes ? c[(j + l) * at->c_cs] : (T)0;
      v_store(lane, FN(gemm_act)(at->act, v_load(lane)));
      for (ptrdiff_t l = 0; l < lanes; l++) c[(j + l) * at->c_cs] = lane[l];
    }
  }
}

#include "kernels/gemm_dot.inc.c"
#include "kernels/gemm_stream.inc.c"
#include "kernels/gemm_plan.inc.c"

static void FN(gemm_at)(const fn_gemm_args *g, ptrdiff_t batch, ptrdiff_t split, gemm_part *at)
{
  ptrdiff_t ao = 0, bo = 0, co = 0, rest = batch;
  for (ptrdiff_t d = g->nbatch - 1; d >= 0; d--) {
    const ptrdiff_t i = rest % g->batch[d];
    rest /= g->batch[d];
    ao += i * g->a_bs[d];
    bo += i * g->b_bs[d];
    co += i * g->c_bs[d];
  }
  const int whole = g->splits == 1;
  at->a = (const T *)g->a + ao;
  at->b = (const T *)g->b + bo;
  at->bias = whole ? g->bias : NULL;
  at->c = whole ? (T *)g->c + co : (T *)g->scratch + (batch * g->splits + split) * g->m * g->n;
  at->c_rs = whole ? g->c_rs : g->n;
  at->c_cs = whole ? g->c_cs : 1;
  at->k0 = split * g->split_k;
  at->k1 = split == g->splits - 1 ? g->k : at->k0 + g->split_k;
  at->accumulate = whole && g->accumulate;
  at->act = whole ? g->act : FN_ACT_NONE;
  at->after = g->after;
}

/* A tile whose rows cannot be stored as they are (C is strided, or a partial vector costs too much): through a buffer. */
static void FN(gemm_rows_apart)(gemm_job *job, ptrdiff_t rows, ptrdiff_t n, const T *a, const T *b, T *c, ptrdiff_t c_rs, ptrdiff_t c_cs,
                                const T *bias)
{
  _Alignas(64) T tile[8 * GEMM_NR];
  job->c_rs = GEMM_NR;
  for (ptrdiff_t i = 0; i < rows; i += 8) {
    const ptrdiff_t mr = rows - i < 8 ? rows - i : 8;
    T *to = c + i * c_rs;
    if (job->load_c)
      for (ptrdiff_t r = 0; r < mr; r++) {
        for (ptrdiff_t j = 0; j < n; j++) tile[r * GEMM_NR + j] = to[r * c_rs + j * c_cs];
        for (ptrdiff_t j = n; j < GEMM_NR; j++) tile[r * GEMM_NR + j] = 0;
      }
    FN(gemm_rows)(job, mr, GEMM_TAIL ? n : GEMM_NR, a + i * job->a_rs, b, tile, job->bias_row ? bias + i * job->bias_rs : bias);
    for (ptrdiff_t r = 0; r < mr; r++)
      for (ptrdiff_t j = 0; j < n; j++) to[r * c_rs + j * c_cs] = tile[r * GEMM_NR + j];
  }
}

/* Where rows of A begin, and its strides. */
typedef struct { const T *p; ptrdiff_t rs, cs; } FN(gemm_rows_of_a);
#define gemm_rows_of_a FN(gemm_rows_of_a)

/* rows x n of C from (i0, j0), n <= GEMM_NR, with GEMM_KC steps of k from l: a panel of B is packed (or read where it is), and all rows
   pass over it.  a is A's element (i0, l); next: what of B the following block reads or packs, or NULL. */
static void FN(gemm_block)(const fn_gemm_args *g, const gemm_part *at, gemm_rows_of_a a, ptrdiff_t l, ptrdiff_t i0, ptrdiff_t rows,
                           ptrdiff_t j0, ptrdiff_t n, const T *next)
{
  _Alignas(64) T panel[GEMM_KC * GEMM_NR];
  T padded[GEMM_NR];
  const int first = l == at->k0, last = l + GEMM_KC >= at->k1, apart = at->c_cs != 1 || (!GEMM_TAIL && n < GEMM_NR);
  const T *bias = at->bias, *b = at->b + l * g->b_rs + j0 * g->b_cs;
  T *c = at->c + i0 * at->c_rs + j0 * at->c_cs;
  gemm_job job = {
    .k = last ? at->k1 - l : GEMM_KC, .a_rs = a.rs, .a_cs = a.cs, .b_rs = g->pack ? GEMM_NR : g->b_rs,
    .c_rs = at->c_rs, .bias_rs = g->bias_rs, .load_c = !first || at->accumulate,
    .bias_row = first && bias && g->bias_rs != 0, .bias_col = first && bias && g->bias_rs == 0,
    .lowest = last && at->act == FN_ACT_RELU ? (T)0 : -(T)INFINITY,
    .next_b = { next, g->b_rs, next ? GEMM_KC : 0 } };
  if (job.bias_row) bias += i0 * g->bias_rs + j0 * g->bias_cs;
  if (job.bias_col) {
    bias += j0 * g->bias_cs;
    if (g->bias_cs != 1 || n < GEMM_NR) {
      for (ptrdiff_t j = 0; j < GEMM_NR; j++) padded[j] = j < n ? bias[j * g->bias_cs] : (T)0;
      bias = padded;
    }
  }
  if (g->pack) { FN(gemm_pack)(g->pack, b, g->b_rs, g->b_cs, job.k, n, panel); b = panel; }
  for (ptrdiff_t i = 0, some; i < rows; i += some, a.p += some * a.rs, c += some * at->c_rs) {
    some = last && at->after && rows - i > GEMM_AFTER ? GEMM_AFTER : rows - i;
    if (apart) FN(gemm_rows_apart)(&job, some, n, a.p, b, c, at->c_rs, at->c_cs, bias);
    else FN(gemm_rows)(&job, some, n, a.p, b, c, bias);
    if (last && at->after) at->after->run(at->after, i0 + i, some, j0, n);
  }
  if (last && at->act > FN_ACT_RELU) FN(gemm_finish)(at, i0, rows, j0, n);
}

/* Rows i0 to i1 of C, panels [from, to).  A lies along its rows: a tile would touch another line, and often another page and the same
   few sets of the caches, at each step of k.  So a slab of A is turned, in squares of one vector by one vector, until its rows lie along k,
   and all panels pass over it.  Wide tiles (4 vectors) do enough with each element of A to hide that, and are faster without the copy. */
static void FN(gemm_turn)(const T *a, ptrdiff_t cs, ptrdiff_t rows, ptrdiff_t depth, T *to)
{
  for (ptrdiff_t i = 0; i < rows; i += VLEN)
    for (ptrdiff_t d = 0; d < depth; d += VLEN) {
      const ptrdiff_t h = rows - i < VLEN ? rows - i : VLEN, w = depth - d < VLEN ? depth - d : VLEN;
      vec r[VLEN];
      if (h == VLEN && w == VLEN) {
        #pragma GCC unroll 16
        for (int c = 0; c < VLEN; c++) r[c] = v_load(a + (d + c) * cs + i);
        v_transpose(r);
        #pragma GCC unroll 16
        for (int c = 0; c < VLEN; c++) v_store(to + (i + c) * GEMM_KC + d, r[c]);
      } else {
        for (ptrdiff_t c = 0; c < h; c++)
          for (ptrdiff_t l = 0; l < w; l++) to[(i + c) * GEMM_KC + d + l] = a[(d + l) * cs + i + c];
      }
    }
}

static __attribute__((noinline)) void
FN(gemm_slabs)(const fn_gemm_args *g, const gemm_part *at, ptrdiff_t i0, ptrdiff_t i1, ptrdiff_t from, ptrdiff_t to)
{
  enum { ROWS = 768 / sizeof(T) };                  /* a multiple of every tile, in L2 with a panel of B */
  _Alignas(64) T slab[GEMM_KC * ROWS];
  for (ptrdiff_t l = at->k0; l < at->k1; l += GEMM_KC)
    for (ptrdiff_t i = i0; i < i1; i += ROWS) {
      const ptrdiff_t rows = i1 - i < ROWS ? i1 - i : ROWS, depth = at->k1 - l < GEMM_KC ? at->k1 - l : GEMM_KC;
      const T *a = at->a + i + l * g->a_cs;
      FN(gemm_turn)(a, g->a_cs, rows, depth, slab);
      for (ptrdiff_t panel = from; panel < to; panel++) {
        const ptrdiff_t j0 = panel * GEMM_NR, n = g->n - j0 < GEMM_NR ? g->n - j0 : GEMM_NR;
        FN(gemm_block)(g, at, (gemm_rows_of_a){ slab, GEMM_KC, 1 }, l, i, rows, j0, n, NULL);
      }
    }
}

/* Units [begin, end) of one group of rows, panel by panel: in each, the chunks of all its units share one packing.  When k is deep and A lies
   along its rows, k is the outer loop, so that a slab of A stays in L2 while the panels pass. */
static void FN(gemm_super)(const fn_gemm_args *g, const gemm_part *at, ptrdiff_t super, ptrdiff_t begin, ptrdiff_t end)
{
  const ptrdiff_t top = super * g->super_rows, step = g->deep ? GEMM_KC : at->k1 - at->k0;
  const ptrdiff_t bottom = top + g->super_rows < g->m ? top + g->super_rows : g->m;
  const ptrdiff_t block = g->block, per = block * g->panels;
  if (at->after && g->panels > 1) {                  /* pieces of rows, of other operands too, would come slowly: whole rows where they are */
    const ptrdiff_t first = (begin + per - 1) / per, past = end == g->panels * g->chunks ? (end + per - 1) / per : end / per;
    const ptrdiff_t i0 = top + first * block * GEMM_UNIT_ROWS, i1 = top + past * block * GEMM_UNIT_ROWS;
    if (first < past) {
      gemm_part own = *at;
      own.after = NULL;
      if (begin < first * per) FN(gemm_super)(g, at, super, begin, first * per);
      FN(gemm_super)(g, &own, super, first * per, past * per < end ? past * per : end);
      at->after->run(at->after, i0, (i1 < bottom ? i1 : bottom) - i0, 0, g->n);
      if (past * per < end) FN(gemm_super)(g, at, super, past * per, end);
      return;
    }
  }
  if (GEMM_NV <= 2 && g->a_rs == 1 && g->a_cs * (ptrdiff_t)sizeof(T) >= 256 && at->k1 > at->k0) {
    /* What is whole in the range: all chunks of some panels, or all panels of some blocks. */
    const int wide = block == g->chunks;
    const ptrdiff_t unit = wide ? g->chunks : per, whole = (begin + unit - 1) / unit;
    const ptrdiff_t past = end == g->panels * g->chunks ? (end + unit - 1) / unit : end / unit;
    const ptrdiff_t i0 = wide ? top : top + whole * block * GEMM_UNIT_ROWS, i1 = wide ? bottom : top + past * block * GEMM_UNIT_ROWS;
    if (past > whole && (wide ? past - whole : g->panels) >= 4) {
      if (begin < whole * unit) FN(gemm_super)(g, at, super, begin, whole * unit);
      FN(gemm_slabs)(g, at, i0, i1 < bottom ? i1 : bottom, wide ? whole : 0, wide ? past : g->panels);
      if (past * unit < end) FN(gemm_super)(g, at, super, past * unit, end);
      return;
    }
  }
  const ptrdiff_t b0 = begin / per * block, b1 = end / per * block, s0 = g->chunks - b0 < block ? g->chunks - b0 : block;
  const ptrdiff_t s1 = g->chunks - b1 < block ? g->chunks - b1 : block, u0 = begin - b0 * g->panels, u1 = end - b1 * g->panels;
  const ptrdiff_t from = b0 == b1 ? u0 / s0 : 0, to = b0 == b1 ? (u1 + s0 - 1) / s0 : g->panels;
  for (ptrdiff_t k0 = at->k0, first = 1; first || k0 < at->k1; k0 += step, first = 0)
    for (ptrdiff_t panel = from; panel < to; panel++) {
      const ptrdiff_t c0 = u0 - panel * s0, c1 = u1 - panel * s1, j0 = panel * GEMM_NR, n = g->n - j0 < GEMM_NR ? g->n - j0 : GEMM_NR;
      const ptrdiff_t i0 = top + (b0 + (c0 < 0 ? 0 : c0 < s0 ? c0 : s0)) * GEMM_UNIT_ROWS;
      ptrdiff_t i1 = top + (b1 + (c1 < 0 ? 0 : c1 < s1 ? c1 : s1)) * GEMM_UNIT_ROWS;
      if (i1 > g->m) i1 = g->m;
      if (i0 >= i1) continue;
      ptrdiff_t l = k0;
      do {
        const T *next = NULL;
        if (g->deep && !g->pack) next = at->b + (panel + 1 < to ? l * g->b_rs + j0 + GEMM_NR : (l + GEMM_KC) * g->b_rs + from * GEMM_NR);
        else if (g->b_cs == 1 && l + GEMM_KC < at->k1) next = at->b + (l + GEMM_KC) * g->b_rs + j0;
        else if (g->b_cs == 1 && panel + 1 < to) next = at->b + k0 * g->b_rs + j0 + GEMM_NR;
        FN(gemm_block)(g, at, (gemm_rows_of_a){ at->a + i0 * g->a_rs + l * g->a_cs, g->a_rs, g->a_cs }, l, i0, i1 - i0, j0, n, next);
        l += GEMM_KC;
      } while (l < k0 + step && l < at->k1);
    }
}

static void FN(gemm)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_gemm_args *g = p;
  (void)thread;
  const ptrdiff_t per_super = g->panels * g->chunks;
  for (ptrdiff_t u = begin; u < end;) {
    const ptrdiff_t which = u < per_super ? 0 : u / per_super, from = u - which * per_super;   /* small products: no division */
    const ptrdiff_t part = which < g->supers ? 0 : which / g->supers, batch = part < g->splits ? 0 : part / g->splits;
    const ptrdiff_t to = end - u < per_super - from ? from + end - u : per_super;
    gemm_part at;
    FN(gemm_at)(g, batch, part - batch * g->splits, &at);
    if (g->how == FN_GEMM_TILE) FN(gemm_super)(g, &at, which - part * g->supers, from, to);
    else if (g->how == FN_GEMM_STREAM) FN(gemm_stream)(g, &at, from * GEMM_NR, to * GEMM_NR < g->n ? to * GEMM_NR : g->n);
    else if (g->m == 1 && g->n * g->k > GEMM_FAR) FN(dot_far)(g, &at, from * DOT_COLUMNS, to * DOT_COLUMNS < g->n ? to * DOT_COLUMNS : g->n);
    else for (ptrdiff_t panel = from; panel < to; panel++) FN(gemm_dot)(g, &at, panel * DOT_COLUMNS);
    u += to - from;
  }
}

/* C from the partial sums, in order. */
static void FN(gemm_reduce)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_gemm_args *g = p;
  (void)thread;
  const ptrdiff_t blocks = (g->n + GEMM_NR - 1) / GEMM_NR, size = g->m * g->n;
  for (ptrdiff_t u = begin; u < end; u++) {
    const ptrdiff_t batch = u / (g->m * blocks), i = u / blocks % g->m, j0 = u % blocks * GEMM_NR;
    const ptrdiff_t n = g->n - j0 < GEMM_NR ? g->n - j0 : GEMM_NR;
    const T *part = (const T *)g->scratch + batch * g->splits * size + i * g->n + j0;
    T sum[GEMM_NR];
    ptrdiff_t co = 0, rest = batch;
    for (ptrdiff_t d = g->nbatch - 1; d >= 0; d--) { co += rest % g->batch[d] * g->c_bs[d]; rest /= g->batch[d]; }
    const gemm_part at = { .c = (T *)g->c + co, .c_rs = g->c_rs, .c_cs = g->c_cs, .act = g->act };
    T *c = at.c + i * g->c_rs + j0 * g->c_cs;
    const T *bias = g->bias ? (const T *)g->bias + i * g->bias_rs + j0 * g->bias_cs : NULL;
    const int rows = g->c_cs == 1 && (!bias || g->bias_cs == 1);
    for (ptrdiff_t j = 0; j < n && !rows; j++) sum[j] = (g->accumulate ? c[j * g->c_cs] : (T)0) + (bias ? bias[j * g->bias_cs] : (T)0);
    for (ptrdiff_t j = 0; j < n; j += VLEN) {
      const ptrdiff_t lanes = n - j < VLEN ? n - j : VLEN;
      vec y = !rows ? v_loadn(sum + j, lanes) : g->accumulate ? v_loadn(c + j, lanes) : v_zero();
      if (rows && bias) y = v_add(y, v_loadn(bias + j, lanes));
      for (ptrdiff_t s = 0; s < g->splits; s++) y = v_add(y, v_loadn(part + s * size + j, lanes));
      if (g->act == FN_ACT_RELU) y = v_max(v_zero(), y);
      v_storen(rows ? c + j : sum + j, y, lanes);
    }
    for (ptrdiff_t j = 0; j < n && !rows; j++) c[j * g->c_cs] = sum[j];
    if (g->act > FN_ACT_RELU) FN(gemm_finish)(&at, i, 1, j0, n);
  }
}

#undef gemm_job
#undef gemm_later
#undef gemm_rows_of_a
#undef gemm_part
#undef GEMM_NR
#undef GEMM_LINE
#undef GEMM_AHEAD
#undef GEMM_CACHE
#undef DOT_COLUMNS
