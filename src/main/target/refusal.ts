/** Whether the server answered, and said no: a lost connection is another matter. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** A server that could not save refuses PING as it does every write, and is there all the same. */
export function servesReads(error: unknown): boolean {
  return isRefusal(error) && error.message.startsWith('MISCONF');
}
