// Which versions a directory of doubles claims; versions.cpp is compiled for each.
#pragma once

#include <cstdint>

extern "C" {
extern const char* const double_cann_version;
extern const int32_t double_cann_number;
extern const int double_cuda_version;
extern const int double_nccl_version;
}
