#include "src/device/graph.h"

#include "src/core/error.h"

// Three ways, by what there is to build with: libtorch's device-agnostic graphs; before there were such, those of CUDA
// itself, for which CMakeLists.txt then links CUDA's libraries; or none.
#if __has_include(<ATen/accelerator/Graph.h>)
#include <ATen/accelerator/Graph.h>
#elif defined(TORCH_INCREMENTAL_CUDA_GRAPHS)
#include <ATen/cuda/CUDAGraph.h>
#endif

namespace incremental {

#if __has_include(<ATen/accelerator/Graph.h>)

struct DeviceGraph::Impl {
  at::accelerator::Graph graph;
  // Of this thread only: other jobs of the process may take memory from the device meanwhile.
  void begin() { graph.capture_begin({0, 0}, at::GraphCaptureMode::ThreadLocal); }
};

std::string DeviceGraph::unavailable(c10::Device device) {
  if (device.is_cpu()) return "the CPU needs none";
  return at::has_graph_impl(device.type()) ? "" : "this libtorch cannot capture graphs";
}

#elif defined(TORCH_INCREMENTAL_CUDA_GRAPHS)

struct DeviceGraph::Impl {
  at::cuda::CUDAGraph graph;
  void begin() { graph.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal); }
};

std::string DeviceGraph::unavailable(c10::Device device) { return device.is_cpu() ? "the CPU needs none" : ""; }

#else

struct DeviceGraph::Impl {
  struct {
    void capture_end() {}
    void replay() {}
  } graph;
  void begin() {}
};

std::string DeviceGraph::unavailable(c10::Device) { return "torch-incremental was built without graphs"; }

#endif

DeviceGraph::DeviceGraph() = default;
DeviceGraph::~DeviceGraph() = default;

void DeviceGraph::capture(const std::function<void()>& work) {
  auto recording = std::make_unique<Impl>();
  recording->begin();
  try {
    work();
  } catch (...) {
    // The stream must leave its state of being captured, whatever that says: the reason is in hand already.
    try {
      recording->graph.capture_end();
    } catch (const std::exception&) {
      // Then CUDA's allocator goes on asking this graph which memory is its own (a filter that CUDAGraph.cpp hands to
      // it), so it must stay.
      static_cast<void>(recording.release());
    }
    throw;
  }
  recording->graph.capture_end();
  impl_ = std::move(recording);
}

void DeviceGraph::replay() {
  TORCH_CHECK(impl_, "replay() called without capture()");
  impl_->graph.replay();
}

}  // namespace incremental
