// The libtorch headers that this project uses, in one place, so that they are parsed once (precompiled header).
// ATen and c10 only: torch/torch.h costs 20 s a file and brings a C++ frontend that nothing here needs.
#pragma once
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <ATen/core/ivalue.h>
#include <c10/core/ScalarType.h>
#include <c10/util/Exception.h>
#include <c10/util/StringUtil.h>
