// Muon (Jordan 2024, "Muon: an optimizer for hidden layers in neural networks"), operation by operation as
// torch/optim/_muon.py does it on the CPU (_single_tensor_muon).
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "src/core/error.h"
#include "src/optimizers/by_parameter.h"
#include "src/optimizers/matrices.h"
#include "src/optimizers/members.h"

namespace incremental {
namespace {

struct Options {
  explicit Options(const Choice& choice)
      : rate(choice.number("learningRate")),
        weight_decay(choice.number("weightDecay")),
        momentum(choice.number("momentum")),
        nesterov(choice.boolean("nesterov")),
        coefficients(choice.numbers("nsCoefficients", 3)),
        epsilon(choice.number("eps")),
        iterations(static_cast<int>(choice.number("nsSteps"))),
        matches_adam_w(choice.word("adjustLearningRateFn") == "match_rms_adamw") {}

  double rate;
  double weight_decay;
  double momentum;
  bool nesterov;
  std::vector<double> coefficients;
  double epsilon;
  int iterations;
  bool matches_adam_w;
};

// The nearest matrix with orthogonal rows or columns, about, in bfloat16 (_zeropower_via_newtonschulz). An update of
// that dtype is itself divided by its norm, as in PyTorch.
at::Tensor orthogonalized(const at::Tensor& update, const Options& options) {
  const bool is_tall = update.size(0) > update.size(1);
  at::Tensor matrix = update.to(at::kBFloat16);
  if (is_tall) matrix = matrix.t();
  matrix.div_(at::linalg_vector_norm(matrix).clamp_min(options.epsilon));
  for (int i = 0; i < options.iterations; ++i) {
    const at::Tensor gram = at::mm(matrix, matrix.t());
    const at::Tensor factor = at::addmm(gram, gram, gram, options.coefficients[1], options.coefficients[2]);
    matrix = at::addmm(matrix, factor, matrix, options.coefficients[0]);
  }
  return is_tall ? matrix.t() : matrix;
}

class Muon : public ByParameter {
 public:
  Muon(const std::vector<at::Tensor>& parameters, const Options& options)
      : ByParameter(parameters, {{"momentum_buffer", Slot::Shape::kParameter}}, /*maximize=*/false),
        options_(options) {}

  void set_options(const Choice& choice) override { options_ = Options(choice); }

 private:
  void update(const at::Tensor& parameter, at::Tensor gradient, std::vector<at::Tensor>& slots) const override {
    at::Tensor& buffer = slots[0];
    buffer.lerp_(gradient, 1 - options_.momentum);
    const at::Tensor update = options_.nesterov ? gradient.lerp(buffer, options_.momentum) : buffer;
    // Columns in another order come out in that order.
    const bool is_image = parameter.dim() == 4;
    const at::Tensor orthogonal = orthogonalized(is_image ? rows_in_memory(update) : update, options_);
    const at::Tensor weights = is_image ? rows_in_memory(parameter) : parameter;
    scale(weights, 1 - options_.rate * options_.weight_decay);
    weights.add_(orthogonal, -adjusted_rate(weights));
  }

  double adjusted_rate(const at::Tensor& weights) const {
    const auto rows = static_cast<double>(weights.size(0)), columns = static_cast<double>(weights.size(1));
    return options_.rate * (options_.matches_adam_w ? 0.2 * std::sqrt(std::max(rows, columns))
                                                    : std::sqrt(std::max(1.0, rows / columns)));
  }

  Options options_;
};

}  // namespace

std::unique_ptr<Optimizer> make_muon(const Choice& choice, const std::vector<at::Tensor>& parameters,
                                     const ParameterShapes& shapes, bool) {
  for (const std::vector<int64_t>& shape : shapes) {
    check(shape.size() == 2, "ERR_INVALID_OPTION",
          "Expected parameters of two axes for muon but received one of shape ", at::IntArrayRef(shape));
  }
  return std::make_unique<Muon>(parameters, Options(choice));
}

}  // namespace incremental
