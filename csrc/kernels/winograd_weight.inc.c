/* winograd_weight, winograd_weight_finish, winograd_weight_patch: V'D of every plane, summed over tiles, then G'(.)G. */
static void FN(winograd_gradients_any)(const fn_winograd_args *a, ptrdiff_t c0, ptrdiff_t c1, ptrdiff_t k, const T *u, ptrdiff_t row)
{
  if (a->side == WINOGRAD_STRIDED) FN(winograd_gradients_strided)(a, c0, c1, k, u, row);
  else if (a->tile == 4) FN(winograd_gradients_4)(a, c0, c1, k, u, row);
  else FN(winograd_gradients_2)(a, c0, c1, k, u, row);
}

static void FN(winograd_weight)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_winograd_args *a = p;
  if (sizeof(T) != sizeof(float)) return;
  T *v = (T *)a->own + thread * a->own_size, *d = v + a->planes * a->v_plane;
  for (ptrdiff_t unit = begin; unit < end; unit++) {
    T *sum = (T *)a->u + unit * a->kernels * a->u_plane;
    const ptrdiff_t first = FN(winograd_cut)(a->blocks, unit, a->splits), last = FN(winograd_cut)(a->blocks, unit + 1, a->splits);
    for (ptrdiff_t block = first; block < last; block++) {
      const ptrdiff_t t0 = FN(winograd_cut)(a->tiles, block, a->blocks), t1 = FN(winograd_cut)(a->tiles, block + 1, a->blocks);
      FN(winograd_spread_any)(a, t0, t1, d);
      for (int phase = 0; phase < a->phases; phase++) {
        FN(winograd_read_any)(a, phase, t0, t1, 0, a->c, v);
        winograd_kernel s;
        for (ptrdiff_t i = 0; s = FN(winograd_kernel_of)(a, phase, i), s.count > 0; i++)
          for (ptrdiff_t panel = 0; panel < a->panels; panel++)
            for (ptrdiff_t j = 0; j < s.count; j++) {
              const ptrdiff_t k0 = panel * GEMM_NR, n = FN(winograd_least)(a->k - k0, GEMM_NR), plane = FN(winograd_meets)(a, &s, j);
              const FN(winograd_share) some = FN(winograd_shared)(a, plane, t0, t1);
              const int load = block > first || j > 0;
              if (load && some.count == 0) continue;
              gemm_job job = FN(winograd_job)(some.count, 1, a->c_row, a->k_row, a->k_row, load);
              FN(gemm_rows)(&job, a->c, GEMM_TAIL ? n : GEMM_NR, v + plane * a->v_plane + some.first * a->c_row,
                            d + plane * a->z_plane + some.first * a->k_row + k0, sum + s.kernel * a->u_plane + k0, NULL);
            }
      }
    }
  }
}

static void FN(winograd_weight_finish)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_winograd_args *a = p;
  (void)thread;
  if (sizeof(T) != sizeof(float)) return;
  for (ptrdiff_t i = begin; i < end;) {
    const ptrdiff_t k0 = i / a->c * GEMM_NR, c0 = i % a->c, c1 = FN(winograd_least)(FN(winograd_least)(a->c, c0 + 16), c0 + end - i);
    for (ptrdiff_t k = k0; k < k0 + GEMM_NR && k < a->k; k += VLEN)
      FN(winograd_gradients_any)(a, c0, c1, k, (const T *)a->u + c0 * a->k_row + k, a->k_row);
    i += c1 - c0;
  }
}

/* total = part, or total += part; n is a multiple of GEMM_NR. */
static void FN(winograd_sum)(ptrdiff_t n, const T *part, T *total, int add)
{
  for (ptrdiff_t i = 0; i < n; i += VLEN) v_store(total + i, add ? v_add(v_load(total + i), v_load(part + i)) : v_load(part + i));
}

static void FN(winograd_weight_patch)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_winograd_args *a = p;
  if (sizeof(T) != sizeof(float)) return;
  const ptrdiff_t patches = FN(winograd_pieces)(a->c, a->c_patch);
  const ptrdiff_t t0 = FN(winograd_cut)(a->tiles, a->group, a->groups), t1 = FN(winograd_cut)(a->tiles, a->group + 1, a->groups), tiles = t1 - t0;
  T *part = (T *)a->own + thread * a->own_size, *own_v = part + a->kernels * a->u_plane, *own_d = own_v + a->v_patch;
  if (a->alone) FN(winograd_spread_any)(a, 0, tiles, own_d);
  for (ptrdiff_t unit = begin; unit < end; unit++) {
    const ptrdiff_t panel = a->alone ? unit % a->panels : unit / patches, patch = a->alone ? unit / a->panels : unit % patches;
    const ptrdiff_t k0 = panel * GEMM_NR, n = FN(winograd_least)(a->k - k0, GEMM_NR);
    const ptrdiff_t c0 = patch * a->c_patch, c1 = FN(winograd_least)(a->c, c0 + a->c_patch);
    const T *v = a->alone ? own_v : (const T *)a->v + patch * a->v_patch, *d = (a->alone ? own_d : (const T *)a->d) + panel * a->d_patch;
    T *total = a->groups > 1 ? (T *)a->u + unit * a->kernels * a->u_plane : part;
    if (a->alone && (unit == begin || panel == 0)) FN(winograd_read_all)(a, 0, tiles, c0, c1, own_v);
    winograd_kernel s;
    for (int phase = 0; phase < a->phases; phase++)
      for (ptrdiff_t i = 0; s = FN(winograd_kernel_of)(a, phase, i), s.count > 0; i++) {
        for (ptrdiff_t j = 0; j < s.count; j++) {
          const ptrdiff_t plane = FN(winograd_meets)(a, &s, j);
          const FN(winograd_share) some = FN(winograd_shared)(a, plane, t0, t1);
          if (j > 0 && some.count == 0) continue;
          gemm_job job = FN(winograd_job)(some.count, 1, a->c_row, a->k_row, GEMM_NR, j > 0);
          FN(gemm_rows)(&job, c1 - c0, GEMM_TAIL ? n : GEMM_NR, v + (phase * a->planes + plane) * a->v_plane + some.first * a->c_row,
                        d + plane * a->z_plane + some.first * a->k_row, part + s.kernel * a->u_plane, NULL);
        }
        if (a->groups > 1)                           /* not one chain over all tiles: the error would grow with their number */
          FN(winograd_sum)((c1 - c0) * GEMM_NR, part + s.kernel * a->u_plane, total + s.kernel * a->u_plane, a->group > 0);
      }
    if (a->group < a->groups - 1) continue;
    for (ptrdiff_t k = 0; k < n; k += VLEN) FN(winograd_gradients_any)(a, c0, c1, k0 + k, total + k, GEMM_NR);
  }
}
