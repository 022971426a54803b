/** 40 subjects of a peel, 20 to publish and 20 to subscribe: the explicit credential of the benches. */
export const publish = subjects('zester.event.web-server-01');
export const subscribe = subjects('zester.cmd.web-server-01');

function subjects(prefix: string): string[] {
  return Array.from({ length: 20 }, (_, i) => `${prefix}.topic-${i}.>`);
}
