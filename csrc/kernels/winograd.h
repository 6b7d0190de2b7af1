/* 3x3 convolutions of stride 1 and 2 by Winograd's algorithm (Lavin and Gray, arXiv 1509.09308), in channels-last images.
   Stride 1, F(m x m, 3x3), m = 2 or 4: a tile of m x m outputs is A'[(G w G') * (B' x B)]A, where * multiplies the (m+2)^2 elements of two
   squares and sums over the inputs c: every element, a "plane", is a matrix product of tiles x c by c x k.  A, B, G are the transforms of
   Toom and Cook at the points 0, 1, -1 (m = 2) and 0, 1, -1, 1/2, -2 (m = 4) and infinity.  The gradients are the same sums: of x by the
   forward pass with the taps turned round, of w by G'[(A gy A') * (B' x B)]G summed over tiles.
   Stride 2, m = 4: along an axis the even inputs meet the taps 0 and 2, which is F(4, 2) with the points 1/2, -1/2, 3/2, -3/2 and infinity,
   and the odd ones tap 1, which is F(4, 1) with the first four of them; both add up in the same 5 planes, and the rows of B' for the odd
   inputs are those of the first four points.  So there are four phases, the parities of row and column: 81 products for 144.  Forward, a
   phase reads its part of x, and all add to the same products; in the gradient of x all phases read the same transform of gy, and each
   writes its part of gx.  Per axis U has 6 rows: five points of the even taps, and the odd one.
   Where 4 does not divide an axis its last tile has r < 4 outputs and the first r+1 points (stride 2: r) and infinity: a tile at the edge
   takes part in those planes alone (winograd_edge.inc.c).
   In float32 alone: float64 is asked for where errors matter.
     winograd_plan           range ignored: reads the first part of *plan and writes the second
     winograd_filter         range: filter_units, none when `alone`.  U = G w G'
     winograd_forward        range: units, blocks of tiles.  y from x and U
   or, where there are few tiles, when `fused` (without winograd_input when `alone`)
     winograd_input          range: tiles of the current group.  V = B' x B
     winograd_output         range: units, panels of k.  y from V and w, whose U is made in passing
   and for the weight gradient
     winograd_weight         range: units, sets of blocks of tiles.  Sums over tiles, to u
     winograd_weight_finish  range: finish_units.  gw from the sums
   or, when `fused`, for each group of tiles (without winograd_input when `alone`)
     winograd_input          range: tiles of the current group.  V = B' x B and D = A gy A'
     winograd_weight_patch   range: units, patches of (c, k).  Sums over the group's tiles; after the last group gw from them.
   Units and partial sums are fixed by the shape. */
#ifndef FN_WINOGRAD_H
#define FN_WINOGRAD_H
#include "kernels/after.h"

typedef struct {
  const void *x;                                     /* [images][ih][iw][c] */
  const void *w;                                     /* w[k*w_ks + c*w_cs + tap], tap in 0..8, or 8 - tap when flip */
  const void *bias;                                  /* [k] or NULL */
  void       *y;                                     /* [images][oh][ow][k]; the weight gradient only reads it: gy */
  void       *gw;                                    /* weight gradient: as w */
  void       *u, *v, *d;                             /* scratch: u_size, v_size, d_size elements, aligned to 64 bytes */
  void       *own;                                   /* scratch: own_size elements for each thread */
  ptrdiff_t   images, c, k, ih, iw, oh, ow, pad_h, pad_w, w_ks, w_cs;
  ptrdiff_t   off_h, off_w;                          /* how far before y the first tile begins, as pad_h and pad_w before x */
  ptrdiff_t   group;                                 /* the current group of tiles, 0..groups-1 */
  int32_t     tile, flip;                            /* tile: m */
  int32_t     weight;                                /* the weight gradient is wanted */
  int32_t     x_step, y_step;                        /* the stride, where it leads through x, or through y; 1 otherwise */

  /* Written by winograd_plan. */
  int32_t     fused, alone;                          /* alone: every thread does the first launch for itself */
  ptrdiff_t   side, planes, kernels, phases;         /* planes of V, D or the products of a phase: side^2, not all used; of U; 1 or 4 */
  ptrdiff_t   width;                                 /* columns of a panel of U */
  ptrdiff_t   tiles, groups;                         /* tiles of all images, and in how many groups they are taken */
  ptrdiff_t   whole_h, whole_w;                      /* tiles of m outputs along each axis */
  ptrdiff_t   edge_h, edge_w;                        /* outputs of a tile behind them; 0: none */
  ptrdiff_t   whole, lower, corner;                  /* first tile of m x m outputs, of edge_h x m, of edge_h x edge_w; before them m x edge_w */
  ptrdiff_t   blocks, splits, panels;                /* blocks of tiles; sets of blocks; panels of k */
  ptrdiff_t   c_patch, k_patch;                      /* channels of V, of D, that lie together */
  ptrdiff_t   v_patch, d_patch;                      /* from one patch to the next */
  ptrdiff_t   c_row, k_row;                          /* from one tile to the next in V; in D and in the products */
  ptrdiff_t   u_plane, v_plane, z_plane;             /* from one plane to the next in U or the sums, V, D or the products */
  ptrdiff_t   u_size, v_size, d_size, own_size;
  ptrdiff_t   units, filter_units, finish_units;
  const fn_after *after;                             /* forward: of y, or NULL */
} fn_winograd_args;

typedef struct { fn_winograd_args *plan; } fn_winograd_plan_args;

enum {
  WINOGRAD_NARROW = 64 * 128,                        /* c * k of a narrow layer: U, or the sums of all planes, stay in L2 */
  WINOGRAD_FEW    = 128,                             /* tiles that do not pay for storing a wide layer's U; tiles of a group */
  WINOGRAD_DEPTH  = 64,                              /* inputs c for which U is made in passing */
  WINOGRAD_ROWS   = 16,                              /* inputs c of a patch of sums: a multiple of every vector */
  WINOGRAD_SPLITS = 8,                               /* most sets of blocks */
  WINOGRAD_ALONE  = 1 << 20,                         /* most bytes of V, or of D, that every thread makes for itself */
  WINOGRAD_L2     = 450000                           /* bytes of V and the products of a block */
};
#endif
