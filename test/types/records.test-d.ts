/** Checked by `npm run typecheck`: the public types are what the schemas of the protocol accept. Nothing here runs. */
import type { InferOutput } from 'valibot';
import { expectTypeOf } from 'vitest';
import type {
  Actor,
  AuditEvent,
  FleetStatus,
  JoinToken,
  ListedPeel,
  PeelDetails,
  PeelRecord,
  PeelRevocation,
  PeelRotation,
  Presence,
} from 'zester';
import type { AnswerOf } from 'zester/master';
import type { actorSchema } from '../../src/protocol/records/actor.js';
import type { auditEventSchema } from '../../src/protocol/records/audit-event.js';
import type { tokenSchema } from '../../src/protocol/records/join-token.js';
import type { presenceSchema } from '../../src/protocol/records/presence.js';
import type { recordSchema } from '../../src/protocol/records/record.js';

expectTypeOf<InferOutput<typeof actorSchema>>().toEqualTypeOf<Actor>();
expectTypeOf<InferOutput<typeof tokenSchema>>().toEqualTypeOf<JoinToken>();
expectTypeOf<InferOutput<typeof presenceSchema>>().toEqualTypeOf<Presence>();
expectTypeOf<InferOutput<typeof recordSchema>>().toExtend<PeelRecord>();
expectTypeOf<PeelRecord>().toExtend<InferOutput<typeof recordSchema>>();
expectTypeOf<InferOutput<typeof auditEventSchema>['kind']>().toEqualTypeOf<AuditEvent['kind']>();
expectTypeOf<InferOutput<typeof auditEventSchema>>().toExtend<AuditEvent>();
expectTypeOf<AuditEvent>().toExtend<InferOutput<typeof auditEventSchema>>();
expectTypeOf<AnswerOf<'peel.list'>['peels'][number]>().toExtend<ListedPeel>();
expectTypeOf<ListedPeel>().toExtend<AnswerOf<'peel.list'>['peels'][number]>();
expectTypeOf<AnswerOf<'peel.revoke'>>().toExtend<PeelRevocation>();
expectTypeOf<PeelRevocation>().toExtend<AnswerOf<'peel.revoke'>>();
expectTypeOf<AnswerOf<'peel.rotate'>>().toExtend<PeelRotation>();
expectTypeOf<PeelRotation>().toExtend<AnswerOf<'peel.rotate'>>();
expectTypeOf<AnswerOf<'peel.show'>>().toExtend<PeelDetails>();
expectTypeOf<PeelDetails>().toExtend<AnswerOf<'peel.show'>>();
expectTypeOf<AnswerOf<'status'>>().toEqualTypeOf<FleetStatus>();
