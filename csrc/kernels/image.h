/* Augmentation of images: one pass over the rows of each picture, from where its pixels come from, through colours, to where they go.
   Kernels of the float32 table; those of the float64 table do nothing, since pixels are bytes or float32.  Every sum has a fixed order and no fused
   multiply-add, so bytes come out alike on every instruction set.

   image_pass: y (n, c, h, w) from x (n, c, in_h, in_w), both uint8 or float32, any strides.  Range: n.
   plan, IMAGE_PLAN integers a picture:
     0 sign, 1 offset, 2 sign, 3 offset   row and column of x that row and column of the window show: sign * i + offset, sign 1 or -1
     4 y0, 5 y1, 6 x0, 7 x1               the part of x that may be seen; beyond it is `fill` (window, warp)
     8 height, 9 width                    of the window (filter)
     10 sign, 11 offset, 12 sign, 13 offset   row and column of what the filter made that row and column of y show
     14 height, 15 width                  of what the filter made
   real, IMAGE_REAL doubles a picture: the matrix of a warp, row by row, from (column, row, 1) in y to x, both counted from the corner of the image,
   so that pixels have their centres at 1/2; or of a blur the kernel's height, width and the two sigmas.
   source: IMAGE_WINDOW as it is; IMAGE_WARP bilinear, IMAGE_WARP_NEAREST; IMAGE_NEAREST ... IMAGE_CUBIC_PLAIN resize the window, IMAGE_BLUR blurs it,
   mirrored at its borders.  `taps` bounds the taps of an output: rows, then columns.
   code, param: for each picture `ops` colours in order, each with four parameters.  Colours want 1 or 3 channels.
   bound: the value of white.  floors: after each colour values are rounded down to whole numbers (x is uint8).
   scale, shift: c each; at last v * scale + shift.  NULL: not.
   scratch: scratch_size floats a thread, as image_scratch counts.

   image_uniform: y (n, count) doubles in (0, 1), 32 bits each: Philox with key[0..1] = seed, and counter (place / 4, epoch, index).  Range: n. */
#ifndef FN_IMAGE_H
#define FN_IMAGE_H
#include "fn.h"
enum { IMAGE_WINDOW, IMAGE_WARP, IMAGE_WARP_NEAREST, IMAGE_NEAREST, IMAGE_NEAREST_EXACT, IMAGE_LINEAR, IMAGE_CUBIC, IMAGE_LINEAR_PLAIN,
       IMAGE_CUBIC_PLAIN, IMAGE_BLUR, IMAGE_SOURCES };
enum { IMAGE_KEEP, IMAGE_BRIGHTNESS, IMAGE_CONTRAST, IMAGE_SATURATION, IMAGE_HUE, IMAGE_HSV, IMAGE_GREY, IMAGE_INVERT, IMAGE_SOLARIZE,
       IMAGE_POSTERIZE, IMAGE_COLORS };
enum { IMAGE_PLAN = 16, IMAGE_REAL = 9, IMAGE_OPS = 16 };

typedef struct {
  const void    *x;
  void          *y;
  const int64_t *plan;
  const double  *real;
  const int32_t *code;
  const float   *param, *fill, *scale, *shift;
  float         *scratch;
  ptrdiff_t      scratch_size, c, h, w, in_h, in_w, ops, taps[2];
  ptrdiff_t      xn, xc, xh, xw, yn, yc, yh, yw;
  int            source, floors, x_float, y_float;
  float          bound;
} fn_image_args;

typedef struct {
  uint64_t       seed;
  uint32_t       epoch;
  const int64_t *index;
  double        *y;
  ptrdiff_t      count;
} fn_image_uniform_args;

/* Floats of scratch that a thread needs: planes of one row of y, eight rows to work with, a row of x summed and filtered, weights of columns
   and rows. */
static inline ptrdiff_t image_pitch(const fn_image_args *a) { return (a->w + 15) / 16 * 16; }
static inline ptrdiff_t image_wide(const fn_image_args *a) { return ((a->in_w + 2 * a->taps[1] + 1) * a->c + 31) / 16 * 16; }
static inline ptrdiff_t image_scratch(const fn_image_args *a)
{
  return (a->c + 8) * image_pitch(a) + 2 * image_wide(a) + a->w * (a->taps[1] + 2) + a->taps[0] + a->taps[1] + 32;
}
#endif
