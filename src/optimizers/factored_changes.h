// Changes of weights by Adafactor, before they are scaled: gradients divided by the roots of their variances, each in
// one pass over memory where the tensors fit that, with the bits of ATen's operations unless it says otherwise.
#pragma once
#include "src/core/libtorch.h"

namespace incremental {

// Of a vector: lets its variance take in `added` of the squares, and divides by its root, which is at least `epsilon`.
at::Tensor change_of_vector(const at::Tensor& gradient, const at::Tensor& variance, double added, double epsilon);

// Of [..., row, column], whose variances are products of those of rows and of columns, by the mean of the rows'. That
// is at least `epsilon`, as are the roots.
at::Tensor change_of_matrices(const at::Tensor& gradient, const at::Tensor& rows, const at::Tensor& columns,
                              double epsilon);

// True for enough matrices to divide them among threads, in the memory layout that change_many() takes.
bool are_many(const at::Tensor& gradient, const at::Tensor& rows, const at::Tensor& columns);

// The same in one pass over matrices, each of which stays in the cache, with other roundings: takes in `added` of the
// squares, writes the change, and returns the sum of its squares.
double change_many(const at::Tensor& gradient, const at::Tensor& rows, const at::Tensor& columns,
                   const at::Tensor& change, double added, double epsilon);

}  // namespace incremental
