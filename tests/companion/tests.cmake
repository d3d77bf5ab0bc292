attnlaw_test(companion softmax_law)
