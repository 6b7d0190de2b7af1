/* C[mr, n] (+)= A.B in registers: mr rows of A are broadcast, nv vectors of a row of B are loaded.  No matrices here, only pointers and k. */

/* Rows that a tile reads or writes later, as wide as the tile. */
typedef struct { const T *p; ptrdiff_t rs, rows; } FN(gemm_later);
#define gemm_later FN(gemm_later)

typedef struct {
  ptrdiff_t k, a_rs, a_cs, b_rs, c_rs, bias_rs;
  ptrdiff_t last;                                    /* lanes of the last vector of a row, when it is partial */
  int       load_c, bias_row, bias_col;              /* what the sums start from */
  T         lowest;                                  /* 0 for relu, -inf otherwise */
  gemm_later next_b;                                 /* rows of B that the next block reads or packs */
} FN(gemm_job);
#define gemm_job FN(gemm_job)

enum { FN(GEMM_NR) = GEMM_NV * GLEN, FN(GEMM_LINE) = 64 / sizeof(T), FN(GEMM_AHEAD) = GEMM_NV > 2 ? 16 : 8, FN(GEMM_CACHE) = GEMM_NV > 2 ? 3 : 2 };
#define GEMM_NR FN(GEMM_NR)
#define GEMM_LINE FN(GEMM_LINE)                      /* elements of a cache line: steps of k between two looks ahead */
#define GEMM_AHEAD FN(GEMM_AHEAD)                    /* steps of k */
#define GEMM_CACHE FN(GEMM_CACHE)                    /* 3: L1; a narrow tile is so quick that what is asked for would push out what it reads */

/* mr, nv and tail are constants wherever this is inlined, so the sums are registers.  Memory is asked for long before it is needed, since the
   hardware does not see jumps from row to row coming: the next tile's rows of A and C; of an A that lies along its rows, steps of k, at the
   tile's last row, since that may lie in a line that no tile has touched. */
static inline __attribute__((always_inline)) void
FN(gemm_tile)(const int mr, const int nv, const int tail, gemm_job *g, const T *a, const T *b, T *c, const T *bias)
{
  const ptrdiff_t ar = g->a_rs, ac = g->a_cs, br = g->b_rs, cr = g->c_rs;
  const ptrdiff_t last = tail ? g->last : GLEN;
  gvec sum[32];
  #pragma GCC unroll 8
  for (int i = 0; i < mr; i++)
    #pragma GCC unroll 8
    for (int j = 0; j < nv; j++) sum[i * nv + j] = g_zero();
  if (g->load_c) {
    #pragma GCC unroll 8
    for (int i = 0; i < mr; i++)
      #pragma GCC unroll 8
      for (int j = 0; j < nv; j++)
        sum[i * nv + j] = tail && j == nv - 1 ? g_loadn(c + i * cr + j * GLEN, last) : g_load(c + i * cr + j * GLEN);
  }
  if (g->bias_col) {
    #pragma GCC unroll 8
    for (int j = 0; j < nv; j++) {
      const gvec v = tail && j == nv - 1 ? g_loadn(bias + j * GLEN, last) : g_load(bias + j * GLEN);
      #pragma GCC unroll 8
      for (int i = 0; i < mr; i++) sum[i * nv + j] = g_add(sum[i * nv + j], v);
    }
  }
  if (g->bias_row) {
    #pragma GCC unroll 8
    for (int i = 0; i < mr; i++) {
      const gvec v = g_set(bias[i * g->bias_rs]);
      #pragma GCC unroll 8
      for (int j = 0; j < nv; j++) sum[i * nv + j] = g_add(sum[i * nv + j], v);
    }
  }
  const int look = sizeof(T) == 4 && mr == (nv == GEMM_NV ? GEMM_MR : GEMM_MT);      /* most tiles have all rows: the others save the code */
  const int wide = GEMM_NV > 2;
  const ptrdiff_t away = ac == 1 ? 0 : GEMM_AHEAD * ac + (mr - 1) * ar, some = g->k <= GEMM_LINE ? 0 : g->k < 4 * GEMM_LINE ? mr : 2;
  gemm_later later = wide && g->next_b.rows > 0 ? g->next_b : (gemm_later){ c + mr * cr, cr, mr };
  for (ptrdiff_t left = g->k, run; left > 0; left -= run) {
    run = look && left > GEMM_LINE ? GEMM_LINE : left;
    if (look && ac == 1 && g->k >= 4 * GEMM_LINE) {
      #pragma GCC unroll 8
      for (int i = 0; i < mr; i++) __builtin_prefetch(a + (mr + i) * ar, 0, GEMM_CACHE);
    }
    for (ptrdiff_t i = 0; look && nv > 1 && i < some && later.rows > 0; i++, later.rows--, later.p += later.rs)
      #pragma GCC unroll 8
      for (int j = 0; j < nv; j++) __builtin_prefetch(later.p + j * GLEN, 0, GEMM_CACHE);
    for (ptrdiff_t l = run; l > 0; l--, a += ac, b += br) {
      __builtin_prefetch(a + away);
      gvec row[8];
      #pragma GCC unroll 8
      for (int j = 0; j < nv; j++) row[j] = tail && j == nv - 1 ? g_loadn(b + j * GLEN, last) : g_load(b + j * GLEN);
      #pragma GCC unroll 8
      for (int i = 0; i < mr; i++) {
        const gvec s = g_set(a[i * ar]);
        #pragma GCC unroll 8
        for (int j = 0; j < nv; j++) sum[i * nv + j] = g_fma(s, row[j], sum[i * nv + j]);
      }
    }
  }
  if (look && wide && g->next_b.rows > 0) g->next_b = later;
  const gvec lowest = g_set(g->lowest);               /* max(-inf, x) is x for every x, NaN too */
  #pragma GCC unroll 8
  for (int i = 0; i < mr; i++)
    #pragma GCC unroll 8
    for (int j = 0; j < nv; j++) {
      const gvec y = g_max(lowest, sum[i * nv + j]);
      if (tail && j == nv - 1) g_storen(c + i * cr + j * GLEN, y, last);
      else g_store(c + i * cr + j * GLEN, y);
    }
}

/* One function for each width, since k is long enough to hide a switch on the rows. */
static __attribute__((noinline)) void FN(gemm_tile_full)(int mr, gemm_job *g, const T *a, const T *b, T *c, const T *bias)
{
  switch (mr) {
    case 1: FN(gemm_tile)(1, GEMM_NV, 0, g, a, b, c, bias); return;
    case 2: FN(gemm_tile)(2, GEMM_NV, 0, g, a, b, c, bias); return;
    case 3: FN(gemm_tile)(3, GEMM_NV, 0, g, a, b, c, bias); return;
    case 4: FN(gemm_tile)(4, GEMM_NV, 0, g, a, b, c, bias); return;
    case 5: if (GEMM_MR >= 5) FN(gemm_tile)(5, GEMM_NV, 0, g, a, b, c, bias); return;
    case 6: if (GEMM_MR >= 6) FN(gemm_tile)(6, GEMM_NV, 0, g, a, b, c, bias); return;
    case 7: if (GEMM_MR >= 7) FN(gemm_tile)(7, GEMM_NV, 0, g, a, b, c, bias); return;
    case 8: if (GEMM_MR >= 8) FN(gemm_tile)(8, GEMM_NV, 0, g, a, b, c, bias); return;
  }
}

static inline __attribute__((always_inline)) void
FN(gemm_tile_rows)(const int nv, int mr, gemm_job *g, const T *a, const T *b, T *c, const T *bias)
{
  const int most = nv == GEMM_NV ? GEMM_MR : GEMM_MT;
  if (!GEMM_TAIL || nv > GEMM_NV) return;            /* no such width: gemm_rows never asks for it */
  switch (mr) {
    case 1: FN(gemm_tile)(1, nv, 1, g, a, b, c, bias); return;
    case 2: FN(gemm_tile)(2, nv, 1, g, a, b, c, bias); return;
    case 3: FN(gemm_tile)(3, nv, 1, g, a, b, c, bias); return;
    case 4: FN(gemm_tile)(4, nv, 1, g, a, b, c, bias); return;
    case 5: if (most >= 5) FN(gemm_tile)(5, nv, 1, g, a, b, c, bias); return;
    case 6: if (most >= 6) FN(gemm_tile)(6, nv, 1, g, a, b, c, bias); return;
    case 7: if (most >= 7) FN(gemm_tile)(7, nv, 1, g, a, b, c, bias); return;
    case 8: if (most >= 8) FN(gemm_tile)(8, nv, 1, g, a, b, c, bias); return;
  }
}

static __attribute__((noinline)) void FN(gemm_tile_1)(int mr, gemm_job *g, const T *a, const T *b, T *c, const T *bias)
{
  FN(gemm_tile_rows)(1, mr, g, a, b, c, bias);
}
static __attribute__((noinline)) void FN(gemm_tile_2)(int mr, gemm_job *g, const T *a, const T *b, T *c, const T *bias)
{
  FN(gemm_tile_rows)(2, mr, g, a, b, c, bias);
}
static __attribute__((noinline)) void FN(gemm_tile_3)(int mr, gemm_job *g, const T *a, const T *b, T *c, const T *bias)
{
  FN(gemm_tile_rows)(3, mr, g, a, b, c, bias);
}
static __attribute__((noinline)) void FN(gemm_tile_4)(int mr, gemm_job *g, const T *a, const T *b, T *c, const T *bias)
{
  FN(gemm_tile_rows)(4, mr, g, a, b, c, bias);
}

/* Rows of the next tile: as large as possible, but without a thin one at the end. */
static inline int FN(gemm_next_rows)(ptrdiff_t left, int most)
{
  if (left >= 2 * most) return most;
  return (int)(left > most ? (left + 1) / 2 : left);
}

/* Rows x n of C, n <= GEMM_NR, k as in the job.  Without masked loads B must be padded to GEMM_NR (packed) when n is smaller. */
static void FN(gemm_rows)(gemm_job *g, ptrdiff_t rows, ptrdiff_t n, const T *a, const T *b, T *c, const T *bias)
{
  const int full = n == GEMM_NR, nv = (int)((n + GLEN - 1) / GLEN), most = full || nv == GEMM_NV ? GEMM_MR : GEMM_MT;
  g->last = n - (nv - 1) * GLEN;
  for (ptrdiff_t i = 0; i < rows;) {
    const int mr = FN(gemm_next_rows)(rows - i, most);
    if (full) FN(gemm_tile_full)(mr, g, a, b, c, bias);
    else switch (nv) {
      case 1: FN(gemm_tile_1)(mr, g, a, b, c, bias); break;
      case 2: FN(gemm_tile_2)(mr, g, a, b, c, bias); break;
      case 3: FN(gemm_tile_3)(mr, g, a, b, c, bias); break;
      case 4: FN(gemm_tile_4)(mr, g, a, b, c, bias); break;
    }
    i += mr;
    a += mr * g->a_rs;
    c += mr * g->c_rs;
    if (g->bias_row) bias += mr * g->bias_rs;
  }
}
