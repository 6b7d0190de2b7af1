/* One group of kernels for neon; GROUP is its name. */
#define ISA neon
#include "isa/isa.h"

#include "simd/neon_f32.h"
#include "simd/math.h"
#include FN_GROUP_FILE
#include "simd/end.h"

#include "simd/neon_f64.h"
#include "simd/math.h"
#include FN_GROUP_FILE
#include "simd/end.h"

#define FN_KERNEL(name) { FN_##name, #name, { FN_OF(name, f32), FN_OF(name, f64) } },
const fn_entry FN_TABLE[] = {
#include FN_GROUP_FILE
  { -1, NULL, { NULL, NULL } } };
