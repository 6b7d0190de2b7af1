/* The only file that knows which ISAs exist and which CPU this is. */
#include "fn.h"

enum { FN_CPU_AVX2 = 1, FN_CPU_AVX512 = 2, FN_CPU_NEON = 4 };

#define FN_GROUP(name) extern const fn_entry fn_scalar_##name[];
#include "groups/all.h"
#undef FN_GROUP
#define FN_GROUP(name) fn_scalar_##name,
static const fn_entry *const SCALAR_GROUPS[] = {
#include "groups/all.h"
};
#undef FN_GROUP
static const fn_isa SCALAR = { "scalar", 0, SCALAR_GROUPS };

#if defined(__x86_64__) || defined(_M_X64)
#define FN_GROUP(name) extern const fn_entry fn_avx2_##name[];
#include "groups/all.h"
#undef FN_GROUP
#define FN_GROUP(name) fn_avx2_##name,
static const fn_entry *const AVX2_GROUPS[] = {
#include "groups/all.h"
};
#undef FN_GROUP
static const fn_isa AVX2 = { "avx2", FN_CPU_AVX2, AVX2_GROUPS };
#define FN_GROUP(name) extern const fn_entry fn_avx512_##name[];
#include "groups/all.h"
#undef FN_GROUP
#define FN_GROUP(name) fn_avx512_##name,
static const fn_entry *const AVX512_GROUPS[] = {
#include "groups/all.h"
};
#undef FN_GROUP
static const fn_isa AVX512 = { "avx512", FN_CPU_AVX512, AVX512_GROUPS };
static const fn_isa *const BEST_FIRST[] = { &AVX512, &AVX2, &SCALAR, NULL };
#elif defined(__aarch64__)
#define FN_GROUP(name) extern const fn_entry fn_neon_##name[];
#include "groups/all.h"
#undef FN_GROUP
#define FN_GROUP(name) fn_neon_##name,
static const fn_entry *const NEON_GROUPS[] = {
#include "groups/all.h"
};
#undef FN_GROUP
static const fn_isa NEON = { "neon", FN_CPU_NEON, NEON_GROUPS };
static const fn_isa *const BEST_FIRST[] = { &NEON, &SCALAR, NULL };
#else
static const fn_isa *const BEST_FIRST[] = { &SCALAR, NULL };
#endif

fn_kernel *fn_active[FN_NKERNELS][FN_NFLOAT];

const fn_isa *fn_isa_at(int i) { return BEST_FIRST[i]; }

void fn_isa_use(const fn_isa *isa)
{
  for (int g = 0; g < FN_NGROUPS; g++)
    for (const fn_entry *e = isa->groups[g]; e->id >= 0; e++)
      for (int t = 0; t < FN_NFLOAT; t++) fn_active[e->id][t] = e->kernel[t];
}

int fn_isa_supported(const fn_isa *isa)
{
  uint32_t has = 0;
#if defined(__x86_64__)
  __builtin_cpu_init();                              /* also checks that the system saves the registers */
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) has |= FN_CPU_AVX2;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")) has |= FN_CPU_AVX512;
#elif defined(__aarch64__)
  has |= FN_CPU_NEON;
#endif
  return (isa->needs & has) == isa->needs;
}
