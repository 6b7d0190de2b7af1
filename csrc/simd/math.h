/* Vector mathematics in terms of the vocabulary, once for every ISA and dtype.  Included after a vocabulary file, before its end.h.
   Errors are in units in the last place (ULP) of the result, measured (float32: every 61st bit pattern; float64: a sweep);
   the larger of with and without fused multiply-add.  Subnormal inputs and results count as 0, as inside kernels.
   NaN, infinities and signed zeros come out as from the C library.

             float32  float64                    float32  float64
     exp       1.0      1.1            log         0.8      0.8
     exp2      1.1      1.1            log2        1.7      1.7
     expm1     1.5      2.3            log10       2.0      2.0
     sigmoid   2.5      2.3            log1p       0.9      0.8
     tanh      2.5      2.7            erf         1.4      1.0
     sin, cos  2.3      2.3            pow         1.3      1.3
     rsqrt     1.5      1.5                                                                                                  */
#include "simd/math_core.h"
#include "simd/math_exp.h"
#include "simd/math_log.h"
#include "simd/math_erf.h"
#include "simd/math_trig.h"
#include "simd/math_pow.h"
