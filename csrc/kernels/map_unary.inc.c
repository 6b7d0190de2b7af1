/* One kernel y = EXPR(x; s0, s1, s2), named OP.  Both are defined by the includer and end here. */
#ifdef FN_KERNEL
FN_NAME(OP)
#else
static void FN(FN_JOIN(OP, row))(void *const *p, unsigned same, ptrdiff_t n, const fn_elementwise_args *args)
{
  T *to = p[0];
  const T *from = p[1];
  const vec s0 = v_set((T)args->s[0]), s1 = v_set((T)args->s[1]), s2 = v_set((T)args->s[2]);
  (void)s0, (void)s1, (void)s2, (void)same;
  for (ptrdiff_t i = 0; i < n; i += VLEN) {
    const ptrdiff_t m = n - i;
    const vec x = m >= VLEN ? v_load(from + i) : v_loadn(from + i, m);
    const vec y = EXPR;
    if (m >= VLEN) v_store(to + i, y); else v_storen(to + i, y, m);
  }
}

static void FN(OP)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  (void)thread;
  FN(walk)(p, begin, end, (FN(row_form)){ { sizeof(T), sizeof(T) }, 2, 0 }, FN(FN_JOIN(OP, row)));
}
#endif
#undef OP
#undef EXPR
