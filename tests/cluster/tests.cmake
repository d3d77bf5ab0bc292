attnlaw_test(cluster remote_workers)
attnlaw_test(cluster sharded_training)
