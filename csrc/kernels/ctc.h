/* Connectionist temporal classification (Graves et al., 2006): minus the logarithm of the probability of all alignments of a target.
   An alignment runs through 2 s + 1 states, blanks and labels in turn; x [steps][sequences][classes] are logarithms of probabilities.
   ctc_forward    range: sequences.  Writes loss[n] and alpha[n][steps][width]: at CTC_LEAD + state, the logarithm of the sum over beginnings.
   ctc_backward   range: sequences.  gx[t][n] = -gloss[n] * the probability that state's class is passed at t; 0 past the sequence's end. */
#ifndef FN_CTC_H
#define FN_CTC_H
#include "fn.h"
enum { CTC_LEAD = 2 };                               /* -inf before the first state, for the steps of one and two states */

typedef struct {
  const void    *x, *gloss;
  void          *loss, *alpha, *gx;
  const int64_t *targets;                            /* sequence n's labels begin at starts[n] */
  const int64_t *starts, *lengths, *target_lengths;
  void          *scratch;                            /* 4 * width elements for each thread */
  ptrdiff_t      steps, sequences, classes, width;   /* width: CTC_LEAD on both sides of the states of the longest target, and a vector */
  int64_t        blank;
  int32_t        zero_infinity;
} fn_ctc_args;
#endif
