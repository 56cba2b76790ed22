// A model as plain data: operator calls over named values. lib/program/program.ts says what each field means.
#pragma once
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "src/core/libtorch.h"

namespace incremental {

struct ValueName {
  std::string name;
};

// What a node gives for one argument of its operator's schema. monostate is None.
using Argument =
    std::variant<std::monostate, bool, double, std::string, std::vector<double>, ValueName, std::vector<ValueName>>;

enum class Mode { kTraining, kEvaluation };

struct Node {
  std::string op;
  std::string overload;
  std::vector<std::pair<std::string, Argument>> arguments;  // by schema name
  std::vector<std::string> outputs;
  std::vector<Mode> modes;  // those it runs in
};

struct ProgramTensor {
  std::string name;
  at::ScalarType dtype;
  std::vector<int64_t> shape;
  // The shape under which a run keeps it in channels_last memory; empty: it keeps it as the state has it.
  std::vector<int64_t> image_shape = {};
};

struct ProgramInput {
  std::string name;
  at::ScalarType dtype;
};

struct Program {
  std::vector<ProgramInput> inputs;
  std::vector<ProgramTensor> parameters;
  std::vector<ProgramTensor> buffers;
  std::vector<Node> nodes;
  std::vector<std::string> outputs;
  // Whether it changes tensors that it is given while it evaluates: it must then get copies of a state's.
  bool writes_in_evaluation = false;
  std::string owner = "the model";  // for messages
};

}  // namespace incremental
