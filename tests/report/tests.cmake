attnlaw_test(report table)
attnlaw_test(report chart)
attnlaw_test(report heat_map)
attnlaw_test(report page)
