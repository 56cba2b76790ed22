#include "src/losses/targets.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "src/core/error.h"

namespace incremental {
namespace {

const char* name_of(TargetKind kind) {
  switch (kind) {
    case TargetKind::kClass:
      return "'class'";
    case TargetKind::kClasses:
      return "'classes'";
    case TargetKind::kValues:
      return "'values'";
    case TargetKind::kTokens:
      return "'tokens'";
    default:
      return "'none'";
  }
}

bool holds_indices(TargetKind kind) { return TargetForm{kind}.holds_indices(); }

bool takes(const LossPlan& plan, bool indices) {
  return std::any_of(plan.targets.begin(), plan.targets.end(),
                     [&](const LossPlan::Target& one) { return holds_indices(one.kind) == indices; });
}

// The kinds that a loss takes, as words.
std::string kinds_of(const LossPlan& plan) {
  std::string text;
  for (size_t i = 0; i < plan.targets.size(); ++i) {
    const bool is_last = i + 1 == plan.targets.size();
    text += (i == 0 ? "" : is_last ? " or " : ", ") + std::string(name_of(plan.targets[i].kind));
  }
  return text;
}

// Names a sample whose target shows that it is of another kind than the loss takes; "": no sample does.
std::string evidence(const LossPlan& plan, const Dataset& dataset) {
  const TargetForm& form = dataset.target;
  if (!dataset.targets.defined() || dataset.targets.numel() == 0) return "";
  const int64_t size = std::max<int64_t>(1, c10::multiply_integers(form.shape));
  if (form.holds_indices()) {
    return c10::str(": that of sample 0 is the class ", dataset.targets.const_data_ptr<int64_t>()[0]);
  }
  if (!takes(plan, /*indices=*/true)) return "";
  const auto* data = dataset.targets.const_data_ptr<float>();
  const auto* end = data + dataset.targets.numel();
  const auto* found = std::find_if(data, end, [](float number) { return number != std::trunc(number); });
  return found == end ? ""
                      : c10::str(": that of sample ", (found - data) / size, " holds ", *found, ", which is no class");
}

void check_signs(const LossPlan& plan, const Dataset& dataset) {
  const auto* data = dataset.targets.const_data_ptr<float>();
  const auto* end = data + dataset.targets.numel();
  const auto* found = std::find_if(data, end, [](float number) { return std::abs(number) != 1; });
  if (found == end) return;
  const int64_t size = std::max<int64_t>(1, c10::multiply_integers(dataset.target.shape));
  check(false, "ERR_DATA_FORMAT", plan.kind, " needs targets that are 1 or -1, but that of sample ",
        (found - data) / size, " holds ", *found);
}

// The number of classes that a model needs for the targets that count.
int64_t counted_classes(const LossPlan& plan, const Dataset& dataset) {
  const TargetForm& form = dataset.target;
  const int64_t size = std::max<int64_t>(1, c10::multiply_integers(form.shape));
  const auto* data = dataset.targets.const_data_ptr<int64_t>();
  int64_t highest = -1;
  for (int64_t i = 0; i < dataset.targets.numel(); ++i) {
    if (plan.ignored_index == data[i]) continue;
    check(data[i] >= 0, "ERR_DATA_FORMAT", "A token of sample ", i / size, " is ", data[i], ", which ", plan.kind,
          plan.ignored_index ? c10::str(" does not ignore, since ignoreIndex is ", *plan.ignored_index)
                             : " does not ignore");
    highest = std::max(highest, data[i]);
  }
  return std::min(form.classes, highest + 1);
}

}  // namespace

Objection objection_to(const LossPlan& plan, const TargetForm& target) {
  if (plan.targets.empty()) return {};
  if (target.kind == TargetKind::kNone) {
    return {"ERR_DATA_FORMAT", "The samples have no targets, which " + plan.kind + " needs", ""};
  }
  const auto found = std::find_if(plan.targets.begin(), plan.targets.end(),
                                  [&](const LossPlan::Target& one) { return one.kind == target.kind; });
  const char* as_indices =
      "; give classes as integers (labels, or targets whose data are an Int32Array), or choose a loss of numbers";
  if (found == plan.targets.end()) {
    const bool indices = target.holds_indices();
    return {"ERR_DATA_FORMAT",
            c10::str(plan.kind, " takes targets of the kind ", kinds_of(plan), " but those of the samples are ",
                     name_of(target.kind), indices ? ", indices of classes" : ", floats"),
            indices && takes(plan, false)
                ? "; give numbers (targets: { data } with a Float32Array), or choose a loss of classes"
            : !indices && takes(plan, true) ? as_indices
                                            : ""};
  }
  AxisSizes sizes(1);
  if (sizes.fit(found->axes, batch_shape(1, target.shape))) return {};
  const bool is_number = target.shape.empty();
  return {
      "ERR_SHAPE",
      c10::str(plan.kind, " needs ", is_number && takes(plan, true) ? "the index of a class, or " : "",
               "targets of the shape ", AxisSizes(1).text(Axes(found->axes.begin() + 1, found->axes.end())),
               " but the target of a sample is ", is_number ? "one number" : c10::str(at::IntArrayRef(target.shape))),
      is_number && takes(plan, true) ? as_indices : ""};
}

std::string advice_on(const LossPlan& plan, const TargetForm& target, const at::Tensor& output) {
  if (plan.targets.empty() || output.dim() == 0) return "";
  const std::vector<int64_t> sizes = output.sizes().slice(1).vec();
  if (target.holds_indices()) {
    const bool has_last = sizes.size() == target.shape.size() + 1 && sizes.size() > 1 &&
                          std::equal(target.shape.begin(), target.shape.end(), sizes.begin());
    const bool is_asked = plan.outputs.front().axes.back() == "classes";
    return has_last && !is_asked ? "; if classes are its last axis, give crossEntropyLoss({ classesLast: true })" : "";
  }
  if (c10::multiply_integers(sizes) != c10::multiply_integers(target.shape)) return "";
  return c10::str("; give targets the shape ", at::IntArrayRef(sizes), ", or let the model return that of the targets");
}

std::unique_ptr<Loss> make_loss(const std::shared_ptr<const LossPlan>& plan, const Dataset& dataset) {
  const Objection objection = objection_to(*plan, dataset.target);
  if (!objection.text.empty()) {
    check(false, objection.code, objection.text, evidence(*plan, dataset), objection.advice);
  }
  TargetForm form = dataset.target;
  if (!plan->targets.empty() && dataset.targets.defined()) {
    const bool is_ignored_elsewhere = plan->ignored_index.value_or(0) != kIgnoredToken;
    if (form.holds_indices() && is_ignored_elsewhere) form.classes = counted_classes(*plan, dataset);
    if (plan->takes_signs) check_signs(*plan, dataset);
  }
  return std::make_unique<Loss>(plan, std::move(form));
}

}  // namespace incremental
