#include "attnlaw/study/run/schedule.h"

#include <algorithm>
#include <utility>

#include "attnlaw/study/run/cost.h"

namespace attnlaw::study {

Schedule::Schedule(const Study& study, const std::vector<bool>& finished) : nodes_(study.tasks.size()) {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    Node& node = nodes_[i];
    node.predecessor = study.tasks[i].predecessor;
    if (node.predecessor) nodes_[*node.predecessor].followers.push_back(i);
    node.done = finished[i];
    if (!node.done) node.work = estimated_seconds(study.tasks[i].task);
    work_total_ += node.work;
  }
  work_left_ = work_total_;
  // Followers have larger indices: from the back, the chain behind a task is known before the task.
  for (std::size_t i = nodes_.size(); i-- > 0;) {
    Node& node = nodes_[i];
    for (const std::size_t follower : node.followers) node.urgency = std::max(node.urgency, nodes_[follower].urgency);
    node.urgency += node.work;
  }
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (is_root(i)) push(roots_, i);
}

bool Schedule::is_root(std::size_t task) const {
  const Node& node = nodes_[task];
  return !node.done && (!node.predecessor || nodes_[*node.predecessor].done);
}

void Schedule::push(Heap& heap, std::size_t task) const {
  heap.push_back({nodes_[task].urgency, task});
  std::push_heap(heap.begin(), heap.end());
}

std::size_t Schedule::pop(Heap& heap) {
  std::pop_heap(heap.begin(), heap.end());
  const std::size_t task = heap.back().task;
  heap.pop_back();
  return task;
}

std::vector<std::size_t> Schedule::offer() {
  if (roots_.empty()) return {};
  std::vector<std::size_t> family{pop(roots_)};
  for (std::size_t member = 0; member < family.size(); ++member)
    for (const std::size_t follower : nodes_[family[member]].followers)
      if (!nodes_[follower].done) family.push_back(follower);
  return family;
}

void Schedule::admit(const std::vector<std::size_t>& family) { push(ready_, family.front()); }

void Schedule::defer(const std::vector<std::size_t>& family) {
  deferred_.insert(deferred_.end(), family.begin(), family.end());
}

void Schedule::renew(const std::vector<bool>& finished) {
  const std::vector<std::size_t> tasks = std::exchange(deferred_, {});
  for (const std::size_t task : tasks) {
    Node& node = nodes_[task];
    if (node.done || !finished[task]) continue;
    node.done = true;
    work_left_ -= node.work;
  }
  for (const std::size_t task : tasks)
    if (is_root(task)) push(roots_, task);
}

std::optional<std::size_t> Schedule::peek() const {
  if (ready_.empty()) return std::nullopt;
  return ready_.front().task;
}

std::optional<std::size_t> Schedule::next() {
  if (ready_.empty()) return std::nullopt;
  ++running_;
  return pop(ready_);
}

void Schedule::finish(std::size_t task) {
  Node& node = nodes_[task];
  node.done = true;
  --running_;
  work_left_ -= node.work;
  for (const std::size_t follower : node.followers)
    if (!nodes_[follower].done) push(ready_, follower);
}

void Schedule::give_back(std::size_t task) {
  --running_;
  push(ready_, task);
}

bool Schedule::is_needed(std::size_t task) const {
  const auto& followers = nodes_[task].followers;
  return std::any_of(followers.begin(), followers.end(), [&](std::size_t follower) { return !nodes_[follower].done; });
}

}  // namespace attnlaw::study
