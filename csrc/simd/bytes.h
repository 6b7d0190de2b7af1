/* The low byte of each of the first n lanes, by way of memory. */
static inline void FN(v_storeb)(uint8_t *q, vec v, ptrdiff_t n)
{
  T lane[VLEN];
  TI bits[VLEN];
  v_store(lane, v);
  memcpy(bits, lane, sizeof bits);
  if (n == VLEN) for (int l = 0; l < VLEN; l++) q[l] = (uint8_t)bits[l];
  else for (ptrdiff_t l = 0; l < n; l++) q[l] = (uint8_t)bits[l];
}
#define v_storeb FN(v_storeb)
