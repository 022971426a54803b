/** What one server says of JetStream's meta group, in its answer to JSZ. */
export interface MetaGroupAnswer {
  leader?: string | undefined;
  cluster_size?: number | undefined;
  /** Only the leader lists them: the other members. */
  replicas?: readonly { name?: string | undefined }[] | undefined;
}

/**
 * Which servers are present, have JetStream and are not in its meta group. Nothing can be placed on them: with three
 * servers, and one of them outside, JetStream has "no suitable peers for placement" for three copies. It happens when the
 * servers of a new cluster are started together, and lasts until the missing one is restarted.
 *
 * @param up the servers that answer
 * @param answers what they say of the meta group; only the leader's counts, as the others do not list the members
 * @returns their names; undefined while no leader answers: nobody else knows
 */
export function outsideMetaGroup(
  up: readonly { name: string; jetStream: boolean; cluster: string | undefined }[],
  answers: readonly MetaGroupAnswer[],
): string[] | undefined {
  const [said] = answers
    .filter(({ leader, replicas = [] }) => (leader ?? '') !== '' && replicas.length > 0)
    .sort((a, b) => (b.replicas?.length ?? 0) - (a.replicas?.length ?? 0));
  if (said === undefined) return undefined;
  const members = new Set([said.leader, ...(said.replicas ?? []).map(({ name }) => name)]);
  return up
    .filter(({ name, jetStream, cluster }) => jetStream && cluster !== undefined && !members.has(name))
    .map(({ name }) => name);
}

/** What to say of servers outside the meta group, and what to do; undefined: there are none. */
export function absenceWords(outside: readonly string[]): string | undefined {
  if (outside.length === 0) return undefined;
  const names = outside.join(', ');
  return `${names} ${outside.length === 1 ? 'runs, but is' : 'run, but are'} missing from JetStream's meta group: restart ${names}`;
}
