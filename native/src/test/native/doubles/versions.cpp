#include "versions.h"

#ifdef PLM_DOUBLE_OLD
const char* const double_cann_version = "8.1.RC1";
const int32_t double_cann_number = 80100;
const int double_cuda_version = 11080;
const int double_nccl_version = 21803;
#else
const char* const double_cann_version = "9.1.0";
const int32_t double_cann_number = 90100;
const int double_cuda_version = 13000;
const int double_nccl_version = 23007;
#endif
