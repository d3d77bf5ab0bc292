/// Tasks computed elsewhere are the tasks computed here.
#include "attnlaw/cluster/remote_workers.h"

#include <gtest/gtest.h>

#include <mutex>

#include "cluster/in_process.h"

namespace attnlaw::cluster {
namespace {

using study::Outcome;
using study::Task;
using study::TaskKind;
using test::on_ranks;

Task theory_task(double alpha) {
  Task task;
  task.problem.head = model::Head::linear;
  task.problem.alpha = alpha;
  task.problem.lambda = 0.05;
  return task;
}

/// A run of `body` on rank 0 with the workers of all others, which have `threads` each.
void with_workers(int ranks, int threads, const std::function<void(const std::vector<study::Worker>&)>& body) {
  on_ranks(ranks, [&](base::Communicator& communicator) {
    if (communicator.rank() > 0) return serve(communicator, threads);
    body(remote_workers(communicator));
  });
}

TEST(RemoteWorkers, OneForEachThreadOfEachOtherRank) {
  with_workers(3, 2, [](const auto& workers) { EXPECT_EQ(workers.size(), 4u); });
  with_workers(1, 2, [](const auto& workers) { EXPECT_TRUE(workers.empty()); });
}

TEST(RemoteWorkers, ComputeTheSameBits) {
  with_workers(3, 1, [](const std::vector<study::Worker>& workers) {
    const Task first = theory_task(0.3);
    Task second = theory_task(0.35);
    second.continued = true;
    Task experiment = theory_task(0.4);
    experiment.kind = TaskKind::experiment;
    experiment.experiment.d = 20;
    const Outcome here = study::perform(first, nullptr, 1);
    for (const study::Worker& worker : workers) {
      const Outcome there = worker(first, nullptr);
      EXPECT_EQ(there.figures, here.figures);
      EXPECT_EQ(there.status, Outcome::Status::converged);
      EXPECT_EQ(worker(second, &here).figures, study::perform(second, &here, 1).figures);
      const Outcome trained = worker(experiment, nullptr), wanted = study::perform(experiment, nullptr, 1);
      EXPECT_EQ(trained.figures, wanted.figures);
      ASSERT_TRUE(trained.array("eigenvalues"));
      EXPECT_EQ(*trained.array("eigenvalues"), *wanted.array("eigenvalues"));
    }
  });
}

TEST(RemoteWorkers, ReportTasksThatFail) {
  with_workers(2, 1, [](const std::vector<study::Worker>& workers) {
    Task task = theory_task(0.3);
    task.kind = TaskKind::experiment;
    task.experiment.d = 20;
    task.problem.lambda_rule = model::LambdaRule::ridgeless;
    const Outcome failed = workers.front()(task, nullptr);
    EXPECT_EQ(failed.status, Outcome::Status::failed);
    EXPECT_FALSE(failed.error.empty());
    // And go on.
    EXPECT_EQ(workers.front()(theory_task(0.3), nullptr).status, Outcome::Status::converged);
  });
}

TEST(RemoteWorkers, AreLostWithTheirRank) {
  test::Machine machine(2);
  std::jthread other([&] {
    test::InProcess communicator(machine, 1);
    std::vector<double> counts{0, 1};
    communicator.sum(counts);
    communicator.receive(0, 0);
    machine.lose(1);
  });
  test::InProcess communicator(machine, 0);
  const std::vector<study::Worker> workers = remote_workers(communicator);
  ASSERT_EQ(workers.size(), 1u);
  EXPECT_THROW(workers.front()(theory_task(0.3), nullptr), study::WorkerLost);
}

TEST(RemoteWorkers, GiveUpWithoutRankZero) {
  test::Machine machine(2);
  std::jthread zero([&] {
    test::InProcess communicator(machine, 0);
    std::vector<double> counts{0, 0};
    communicator.sum(counts);
    machine.lose(0);
  });
  test::InProcess communicator(machine, 1);
  EXPECT_THROW(serve(communicator, 2), base::CommunicationError);
}

}  // namespace
}  // namespace attnlaw::cluster
