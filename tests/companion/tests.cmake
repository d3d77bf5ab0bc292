attnlaw_test(companion pooling)
target_link_libraries(companion_pooling_test PRIVATE GTest::gmock)
attnlaw_test(companion softmax_law)
attnlaw_test(companion lora)
