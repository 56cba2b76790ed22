// Work on several threads that is no tensor operation: reading files. OpenMP's teams belong to the threads that train.
#pragma once
#include <cstddef>
#include <functional>

namespace incremental {

// Calls `work` for 0 … count-1, on the calling thread and on as many more as there are cores, at most four, and work
// for `per_thread` calls each. Throws the first error when all have ended.
void in_parallel(size_t count, size_t per_thread, const std::function<void(size_t)>& work);

}  // namespace incremental
