// Statistics of a batch need more than one value: the variance of one is 0 / 0, which batch norm would keep in its
// running statistics. As torch.nn.functional's _verify_batch_size and _verify_spatial_size, which a program does not
// call.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/program/program.h"
#include "src/program/rewrites/rewrite.h"

namespace incremental {

// True where the node itself says that it does as in evaluation, whatever the run does.
bool is_frozen(const Node& node);

// True where the operator takes statistics of its batch in training.
bool takes_statistics(const Node& node);

// PyTorch's words where an input of this shape has one value for each of the statistics that `node` takes in training;
// empty: it has more.
std::string lack_of_values(const Node& node, at::IntArrayRef shape);

// The same for a batch of `samples`, of the first node of the program that has too few, followed by that node's
// module. Nodes whose shape is not among `shapes` are left to the executor.
std::string lack_of_values(const Program& program, const Shapes& shapes, int64_t samples);

}  // namespace incremental
