/* The only file that knows which ISAs exist and which CPU this is. */
#include "fn.h"

enum { FN_CPU_AVX2 = 1, FN_CPU_AVX512 = 2, FN_CPU_NEON = 4 };

extern const fn_isa fn_isa_scalar;
#if defined(__x86_64__) || defined(_M_X64)
extern const fn_isa fn_isa_avx2, fn_isa_avx512;
static const fn_isa *const BEST_FIRST[] = { &fn_isa_avx512, &fn_isa_avx2, &fn_isa_scalar, NULL };
#elif defined(__aarch64__)
extern const fn_isa fn_isa_neon;
static const fn_isa *const BEST_FIRST[] = { &fn_isa_neon, &fn_isa_scalar, NULL };
#else
static const fn_isa *const BEST_FIRST[] = { &fn_isa_scalar, NULL };
#endif

#define FN_KERNEL(name) #name,
const char *const fn_kernel_names[FN_NKERNELS] = {
#include "kernels/all.h"
};
#undef FN_KERNEL

const fn_isa *fn_isa_at(int i) { return BEST_FIRST[i]; }

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
