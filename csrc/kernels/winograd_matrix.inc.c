/* The transforms of one line: six matrices for m = 2 and for m = 4, as sums.  m is a constant wherever they are inlined.
   Points 0, 1, -1, 1/2, -2 keep the error of m = 4 at half of what 0, 1, -1, 2, -2 give, and cost no more. */

/* B': m+2 inputs to m+2 points. */
FN_INLINE void FN(winograd_b)(const int m, const vec *x, vec *v)
{
  if (m == 2) {
    v[0] = v_sub(x[0], x[2]);
    v[1] = v_add(x[2], x[1]);
    v[2] = v_sub(x[2], x[1]);
    v[3] = v_sub(x[3], x[1]);
    return;
  }
  const vec p = v_sub(x[4], x[2]), q = v_sub(x[3], x[1]), f = v_set((T)1.5);
  v[0] = v_fma(f, q, v_add(v_sub(x[0], x[2]), p));
  v[1] = v_fma(f, v_add(x[3], x[2]), v_add(p, q));
  v[2] = v_fma(f, v_sub(x[3], x[2]), v_sub(p, q));
  v[3] = v_fma(v_set((T)2), q, p);
  v[4] = v_fma(v_set((T)-0.5), q, p);
  v[5] = v_fma(f, p, v_sub(v_sub(x[5], x[3]), q));
}

/* A': m+2 points to m outputs. */
FN_INLINE void FN(winograd_a)(const int m, const vec *z, vec *y)
{
  const vec s = v_add(z[1], z[2]), d = v_sub(z[1], z[2]);
  if (m == 2) {
    y[0] = v_add(z[0], s);
    y[1] = v_add(d, z[3]);
    return;
  }
  y[0] = v_add(v_add(z[0], s), v_add(z[3], z[4]));
  y[1] = v_fma(v_set((T)-2), z[4], v_fma(v_set((T)0.5), z[3], d));
  y[2] = v_fma(v_set((T)4), z[4], v_fma(v_set((T)0.25), z[3], s));
  y[3] = v_add(v_fma(v_set((T)-8), z[4], v_fma(v_set((T)0.125), z[3], d)), z[5]);
}

/* A: m gradients to m+2 points. */
FN_INLINE void FN(winograd_at)(const int m, const vec *y, vec *z)
{
  if (m == 2) {
    z[0] = y[0];
    z[1] = v_add(y[0], y[1]);
    z[2] = v_sub(y[0], y[1]);
    z[3] = y[1];
    return;
  }
  const vec s = v_add(y[0], y[2]), d = v_add(y[1], y[3]);
  z[0] = y[0];
  z[1] = v_add(s, d);
  z[2] = v_sub(s, d);
  z[3] = v_fma(v_set((T)0.5), v_fma(v_set((T)0.25), y[3], y[1]), v_fma(v_set((T)0.25), y[2], y[0]));
  z[4] = v_fma(v_set((T)-2), v_fma(v_set((T)4), y[3], y[1]), v_fma(v_set((T)4), y[2], y[0]));
  z[5] = y[3];
}

/* G: 3 weights to m+2 points. */
FN_INLINE void FN(winograd_g)(const int m, const vec *w, vec *u)
{
  const vec s = v_add(w[0], w[2]), f = v_set(m == 2 ? (T)0.5 : (T)(1.0 / 3)), h = v_mul(f, w[1]);
  u[0] = w[0];
  u[1] = v_fma(f, s, h);
  u[2] = m == 2 ? v_fnma(v_set((T)-0.5), s, v_sub(v_zero(), h)) : v_fnma(f, s, h);
  if (m == 4) {
    u[3] = v_mul(v_set((T)(-16.0 / 15)), v_fma(v_set((T)0.25), w[2], v_fma(v_set((T)0.5), w[1], w[0])));
    u[4] = v_mul(v_set((T)(1.0 / 15)), v_fma(v_set((T)4), w[2], v_fma(v_set((T)-2), w[1], w[0])));
  }
  u[m + 1] = w[2];
}

/* G': m+2 points to 3 gradients. */
FN_INLINE void FN(winograd_gt)(const int m, const vec *u, vec *w)
{
  if (m == 2) {
    const vec h = v_set((T)0.5), s = v_mul(h, v_add(u[1], u[2]));
    w[0] = v_add(u[0], s);
    w[1] = v_mul(h, v_sub(u[1], u[2]));
    w[2] = v_add(s, u[3]);
    return;
  }
  const vec f = v_set((T)(1.0 / 3)), d = v_mul(f, v_sub(u[1], u[2])), a = v_mul(v_set((T)(-16.0 / 15)), u[3]), b = v_mul(v_set((T)(1.0 / 15)), u[4]);
  w[0] = v_add(v_add(u[0], d), v_add(a, b));
  w[1] = v_fma(f, v_add(u[1], u[2]), v_fma(v_set((T)0.5), a, v_mul(v_set((T)-2), b)));
  w[2] = v_add(v_add(u[5], d), v_fma(v_set((T)0.25), a, v_mul(v_set((T)4), b)));
}

/* B' of a tile of m < 4 outputs at the edge, for U of m = 4: v[0..m] and v[5]. */
FN_INLINE void FN(winograd_b_edge)(const int m, const vec *x, vec *v)
{
  if (m == 1) {
    v[0] = v_sub(x[0], x[1]);
    v[1] = v_mul(v_set((T)3), x[1]);
    v[5] = v_sub(x[2], x[1]);
  } else if (m == 2) {
    v[0] = v_sub(x[0], x[2]);
    v[1] = v_mul(v_set((T)1.5), v_add(x[2], x[1]));
    v[2] = v_mul(v_set((T)1.5), v_sub(x[1], x[2]));
    v[5] = v_sub(x[3], x[1]);
  } else {
    const vec p = v_sub(x[3], x[1]), h = v_set((T)0.5);
    v[0] = v_fma(v_set((T)2), p, v_sub(x[0], x[2]));
    v[1] = v_mul(v_set((T)1.5), v_fma(v_set((T)2), x[3], v_sub(x[2], x[1])));
    v[2] = v_fnma(v_set((T)1.5), x[2], v_fma(h, x[1], x[3]));
    v[3] = v_mul(v_set((T)2.5), p);
    v[5] = v_sub(v_sub(x[4], x[2]), v_mul(h, p));
  }
}
