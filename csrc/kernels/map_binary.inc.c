/* One kernel y = EXPR(a, b; s0, s1, s2), named OP.  In a backward, a is also called g (the gradient) and b is x (what was saved). */
#ifdef FN_KERNEL
FN_NAME(OP)
#else
static void FN(FN_JOIN(OP, row))(void *const *p, unsigned same, ptrdiff_t n, const fn_elementwise_args *args)
{
  T *to = p[0];
  const T *pa = p[1], *pb = p[2];
  const vec s0 = v_set((T)args->s[0]), s1 = v_set((T)args->s[1]), s2 = v_set((T)args->s[2]), a0 = v_set(*pa), b0 = v_set(*pb);
  (void)s0, (void)s1, (void)s2;
  for (ptrdiff_t i = 0; i < n; i += VLEN) {
    const ptrdiff_t m = n - i;
    const vec a = same & 2 ? a0 : m >= VLEN ? v_load(pa + i) : v_loadn(pa + i, m);
    const vec b = same & 4 ? b0 : m >= VLEN ? v_load(pb + i) : v_loadn(pb + i, m);
    const vec g = a, x = b;
    (void)g, (void)x;
    const vec y = EXPR;
    if (m >= VLEN) v_store(to + i, y); else v_storen(to + i, y, m);
  }
}

static void FN(OP)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  (void)thread;
  FN(walk)(p, begin, end, (FN(row_form)){ { sizeof(T), sizeof(T), sizeof(T) }, 3, 6 }, FN(FN_JOIN(OP, row)));
}
#endif
#undef OP
#undef EXPR
