/** What poolbench knows of a server that it can start. */
interface ServerFacts {
  /** The name of its program on PATH, in its image and in its package. */
  readonly program: string;
  /**
   * The distribution's packages: that of the server, and that of the tools, because the server's program is a link
   * into it, and an installed one is not fetched. Null if there are none.
   */
  readonly packages: readonly string[] | null;
  readonly image: string;
  /** How a user installs it without Docker. */
  readonly install: string;
  /** The port that configs and the advice of `howToInstall` use, so that all servers can run side by side. */
  readonly port: number;
  /** Arguments that keep everything in memory. */
  readonly inMemory: readonly string[];
  readonly listen: (port: number, directory: string) => readonly string[];
  /** Sets the number of threads that serve clients. */
  readonly threads: (count: number) => readonly string[];
}

const redisArguments = {
  inMemory: ['--save', '', '--appendonly', 'no'],
  listen: (port: number, directory: string) => [
    ...['--bind', '127.0.0.1', '--port', String(port), '--dir', directory],
    ...['--daemonize', 'no', '--protected-mode', 'yes'],
  ],
  threads: (count: number) => ['--io-threads', String(count)],
};

const servers = {
  redis: {
    program: 'redis-server',
    packages: ['redis-server', 'redis-tools'],
    image: 'redis:7',
    install: 'Debian/Ubuntu: apt install redis-server · macOS: brew install redis',
    port: 6379,
    ...redisArguments,
  },
  valkey: {
    program: 'valkey-server',
    packages: ['valkey-server', 'valkey-tools'],
    image: 'valkey/valkey:8',
    install:
      'Debian/Ubuntu: apt install valkey-server (Debian 12: from bookworm-backports) · macOS: brew install valkey',
    port: 6381,
    ...redisArguments,
  },
  dragonfly: {
    program: 'dragonfly',
    packages: null,
    image: 'docker.dragonflydb.io/dragonflydb/dragonfly',
    install: 'put its release binary on PATH as "dragonfly"',
    port: 6382,
    inMemory: ['--dbfilename=', '--version_check=false', '--logtostderr'],
    listen: (port, directory) => ['--bind=127.0.0.1', `--port=${port}`, `--dir=${directory}`],
    threads: count => [`--proactor_threads=${count}`],
  },
} as const satisfies Record<string, ServerFacts>;

/** A server that poolbench can start. */
export type StartableServer = keyof typeof servers;
export const startable = Object.keys(servers) as readonly StartableServer[];

/** What a config can declare: one of them, or whatever answers. */
export const declarable = [...startable, 'any'] as const;
export type DeclaredServer = StartableServer | 'any';

export function serverFacts(server: StartableServer): ServerFacts {
  return servers[server];
}

/** Arguments for a number of threads that serve clients; none if the server keeps its own default. */
export function threadArguments(server: StartableServer, threads: number | undefined): readonly string[] {
  return threads === undefined ? [] : servers[server].threads(threads);
}

/** How a user gets the server, for Debian and Ubuntu, macOS and Docker. */
export function howToInstall(declared: DeclaredServer): string {
  const { install, port, image } = servers[declared === 'any' ? 'redis' : declared];
  return `${install} · Docker: docker run -d -p ${port}:6379 ${image}`;
}
