#include "src/core/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "src/core/error.h"

namespace incremental {
namespace {

// Linux moves at most 2 GiB - 4 KiB a call.
constexpr int64_t kMostAtOnce = int64_t{1} << 30;

// std::strerror shares its memory between threads.
void check_errno(bool done, const char* verb, const std::string& path) {
  if (!done)
    throw Error("ERR_FILE", c10::str("Cannot ", verb, " ", path, ": ", std::generic_category().message(errno)));
}

}  // namespace

File File::duplicate(std::string path, int descriptor) {
  const int own = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  check_errno(own >= 0, "read", path);
  File file(std::move(path), own);
  struct stat status;
  check_errno(fstat(own, &status) == 0, "read", file.path_);
  check(S_ISREG(status.st_mode), "ERR_FILE", file.path_, " is not a regular file");
  return file;
}

File File::create(std::string path, uint32_t mode) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
  check_errno(descriptor >= 0, "create", path);
  return {std::move(path), descriptor};
}

File::File(File&& other) noexcept : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

File::~File() {
  if (descriptor_ >= 0) close(descriptor_);
}

int64_t File::size() const {
  struct stat status;
  check_errno(fstat(descriptor_, &status) == 0, "read", path_);
  return status.st_size;
}

void File::read(int64_t offset, void* to, int64_t bytes) const {
  auto* next = static_cast<char*>(to);
  while (bytes > 0) {
    const ssize_t got = pread(descriptor_, next, std::min(bytes, kMostAtOnce), offset);
    if (got < 0 && errno == EINTR) continue;
    check_errno(got >= 0, "read", path_);
    check(got > 0, "ERR_FILE", path_, " became shorter while it was being read: it ended at byte ", offset);
    next += got;
    offset += got;
    bytes -= got;
  }
}

void File::append(const void* from, int64_t bytes) {
  const auto* next = static_cast<const char*>(from);
  while (bytes > 0) {
    const ssize_t put = write(descriptor_, next, std::min(bytes, kMostAtOnce));
    if (put < 0 && errno == EINTR) continue;
    check_errno(put >= 0, "write", path_);
    next += put;
    bytes -= put;
  }
}

void File::sync() { check_errno(fsync(descriptor_) == 0, "write", path_); }

}  // namespace incremental
