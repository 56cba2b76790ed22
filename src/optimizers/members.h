// The optimizers that are whole in the file of their name; optimizers.cc has the list of all.
#pragma once
#include <memory>
#include <vector>

#include "src/optimizers/optimizer.h"

namespace incremental {

// `is_fast`: with roundings of its own where that saves passes over memory.
using MakeOptimizer = std::unique_ptr<Optimizer>(const Choice& choice, const std::vector<at::Tensor>& parameters,
                                                 bool is_fast);

// For those that compute by the shape that a parameter has in its state: see make_optimizer().
using MakeShapedOptimizer = std::unique_ptr<Optimizer>(const Choice& choice, const std::vector<at::Tensor>& parameters,
                                                       const ParameterShapes& shapes, bool is_fast);

MakeOptimizer make_adadelta;
MakeOptimizer make_adagrad;
MakeOptimizer make_adam;
MakeOptimizer make_adam_w;
MakeOptimizer make_adamax;
MakeOptimizer make_asgd;
MakeOptimizer make_n_adam;
MakeOptimizer make_r_adam;
MakeOptimizer make_rmsprop;
MakeOptimizer make_rprop;

MakeShapedOptimizer make_adafactor;
MakeShapedOptimizer make_muon;

}  // namespace incremental
