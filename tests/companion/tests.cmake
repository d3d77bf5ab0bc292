attnlaw_test(companion lofi)
target_link_libraries(companion_lofi_test PRIVATE GTest::gmock)
