/* The transforms of one line, as sums: six matrices each for 4 points (m = 2), 6 points (m = 4) and, with stride 2, 5 points (m = 4).
   side, the number of points, is a constant wherever they are inlined.  Points 0, 1, -1, 1/2, -2 keep the error of m = 4 at half of what
   0, 1, -1, 2, -2 give, and cost no more; with stride 2, 1/2, -1/2, 3/2, -3/2 at 0.8 of what 0, 1, -1/2, -2 give. */
enum { FN(WINOGRAD_STRIDED) = 5 };
#define WINOGRAD_STRIDED FN(WINOGRAD_STRIDED)

/* Outputs of a tile along an axis; rows of G. */
FN_INLINE int FN(winograd_m)(const int side) { return side == 4 ? 2 : 4; }
FN_INLINE int FN(winograd_rows_of_g)(const int side) { return side == 4 ? 4 : 6; }

/* B': as many inputs to the points.  With stride 2 the last input reaches the last point alone. */
FN_INLINE void FN(winograd_b)(const int side, const vec *x, vec *v)
{
  if (side == WINOGRAD_STRIDED) {
    const vec p = v_fma(v_set((T)2.25), x[0], v_sub(v_zero(), x[2])), q = v_mul(v_set((T)2), v_fnma(v_set((T)2.25), x[1], x[3]));
    const vec r = v_fnma(v_set((T)0.25), x[0], x[2]), s = v_mul(v_set((T)(2.0 / 3)), v_fnma(v_set((T)0.25), x[1], x[3]));
    v[0] = v_sub(p, q);
    v[1] = v_add(p, q);
    v[2] = v_add(r, s);
    v[3] = v_sub(r, s);
    v[4] = v_fma(v_set((T)0.5625), x[0], v_fnma(v_set((T)2.5), x[2], x[4]));
    return;
  }
  if (side == 4) {
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

/* A': the points to m outputs. */
FN_INLINE void FN(winograd_a)(const int side, const vec *z, vec *y)
{
  if (side == WINOGRAD_STRIDED) {
    const vec s = v_add(z[0], z[1]), d = v_mul(v_set((T)0.5), v_sub(z[0], z[1])), e = v_add(z[2], z[3]), f = v_mul(v_set((T)1.5), v_sub(z[2], z[3]));
    y[0] = v_add(s, e);
    y[1] = v_add(d, f);
    y[2] = v_fma(v_set((T)2.25), e, v_mul(v_set((T)0.25), s));
    y[3] = v_fma(v_set((T)2.25), f, v_fma(v_set((T)0.25), d, z[4]));
    return;
  }
  const vec s = v_add(z[1], z[2]), d = v_sub(z[1], z[2]);
  if (side == 4) {
    y[0] = v_add(z[0], s);
    y[1] = v_add(d, z[3]);
    return;
  }
  y[0] = v_add(v_add(z[0], s), v_add(z[3], z[4]));
  y[1] = v_fma(v_set((T)-2), z[4], v_fma(v_set((T)0.5), z[3], d));
  y[2] = v_fma(v_set((T)4), z[4], v_fma(v_set((T)0.25), z[3], s));
  y[3] = v_add(v_fma(v_set((T)-8), z[4], v_fma(v_set((T)0.125), z[3], d)), z[5]);
}

/* A: m gradients to the points. */
FN_INLINE void FN(winograd_at)(const int side, const vec *y, vec *z)
{
  if (side == WINOGRAD_STRIDED) {
    const vec s = v_fma(v_set((T)0.25), y[2], y[0]), d = v_mul(v_set((T)0.5), v_fma(v_set((T)0.25), y[3], y[1]));
    const vec e = v_fma(v_set((T)2.25), y[2], y[0]), f = v_mul(v_set((T)1.5), v_fma(v_set((T)2.25), y[3], y[1]));
    z[0] = v_add(s, d);
    z[1] = v_sub(s, d);
    z[2] = v_add(e, f);
    z[3] = v_sub(e, f);
    z[4] = y[3];
    return;
  }
  if (side == 4) {
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

/* G: 3 weights to the points; with stride 2 the middle one, for the odd inputs, comes last.  The first four of B' are 4 times too large. */
FN_INLINE void FN(winograd_g)(const int side, const vec *w, vec *u)
{
  if (side == WINOGRAD_STRIDED) {
    const vec q = v_mul(v_set((T)0.25), w[0]);
    u[0] = v_fma(v_set((T)0.125), w[2], q);
    u[1] = v_fnma(v_set((T)0.125), w[2], q);
    u[2] = v_fma(v_set((T)0.375), w[2], q);
    u[3] = v_fnma(v_set((T)0.375), w[2], q);
    u[4] = w[2];
    u[5] = v_mul(v_set((T)0.25), w[1]);
    return;
  }
  const vec s = v_add(w[0], w[2]), f = v_set(side == 4 ? (T)0.5 : (T)(1.0 / 3)), h = v_mul(f, w[1]);
  u[0] = w[0];
  u[1] = v_fma(f, s, h);
  u[2] = side == 4 ? v_fnma(v_set((T)-0.5), s, v_sub(v_zero(), h)) : v_fnma(f, s, h);
  if (side == 6) {
    u[3] = v_mul(v_set((T)(-16.0 / 15)), v_fma(v_set((T)0.25), w[2], v_fma(v_set((T)0.5), w[1], w[0])));
    u[4] = v_mul(v_set((T)(1.0 / 15)), v_fma(v_set((T)4), w[2], v_fma(v_set((T)-2), w[1], w[0])));
  }
  u[side - 1] = w[2];
}

/* G': the points to 3 gradients. */
FN_INLINE void FN(winograd_gt)(const int side, const vec *u, vec *w)
{
  if (side == WINOGRAD_STRIDED) {
    w[0] = v_mul(v_set((T)0.25), v_add(v_add(u[0], u[1]), v_add(u[2], u[3])));
    w[1] = v_mul(v_set((T)0.25), u[5]);
    w[2] = v_fma(v_set((T)0.125), v_sub(u[0], u[1]), v_fma(v_set((T)0.375), v_sub(u[2], u[3]), u[4]));
    return;
  }
  if (side == 4) {
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

/* B' of a tile of m < 4 outputs at the edge, for U of m = 4: v[0..m] and v[5] or, with stride 2, v[0..m-1] and v[4]. */
FN_INLINE void FN(winograd_b_edge)(const int side, const int m, const vec *x, vec *v)
{
  if (side == WINOGRAD_STRIDED) {
    const vec four = v_set((T)4);
    if (m == 1) {
      v[0] = v_mul(four, x[0]);
      v[4] = v_fnma(v_set((T)0.5), x[0], x[1]);
    } else if (m == 2) {
      const vec d = v_add(x[0], x[0]);
      v[0] = v_fma(four, x[1], d);
      v[1] = v_fnma(four, x[1], d);
      v[4] = v_fnma(v_set((T)0.25), x[0], x[2]);
    } else {
      const vec r = v_fnma(v_set((T)0.25), x[0], x[2]);
      v[0] = v_fma(v_set((T)3), x[0], v_mul(four, v_sub(x[1], x[2])));
      v[1] = v_fma(v_set((T)1.5), x[0], v_fnma(four, x[1], v_add(x[2], x[2])));
      v[2] = v_add(r, r);
      v[4] = v_fnma(v_set((T)1.5), r, v_fnma(v_set((T)0.25), x[1], x[3]));
    }
    return;
  }
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
