#include "src/checkpoint/zip_writer.h"

#include <c10/util/hash.h>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <unordered_set>
#include <utility>

#include "src/core/crc32.h"
#include "src/core/libtorch.h"

namespace incremental {
namespace {

constexpr uint64_t kAlignment = 64;
constexpr uint64_t kPieceBytes = 1 << 18;
// Marks a 32-bit field whose value is in the ZIP64 fields instead.
constexpr uint32_t kElsewhere = std::numeric_limits<uint32_t>::max();
constexpr uint64_t kLocalHeaderBytes = 30;
constexpr uint64_t kExtraHeaderBytes = 4;

// Bit 11: names are UTF-8. Bit 3: sizes and checksum follow the data; there is nothing to follow an empty record.
uint16_t flags_of(uint64_t bytes) { return bytes == 0 ? 0x0800 : 0x0808; }

bool needs_zip64(uint64_t bytes, uint64_t offset) { return bytes >= kElsewhere || offset >= kElsewhere; }

uint32_t narrow(uint64_t value) { return static_cast<uint32_t>(std::min<uint64_t>(value, kElsewhere)); }

// Little-endian fields, one after the other.
class Fields {
 public:
  Fields& u16(uint64_t value) { return put(value, 2); }
  Fields& u32(uint64_t value) { return put(value, 4); }
  Fields& u64(uint64_t value) { return put(value, 8); }
  Fields& text(const std::string& value) {
    bytes_ += value;
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  Fields& put(uint64_t value, int width) {
    for (int i = 0; i < width; ++i) bytes_ += static_cast<char>((value >> (8 * i)) & 0xFF);
    return *this;
  }
  std::string bytes_;
};

// The ZIP64 field of a header; empty where 32 bits are enough.
std::string zip64_extra(uint64_t bytes, uint64_t stored_bytes, uint64_t offset) {
  if (!needs_zip64(bytes, offset)) return {};
  Fields values;
  if (bytes >= kElsewhere) values.u64(bytes).u64(stored_bytes);
  if (offset >= kElsewhere) values.u64(offset);
  return Fields().u16(0x0001).u16(values.bytes().size()).text(values.bytes()).bytes();
}

}  // namespace

void ZipWriter::append(const std::string& bytes) {
  file_.append(bytes.data(), static_cast<int64_t>(bytes.size()));
  position_ += bytes.size();
}

void ZipWriter::add(const std::string& name, const void* data, int64_t size) {
  const auto bytes = static_cast<uint64_t>(size);
  const std::string full_name = prefix_ + name;
  Entry entry{name, position_, bytes, 0};
  const std::string zip64 = zip64_extra(bytes, 0, position_);
  const uint64_t unpadded = position_ + kLocalHeaderBytes + full_name.size() + zip64.size() + kExtraHeaderBytes;
  const uint64_t padding = (kAlignment - unpadded % kAlignment) % kAlignment;
  append(Fields()
             .u32(0x04034b50)
             .u16(0)
             .u16(flags_of(bytes))
             .u16(0)  // stored
             .u32(0)  // no time: equal states make equal files
             .u32(0)
             .u32(0)
             .u32(0)  // checksum and sizes follow the data
             .u16(full_name.size())
             .u16(zip64.size() + kExtraHeaderBytes + padding)
             .text(full_name)
             .text(zip64)
             .text("FB")
             .u16(padding)
             .text(std::string(padding, 'Z'))
             .bytes());
  if (bytes > 0) {
    // Piece by piece: what was summed up is still in the cache when it is written.
    const auto* from = static_cast<const char*>(data);
    for (uint64_t at = 0; at < bytes; at += kPieceBytes) {
      const uint64_t piece = std::min(kPieceBytes, bytes - at);
      entry.crc = crc32(entry.crc, from + at, piece);
      file_.append(from + at, static_cast<int64_t>(piece));
    }
    position_ += bytes;
    Fields descriptor;
    descriptor.u32(0x08074b50).u32(entry.crc);
    append(zip64.empty() ? descriptor.u32(bytes).u32(bytes).bytes() : descriptor.u64(bytes).u64(bytes).bytes());
  }
  entries_.push_back(std::move(entry));
}

// PyTorchStreamWriter's digest of the records' names and checksums: two numbers of twenty digits.
std::string ZipWriter::serialization_id() const {
  std::unordered_set<std::string> names;  // this container, because the hash depends on its order
  uint64_t checksums = 0;
  for (const Entry& entry : entries_) {
    names.insert(entry.name);
    if (entry.bytes > 0) checksums = c10::hash_combine(checksums, entry.crc);
  }
  uint64_t hashes = 0;
  for (const std::string& name : names) hashes = c10::hash_combine(hashes, c10::hash<std::string>{}(name));
  char digits[41];
  std::snprintf(digits, sizeof digits, "%020llu%020llu", static_cast<unsigned long long>(hashes),
                static_cast<unsigned long long>(checksums));
  return digits;
}

void ZipWriter::finish() {
  add(".data/serialization_id", serialization_id());

  const uint64_t directory = position_;
  for (const Entry& entry : entries_) {
    const std::string zip64 = zip64_extra(entry.bytes, entry.bytes, entry.offset);
    const std::string full_name = prefix_ + entry.name;
    append(Fields()
               .u32(0x02014b50)
               .u16(0)
               .u16(0)
               .u16(flags_of(entry.bytes))
               .u16(0)
               .u32(0)
               .u32(entry.crc)
               .u32(narrow(entry.bytes))
               .u32(narrow(entry.bytes))
               .u16(full_name.size())
               .u16(zip64.size())
               .u16(0)  // comment
               .u16(0)  // disk
               .u16(0)
               .u32(0)  // attributes
               .u32(narrow(entry.offset))
               .text(full_name)
               .text(zip64)
               .bytes());
  }
  const uint64_t directory_bytes = position_ - directory;
  const uint64_t end = position_;
  const uint64_t count = entries_.size();
  append(Fields()
             .u32(0x06064b50)
             .u64(44)  // of this record, from here on
             .u16(0x031e)
             .u16(45)  // made by 3.0 on Unix, needs 4.5
             .u32(0)
             .u32(0)  // disks
             .u64(count)
             .u64(count)
             .u64(directory_bytes)
             .u64(directory)
             .u32(0x07064b50)  // where the record above is
             .u32(0)
             .u64(end)
             .u32(1)
             .u32(0x06054b50)  // the same for readers that know no ZIP64
             .u16(0)
             .u16(0)
             .u16(std::min<uint64_t>(count, 0xFFFF))
             .u16(std::min<uint64_t>(count, 0xFFFF))
             .u32(narrow(directory_bytes))
             .u32(narrow(directory))
             .u16(0)
             .bytes());
}

}  // namespace incremental
