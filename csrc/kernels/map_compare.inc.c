/* One kernel y = EXPR(a, b), named OP, that writes bytes; the operands are of type FROM.  Plain C: the compiler vectorises it. */
#ifdef FN_KERNEL
FN_NAME(OP)
#else
static void FN(FN_JOIN(OP, row))(void *const *p, unsigned same, ptrdiff_t n, const fn_elementwise_args *args)
{
  uint8_t *to = p[0];
  const FROM *pa = p[1], *pb = p[2];
  (void)args;
  if (same & 4) {
    const FROM b = *pb;
#pragma GCC ivdep
    for (ptrdiff_t i = 0; i < n; i++) { const FROM a = pa[i]; to[i] = EXPR; }
  } else {
#pragma GCC ivdep
    for (ptrdiff_t i = 0; i < n; i++) { const FROM a = pa[i], b = pb[i]; to[i] = EXPR; }
  }
}

static void FN(OP)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  (void)thread;
  FN(walk)(p, begin, end, (FN(row_form)){ { 1, sizeof(FROM), sizeof(FROM) }, 3, 4 }, FN(FN_JOIN(OP, row)));
}
#endif
#undef OP
#undef EXPR
