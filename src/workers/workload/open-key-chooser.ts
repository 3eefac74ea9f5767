import type { KeyChoice } from '../contract.ts';
import { gaussianStrips } from './gaussian-strips.ts';
import { HotSetKeys } from './hot-set-keys.ts';
import type { KeyChooser } from './key-chooser.ts';
import type { KeyRange } from './key-range.ts';
import { SequentialKeys } from './sequential-keys.ts';
import { StripSampler } from './strip-sampler.ts';
import { UniformKeys } from './uniform-keys.ts';
import { zipfianStrips } from './zipfian-strips.ts';

/**
 * @param own the range of the one who draws: a pool, or a worker where keys are partitioned
 * @param keys of all pools together. Where some keys are hotter than others, every pool draws from all of them: else
 *   each number of pools would be another distribution.
 */
export function openKeyChooser(choice: KeyChoice, own: KeyRange, keys: number, seed: number): KeyChooser {
  switch (choice.kind) {
    case 'uniform':
    case 'partitioned':
      return new UniformKeys(own, seed);
    case 'sequential':
      return new SequentialKeys(own);
    case 'hotSet':
      return new HotSetKeys(keys, choice, seed);
    case 'zipfian':
      return new StripSampler(zipfianStrips(keys, choice.exponent), seed);
    case 'gaussian':
      return new StripSampler(gaussianStrips(keys, choice.spread), seed);
  }
}
