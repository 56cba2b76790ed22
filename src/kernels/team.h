// Work of one tensor operation on the threads that libtorch computes with.
#pragma once
#include <cstdint>
#include <type_traits>

namespace incremental {

// Calls work(context, i) for every i below `count`, which must not throw, on libtorch's own threads; one after the
// other inside its parallel regions and where libtorch has no OpenMP.
void run_on_team(int64_t count, void (*work)(void*, int64_t), void* context);

// Into how many parts work on `elements` is divided for libtorch's threads: a thread is worth waking for 32,768, as in
// ATen.
int64_t parts_for(int64_t elements);

// Calls body(i) for every i below `count`. What an i does may not depend on the thread that does it, so that results
// do not: divide the work by at::get_num_threads(), and reduce in the order of i.
template <class Body>
void on_team(int64_t count, Body&& body) {
  using Plain = std::remove_reference_t<Body>;
  run_on_team(
      count, [](void* context, int64_t i) { (*static_cast<Plain*>(context))(i); }, &body);
}

}  // namespace incremental
