/* interpolate: y (n, out0, out1, out2, c) from x (n, in0, in1, in2, c), both dense: each axis is a table of taps, so every mode and, with
   the tables transposed, every gradient is this kernel.

   y[o0][o1][o2] = sum over taps of the three axes of weight0 weight1 weight2 x[index0][index1][index2].
   Range: rows of y, n * out0 * out1.  scratch (threads, in2 * c) holds the rows of x, added up for one row of y. */
#ifndef FN_INTERPOLATE_H
#define FN_INTERPOLATE_H
#include "fn.h"
typedef struct {
  ptrdiff_t        in, out;
  const ptrdiff_t *start;                            /* (out + 1): the taps of place o are start[o] to start[o + 1] */
  const ptrdiff_t *index;
  const double    *weight;
} fn_interpolate_axis;

typedef struct {
  const void         *x;
  void               *y, *scratch;
  ptrdiff_t           c;
  fn_interpolate_axis axis[3];
} fn_interpolate_args;
#endif
