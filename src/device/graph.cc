#include "src/device/graph.h"

#include <dlfcn.h>

#include <cstddef>
#include <utility>

namespace incremental {
namespace {

// libtorch's graphs for any device (at::accelerator::Graph, 2.13) are not there for CUDA yet, and this addon, which
// serves builds of libtorch without CUDA too, cannot be linked to what is. So the members of at::cuda::CUDAGraph that
// are needed are looked up by name in the libtorch_cuda.so that is loaded. They are the same in libtorch 2.11 and 2.13;
// where one is missing there are no graphs, and training says so.
struct CudaGraph {
  using Pool = std::pair<unsigned long long, unsigned long long>;  // MempoolId_t; zeros: a new one
  void (*construct)(void* self, bool keep_graph) = nullptr;
  void (*destroy)(void* self) = nullptr;
  void (*capture_begin)(void* self, Pool pool, int mode) = nullptr;
  void (*capture_end)(void* self) = nullptr;
  void (*replay)(void* self) = nullptr;

  bool complete() const { return construct && destroy && capture_begin && capture_end && replay; }
};

// cudaStreamCaptureModeThreadLocal: while this thread captures, other jobs may take memory from the device.
constexpr int kThreadLocal = 1;
// CUDAGraph takes less than a tenth of it.
constexpr size_t kRoomForGraph = 4096;

template <class Function>
void find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
}

CudaGraph find_cuda_graph() {
  CudaGraph found;
  // NOLOAD: only if it came with libtorch.so; by its name, since it is loaded already.
  void* library = dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_NOLOAD);
  if (library == nullptr) return found;
  find(library, "_ZN2at4cuda9CUDAGraphC1Eb", found.construct);
  find(library, "_ZN2at4cuda9CUDAGraphD1Ev", found.destroy);
  find(library, "_ZN2at4cuda9CUDAGraph13capture_beginESt4pairIyyE21cudaStreamCaptureMode", found.capture_begin);
  find(library, "_ZN2at4cuda9CUDAGraph11capture_endEv", found.capture_end);
  find(library, "_ZN2at4cuda9CUDAGraph6replayEv", found.replay);
  return found;
}

const CudaGraph& cuda_graph() {
  static const CudaGraph found = find_cuda_graph();
  return found;
}

}  // namespace

struct DeviceGraph::Impl {
  Impl() {
    TORCH_CHECK(cuda_graph().construct != nullptr, "This libtorch has no graphs that are known here");
    cuda_graph().construct(self, /*keep_graph=*/false);
  }
  ~Impl() {
    if (cuda_graph().destroy != nullptr) cuda_graph().destroy(self);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  alignas(std::max_align_t) std::byte self[kRoomForGraph];
};

DeviceGraph::DeviceGraph() = default;
DeviceGraph::~DeviceGraph() = default;

std::string DeviceGraph::unavailable(c10::Device device) {
  if (device.is_cpu()) return "the CPU needs none";
  return device.is_cuda() && cuda_graph().complete() ? "" : "this libtorch has no graphs that are known here";
}

void DeviceGraph::capture(const std::function<void()>& work) {
  auto recording = std::make_unique<Impl>();
  cuda_graph().capture_begin(recording->self, {0, 0}, kThreadLocal);
  try {
    work();
  } catch (...) {
    // The stream must stop capturing, whatever that call reports: the first error is the one to throw.
    try {
      cuda_graph().capture_end(recording->self);
    } catch (const std::exception&) {
      // Then CUDA's allocator keeps asking this graph which memory is its own (a filter that CUDAGraph.cpp hands to
      // it), so it must stay.
      static_cast<void>(recording.release());
    }
    throw;
  }
  cuda_graph().capture_end(recording->self);
  impl_ = std::move(recording);
}

void DeviceGraph::replay() {
  TORCH_CHECK(impl_, "replay() called without capture()");
  cuda_graph().replay(impl_->self);
}

}  // namespace incremental
