/* A panel of B, k rows of GEMM_NR elements, next to each other and padded with zeros as far as a tile reads. */
static void FN(gemm_pack_copy)(const T *b, ptrdiff_t rs, ptrdiff_t k, ptrdiff_t n, T *to)
{
  if (n == GEMM_NR) {
    for (ptrdiff_t l = 0; l < k; l++, b += rs, to += GEMM_NR)
      #pragma GCC unroll 8
      for (int j = 0; j < GEMM_NR; j += VLEN) v_store(to + j, v_load(b + j));
    return;
  }
  const ptrdiff_t whole = n - n % VLEN;
  for (ptrdiff_t l = 0; l < k; l++, b += rs, to += GEMM_NR) {
    ptrdiff_t j = 0;
    for (; j < whole; j += VLEN) v_store(to + j, v_load(b + j));
    if (j < n) { v_store(to + j, v_loadn(b + j, n - j)); j += VLEN; }
    for (; !GEMM_TAIL && j < GEMM_NR; j += VLEN) v_store(to + j, v_zero());
  }
}

/* The columns of B are contiguous: squares of VLEN x VLEN are transposed in registers. */
static void FN(gemm_pack_transpose)(const T *b, ptrdiff_t cs, ptrdiff_t k, ptrdiff_t n, T *to)
{
  for (ptrdiff_t j = 0; j < GEMM_NR; j += VLEN) {
    const ptrdiff_t columns = n - j < VLEN ? n - j : VLEN;
    if (GEMM_TAIL && columns <= 0) break;            /* masked tiles do not read that far */
    for (ptrdiff_t l = 0; l < k; l += VLEN) {
      const ptrdiff_t depth = k - l < VLEN ? k - l : VLEN;
      const T *from = b + j * cs + l;
      vec r[VLEN];
      if (columns == VLEN && depth == VLEN) {
        #pragma GCC unroll 16
        for (int i = 0; i < VLEN; i++) r[i] = v_load(from + i * cs);
        v_transpose(r);
        #pragma GCC unroll 16
        for (int i = 0; i < VLEN; i++) v_store(to + (l + i) * GEMM_NR + j, r[i]);
      } else {
        for (int i = 0; i < VLEN; i++) r[i] = i < columns ? v_loadn(from + i * cs, depth) : v_zero();
        v_transpose(r);
        for (int i = 0; i < depth; i++) v_store(to + (l + i) * GEMM_NR + j, r[i]);
      }
    }
  }
}

static void FN(gemm_pack_gather)(const T *b, ptrdiff_t rs, ptrdiff_t cs, ptrdiff_t k, ptrdiff_t n, T *to)
{
  for (ptrdiff_t l = 0; l < k; l++)
    for (ptrdiff_t j = 0; j < GEMM_NR; j++) to[l * GEMM_NR + j] = j < n ? b[l * rs + j * cs] : (T)0;
}

static void FN(gemm_pack)(int how, const T *b, ptrdiff_t rs, ptrdiff_t cs, ptrdiff_t k, ptrdiff_t n, T *to)
{
  if (how == FN_PACK_COPY) FN(gemm_pack_copy)(b, rs, k, n, to);
  else if (how == FN_PACK_TRANSPOSE) FN(gemm_pack_transpose)(b, cs, k, n, to);
  else FN(gemm_pack_gather)(b, rs, cs, k, n, to);
}
