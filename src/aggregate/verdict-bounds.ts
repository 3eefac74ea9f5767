/** With fewer rounds no interval is worth a verdict. */
export const fewestRounds = 5;

/** A ratio that lies above the one is more, below the other less: what lies between is not worth a change. */
export const clearlyMore = 1.05;
export const clearlyLess = 0.95;
