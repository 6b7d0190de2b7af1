/* C[mr, nv vectors] (+)= A.B in registers, rows of A and C by pointer, the depth in segments.  Rows that a last tile lacks are repeated:
   they compute and store the same bits twice, which costs less than a tile for every number of rows. */
typedef struct {
  const fn_conv_seg *seg;
  ptrdiff_t          nseg, a_step, last;             /* a_step: elements of A between two steps of the depth; last: lanes of the last vector */
  int                load_c;
  const T           *bias;                           /* nv vectors, or NULL */
} FN(conv_job);
#define conv_job FN(conv_job)

enum { FN(CONV_NR) = GEMM_NV * GLEN };
#define CONV_NR FN(CONV_NR)

static inline gvec FN(conv_loadn)(const T *p, ptrdiff_t n)
{
  if (GEMM_TAIL) return g_loadn(p, n);
  _Alignas(64) T lane[GLEN] = { 0 };
  for (ptrdiff_t l = 0; l < n; l++) lane[l] = p[l];
  return g_load(lane);
}

static inline void FN(conv_storen)(T *p, gvec v, ptrdiff_t n)
{
  if (GEMM_TAIL) { g_storen(p, v, n); return; }
  _Alignas(64) T lane[GLEN];
  g_store(lane, v);
  for (ptrdiff_t l = 0; l < n; l++) p[l] = lane[l];
}

/* mr and nv are constants wherever this is inlined, so the sums are registers. */
FN_INLINE void FN(conv_tile)(const int mr, const int nv, const conv_job *job, const T *const *a, const T *b, T *const *c)
{
  const ptrdiff_t step = job->a_step, last = job->last;
  gvec sum[32];
  #pragma GCC unroll 8
  for (int j = 0; j < nv; j++) {
    const gvec start = job->bias ? g_load(job->bias + j * GLEN) : g_zero();
    #pragma GCC unroll 8
    for (int i = 0; i < mr; i++) sum[i * nv + j] = start;
  }
  if (job->load_c) {
    #pragma GCC unroll 8
    for (int i = 0; i < mr; i++)
      #pragma GCC unroll 8
      for (int j = 0; j < nv; j++)
        sum[i * nv + j] = j == nv - 1 ? FN(conv_loadn)(c[i] + j * GLEN, last) : g_load(c[i] + j * GLEN);
  }
  const T *row[8];
  for (const fn_conv_seg *seg = job->seg, *end = seg + job->nseg; seg < end; seg++) {
    const T *from = b + seg->b;
    FN_FORGET(a);                                    /* pointers of rows stay in memory between segments, not in spare vector registers */
    #pragma GCC unroll 8
    for (int i = 0; i < mr; i++) row[i] = a[i] + seg->a;
    for (ptrdiff_t l = seg->len, at = 0; l > 0; l--, at += step, from += nv * GLEN) {
      gvec v[8];
      #pragma GCC unroll 8
      for (int j = 0; j < nv; j++) v[j] = g_load(from + j * GLEN);
      #pragma GCC unroll 8
      for (int i = 0; i < mr; i++) {
        const gvec s = g_set(row[i][at]);
        #pragma GCC unroll 8
        for (int j = 0; j < nv; j++) sum[i * nv + j] = g_fma(s, v[j], sum[i * nv + j]);
      }
    }
  }
  FN_FORGET(c);
  #pragma GCC unroll 8
  for (int i = 0; i < mr; i++)
    #pragma GCC unroll 8
    for (int j = 0; j < nv; j++) {
      if (j == nv - 1) FN(conv_storen)(c[i] + j * GLEN, sum[i * nv + j], last);
      else g_store(c[i] + j * GLEN, sum[i * nv + j]);
    }
}

/* Rows of the next tile of `most` or, where that leaves fewer rows over, of `few`. */
static inline int FN(conv_next)(ptrdiff_t left, int most, int few)
{
  const ptrdiff_t over = left % most;
  if (over == 0) return most;
  return left <= few || (left < 2 * most && left <= 2 * few) ? few : most;
}

/* All rows: row r of A begins at a + a_at[r], of C at c + c_at[r]. */
FN_INLINE void FN(conv_rows)(const int most, const int few, const int nv, const conv_job *job, ptrdiff_t rows, const T *a,
                             const ptrdiff_t *a_at, const T *b, T *c, const ptrdiff_t *c_at)
{
  if (nv > GEMM_NV) return;                          /* no such width */
  for (ptrdiff_t i = 0; i < rows;) {
    const int mr = FN(conv_next)(rows - i, most, few);
    const T *ap[8];
    T *cp[8];
    for (int r = 0; r < mr; r++) {
      const ptrdiff_t at = i + r < rows ? i + r : rows - 1;
      const T *from = a + a_at[at];
      T *to = c + c_at[at];
      FN_FORGET(from);                               /* addresses computed in vectors wait behind the multiply-adds of the tile before */
      FN_FORGET(to);
      ap[r] = from;
      cp[r] = to;
    }
    if (mr == most) FN(conv_tile)(most, nv, job, ap, b, cp);
    else FN(conv_tile)(few, nv, job, ap, b, cp);
    i += mr;
  }
}

static __attribute__((noinline)) void FN(conv_rows_1)(const conv_job *job, ptrdiff_t rows, const T *a, const ptrdiff_t *a_at, const T *b, T *c,
                                                      const ptrdiff_t *c_at)
{
  FN(conv_rows)(GEMM_NV == 1 ? GEMM_MR : GEMM_MT, 5, 1, job, rows, a, a_at, b, c, c_at);
}
static __attribute__((noinline)) void FN(conv_rows_2)(const conv_job *job, ptrdiff_t rows, const T *a, const ptrdiff_t *a_at, const T *b, T *c,
                                                      const ptrdiff_t *c_at)
{
  FN(conv_rows)(GEMM_NV == 2 ? GEMM_MR : GEMM_MT, 4, 2, job, rows, a, a_at, b, c, c_at);
}
static __attribute__((noinline)) void FN(conv_rows_3)(const conv_job *job, ptrdiff_t rows, const T *a, const ptrdiff_t *a_at, const T *b, T *c,
                                                      const ptrdiff_t *c_at)
{
  FN(conv_rows)(GEMM_NV == 3 ? GEMM_MR : GEMM_MT, 4, 3, job, rows, a, a_at, b, c, c_at);
}
static __attribute__((noinline)) void FN(conv_rows_4)(const conv_job *job, ptrdiff_t rows, const T *a, const ptrdiff_t *a_at, const T *b, T *c,
                                                      const ptrdiff_t *c_at)
{
  FN(conv_rows)(GEMM_NV == 4 ? GEMM_MR : GEMM_MT, 4, 4, job, rows, a, a_at, b, c, c_at);
}

/* n columns, n <= CONV_NR. */
static void FN(conv_columns)(conv_job *job, ptrdiff_t rows, ptrdiff_t n, const T *a, const ptrdiff_t *a_at, const T *b, T *c,
                             const ptrdiff_t *c_at)
{
  const int nv = (int)((n + GLEN - 1) / GLEN);
  job->last = n - (nv - 1) * GLEN;
  switch (nv) {
    case 1: FN(conv_rows_1)(job, rows, a, a_at, b, c, c_at); return;
    case 2: FN(conv_rows_2)(job, rows, a, a_at, b, c, c_at); return;
    case 3: FN(conv_rows_3)(job, rows, a, a_at, b, c, c_at); return;
    case 4: FN(conv_rows_4)(job, rows, a, a_at, b, c, c_at); return;
  }
}
