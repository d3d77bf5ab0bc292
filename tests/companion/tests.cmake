attnlaw_test(companion lora)
