#include "src/device/errors.h"

#include <algorithm>
#include <iterator>

namespace incremental {
namespace {

constexpr const char* kOutOfMemory =
    "The device has too little free memory. Use a smaller batchSize, end what else computes on it (nvidia-smi lists "
    "it), "
    "or use another device";
constexpr const char* kLost =
    "The device is lost to this process: restart the process to use it again. Until then device: 'cpu' works, and "
    "all that was saved is safe";
constexpr const char* kOldDriver = "The NVIDIA driver is too old for this libtorch: install a newer one";
constexpr const char* kNoKernels =
    "This libtorch has no code for this kind of GPU: set TORCH_INCREMENTAL_LIBTORCH to a build that has, or use "
    "device: 'cpu'";
constexpr const char* kUnavailable =
    "The device cannot be used now: it may be in exclusive use by another process (nvidia-smi shows it) or not ready. "
    "Use another device, or device: 'cpu'";
constexpr const char* kElse = "A call of CUDA failed. Look at what nvidia-smi shows, or use device: 'cpu'";

// By the numbers of cudaError_t, which do not change.
struct Cause {
  int number;
  const char* text;
};
constexpr Cause kCauses[] = {
    {2, kOutOfMemory},   {35, kOldDriver},  {46, kUnavailable}, {209, kNoKernels}, {214, kLost}, {218, kNoKernels},
    {222, kOldDriver},   {226, kLost},      {700, kLost},       {702, kLost},      {710, kLost}, {713, kUnavailable},
    {714, kLost},        {715, kLost},      {716, kLost},       {717, kLost},      {718, kLost}, {719, kLost},
    {802, kUnavailable}, {803, kOldDriver}, {804, kOldDriver},
};

// By what messages say, where an error brings no number: cuBLAS and cuDNN have numbers of their own.
struct Words {
  const char* words;
  const char* text;
};
constexpr Words kWords[] = {
    {"CUBLAS_STATUS_ALLOC_FAILED", kOutOfMemory},
    {"CUDNN_STATUS_ALLOC_FAILED", kOutOfMemory},
    {"CUDA error: out of memory", kOutOfMemory},
    {"no kernel image is available", kNoKernels},
    {"CUBLAS_STATUS_ARCH_MISMATCH", kNoKernels},
    {"CUDNN_STATUS_ARCH_MISMATCH", kNoKernels},
    {"driver version is insufficient", kOldDriver},
    {"device-side assert", kLost},
    {"illegal memory access", kLost},
    {"unspecified launch failure", kLost},
    // Handles take memory when they are made; with none left this is what the libraries say.
    {"CUBLAS_STATUS_NOT_INITIALIZED", kOutOfMemory},
    {"CUDNN_STATUS_NOT_INITIALIZED", kOutOfMemory},
    {"CUDA error:", kElse},
    {"cuDNN error:", kElse},
};

const char* cause_of(const c10::Error& error, const std::string& said) {
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error)) return kOutOfMemory;
  if (const auto* numbered = dynamic_cast<const c10::AcceleratorError*>(&error)) {
    const auto* found = std::find_if(std::begin(kCauses), std::end(kCauses),
                                     [&](const Cause& cause) { return cause.number == numbered->get_error_code(); });
    return found == std::end(kCauses) ? kElse : found->text;
  }
  const auto* found = std::find_if(std::begin(kWords), std::end(kWords),
                                   [&](const Words& entry) { return said.find(entry.words) != std::string::npos; });
  return found == std::end(kWords) ? nullptr : found->text;
}

}  // namespace

std::optional<DeviceFailure> explain_device_error(const c10::Error& error) {
  const std::string said = error.what_without_backtrace();
  const char* text = cause_of(error, said);
  if (text == nullptr) return std::nullopt;
  const char* code = text == kOutOfMemory ? "ERR_OUT_OF_MEMORY" : "ERR_DEVICE";
  // Of libtorch's paragraph the first sentences; the rest is advice for its own developers.
  return DeviceFailure{code, c10::str(text, ". libtorch says: ", said.substr(0, said.find('\n')))};
}

}  // namespace incremental
