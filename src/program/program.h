// A model as plain data: operator calls over named values. lib/program/program.ts says what each field means.
#pragma once
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "src/core/libtorch.h"

namespace incremental {

struct ValueName {
  std::string name;
};

// A number of a known type, where an operator's result depends on it. A `double` is an integer where the schema asks
// for one, or where it takes either and there is no fraction.
struct Int {
  int64_t value;
};
struct Float {
  double value;
};

// Decided by the run: whether it trains, and the device that it computes on.
struct RunTrains {};
struct RunDevice {};

// Of a list in which values and constants are mixed.
using Item = std::variant<std::monostate, bool, double, Int, Float, ValueName>;

// What a node gives for one argument of its operator's schema. monostate is None.
using Argument =
    std::variant<std::monostate, bool, double, std::string, std::vector<double>, ValueName, std::vector<ValueName>, Int,
                 Float, std::vector<Item>, at::ScalarType, at::MemoryFormat, at::Layout, RunTrains, RunDevice>;

// Under what a node is called, as by `with torch.no_grad()` and `with torch.autocast(…)`; nothing: as the run says.
struct Surroundings {
  bool no_grad = false;
  std::optional<bool> autocast = std::nullopt;
  at::ScalarType autocast_dtype = at::kBFloat16;
  int64_t region = -1;  // of autocast: neighbouring nodes of one region share what it cast
};

enum class Mode { kTraining, kEvaluation };

struct Node;

// The calls of one branch of a condition. They use its inputs alone.
struct Branch {
  std::vector<std::string> inputs;
  std::vector<Node> nodes;
  std::vector<std::string> outputs;
};

struct Node {
  std::string op;
  std::string overload;
  std::vector<std::pair<std::string, Argument>> arguments;  // by schema name
  std::vector<std::string> outputs;                         // an empty name: that result is dropped
  std::vector<Mode> modes;                                  // those it runs in
  // For each result of the operator, how many of `outputs` it becomes: the items of a list, or kSingle. Empty: each is
  // a single value.
  std::vector<int64_t> items = {};
  Surroundings surroundings = {};
  std::string place = "";             // for messages: the module that it belongs to, and its line
  std::vector<Branch> branches = {};  // of a condition: for true, and for false

  static constexpr int64_t kSingle = -1;
};

struct ProgramTensor {
  std::string name;
  at::ScalarType dtype;
  std::vector<int64_t> shape;
  // The shape under which a run keeps it in channels_last memory; empty: it keeps it as the state has it.
  std::vector<int64_t> image_shape = {};
  std::vector<int64_t> stride = {};    // empty: of row-major order
  std::vector<std::string> ties = {};  // other names of a state for the same tensor
  bool is_frozen = false;              // a parameter that no optimizer changes
};

// A tensor that belongs to the program and not to a state.
struct ProgramConstant {
  std::string name;
  at::Tensor tensor;
};

// Numbers of samples that a program takes at a time.
struct BatchRange {
  int64_t least = 0;
  int64_t most = std::numeric_limits<int64_t>::max();
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
  std::vector<ProgramConstant> constants = {};
  BatchRange batch = {};
  // False where nodes may change values in place or hold on to them in ways that rewrites do not look at: it then runs
  // as it is.
  bool may_be_rewritten = true;
  // Whether it changes tensors that it is given while it evaluates: it must then get copies of a state's.
  bool writes_in_evaluation = false;
  std::string owner = "the model";  // for messages
};

}  // namespace incremental
