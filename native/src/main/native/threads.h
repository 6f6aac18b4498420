// Names and priorities of the library's own threads.
#pragma once

#include <string>

namespace plm {

constexpr int modest_nice = 5;

// Asks for a lower share of the processor for the calling thread; advisory, refused silently by some systems.
void be_modest();
void name_thread(const std::string& name);

}  // namespace plm
