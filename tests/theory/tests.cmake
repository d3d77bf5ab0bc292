attnlaw_test(theory quasi_monte_carlo)
attnlaw_test(theory proximal)
attnlaw_test(theory denoiser)
