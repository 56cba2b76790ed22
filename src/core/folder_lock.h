// A folder that one owner has at a time. The system gives it back when the owner's process ends, however it ends.
#pragma once
#include <string>

namespace incremental {

class FolderLock {
 public:
  // Makes `file`, an absolute path, if it is not there and locks it and its folder, with `owner` as what the file says.
  // Throws ERR_BUSY, with what it says, where another has one of them, this process among them; ERR_FILE where it
  // cannot be made.
  FolderLock(const std::string& file, const std::string& owner);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  void release();

  int descriptor_;
  int folder_ = -1;
};

}  // namespace incremental
