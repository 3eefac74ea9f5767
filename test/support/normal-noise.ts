/** Standard normal noise from uniform noise (Box and Muller, 1958). */
export function normalNoise(random: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
