/** What a lost connection is called depends on who noticed it first: a read, a write, or nobody. */
export const lost: readonly string[] = ['CONNECTION_CLOSED', 'ECONNRESET', 'EPIPE'];

/** Connects can be slow to fail; while they do, few are tried. */
export const keptOut: readonly string[] = [...lost, 'ETIMEDOUT', 'CIRCUIT_OPEN'];
