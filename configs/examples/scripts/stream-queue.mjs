// A queue in a stream: a session adds a job, then reads and acknowledges the next one in its group.
const group = 'workers';

/** @param {import('poolbench').Session} session */
export default async ({ client, key, value, random, step }) => {
  const queue = key();
  const worker = `worker-${Math.floor(random() * 8)}`;
  await step('add', () => client.xadd(queue, 'MAXLEN', '~', 1000, '*', 'job', value()));
  await step('take', async () => {
    const streams = await read(client, queue, worker);
    for (const [, entries] of streams ?? []) for (const [id] of entries) await client.xack(queue, group, id);
  });
};

/** All keys are absent when a measurement begins, so the first session creates the group. */
async function read(client, queue, worker) {
  const ask = () => client.xreadgroup('GROUP', group, worker, 'COUNT', 1, 'STREAMS', queue, '>');
  try {
    return await ask();
  } catch (error) {
    if (!error.message.startsWith('NOGROUP')) throw error;
    await client.xgroup('CREATE', queue, group, 0).catch(orMadeByAnother);
    return await ask();
  }
}

function orMadeByAnother(error) {
  if (!error.message.startsWith('BUSYGROUP')) throw error;
}
