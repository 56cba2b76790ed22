// Runs a Program through c10::Dispatcher. Autograd records the calls like any others, so the same list is trained and
// served. Everything that can be found once (operators, constant arguments, last uses) is found in the constructor.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "src/core/libtorch.h"
#include "src/program/call_checks.h"
#include "src/program/own_operators.h"
#include "src/program/program.h"
#include "src/program/scalar_operators.h"

namespace incremental {

class Condition;

class Executor {
 public:
  // `tensors`: the parameters, then the buffers, in the program's order; operators may change buffers in place.
  // `generator`: what operators draw from. `checks_statistics`: in training, a batch norm that gets one value a channel
  // throws ERR_SHAPE, as PyTorch's does; otherwise its running variance becomes NaN. `device`: where it computes if
  // there are no tensors.
  Executor(const Program& program, std::vector<at::Tensor> tensors, Mode mode, const at::Generator& generator,
           bool checks_statistics = false, c10::Device device = c10::kCPU);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // One value for each of Program::inputs; returns one per name of Program::outputs, which must be tensors. Those that
  // only the other mode computes are undefined.
  std::vector<at::Tensor> run(std::vector<at::Tensor> inputs);
  // The same for inputs that may be numbers.
  std::vector<at::Tensor> run_values(std::vector<c10::IValue> inputs);

 private:
  using Slot = size_t;

  // A value on its way into an operator's stack. The last use moves it, so that it is freed as early as possible.
  struct Use {
    Slot slot;
    bool last;
  };
  // What an argument is made of: a value, or a list of values and constants, by the type of its items.
  enum class Made { kValue, kTensors, kOptionalTensors, kIntegers, kFloats };
  struct Input {
    size_t position;
    std::vector<Use> uses;
    Made made = Made::kValue;
    c10::TypeKind kind = c10::TypeKind::AnyType;  // what the operator takes for a value
    // Of a list: its items, None where the next of `uses` goes. Empty: the uses alone.
    std::vector<c10::IValue> items = {};
    std::vector<bool> is_value = {};
  };
  struct Call {
    std::variant<c10::OperatorHandle, const OwnOperator*, const ScalarOperator*, std::shared_ptr<Condition>> op;
    std::vector<c10::IValue> arguments;  // constants in place, None where a value goes
    std::vector<Input> inputs;
    std::vector<Slot> outputs;
    std::string label;                // for errors
    std::vector<int64_t> items = {};  // as Node's
    Surroundings surroundings = {};
    std::optional<at::Generator> draws_from = std::nullopt;  // where it draws from the process's generator otherwise
    std::optional<Node> checked = std::nullopt;              // where it takes statistics that are looked at before
    CallCheck check = nullptr;
  };

  void add_own(const OwnOperator& op, const Node& node, std::string label);
  void add_scalar(const ScalarOperator& op, const Node& node, std::string label);
  void add_condition(const Node& node, std::string label, Mode mode, const at::Generator& generator,
                     bool checks_statistics);
  Input mixed_list(const std::vector<Item>& items, size_t position, const c10::Argument& schema,
                   const std::string& label) const;
  void define_outputs(Call& call, const Node& node);
  c10::IValue list_of(const Input& input);
  void invoke(const Call& call);
  void choose(Condition& condition);
  void keep_results(const Call& call);
  void add_call(const Node& node, size_t index, Mode mode, const at::Generator& generator, bool checks_statistics);
  void check_statistics(const Call& call) const;
  void check_arguments(const Call& call) const;
  void mark_last_uses();
  // What messages call a node: its own place, or the layer whose parameters or buffers it uses, or its number.
  std::string place_of(const Node& node, size_t index) const;
  Slot slot_of(const std::string& name, const std::string& label) const;
  Slot output_slot(const Program& program, const std::string& name, Mode mode) const;
  Slot define(const std::string& name);
  c10::IValue take(const Use& use);

  static constexpr Slot kDropped = static_cast<Slot>(-1);

  std::string owner_;  // of the program
  c10::Device device_;
  std::unordered_map<std::string, Slot> slots_;
  std::vector<c10::IValue> values_;
  size_t bound_ = 0;  // the first slots hold parameters, buffers and constants and are never freed
  std::vector<Slot> inputs_, outputs_;
  std::vector<Call> calls_;
  std::vector<c10::IValue> stack_;
};

}  // namespace incremental
