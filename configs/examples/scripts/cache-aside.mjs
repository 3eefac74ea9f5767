// A cache in front of a database: a value that is not cached is read from the database, and cached for a while.
const keepMs = 500;
const databaseMs = 2;

/** @param {import('poolbench').Session} session */
export default async ({ client, key, value, step, think }) => {
  const user = key();
  const cached = await step('look', () => client.get(user));
  if (cached !== null) return;
  // Stands for the database's time, which must not count as the cache's.
  await think(databaseMs);
  await step('fill', () => client.set(user, value(), 'PX', keepMs));
};
