import { listenEmbedded } from './server.ts';

/** Entry of the embedded server's process: it lives as long as the channel to the poolbench that forked it. */

process.on('disconnect', () => process.exit(0));
// The terminal's Ctrl-C goes to every process in the foreground; the load must drain against a server that still answers.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});

try {
  const { port } = await listenEmbedded({ port: Number(process.argv[2] ?? 0) });
  process.send?.({ port });
} catch (error) {
  process.send?.({ error: error instanceof Error ? error.message : String(error) }, () => process.exit(1));
}
