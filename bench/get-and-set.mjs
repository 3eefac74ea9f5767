/** Two commands a session. */
export default async ({ client, key, value }) => {
  await client.get(key());
  await client.set(key(), value());
};
