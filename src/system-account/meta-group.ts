// Finds servers outside JetStream's meta group.

/** One server's view of JetStream's meta group, from its answer to JSZ. */
export interface MetaGroupAnswer {
  /** The name of the answering server. */
  server?: string | undefined;
  leader?: string | undefined;
  cluster_size?: number | undefined;
  /** The other members, as the leader sees them. A former leader lists some too. */
  replicas?: readonly { name?: string | undefined }[] | undefined;
}

/**
 * The responding servers that have JetStream but are not in its meta group. Nothing can be placed on them: if one of
 * three servers is missing, JetStream has "no suitable peers for placement" for three replicas. This happens when the
 * servers of a new cluster are started together, and lasts until the missing one is restarted.
 *
 * @param up the responding servers
 * @param answers their views of the meta group. Only the answer of the leader itself counts: a former leader still lists
 *   members, without itself and with the new leader twice
 * @returns their names; undefined unless exactly one leader answers: only a leader knows
 */
export function outsideMetaGroup(
  up: readonly { name: string; jetStream: boolean; cluster: string | undefined }[],
  answers: readonly MetaGroupAnswer[],
): string[] | undefined {
  const leaders = answers.filter(
    ({ server, leader, replicas = [] }) => server !== undefined && server === leader && replicas.length > 0,
  );
  const [answer] = leaders;
  if (answer === undefined || leaders.length > 1) return undefined;
  const members = new Set([answer.leader, ...(answer.replicas ?? []).map(({ name }) => name)]);
  return up
    .filter(({ name, jetStream, cluster }) => jetStream && cluster !== undefined && !members.has(name))
    .map(({ name }) => name);
}

/** The finding about servers outside the meta group, and its fix; undefined: none, or unknown. */
export function describeMissingServers(outside: readonly string[] | undefined): string | undefined {
  if (outside === undefined || outside.length === 0) return undefined;
  const names = outside.join(', ');
  return `${names} ${outside.length === 1 ? 'runs, but is' : 'run, but are'} missing from JetStream's meta group: restart ${names}`;
}
