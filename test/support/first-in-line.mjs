import { setPriority } from 'node:os';

/** Preloaded (`node --import`): every thread goes before other programs where the system lets it, as it lets root. */
try {
  setPriority(-15);
} catch {}
