/* A convolution: what every algorithm that computes one is told, and the kernels for any shape.

   y[n][o][k] = bias[k] + sum over taps t and channels c of group(k):  x[n][o*stride - pad + t*dilation][c] * w[k][c][t]
   gx[n][i][c] = the sum of gy[n][o][k] * w[k][c][t] over the (o, t, k) that read (i, c);  a transposed convolution's forward
   gw[k][c][t] = the sum of gy[n][o][k] * x[n][o*stride - pad + t*dilation][c] over n and o

   x is dense [n][in...][c], y is dense [n][out...][k], w is dense (k, c/groups, kernel...) as the user holds it.
   Three spatial axes, outermost first; convolutions of one and two have leading axes of size 1, kernel 1, stride 1, pad 0, dilation 1.
   pad is what lies before the first element; where a window reads past the end there are zeros too, as many as `out` asks for:
   out[d] and in[d] are given apart, so neither the padding behind nor output_padding is needed.  Positions of x that no window reads
   have a gradient of zero.  A window may lie in the zeros as a whole.  All sizes are positive, except that n and pad may be 0. */
#ifndef FN_CONV_H
#define FN_CONV_H
#include "kernels/after.h"
typedef struct {
  ptrdiff_t n, c, k, groups;                         /* images, all input channels, all output channels; groups divides c and k */
  ptrdiff_t in[3], out[3], kernel[3], stride[3], pad[3], dilation[3];
} fn_conv_shape;

/* Direct convolution, any shape.  All three passes are products of matrices in tiles of registers whose rows are found by pointers:

   forward   rows: output pixels; columns: output channels; depth: taps x channels.
   input     the same with gy as the source.  Positions of gx that differ by a multiple of the stride see the same taps: they are a class,
             and a class is a convolution of stride 1, so that no product with a zero between two elements of gy is made.
   weight    rows: taps x channels of x; columns: output channels; depth: output pixels.

   The result is cut into boxes of pixels.  What the windows of a box see is read in place, or, where they reach over the border or where a
   group's channels shall lie next to each other, from a padded copy in scratch: small enough for L2, so the copy costs a percent.

   conv_plan     (range ignored) reads `shape` and `pass`, writes the rest of the first part.
   conv_tables   (range ignored) fills `slot`, once the caller has given memory.
   conv_pack     forward, input: weights into panels, rows in the order in which tiles read them.  range: pack_units, blocks of lanes.
   conv_apply    forward, input.  range: units = boxes x groups x splits of the panels x classes.
   conv_planar_pack, conv_planar   forward, input, for at most 16 output channels of a group: lanes are pixels.
                 ranges: pack_units, taps; units = boxes x bundles of groups.
   conv_planar_weight   the weight gradient of such layers, as conv_weight.  range: units = splits x bundles.
   conv_scatter_pack, conv_scatter   input, for few channels of gx, one group and a dilation of 1 along the last axis: columns are taps x
                 channels, and the products of a pixel are added to gx, a run for each row of the kernel.  ranges: pack_units, rows of the
                 panel; units = images x bands of rows of gx.
   conv_weight   partial sums of the weight gradient into `packed`.  range: units = splits x groups x row blocks x splits of the panels.
   conv_weight_reduce   adds the parts in order and writes gw.  range: pack_units, chunks of rows of panels.
   What is written, and in which order of additions, depends on the shape alone. */
enum { FN_CONV_FORWARD, FN_CONV_INPUT, FN_CONV_WEIGHT };
enum { FN_CONV_TILES, FN_CONV_PLANAR, FN_CONV_SCATTER };

typedef struct {
  fn_conv_shape shape;
  int32_t       pass, how;                           /* how: by which of the kernels */
  const void   *src, *w, *bias;                      /* x, or gy for the input pass; w or, for the weight pass, gy; bias of dst, or NULL */
  void         *dst;                                 /* y, gx or gw */
  ptrdiff_t    *slot;                                /* slots: where a tap's rows are in a panel */
  void         *packed;                              /* packed_size elements: panels of weights, or partial sums */
  char         *scratch;                             /* scratch_size bytes for each thread */

  /* written by conv_plan */
  ptrdiff_t     ci, co, cs;                          /* channels of a group: of rows of a panel, of columns; all channels of the source */
  ptrdiff_t     from[3], to[3];                      /* extents of the source; of what is cut into boxes */
  ptrdiff_t     classes[3];
  ptrdiff_t     lines;                               /* conv_apply: rows of pixels are taken as lines (conv_line.inc.c) */
  ptrdiff_t     bundle, bundles;                     /* planar: groups whose planes are made together, at most 16 channels; their number */
  ptrdiff_t     taps, panels, panel_splits, splits, row_blocks;
  ptrdiff_t     block;                               /* weight: channels that are copied together; 0: the source is read in place */
  ptrdiff_t     box[4], boxes[4];                    /* size of a box and number of boxes: images, then the spatial axes (of a class) */
  ptrdiff_t     slots, packed_size, scratch_size, units, pack_units;
  ptrdiff_t     alone;                               /* conv_apply packs, each thread so many bytes after the last; 0: conv_pack */
  double        unit_flops;
  const fn_after *after;                             /* forward: of y, or NULL */
} fn_conv_args;

typedef struct { fn_conv_args *conv; } fn_conv_plan_args;

/* A stretch of the depth of a tile: `len` rows of B from element b on, and A from element a on. */
typedef struct { ptrdiff_t a, b, len; } fn_conv_seg;

enum {
  CONV_PIXELS    = 240,                              /* most pixels of a box, forward and input: a multiple of every tile */
  CONV_WPIXELS   = 784,                              /* weight: the longer the depth, the more seldom sums are loaded and stored */
  CONV_FLAT      = 1024,                             /* planar, lines */
  CONV_SOURCE    = 192 << 10,                        /* bytes of source that a box should see */
  CONV_WSOURCE   = 512 << 10,                        /* weight */
  CONV_KIND      = 448,                              /* planar: bytes that describe a class of a box, at most */
  CONV_NEAR      = 128 << 10,                        /* planar: less, since its rows jump from plane to plane */
  CONV_PAST      = 10 << 20,                         /* planar: bytes of a result that no cache keeps */
  CONV_BAND      = 4,                                /* scatter: a band of gx has at least so many times the rows of a window */
  CONV_APART     = 12,                               /* scatter: additions before the same row is met again */
  CONV_LINE      = 16,                               /* pixels of a row that are read in place although the ends of the row are copied */
  CONV_DEPTH     = 1024,                             /* rows of a panel that pass before the sums are stored: they stay in L2 */
  CONV_FEW       = 32,                               /* weight: fewer channels are copied, so that rows of all taps are one list */
  CONV_JUMP      = 512,                             /* weight: bytes between pixels from which on they are copied */
  CONV_ROWS      = 1152,                             /* weight: rows of a block */
  CONV_WSPLITS   = 2,                                /* weight: most splits of the panels, since each copies the source anew */
  CONV_ALONE     = 512 << 10,                        /* most bytes of weights that every thread packs for itself */
  CONV_CHUNK     = 256,                              /* weight: rows that are added up together */
  CONV_MIN_UNITS = 16                                /* fewer boxes than this: cut further, so that many threads have work */
};
#endif
