/* The groups of kernels.  Each is a header here, compiled by itself once per ISA, and read three ways:
     as it is             -> the numbers of its kernels (FN_<name>) and their argument structs: what an op includes
     FN_KERNEL defined    -> their names: tables
     FN_BODIES defined    -> their bodies: once per ISA and dtype */
FN_GROUP(rows)
FN_GROUP(index)
FN_GROUP(element)
FN_GROUP(gemm)
FN_GROUP(conv)
FN_GROUP(norm)
FN_GROUP(pool)
FN_GROUP(image)
