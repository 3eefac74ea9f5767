/** A thread that does nothing: Node's own share of a thread's memory. */
export default () => new Promise(resolve => setTimeout(resolve, 500));
