attnlaw_test(study comparison)
attnlaw_test(study learning_curve)
attnlaw_test(study agreement)
attnlaw_test(study phase_diagram)
