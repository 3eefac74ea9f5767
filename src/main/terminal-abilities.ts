type Output = Pick<NodeJS.WriteStream, 'isTTY' | 'hasColors'>;
type Environment = Readonly<Record<string, string | undefined>>;

/** Whether lines may be written over: on a terminal that knows how, and not in a log of CI that only looks like one. */
export function canRedraw(stream: Output, env: Environment = process.env): boolean {
  const inCi = !['', '0', 'false'].includes(env.CI ?? '');
  return stream.isTTY === true && env.TERM !== 'dumb' && !inCi;
}

/** Whether text may have colours: NO_COLOR and FORCE_COLOR decide, else the terminal does. */
export function takesColour(stream: Output, env: Environment = process.env): boolean {
  if (env.FORCE_COLOR !== undefined) return !['0', 'false'].includes(env.FORCE_COLOR);
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false;
  return stream.isTTY === true && stream.hasColors({ ...env });
}
