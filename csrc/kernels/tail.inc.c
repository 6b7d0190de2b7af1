/* A vector that may be cut short at the end of a run: full ones take the plain load and store, which on AVX2 are far cheaper. */
static const T FN(ones)[16] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
FN_INLINE vmask FN(first)(ptrdiff_t n) { return v_gt(v_loadn(FN(ones), n), v_zero()); }
FN_INLINE vec FN(get)(const T *p, ptrdiff_t n) { return n >= VLEN ? v_load(p) : v_loadn(p, n); }
FN_INLINE void FN(put)(T *p, vec v, ptrdiff_t n)
{
  if (n >= VLEN) v_store(p, v);
  else v_storen(p, v, n);
}
