// Images in channels_last memory from end to end, for the fast mode: convolutions, pooling and batch norm take and
// return it as it is. What undoes that in PyTorch is the flatten before a classifier, which copies the last images into
// the order of the classifier's columns, and back in the backward pass. Here the columns are put into the order of the
// images instead, once, when a run begins (ProgramTensor::image_shape).
#pragma once
#include "src/program/rewrites/rewrite.h"

namespace incremental {

Program with_channels_last(const Program& program, const Shapes& shapes);

}  // namespace incremental
