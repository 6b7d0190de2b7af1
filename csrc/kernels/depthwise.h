/* Depthwise convolution: every channel has a kernel of its own; c == k == groups in `s` (channel multipliers are expanded by the caller).
   x, y, gx, gy as in conv.h; weights packed as (taps, c), partial weight gradients as
   (parts, taps, blocks of a vector of channels, of which the last may overlap the one before); DW_BLOCK more elements than c are enough for them.

   depthwise_pack      w (c, taps) to (taps, c); flip: taps in reverse order.  range: taps
   depthwise_forward   range: bands, each of `band` rows (the last of an image may have fewer) of (n, out[0], out[1])
   depthwise_input     the same of (n, in[0], in[1]).  Where all strides are 1, depthwise_forward with flipped weights does it instead.
   depthwise_weight    range: parts, each a run of the bands of (n, out[0], out[1])
   depthwise_reduce    adds the parts in order: gw (c, taps).  range: channels */
#ifndef FN_DEPTHWISE_H
#define FN_DEPTHWISE_H
#include "kernels/conv.h"
enum { DW_BLOCK = 16 };                              /* the longest vector */

typedef struct {
  fn_conv_shape s;
  const void   *x, *w, *bias;                        /* what is read: x or gy, packed weights, bias or NULL */
  void         *y;                                   /* what is written: y or gx */
  ptrdiff_t     band;
  int           far, stream;                         /* far larger than L2: prefetch.  Larger than the caches, whole vectors: write past them */
  const fn_after *after;                             /* depthwise_forward: of y, or NULL */
} fn_depthwise_args;

typedef struct {
  fn_conv_shape s;
  const void   *x, *gy;
  void         *parts;
  ptrdiff_t     count, band;                         /* parts; rows of a band */
  int           far;                                 /* far larger than L2: prefetch */
} fn_depthwise_weight_args;

typedef struct {
  const void *w;                                     /* depthwise_reduce: the parts */
  void       *packed;                                /* depthwise_reduce: gw */
  ptrdiff_t   c, taps, count;
  int         flip;
} fn_depthwise_pack_args;
#endif
