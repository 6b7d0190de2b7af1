/* C = act(A.B + bias), or C += A.B: matrices given by a pointer and two strides, and any number of batches.
   gemm_plan  (range ignored) reads the first part of *gemm and writes the second: how, in how many units, with how much scratch.
   gemm       range: units.  Pieces of C, or with splits > 1 pieces of the partial sums in scratch.
   gemm_reduce range: reduce_units, blocks of C; only when splits > 1.  Adds the partial sums in order.
   Every element of C is one chain of multiply-adds whose order depends on shapes and strides alone.
   C overlaps neither A nor B.  Strides count elements and may be 0 or negative, except that two elements of C are never the same. */
#ifndef FN_GEMM_H
#define FN_GEMM_H
#include "kernels/after.h"
typedef enum { FN_ACT_NONE, FN_ACT_RELU, FN_ACT_TANH, FN_ACT_SIGMOID } fn_act;
typedef enum { FN_GEMM_TILE, FN_GEMM_DOT, FN_GEMM_STREAM } fn_gemm_how;
typedef enum { FN_PACK_NONE, FN_PACK_COPY, FN_PACK_TRANSPOSE, FN_PACK_GATHER } fn_gemm_pack;
typedef struct {
  const void *a, *b;                                 /* A is (m, k), B is (k, n), C is (m, n) */
  void       *c;
  const void *bias;                                  /* bias[i*bias_rs + j*bias_cs], or NULL; not batched */
  void       *scratch;                               /* scratch_size elements, when the plan asks for any */
  ptrdiff_t   m, n, k;
  ptrdiff_t   a_rs, a_cs, b_rs, b_cs, c_rs, c_cs, bias_rs, bias_cs;
  ptrdiff_t   nbatch;                                /* number of batch axes, 0 for one product */
  ptrdiff_t   batch[FN_MAXDIM], a_bs[FN_MAXDIM], b_bs[FN_MAXDIM], c_bs[FN_MAXDIM];
  int32_t     accumulate;                            /* add to C instead of writing it */
  int32_t     act;                                   /* fn_act, applied last */

  /* Written by gemm_plan, which may also turn batches into rows, and exchange A and B (and their strides) to compute C transposed. */
  int32_t     how, pack, deep;
  int32_t     block;                                 /* tile: chunks of rows that come before the next panel in the order of units */
  ptrdiff_t   batches;                               /* product of batch[] */
  ptrdiff_t   units, reduce_units, scratch_size;
  ptrdiff_t   splits, split_k;                       /* pieces of k, and the length of each but the last */
  ptrdiff_t   supers, super_rows;                    /* tile: groups of rows of C that stay in cache while the panels of B pass */
  ptrdiff_t   panels, chunks;                        /* tile: panels of B; chunks of rows in one group.  dot, stream: panels of columns */
  double      unit_flops;                            /* work of one unit, for the launcher's grain */
  const fn_after *after;                             /* of C, or NULL, and then no bias for rows; the plan makes it NULL where pieces of C are not finished as they are */
} fn_gemm_args;

typedef struct { fn_gemm_args *gemm; } fn_gemm_plan_args;

enum {
  GEMM_UNIT_ROWS  = 24,                              /* rows of a chunk: a multiple of every tile */
  GEMM_AFTER      = 48,                              /* rows after which `after` is called: their columns are still in L1 */
  GEMM_BLOCK      = 8,                               /* chunks of a block where C has more rows than columns: threads get rows */
  GEMM_SUPER_ROWS = 768,                             /* rows of A that should stay in L2 or L3 */
  GEMM_DEEP       = 1024,                            /* k from which C is visited several times, to keep A in L2 */
  GEMM_MIN_UNITS  = 16,                              /* fewer pieces of C than this: split k */
  GEMM_MIN_SPLIT  = 512,                             /* shortest share of k */
  GEMM_STREAM_COLUMNS = 256,                         /* shorter rows wait for their own sums of the row before */
  GEMM_FAR        = 1 << 18,                         /* a matrix of more elements comes from memory */
  GEMM_STREAMS    = 4                                /* shares of it: dot reads all at once, stream has a thread for each */
};
#endif
