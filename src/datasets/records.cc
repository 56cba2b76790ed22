// Reading data sets that are files of fixed records, as CIFAR-10's binary version is.
#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "src/core/error.h"
#include "src/datasets/dataset.h"

namespace incremental {
namespace {

constexpr int64_t kPieceBytes = 1 << 20;

const std::string& path_of(const RecordFile& file) { return file.file->path(); }

// What is known of `file` before it is read, checked against the file itself.
void check_extent(const RecordFile& file, int64_t record_bytes) {
  const int64_t size = file.file->size();
  check(size == file.bytes, "ERR_DATA_FORMAT", path_of(file), " changed while it was being opened: it had ", file.bytes,
        " bytes and now has ", size);
  check(file.offset >= 0 && file.offset <= size && file.count >= 0 && file.count <= (size - file.offset) / record_bytes,
        "ERR_DATA_FORMAT", path_of(file), " has ", size, " bytes: too few for ", file.count, " records of ",
        record_bytes, " bytes from byte ", file.offset);
  check(file.labelled || file.count == static_cast<int64_t>(file.labels.size()), "ERR_DATA_FORMAT", path_of(file),
        " has ", file.count, " images but ", file.labels.size(), " labels");
}

void check_label(const RecordFile& file, int64_t record, int64_t label, int64_t classes) {
  check(label >= 0 && label < classes, "ERR_DATA_FORMAT", path_of(file), ": record ", record, " has label ", label,
        "; expected 0 to ", classes - 1, ". The file is damaged or holds something else");
}

void read_labelled(const RecordFile& file, int64_t sample_bytes, int64_t classes, uint8_t* inputs, int64_t* labels) {
  const int64_t record_bytes = 1 + sample_bytes;
  const int64_t at_once = std::max<int64_t>(1, kPieceBytes / record_bytes);
  std::vector<uint8_t> piece(at_once * record_bytes);
  for (int64_t first = 0; first < file.count; first += at_once) {
    const int64_t count = std::min(at_once, file.count - first);
    file.file->read(file.offset + first * record_bytes, piece.data(), count * record_bytes);
    for (int64_t i = 0; i < count; ++i) {
      const uint8_t* record = piece.data() + i * record_bytes;
      check_label(file, first + i, record[0], classes);
      *labels++ = record[0];
      inputs = std::copy_n(record + 1, sample_bytes, inputs);
    }
  }
}

void read_unlabelled(const RecordFile& file, int64_t sample_bytes, int64_t classes, uint8_t* inputs, int64_t* labels) {
  for (int64_t i = 0; i < file.count; ++i) {
    check_label(file, i, file.labels[i], classes);
    labels[i] = file.labels[i];
  }
  file.file->read(file.offset, inputs, file.count * sample_bytes);
}

}  // namespace

Dataset dataset_from_records(const std::vector<RecordFile>& files, std::string name, const std::vector<int64_t>& shape,
                             int64_t classes) {
  int64_t sample_bytes = 1;
  for (const int64_t size : shape) {
    check(size > 0 && size <= std::numeric_limits<int32_t>::max() / sample_bytes, "ERR_INVALID_OPTION",
          "Expected a shape of positive sizes but received ", at::IntArrayRef(shape));
    sample_bytes *= size;
  }
  // Every file is checked before memory is taken for any.
  int64_t samples = 0;
  for (const RecordFile& file : files) {
    check_extent(file, sample_bytes + (file.labelled ? 1 : 0));
    samples += file.count;
  }
  const at::Tensor images = at::empty(batch_shape(samples, shape), at::kByte),
                   targets = at::empty({samples}, at::kLong);
  auto* inputs = images.mutable_data_ptr<uint8_t>();
  auto* labels = targets.mutable_data_ptr<int64_t>();
  for (const RecordFile& file : files) {
    const auto read = file.labelled ? read_labelled : read_unlabelled;
    read(file, sample_bytes, classes, inputs, labels);
    inputs += file.count * sample_bytes;
    labels += file.count;
  }
  return {{std::move(name)}, {images}, targets, {TargetKind::kClass, {}, classes}};
}

}  // namespace incremental
