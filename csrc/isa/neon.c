#define ISA neon
#include "isa/isa.h"

#include "simd/neon_f32.h"
#include "simd/math.h"
#include "kernels/all.h"
#include "simd/end.h"

#include "simd/neon_f64.h"
#include "simd/math.h"
#include "kernels/all.h"
#include "simd/end.h"

#define FN_KERNEL(name) [FN_##name] = { name##_f32_neon, name##_f64_neon },
const fn_isa fn_isa_neon = { .name = "neon", .needs = 4, .kernel = {
#include "kernels/all.h"
} };
