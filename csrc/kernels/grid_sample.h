/* grid_sample: y (n, places, c) from x (n, size0, size1, size2, c) at the places that grid (n, places, axes) names; all dense.  A row of grid
   holds coordinates from -1 to 1, the last spatial axis first.  axes is 2 (size0 is 1) or 3.

   forward: range: n * places.
   backward_grid: range: n * places; ggrid like grid, from x, grid, gy.
   backward_input: adds to gx (zeros before), from grid, gy.  Range: n * blocks; a block is GRID_BLOCK channels, so that no two units meet. */
#ifndef FN_GRID_SAMPLE_H
#define FN_GRID_SAMPLE_H
#include "fn.h"
enum { GRID_LINEAR, GRID_NEAREST, GRID_CUBIC };
enum { GRID_ZEROS, GRID_BORDER, GRID_REFLECTION };
enum { GRID_BLOCK = 32, GRID_BATCH = 64 };

typedef struct {
  const void *x, *grid, *gy;
  void       *y, *gx, *ggrid;
  ptrdiff_t   c, places, axes, blocks;
  ptrdiff_t   size[3];
  int         mode, padding, corners;
} fn_grid_sample_args;
#endif
