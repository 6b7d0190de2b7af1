/* Normalisation of channels: batch, group and instance norm, with an activation and a residual in the same pass.

   x is (instances, rows, c), dense.  Statistics are taken for each instance over its rows and over the c / groups channels of a group:
   batch norm is one instance and c groups, instance norm n instances and c groups, group norm n instances and fewer groups.
     y = act((x - mean) rstd w + b + r)
   Few channels would leave vectors empty, so `fold` rows are seen as one line of width = fold * c elements; an instance is `lines` whole
   lines and `tail` elements more (0 where fold == 1; lines >= 1).  What is per channel is repeated `fold` times along a line.

   Range of stats, forward, sums, backward: (instance * chunks + chunk) * blocks + block; a chunk is `chunk` lines (the tail belongs to
   the last one), a block is `block` neighbours of a line.  All follow from the shape alone.
   Range of merge, gradient: instance * pieces + piece, a piece is `piece` groups.  Range of coef: instances.
   Range of running, fixed, weight: pieces of NORM_PIECE channels.

   stats     x -> part: for each chunk and column, mean and sum of squares around it
   merge     part -> mean, rstd (instances, groups), and sum: mean and sum of squares of each channel
   running   sum -> running_mean, running_var
   fixed     running_mean, running_var -> mean, rstd
  coef      mean, rstd, w, b -> coef rows MEAN, SCALE, SHIFT
   forward   x, r, coef -> y
   sums      x, gy, r, coef -> part: for each chunk and column, sum g and sum g (x - mean), g = gy act'; and g itself, if asked
   gradient  part -> sum: the same for each channel; coef rows GSCALE, GSLOPE, GSHIFT
   weight    sum, rstd -> gw, gb
   backward  x, g, coef -> gx = GSCALE g + GSLOPE (x - mean) + GSHIFT; gx may be gy */
#ifndef FN_BATCH_NORM_H
#define FN_BATCH_NORM_H
#include "fn.h"
enum { NORM_ACT_NONE, NORM_ACT_RELU, NORM_ACT_RELU6, NORM_ACT_LEAKY, NORM_ACT_SILU, NORM_ACT_HARDSWISH };
enum { NORM_MEAN, NORM_SCALE, NORM_SHIFT, NORM_GSCALE, NORM_GSLOPE, NORM_GSHIFT, NORM_COEFS };
enum { NORM_PIECE = 256, NORM_PARTS = 3 };

typedef struct {
  const void *x, *gy;
  const void *r;                                     /* residual; in sums with from_output: the output of forward; NULL: none */
  const void *w, *b;                                 /* (c), NULL: 1 and 0 */
  void       *y;                                     /* y, or gx */
  void       *g;                                     /* sums: where gy act' goes, NULL: nowhere */
  void       *part;                                  /* (instances, chunks, NORM_PARTS, width): the two sums; stats: what x is taken relative to */
  double     *sum;                                   /* (instances, 2, c) */
  void       *coef;                                  /* (instances, NORM_COEFS, width) */
  void       *mean, *rstd;                           /* (instances, groups) */
  void       *running_mean, *running_var;            /* (c) */
  void       *gw, *gb;                               /* (c), NULL: not wanted */
  ptrdiff_t   instances, rows, c, groups;
  ptrdiff_t   fold, width, lines, tail, chunk, chunks, block, blocks, piece, pieces;
  double      eps, momentum, slope;                  /* slope: of leaky relu below 0 */
  int         act, from_output, fixed;               /* fixed: mean and rstd do not depend on x */
  int         stream;                                /* y goes past the caches: only where width is a multiple of 16 */
} fn_batch_norm_args;
#endif
