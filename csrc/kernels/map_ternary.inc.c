/* One kernel y = EXPR(g, a, b; s0), named OP.  In a backward, g is the gradient. */
#ifdef FN_KERNEL
FN_NAME(OP)
#else
static void FN(FN_JOIN(OP, row))(void *const *p, unsigned same, ptrdiff_t n, const fn_elementwise_args *args)
{
  T *to = p[0];
  const T *pg = p[1], *pa = p[2], *pb = p[3];
  const vec s0 = v_set((T)args->s[0]);
  (void)s0, (void)same;
  for (ptrdiff_t i = 0; i < n; i += VLEN) {
    const ptrdiff_t m = n - i;
    const vec g = m >= VLEN ? v_load(pg + i) : v_loadn(pg + i, m);
    const vec a = m >= VLEN ? v_load(pa + i) : v_loadn(pa + i, m);
    const vec b = m >= VLEN ? v_load(pb + i) : v_loadn(pb + i, m);
    const vec y = EXPR;
    if (m >= VLEN) v_store(to + i, y); else v_storen(to + i, y, m);
  }
}

static void FN(OP)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  (void)thread;
  FN(walk)(p, begin, end, (FN(row_form)){ { sizeof(T), sizeof(T), sizeof(T), sizeof(T) }, 4, 0 }, FN(FN_JOIN(OP, row)));
}
#endif
#undef OP
#undef EXPR
