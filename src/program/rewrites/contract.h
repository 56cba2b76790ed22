// Chains of affine operators with nothing non-linear between them, such as the whole of Net, trained in contracted
// form.
//
// Such a chain is one matrix: f(x) = A x + b, with as many rows as it has outputs. A and b are functions of the chain's
// weights. Row i of A is the i-th row of the last weight pushed down through the adjoints of the layers before:
//
//   U_n = W_n,  U_k-1 = L_k^T(U_k),  A = U_0,  b = b_n + sum_k <U_k, b_k>
//
// Written as operators that autograd differentiates, the chain rule does the rest: the gradient G of A is as many
// "images" as there are rows, whatever the batch, and goes up through the layers as images do. So a step costs what it
// costs to train on a batch of as many samples as there are outputs. The gradients are the same real numbers, rounded
// otherwise.
#pragma once
#include <string>
#include <vector>

#include "src/program/rewrites/rewrite.h"

namespace incremental {

struct Contracted {
  Program program;
  int64_t rows = 0;                  // of the largest chain: batches above it gain. 0: there is no chain
  std::vector<std::string> weights;  // of all chains
};

// `program`: as with_channels_last makes it. `shapes`: of its values before that. `turned`: a convolution's adjoint is
// written as a convolution with the kernel turned round, where it is one. oneDNN is faster so. cuDNN is not: to it the
// adjoint's own gradients are those of the convolution that the model has, whose few inputs its kernels are made for
// (167 against 278 us a step of Net on an H200).
Contracted with_contracted_chains(const Program& program, const Shapes& shapes, bool turned);

}  // namespace incremental
