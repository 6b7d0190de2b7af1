#define ISA avx512
#include "isa/isa.h"

#include "simd/avx512_f32.h"
#include "simd/math.h"
#include "kernels/all.h"
#include "simd/end.h"

#include "simd/avx512_f64.h"
#include "simd/math.h"
#include "kernels/all.h"
#include "simd/end.h"

#define FN_KERNEL(name) [FN_##name] = { name##_f32_avx512, name##_f64_avx512 },
const fn_isa fn_isa_avx512 = { .name = "avx512", .needs = 3, .kernel = {
#include "kernels/all.h"
} };
