/* Pooling over 1, 2 or 3 spatial axes: x (n, in, c), y (n, out, c), both dense with channels last; 1d and 2d have leading axes of 1.
   Windows come as tables, so that one kernel serves fixed, dilated, ragged (ceil_mode) and adaptive windows.
   Range: places (n, out) forward, (n, in) backward. */
#ifndef FN_POOL_H
#define FN_POOL_H
#include "fn.h"

/* The places begin, begin + step, ... below end of one axis; share: what they count in an average's divisor; inverse: 1 / share. */
typedef struct { ptrdiff_t begin, end, share; double inverse; } fn_window;

typedef struct {
  ptrdiff_t        c, in[3], out[3], step[3];        /* step: dilation */
  ptrdiff_t        taps[3];                          /* places of the widest window: element (i, j, k) has number (i*taps[1] + j)*taps[2] + k */
  const fn_window *window[3];                        /* of each output: the inputs it sees */
  const fn_window *seen[3];                          /* of each input: the outputs whose windows reach over it (backward) */
} fn_pool_shape;

/* at: for each output the number of its maximum in the window: bytes if there are at most 256 numbers, else T, 2^23 (2^52) + number.
   Bytes are read in whole vectors: 64 more must lie behind the last. */
typedef struct {
  fn_pool_shape s;
  const void   *x;
  void         *y, *at;                              /* at: NULL if not wanted */
  int           wide;
} fn_max_pool_forward_args;

/* apart: no two windows share an input and all steps are 1; then the range is places (n, out), and `seen` is not read. */
typedef struct {
  fn_pool_shape s;
  const void   *gy, *at;                             /* at: for max pooling */
  void         *gx;
  double        divisor;                             /* for average pooling; 0: the product of the shares */
  int           wide, apart;
  int           stream;                              /* gx is larger than the caches, aligned, of whole vectors: write past them */
} fn_pool_backward_args;

/* index (n, out, c): at as places of the flattened input; delta: of each number, the distance from the window's first place. */
typedef struct {
  fn_pool_shape    s;
  const void      *at;
  const ptrdiff_t *delta;
  int64_t         *index;
  int              wide;
} fn_max_pool_index_args;

typedef struct {
  fn_pool_shape s;
  const void   *x;
  void         *y;
  double        divisor;                             /* 0: the product of the shares */
} fn_avg_pool_forward_args;
#endif
