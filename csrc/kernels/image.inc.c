/* image_pass: pictures, row by row; image_uniform: the random numbers of samples. */

static void FN(image_row)(const FN(image_job) *job, ptrdiff_t y)
{
  const fn_image_args *a = job->a;
  if (job->source == IMAGE_WINDOW) { FN(image_window)(job, y); return; }
  if (job->source == IMAGE_WARP || job->source == IMAGE_WARP_NEAREST) FN(image_warp)(job, y);
  else if (job->source == IMAGE_BLUR) FN(image_blur)(job, y);
  else FN(image_resize)(job, y);
  if (a->floors)
    for (ptrdiff_t i = 0; i < a->c * job->pitch; i += VLEN) {
      const vec v = v_floor(v_add(v_load(job->row + i), v_set((T)0.5)));
      v_store(job->row + i, v_min(v_max(v, v_zero()), v_set(255)));
    }
}

/* Contrast's mean needs all rows: they are made once more, as far as it. */
static void FN(image_means)(const FN(image_job) *job, const int32_t *code, T (*param)[4])
{
  const fn_image_args *a = job->a;
  for (ptrdiff_t o = 0; o < a->ops; o++) {
    if (code[o] != IMAGE_CONTRAST) continue;
    double sum = 0;
    for (ptrdiff_t y = 0; y < a->h; y++) {
      FN(image_row)(job, y);
      FN(image_colors)(job, code, (const T (*)[4])param, o);
      sum += FN(image_light)(job);
    }
    param[o][1] = (T)((1 - (double)param[o][0]) * (sum / (double)(a->h * a->w)));
  }
}

FN_INLINE void FN(image_put)(const fn_image_args *a, const T *row, ptrdiff_t pitch, char *y, int is_float)
{
  if (a->c == 3 && a->yc == 1 && a->yw == 3) {
    for (ptrdiff_t i = 0; i < a->w; i++)
      for (int k = 0; k < 3; k++)
        if (is_float) ((T *)y)[3 * i + k] = row[k * pitch + i];
        else ((uint8_t *)y)[3 * i + k] = (uint8_t)(int32_t)row[k * pitch + i];
    return;
  }
  for (ptrdiff_t k = 0; k < a->c; k++)
    for (ptrdiff_t i = 0; i < a->w; i++)
      if (is_float) ((T *)y)[i * a->yw + k * a->yc] = row[k * pitch + i];
      else ((uint8_t *)y)[i * a->yw + k * a->yc] = (uint8_t)(int32_t)row[k * pitch + i];
}

static void FN(image_store)(const FN(image_job) *job, char *y)
{
  const fn_image_args *a = job->a;
  if (a->scale)
    for (ptrdiff_t k = 0; k < a->c; k++)
      for (ptrdiff_t i = 0; i < job->pitch; i += VLEN) {
        T *at = job->row + k * job->pitch + i;
        v_store(at, v_add(v_mul(v_load(at), v_set((T)a->scale[k])), v_set((T)a->shift[k])));
      }
  if (a->y_float) FN(image_put)(a, job->row, job->pitch, y, 1);
  else FN(image_put)(a, job->row, job->pitch, y, 0);
}

static void FN(image_pass)(const void *args, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_image_args *a = args;
  if (sizeof(T) != sizeof(float)) return;
  const ptrdiff_t pitch = image_pitch(a), in = a->x_float ? 4 : 1, out = a->y_float ? 4 : 1;
  T *room = (T *)(void *)(a->scratch + thread * a->scratch_size);
  FN(image_job) job = { .a = a, .row = room, .work = room + a->c * pitch, .pitch = pitch };
  job.sum = job.work + 8 * pitch;
  job.wide = job.sum + image_wide(a);
  job.weight = job.wide + image_wide(a);
  job.tap = job.weight + a->w * a->taps[1] + a->taps[1];
  job.start = (int32_t *)(void *)(job.tap + a->taps[0]);
  memset(room, 0, (size_t)(a->c * pitch) * sizeof(T));                       /* lanes past the row are computed with, and never stored */
  for (ptrdiff_t n = begin; n < end; n++) {
    T param[IMAGE_OPS][4];
    const int32_t *code = a->code + n * a->ops;
    for (ptrdiff_t o = 0; o < a->ops; o++)
      for (int k = 0; k < 4; k++) param[o][k] = (T)a->param[(n * a->ops + o) * 4 + k];
    memcpy(job.plan, a->plan + n * IMAGE_PLAN, sizeof job.plan);
    job.real = a->real + n * IMAGE_REAL;
    job.source = a->source;
    if ((job.source == IMAGE_WARP || job.source == IMAGE_WARP_NEAREST) && FN(image_whole)(job.real, job.plan)) job.source = IMAGE_WINDOW;
    job.x = (const char *)a->x + n * a->xn * in;
    char *y = (char *)a->y + n * a->yn * out;
    if (a->source >= IMAGE_NEAREST) FN(image_filter_begin)(&job);
    FN(image_means)(&job, code, param);
    for (ptrdiff_t i = 0; i < a->h; i++, y += a->yh * out) {
      if (job.source == IMAGE_WINDOW && a->ops == 0 && !a->x_float && !a->y_float) { FN(image_bytes)(&job, i, (uint8_t *)y); continue; }
      FN(image_row)(&job, i);
      FN(image_colors)(&job, code, (const T (*)[4])param, a->ops);
      FN(image_store)(&job, y);
    }
  }
}

static void FN(image_uniform)(const void *args, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_image_uniform_args *a = args;
  (void)thread;
  if (sizeof(T) != sizeof(float)) return;
  for (ptrdiff_t n = begin; n < end; n++)
    for (ptrdiff_t i = 0; i < a->count; i += 4) {
      const uint64_t index = (uint64_t)a->index[n];
      uint32_t w[4] = { (uint32_t)(i / 4), a->epoch, (uint32_t)index, (uint32_t)(index >> 32) };
      uint32_t k0 = (uint32_t)a->seed, k1 = (uint32_t)(a->seed >> 32);
      for (int round = 0; round < 10; round++) {
        const uint64_t p = (uint64_t)w[0] * 0xD2511F53u, q = (uint64_t)w[2] * 0xCD9E8D57u;
        w[0] = (uint32_t)(q >> 32) ^ w[1] ^ k0;
        w[1] = (uint32_t)q;
        w[2] = (uint32_t)(p >> 32) ^ w[3] ^ k1;
        w[3] = (uint32_t)p;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
      }
      for (ptrdiff_t j = 0; j < 4 && i + j < a->count; j++) a->y[n * a->count + i + j] = ((double)w[j] + 0.5) * 0x1p-32;
    }
}
