attnlaw_test(matrix_laws spectrum)
attnlaw_test(matrix_laws law)
attnlaw_test(matrix_laws semicircle_sum)
attnlaw_test(matrix_laws optimal_denoiser)
