#include "src/core/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "src/core/error.h"

namespace incremental {
namespace {

std::string contents(int descriptor) {
  std::array<char, 200> text{};
  const ssize_t count = pread(descriptor, text.data(), text.size(), 0);
  return count > 0 ? std::string(text.data(), count) : "an unknown process";
}

// The error that prevents the lock; 0: it is held.
int lock(int descriptor) { return flock(descriptor, LOCK_EX | LOCK_NB) == 0 ? 0 : errno; }

}  // namespace

FolderLock::FolderLock(const std::string& file, const std::string& owner)
    : descriptor_(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666)) {
  check(descriptor_ >= 0, "ERR_FILE", "Cannot open ", file, ": ", std::strerror(errno));
  folder_ = open(file.substr(0, file.rfind('/') + 1).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int cause = lock(descriptor_);
  // Who takes the file for a leftover and removes it has not freed the folder. Some network file systems lock files
  // only.
  if (cause == 0 && folder_ >= 0 && lock(folder_) == EWOULDBLOCK) cause = EWOULDBLOCK;
  if (cause != 0) {
    const std::string holder = contents(descriptor_);
    release();
    check(cause == EWOULDBLOCK, "ERR_FILE", "Cannot lock ", file, ": ", std::strerror(cause));
    throw Error("ERR_BUSY", file + " is locked by " + holder + "; only one can have it at a time");
  }
  // What it says helps people only: that it cannot be written does no harm.
  if (ftruncate(descriptor_, 0) == 0) [[maybe_unused]]
    const ssize_t written = pwrite(descriptor_, owner.data(), owner.size(), 0);
}

FolderLock::~FolderLock() { release(); }

void FolderLock::release() {
  for (int* descriptor : {&folder_, &descriptor_}) {
    if (*descriptor >= 0) close(std::exchange(*descriptor, -1));
  }
}

}  // namespace incremental
