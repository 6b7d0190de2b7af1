/* Which algorithm a shape takes: only shapes and strides decide, never the number of threads.
   Costs are counted in vector instructions, with factors measured on a Zen 4. */
static inline ptrdiff_t FN(ceil_div)(ptrdiff_t a, ptrdiff_t b) { return (a + b - 1) / b; }

/* How B becomes rows of a panel. */
static inline int FN(gemm_pack_how)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, ptrdiff_t b_rs, ptrdiff_t b_cs)
{
  if (b_cs == 1 || n == 1) {
    if (!GEMM_TAIL && n % GEMM_NR) return FN_PACK_COPY;
    const ptrdiff_t bytes = k * b_rs * (ptrdiff_t)sizeof(T);
    return m >= 48 && (bytes > 131072 || bytes < 0) ? FN_PACK_COPY : FN_PACK_NONE;
  }
  return b_rs == 1 || k == 1 ? FN_PACK_TRANSPOSE : FN_PACK_GATHER;
}

static inline double FN(gemm_tile_cost)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, ptrdiff_t b_rs, ptrdiff_t b_cs, ptrdiff_t c_cs)
{
  const double nv = (double)FN(ceil_div)(n, GLEN), depth = (double)k;
  const int how = FN(gemm_pack_how)(m, n, k, b_rs, b_cs);
  const double pack = how == FN_PACK_NONE ? 0 : how == FN_PACK_COPY ? 2 * nv : how == FN_PACK_TRANSPOSE && VLEN > 1 ? 8 * nv : 1.5 * GLEN * nv;
  const double sums = (double)m * nv < 4 ? 4 : (double)m * nv;          /* fewer sums than the latency of a multiply-add */
  return depth * (sums + pack) + (c_cs == 1 ? 0 : 2.0 * (double)m * (double)n);
}

static inline double FN(gemm_dot_cost)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k)
{
  const ptrdiff_t columns = FN(ceil_div)(n, 4) * 4, rows = m <= GEMM_DOT ? m : FN(ceil_div)(m, GEMM_DOT) * GEMM_DOT;
  return (double)(rows * columns) * (1.25 * (double)FN(ceil_div)(k, VLEN) + 5.5);
}

static inline void FN(gemm_exchange)(ptrdiff_t *x, ptrdiff_t *y) { const ptrdiff_t t = *x; *x = *y; *y = t; }

/* C = A.B is C' = B'.A': the same products, rows and columns exchanged. */
static void FN(gemm_transpose)(fn_gemm_args *g)
{
  const void *p = g->a;
  g->a = g->b; g->b = p;
  FN(gemm_exchange)(&g->m, &g->n);
  FN(gemm_exchange)(&g->a_rs, &g->b_cs);
  FN(gemm_exchange)(&g->a_cs, &g->b_rs);
  FN(gemm_exchange)(&g->c_rs, &g->c_cs);
  FN(gemm_exchange)(&g->bias_rs, &g->bias_cs);
  for (ptrdiff_t d = 0; d < g->nbatch; d++) FN(gemm_exchange)(&g->a_bs[d], &g->b_bs[d]);
}

/* Batches that only continue the rows of A and C are more rows. */
static void FN(gemm_fold)(fn_gemm_args *g)
{
  while (g->nbatch > 0) {
    const ptrdiff_t d = g->nbatch - 1, count = g->batch[d];
    if (count != 1) {
      if (g->b_bs[d] != 0 || (g->bias && g->bias_rs != 0)) return;
      if (g->m != 1 && (g->a_bs[d] != g->m * g->a_rs || g->c_bs[d] != g->m * g->c_rs)) return;
      if (g->m == 1) { g->a_rs = g->a_bs[d]; g->c_rs = g->c_bs[d]; }
      g->m *= count;
    }
    g->nbatch--;
  }
}

static void FN(gemm_plan)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  (void)begin; (void)end; (void)thread;
  fn_gemm_args *g = ((const fn_gemm_plan_args *)p)->gemm;
  FN(gemm_fold)(g);
  g->batches = 1;
  for (ptrdiff_t d = 0; d < g->nbatch; d++) g->batches *= g->batch[d];
  g->splits = 1;
  g->split_k = g->k;
  g->scratch_size = g->reduce_units = g->units = 0;
  g->how = FN_GEMM_TILE;
  if (g->m == 0 || g->n == 0 || g->batches == 0) return;

  double cost = FN(gemm_tile_cost)(g->m, g->n, g->k, g->b_rs, g->b_cs, g->c_cs);
  const double turned = FN(gemm_tile_cost)(g->n, g->m, g->k, g->a_cs, g->a_rs, g->c_rs);
  int turn = turned < 0.8 * cost || (g->c_cs != 1 && g->c_rs == 1 && turned < 1.2 * cost);
  if (turn) cost = turned;
  if ((g->a_cs == 1 && g->b_rs == 1) || g->k == 1) {
    const int few = g->n < g->m;
    if (g->k > 1 && FN(gemm_dot_cost)(few ? g->n : g->m, few ? g->m : g->n, g->k) < cost) { g->how = FN_GEMM_DOT; turn = few; }
  }
  /* A long k, both operands along their rows, as in weight gradients: A should stay in the cache while the panels pass, or be read by one
     panel only.  C may then be strided, so that it is added up from shares. */
  const int longest = GEMM_NV > 2 && g->how == FN_GEMM_TILE && !turn && g->a_rs == 1 && g->b_cs == 1 && g->k >= 2 * GEMM_DEEP;
  const int shares = longest && (g->m > g->n ? g->n > GEMM_NR : g->m <= GEMM_NR && g->m >= 48 && g->m < g->n);
  if (turn || shares) FN(gemm_transpose)(g);
  if (g->how == FN_GEMM_TILE && g->m == 1 && g->n >= GEMM_NR && g->k >= 8 && g->b_cs == 1 && g->c_cs == 1) g->how = FN_GEMM_STREAM;
  g->deep = g->a_cs != 1 && g->k >= GEMM_DEEP;
  g->pack = FN(gemm_pack_how)(g->m, g->n, g->k, g->b_rs, g->b_cs);
  if (g->deep && g->pack == FN_PACK_COPY && GEMM_TAIL && GEMM_NV > 2) g->pack = FN_PACK_NONE;     /* its copy would not stay in L1 either */

  if (g->how == FN_GEMM_TILE) {
    g->panels = FN(ceil_div)(g->n, GEMM_NR);
    g->supers = FN(ceil_div)(g->m, GEMM_SUPER_ROWS);
    g->chunks = FN(ceil_div)(FN(ceil_div)(g->m, g->supers), GEMM_UNIT_ROWS);
    g->super_rows = g->chunks * GEMM_UNIT_ROWS;
    g->block = (int32_t)(g->m >= g->n && g->chunks > GEMM_BLOCK ? GEMM_BLOCK : g->chunks);
  } else {
    g->panels = FN(ceil_div)(g->n, g->how == FN_GEMM_DOT ? DOT_COLUMNS : GEMM_NR);
    g->supers = g->chunks = g->block = 1;
    g->super_rows = g->m;
  }
  const ptrdiff_t pieces = g->batches * g->panels * g->supers * g->chunks;
  if ((pieces < GEMM_MIN_UNITS || shares) && g->k >= 2 * GEMM_MIN_SPLIT) {
    /* Few pieces and a long k: shares of k, so that many threads have work. */
    ptrdiff_t splits = shares && pieces >= GEMM_MIN_UNITS ? 2 : FN(ceil_div)(GEMM_MIN_UNITS, pieces);
    if (splits > g->k / GEMM_MIN_SPLIT) splits = g->k / GEMM_MIN_SPLIT;
    g->split_k = FN(ceil_div)(FN(ceil_div)(g->k, splits), VLEN) * VLEN;
    g->splits = FN(ceil_div)(g->k, g->split_k);
  }
  if (g->how == FN_GEMM_STREAM && g->n >= GEMM_STREAM_COLUMNS && g->n * g->k > GEMM_FAR) {
    /* A thread reads whole rows of its share of k: columns of its own would be pieces of all rows, too short to be fetched ahead. */
    g->split_k = FN(ceil_div)(g->k, GEMM_STREAMS);
    g->splits = FN(ceil_div)(g->k, g->split_k);
  }
  if (g->splits > 1) {
    g->scratch_size = g->batches * g->splits * g->m * g->n;
    g->reduce_units = g->batches * g->m * FN(ceil_div)(g->n, GEMM_NR);
  }
  if (turn || g->how != FN_GEMM_TILE || g->splits > 1 || g->nbatch) g->after = NULL;
  g->units = pieces * g->splits;
  g->unit_flops = 2.0 * (double)g->batches * (double)g->m * (double)g->n * (double)g->k / (double)g->units;
}
