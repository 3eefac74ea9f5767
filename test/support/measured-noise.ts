/**
 * Log ratios of throughput of arms that are equal by construction: the suite pool-size on Redis 7.0.15, two cores with
 * no other work, windows of 0.5 s, 25 rounds (ioredis, 50 workers; 2 connections per worker to 1, and 4 to 2: workers in
 * a closed loop hold 1). Scaled median absolute deviation 3 %; 3 of the 50 are beyond 20 %.
 */
export const logRatiosOnAQuietMachine: readonly number[] = [
  ...[-0.048, 0.021, 0.23, -0.024, -0.002, 0.015, -0.03, -0.214, -0.014, 0.007, 0.004, 0.005, -0.017],
  ...[0.084, 0.037, -0.002, 0.018, -0.05, 0.035, 0.189, -0.004, -0.052, 0.006, 0.022, 0.009],
  ...[0.067, -0.148, -0.007, 0.052, 0.046, 0.046, 0.01, 0.297, -0.03, 0.005, 0.01, -0.008, 0.017],
  ...[0.179, 0.009, -0.028, -0.003, 0.02, -0.047, -0.053, 0, 0.026, 0.009, 0.033, -0.129],
];

/**
 * Log ratios of throughput of two equal arms, so of a true ratio of 1: eight runs of 9 rounds with windows of 1 s on two
 * cores that client, Redis 7.0.15 and other work shared (ioredis at 10 and 50 workers, wire at 50). The arms differ in
 * their health TTL alone, 1000 and 1010 ms. Scaled median absolute deviation 9 %; 9 of the 72 are beyond 20 %.
 */
export const logRatiosBesideOtherWork: readonly (readonly number[])[] = [
  [-0.092, 0.029, -0.117, 0.053, 0.02, -0.12, 0.008, 0.059, -0.437],
  [0.052, -0.056, -0.06, 0.107, 0.054, 0.065, 0.025, 0.016, -0.383],
  [0.048, 0.132, -0.071, -0.02, 0.005, -0.496, -0.057, -0.079, 0.057],
  [-0.243, 0.102, 0.2, -0.06, -0.05, -0.709, -0.021, -0.187, -0.059],
  [-0.001, 0.009, -0.059, -0.123, -0.307, -0.526, -0.098, -0.026, -0.019],
  [-0.089, -0.088, -0.094, -0.02, -0.088, 0.171, 0.32, 0.042, 0.012],
  [0.068, -0.024, 0.13, -0.152, -0.03, -0.072, 0.007, -0.022, 0.084],
  [-0.041, 0.004, 0.196, -0.011, -0.008, -0.07, -0.109, 0.295, 0.001],
];
