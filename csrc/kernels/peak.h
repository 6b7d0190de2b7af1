/* What this machine can do at most: the yardsticks of the benchmark, measured in the same run.
     peak_fma     registers only; one unit is FN_PEAK_FLOP operations, on every ISA and dtype
     peak_read    sum of x                     one unit is FN_PEAK_BLOCK elements of x
     peak_copy    y = x,       past the caches, the same units
     peak_triad   y = x + z,   past the caches
     peak_update  y = -y,      in place
   Range: units.  All pointers are aligned to 64 bytes; x, y and z do not overlap.  sum: one double a unit (peak_fma, peak_read). */
#ifndef FN_PEAK_H
#define FN_PEAK_H
#include "fn.h"
enum { FN_PEAK_ROUNDS = 1 << 16, FN_PEAK_FLOP = 2 * 12 * FN_PEAK_ROUNDS, FN_PEAK_BLOCK = 4096 };
typedef struct {
  const void *x, *z;
  void       *y;
  double     *sum;
} fn_peak_args;
#endif
