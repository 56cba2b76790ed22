#include "src/program/rewrites/contract.h"

#include <algorithm>
#include <set>
#include <utility>

#include "src/program/own_operators.h"

namespace incremental {
namespace {

bool is_linear(const Node& node) { return node.op == "aten::linear" || node.op == kImageLinear; }

// Flattening and torch.nn.Identity: affine, without a weight.
bool is_view(const Node& node) {
  return node.op == "aten::alias" ||
         (node.op == "aten::flatten" && integer_of(node, "start_dim", 0) == 1 && integer_of(node, "end_dim", -1) == -1);
}

const char* input_name(const Node& node) { return is_view(node) ? "self" : "input"; }

// Affine, of one input, with a weight of the model's.
bool has_weight(const Program& program, const Node& node) {
  if (!is_linear(node) && node.op != "aten::conv2d") return false;
  const std::string *weight = value_of(node, "weight"), *bias = value_of(node, "bias");
  return weight != nullptr && find_parameter(program, *weight) != nullptr &&
         (bias == nullptr || find_parameter(program, *bias) != nullptr);
}

// One chain's matrix, written from its last layer down to its first.
class Writer {
 public:
  Writer(const Program& program, const Shapes& shapes, const Node& last, bool turned, std::vector<Node>& nodes)
      : program_(program), shapes_(shapes), last_(last), turned_(turned), nodes_(nodes) {
    rows_ = *value_of(last, "weight");
    if (const std::string* bias = value_of(last, "bias")) bias_ = *bias;
    count_ = find_parameter(program, rows_)->shape[0];
    images_ = last.op == kImageLinear;
  }

  // Pushes the rows down through `node`, whose output they multiply.
  void push(const Node& node) {
    if (node.op == "aten::alias") return;
    if (is_view(node)) return unflatten(node);
    if (const std::string* bias = value_of(node, "bias")) add_bias(*bias);
    if (node.op == "aten::conv2d") return push_convolution(node);
    const std::string weight = *value_of(node, "weight");
    if (node.op == "aten::linear") {
      rows_ = add("aten::mm", "", {{"self", ValueName{rows_}}, {"mat2", ValueName{weight}}});
      return;
    }
    const std::vector<int64_t>& shape = find_parameter(program_, weight)->image_shape;
    const std::string last = add("aten::permute", "", {{"self", ValueName{weight}}, {"dims", Numbers{0, 2, 3, 1}}});
    const std::string flat = add("aten::flatten", "using_ints", {{"self", ValueName{last}}, {"start_dim", 1.0}});
    rows_ = add("aten::mm", "", {{"self", ValueName{rows_}}, {"mat2", ValueName{flat}}});
    reshape({count_, shape[2], shape[3], shape[1]});
    rows_ = add("aten::permute", "", {{"self", ValueName{rows_}}, {"dims", Numbers{0, 3, 1, 2}}});
    images_ = true;
  }

  // What takes the place of the whole chain, whose input is `input`.
  void finish(const std::string& input) {
    std::string from = input;
    const bool flat = shapes_.at(input).size() == 2;
    if (!flat && !images_) {
      from = add("aten::flatten", "using_ints", {{"self", ValueName{from}}, {"start_dim", 1.0}});
    }
    Node node = node_like(last_, images_ ? kImageLinear : "aten::linear", "",
                          {{"input", ValueName{from}}, {"weight", ValueName{rows_}}}, last_.outputs.front());
    if (!bias_.empty()) node.arguments.emplace_back("bias", ValueName{bias_});
    nodes_.push_back(std::move(node));
  }

  int64_t count() const { return count_; }

 private:
  using Numbers = std::vector<double>;
  using Arguments = std::vector<std::pair<std::string, Argument>>;

  std::string add(const char* op, const char* overload, Arguments arguments) {
    std::string name = last_.outputs.front() + " (contracted " + std::to_string(next_++) + ")";
    nodes_.push_back(node_like(last_, op, overload, std::move(arguments), name));
    return name;
  }

  void reshape(const std::vector<int64_t>& shape) {
    rows_ = add("aten::reshape", "", {{"self", ValueName{rows_}}, {"shape", Numbers(shape.begin(), shape.end())}});
  }

  // The layer above read rows; below are images again.
  void unflatten(const Node& node) {
    std::vector<int64_t> shape = shapes_.at(*value_of(node, "self"));
    shape.front() = count_;
    reshape(shape);
    images_ = shape.size() == 4;
  }

  // b += U bias, where an image's pixels all have the bias of their channel.
  void add_bias(const std::string& bias) {
    const std::string sums =
        images_ ? add("aten::sum", "dim_IntList", {{"self", ValueName{rows_}}, {"dim", Numbers{2, 3}}}) : rows_;
    const std::string part = add("aten::mv", "", {{"self", ValueName{sums}}, {"vec", ValueName{bias}}});
    bias_ = bias_.empty() ? part : add("aten::add", "Tensor", {{"self", ValueName{bias_}}, {"other", ValueName{part}}});
  }

  void push_convolution(const Node& node) {
    const std::string weight = *value_of(node, "weight");
    const std::vector<int64_t>& kernel = find_parameter(program_, weight)->shape;
    const auto stride = pair_of(node, "stride", 1), padding = pair_of(node, "padding", 0),
               dilation = pair_of(node, "dilation", 1);
    const int64_t groups = integer_of(node, "groups", 1);
    Numbers inner, extra;
    bool plain = turned_ && groups == 1;  // and its adjoint is a convolution too
    const std::vector<int64_t>& in = shapes_.at(*value_of(node, "input"));
    const std::vector<int64_t>& out = shapes_.at(node.outputs.front());
    for (int i = 0; i < 2; ++i) {
      const int64_t reach = dilation[i] * (kernel[2 + i] - 1);
      plain = plain && stride[i] == 1 && padding[i] <= reach;
      inner.push_back(static_cast<double>(reach - padding[i]));
      extra.push_back(static_cast<double>(in[2 + i] - ((out[2 + i] - 1) * stride[i] - 2 * padding[i] + reach + 1)));
    }
    const Numbers dilations(dilation.begin(), dilation.end());
    if (plain) {
      const std::string turned = add("aten::flip", "", {{"self", ValueName{weight}}, {"dims", Numbers{2, 3}}});
      const std::string swapped =
          add("aten::transpose", "int", {{"self", ValueName{turned}}, {"dim0", 0.0}, {"dim1", 1.0}});
      rows_ = add(
          "aten::conv2d", "",
          {{"input", ValueName{rows_}}, {"weight", ValueName{swapped}}, {"padding", inner}, {"dilation", dilations}});
      return;
    }
    rows_ = add("aten::conv_transpose2d", "input",
                {{"input", ValueName{rows_}},
                 {"weight", ValueName{weight}},
                 {"stride", Numbers(stride.begin(), stride.end())},
                 {"padding", Numbers(padding.begin(), padding.end())},
                 {"output_padding", extra},
                 {"groups", static_cast<double>(groups)},
                 {"dilation", dilations}});
  }

  const Program& program_;
  const Shapes& shapes_;
  const Node& last_;
  const bool turned_;
  std::vector<Node>& nodes_;
  std::string rows_, bias_;  // names of U and of what b has come to
  int64_t count_;
  bool images_;
  int next_ = 1;
};

// The nodes of the longest chain that ends with node `last`, from the last to the first.
std::vector<size_t> chain_to(const Program& program, const Readers& readers, const Shapes& shapes, size_t last) {
  std::vector<size_t> chain{last};
  while (true) {
    const Node& upper = program.nodes[chain.back()];
    const std::string& input = *value_of(upper, input_name(upper));
    auto lower = std::find_if(program.nodes.begin(), program.nodes.end(),
                              [&](const Node& node) { return node.outputs.front() == input; });
    if (lower == program.nodes.end() || readers.at(input) > 1 || lower->modes != program.nodes[last].modes) break;
    const bool fits = has_weight(program, *lower) || is_view(*lower);
    const std::string* below = fits ? value_of(*lower, input_name(*lower)) : nullptr;
    if (below == nullptr || !shapes.contains(*below) || !shapes.contains(input)) break;
    if (is_linear(*lower) && shapes.at(input).size() != 2) break;
    chain.push_back(lower - program.nodes.begin());
  }
  while (is_view(program.nodes[chain.back()])) chain.pop_back();
  return chain;
}

}  // namespace

Contracted with_contracted_chains(const Program& program, const Shapes& shapes, bool turned) {
  Contracted result{program, 0, {}};
  const Readers readers = count_readers(program);
  std::vector<std::vector<Node>> instead(program.nodes.size());
  std::set<size_t> replaced;
  for (size_t last = program.nodes.size(); last-- > 0;) {
    const Node& node = program.nodes[last];
    if (replaced.contains(last) || !is_linear(node) || !has_weight(program, node) ||
        !shapes.contains(node.outputs.front()) || shapes.at(node.outputs.front()).size() != 2) {
      continue;
    }
    const std::vector<size_t> chain = chain_to(program, readers, shapes, last);
    const auto weights =
        std::count_if(chain.begin(), chain.end(), [&](size_t i) { return has_weight(program, program.nodes[i]); });
    if (weights < 2) continue;
    Writer writer(program, shapes, node, turned, instead[last]);
    for (size_t i : chain) {
      if (i != last) writer.push(program.nodes[i]);
      if (has_weight(program, program.nodes[i])) result.weights.push_back(*value_of(program.nodes[i], "weight"));
    }
    const Node& first = program.nodes[chain.back()];
    writer.finish(*value_of(first, input_name(first)));
    replaced.insert(chain.begin(), chain.end());
    result.rows = std::max(result.rows, writer.count());
  }
  result.program.nodes.clear();
  for (size_t i = 0; i < program.nodes.size(); ++i) {
    if (!replaced.contains(i)) result.program.nodes.push_back(program.nodes[i]);
    result.program.nodes.insert(result.program.nodes.end(), instead[i].begin(), instead[i].end());
  }
  return result;
}

}  // namespace incremental
