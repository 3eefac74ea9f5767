// A queue in a list: a session adds a job and waits for the next one. BLPOP holds the connection for as long as it waits.
const waitSeconds = 1;

/** @param {import('poolbench').Session} session */
export default async ({ client, key, value, step }) => {
  const queue = key();
  await step('add', () => client.rpush(queue, value()));
  await step('take', async () => {
    const job = await client.blpop(queue, waitSeconds);
    // A session that throws is counted as failed, under the code of the error.
    if (job === null) throw Object.assign(new Error(`no job within ${waitSeconds} s`), { code: 'NO_JOB' });
  });
};
