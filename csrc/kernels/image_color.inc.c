/* Colours: what becomes of each pixel of a row. */

FN_INLINE vec FN(image_grey)(vec r, vec g, vec b)
{
  return v_add(v_add(v_mul(r, v_set((T)0.2989)), v_mul(g, v_set((T)0.587))), v_mul(b, v_set((T)0.114)));
}

/* Hue in sixths of the circle, from -1 to 5, the largest channel, and how far the smallest is below it. */
FN_INLINE vec FN(image_hue)(vec r, vec g, vec b, vec *high, vec *range)
{
  *high = v_max(r, v_max(g, b));
  *range = v_sub(*high, v_min(r, v_min(g, b)));
  const vec by = v_max(*range, v_set((T)1e-20));
  const vec hue = v_select(v_eq(*high, g), v_add(v_set(2), v_div(v_sub(b, r), by)), v_add(v_set(4), v_div(v_sub(r, g), by)));
  return v_select(v_eq(*high, r), v_div(v_sub(g, b), by), hue);
}

/* The channel whose wheel is turned by `turn` sixths. */
FN_INLINE vec FN(image_wheel)(vec hue, int turn, vec high, vec range)
{
  vec k = v_add(hue, v_set((T)turn));
  k = v_sub(k, v_mul(v_set(6), v_floor(v_mul(k, v_set((T)(1.0 / 6))))));
  return v_sub(high, v_mul(range, v_max(v_zero(), v_min(v_min(k, v_sub(v_set(4), k)), v_set(1)))));
}

FN_INLINE vec FN(image_bounded)(const fn_image_args *a, vec v, int floors)
{
  v = v_min(v_max(v, v_zero()), v_set((T)a->bound));
  return floors && a->floors ? v_floor(v) : v;
}

/* Changes each channel alone. */
FN_INLINE vec FN(image_single)(const fn_image_args *a, int code, const T *p, vec v)
{
  switch (code) {
  case IMAGE_BRIGHTNESS: return FN(image_bounded)(a, v_mul(v, v_set(p[0])), 1);
  case IMAGE_CONTRAST: return FN(image_bounded)(a, v_add(v_mul(v, v_set(p[0])), v_set(p[1])), 1);
  case IMAGE_INVERT: return v_sub(v_set((T)a->bound), v);
  case IMAGE_SOLARIZE: return v_select(v_ge(v, v_set(p[0])), v_sub(v_set((T)a->bound), v), v);
  default: return v_mul(v_max(v_zero(), v_min(v_floor(v_mul(v, v_set(p[0]))), v_set(p[2]))), v_set(p[1]));
  }
}

/* Changes the channels together. */
FN_INLINE void FN(image_together)(const fn_image_args *a, int code, const T *p, vec *v)
{
  vec high, range, hue;
  const vec grey = FN(image_grey)(v[0], v[1], v[2]);
  switch (code) {
  case IMAGE_SATURATION:
    for (int k = 0; k < 3; k++)
      v[k] = FN(image_bounded)(a, v_add(v_mul(v[k], v_set(p[0])), v_mul(a->floors ? v_floor(grey) : grey, v_set(p[1]))), 1);
    return;
  case IMAGE_GREY:
    v[0] = v[1] = v[2] = a->floors ? v_floor(grey) : grey;
    return;
  default:
    hue = FN(image_hue)(v[0], v[1], v[2], &high, &range);
    if (code == IMAGE_HSV) {
      hue = v_add(hue, v_select(v_lt(hue, v_zero()), v_set(6), v_zero()));
      hue = v_mul(hue, v_set(p[0]));
      const vec deep = v_min(v_div(v_mul(range, v_set(p[1])), v_max(high, v_set((T)1e-20))), v_set(1));
      high = v_min(v_mul(high, v_set(p[2])), v_set((T)a->bound));
      range = v_mul(high, deep);
    } else hue = v_add(hue, v_set(p[0]));
    const vec up = v_set(code == IMAGE_HSV && a->floors ? (T)0.5 : 0), scale = v_set(code == IMAGE_HUE && a->floors ? (T)(255.999 / 255) : 1);
    for (int k = 0; k < 3; k++) v[k] = FN(image_bounded)(a, v_add(v_mul(FN(image_wheel)(hue, 5 - 2 * k, high, range), scale), up), 1);
  }
}

/* Colours [0, ops) of a picture on its row. */
static void FN(image_colors)(const FN(image_job) *job, const int32_t *code, const T (*param)[4], ptrdiff_t ops)
{
  const fn_image_args *a = job->a;
  const ptrdiff_t pitch = job->pitch;
  for (ptrdiff_t o = 0; o < ops; o++) {
    const T *p = param[o];
    const int op = code[o];
    if (op == IMAGE_KEEP) continue;
    if (op == IMAGE_BRIGHTNESS || op == IMAGE_CONTRAST || op == IMAGE_INVERT || op == IMAGE_SOLARIZE || op == IMAGE_POSTERIZE) {
      for (ptrdiff_t i = 0; i < a->c * pitch; i += VLEN) v_store(job->row + i, FN(image_single)(a, op, p, v_load(job->row + i)));
      continue;
    }
    if (a->c != 3) continue;
    for (ptrdiff_t i = 0; i < pitch; i += VLEN) {
      vec v[3] = { v_load(job->row + i), v_load(job->row + pitch + i), v_load(job->row + 2 * pitch + i) };
      FN(image_together)(a, op, p, v);
      for (int k = 0; k < 3; k++) v_store(job->row + k * pitch + i, v[k]);
    }
  }
}

/* The sum over a row of what contrast takes the mean of. */
static double FN(image_light)(const FN(image_job) *job)
{
  const fn_image_args *a = job->a;
  vec sum = v_zero();
  for (ptrdiff_t i = 0; i < a->w; i += VLEN) {
    const ptrdiff_t n = a->w - i;
    vec v = FN(get)(job->row + i, n);
    if (a->c == 3) v = FN(image_grey)(v, FN(get)(job->row + job->pitch + i, n), FN(get)(job->row + 2 * job->pitch + i, n));
    sum = v_add(sum, a->floors ? v_floor(v) : v);
  }
  return (double)v_sum(sum);
}
